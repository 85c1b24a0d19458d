"""The parts of .docx files, written by hand: runs, paragraphs, formulas, tables, notes, and the package around them."""

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_NAMES = (
    f'xmlns:w="{W}" xmlns:m="{M}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:o="urn:schemas-microsoft-com:office:office" '
    'mc:Ignorable=""'
)
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_EMU_PT = 12_700

# Text and runs


def run(text: str, marks: str = "") -> str:
    """A run; `marks` is what stands in its w:rPr, such as "<w:b/>". Tabs and newlines become their elements."""
    inside = "".join(
        {"\t": "<w:tab/>", "\n": "<w:br/>"}.get(part) or f'<w:t xml:space="preserve">{escape(part)}</w:t>'
        for part in re.split("([\\t\\n])", text)
        if part
    )
    look = f"<w:rPr>{marks}</w:rPr>" if marks else ""
    return f"<w:r>{look}{inside}</w:r>"


def paragraph(*inside: str, style: str = "", look: str = "") -> str:
    """A paragraph of runs and formulas; `look` is what stands in its w:pPr beside its style."""
    style = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{style}{look}</w:pPr>{''.join(inside)}</w:p>"


def item(*inside: str, number: int, depth: int = 1, look: str = "") -> str:
    """An item of the list `number`: 1 has bullets, 2 numbers, 3 letters, 4 bullets of the typeface Symbol."""
    return paragraph(*inside, look=f'<w:numPr><w:ilvl w:val="{depth - 1}"/><w:numId w:val="{number}"/></w:numPr>{look}')


def field(code: str, result: str) -> str:
    """A field with what the file says it last showed."""
    kinds = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    return f'{kinds[0]}<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>{kinds[1]}{run(result)}{kinds[2]}'


def control(data: str) -> str:
    """A control of a form; `data` is what stands in its w:ffData."""
    begin = f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:enabled/>{data}</w:ffData></w:fldChar></w:r>'
    kind = "FORMCHECKBOX" if "checkBox" in data else "FORMDROPDOWN"
    code = f'<w:r><w:instrText xml:space="preserve"> {kind} </w:instrText></w:r>'
    return f'{begin}{code}<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'


def inserted(*inside: str) -> str:
    return f'<w:ins w:id="901" w:author="A" w:date="2020-01-01T00:00:00Z">{"".join(inside)}</w:ins>'


def deleted(text: str) -> str:
    gone = f'<w:r><w:delText xml:space="preserve">{escape(text)}</w:delText></w:r>'
    return f'<w:del w:id="902" w:author="A" w:date="2020-01-01T00:00:00Z">{gone}</w:del>'


def note_sign(kind: str, number: int) -> str:
    """Where a note is anchored; `kind` is "footnote" or "endnote"."""
    return f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:{kind}Reference w:id="{number}"/></w:r>'


def note(kind: str, number: int, *inside: str) -> str:
    sign = f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:{kind}Ref/></w:r>'
    return f'<w:{kind} w:id="{number}"><w:p>{sign}{run(" ")}{"".join(inside)}</w:p></w:{kind}>'


def text_box(*paragraphs: str, width_pt: int = 180, height_pt: int = 60) -> str:
    """A run with a text box, in both of the forms in which Word writes one."""
    words = f"<w:txbxContent>{''.join(paragraphs)}</w:txbxContent>"
    cx, cy = width_pt * _EMU_PT, height_pt * _EMU_PT
    shape = (
        f'<wps:wsp><wps:cNvSpPr txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{cx}" cy="{cy}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:ln w="9525"><a:solidFill><a:srgbClr val="000000"/></a:solidFill>'
        f"</a:ln></wps:spPr><wps:txbx>{words}</wps:txbx><wps:bodyPr/></wps:wsp>"
    )
    anchor = (
        '<wp:anchor distT="0" distB="0" distL="114300" distR="114300" simplePos="0" relativeHeight="2" behindDoc="0" '
        'locked="0" layoutInCell="1" allowOverlap="1"><wp:simplePos x="0" y="0"/><wp:positionH relativeFrom="column">'
        '<wp:align>center</wp:align></wp:positionH><wp:positionV relativeFrom="paragraph"><wp:posOffset>254000</wp:posOffset>'
        "</wp:positionV>"
        f'<wp:extent cx="{cx}" cy="{cy}"/><wp:wrapTopAndBottom/><wp:docPr id="70" name="Box"/><a:graphic>'
        f'<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">{shape}</a:graphicData>'
        "</a:graphic></wp:anchor>"
    )
    old = f'<w:pict><v:shape style="width:{width_pt}pt;height:{height_pt}pt"><v:textbox>{words}</v:textbox></v:shape></w:pict>'
    return (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing>{anchor}</w:drawing></mc:Choice>'
        f"<mc:Fallback>{old}</mc:Fallback></mc:AlternateContent></w:r>"
    )


def picture(width_pt: int = 120, height_pt: int = 80) -> str:
    """A run with the package's one picture, word/media/image1.png."""
    cx, cy = width_pt * _EMU_PT, height_pt * _EMU_PT
    return (
        f'<w:r><w:drawing><wp:inline><wp:extent cx="{cx}" cy="{cy}"/><wp:docPr id="80" name="Picture"/><a:graphic>'
        '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
        '<pic:cNvPr id="80" name="p"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rIdPicture"/>'
        f'<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{cx}" cy="{cy}"/>'
        '</a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline>'
        "</w:drawing></w:r>"
    )


def old_equation() -> str:
    """A run with an equation of Word's old editor: an object, of which the package's one picture shows the equation."""
    return (
        '<w:r><w:object><v:shape id="_x0000_i1025" style="width:90pt;height:30pt">'
        '<v:imagedata r:id="rIdPicture" o:title=""/></v:shape>'
        '<o:OLEObject Type="Embed" ProgID="Equation.3" ShapeID="_x0000_i1025" DrawAspect="Content" ObjectID="_1"/>'
        "</w:object></w:r>"
    )


# Tables


def table(
    rows: Sequence[Sequence[tuple[str, int, int]]],
    width_pt: int = 420,
    head: int = 0,
    look: str = "",
) -> str:
    """A table with rules. `rows` are of (blocks' XML, rowspan, colspan) for the cells that begin in a row, as HTML has them; the
    first `head` rows are repeated on each page."""
    num_columns = sum(colspan for _, _, colspan in rows[0])
    width = 20 * width_pt // num_columns
    below: dict[int, tuple[int, int]] = {}  # column -> (rows to go, columns)
    lines = []
    for n, row in enumerate(rows):
        cells, column, waiting = [], 0, list(row)
        while column < num_columns:
            if column in below:
                left, colspan = below.pop(column)
                if left > 1:
                    below[column] = left - 1, colspan
                blocks, merge = paragraph(), "<w:vMerge/>"
            else:
                blocks, rowspan, colspan = waiting.pop(0)
                merge = '<w:vMerge w:val="restart"/>' if rowspan > 1 else ""
                if rowspan > 1:
                    below[column] = rowspan - 1, colspan
            grid = f'<w:gridSpan w:val="{colspan}"/>' if colspan > 1 else ""
            wide = f'<w:tcW w:w="{width * colspan}" w:type="dxa"/>'
            cells.append(f"<w:tc><w:tcPr>{wide}{grid}{merge}</w:tcPr>{blocks}</w:tc>")
            column += colspan
        look_of_row = '<w:trHeight w:val="360"/>' + "<w:tblHeader/>" * (n < head)
        lines.append(f"<w:tr><w:trPr>{look_of_row}</w:trPr>{''.join(cells)}</w:tr>")
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = f'<w:gridCol w:w="{width}"/>' * num_columns
    look += f'<w:tblW w:w="{width * num_columns}" w:type="dxa"/><w:tblBorders>{sides}</w:tblBorders>'
    return f"<w:tbl><w:tblPr>{look}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(lines)}</w:tbl>"


def section(columns: int = 1, is_landscape: bool = False, kind: str = "", running: bool = False) -> str:
    """A w:sectPr; in the last paragraph's w:pPr of a section it ends that. `running`: with the package's header and footer."""
    size = 'w:w="16838" w:h="11906" w:orient="landscape"' if is_landscape else 'w:w="11906" w:h="16838"'
    kind = f'<w:type w:val="{kind}"/>' if kind else ""
    refs = '<w:headerReference w:type="default" r:id="rIdHeader"/><w:footerReference w:type="default" r:id="rIdFooter"/>'
    return (
        f"<w:sectPr>{refs if running else ''}{kind}<w:pgSz {size}/>"
        '<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/>'
        f'<w:cols w:num="{columns}" w:space="500"/></w:sectPr>'
    )


# The package

_STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{title}"/><w:basedOn w:val="Normal"/>'
    f"<w:pPr>{look}</w:pPr><w:rPr>{marks}</w:rPr></w:style>"
    for name, title, look, marks in (
        ("Title", "Title", "", '<w:b/><w:sz w:val="40"/>'),
        *(
            (
                f"Heading{n}",
                f"heading {n}",
                f'<w:keepNext/><w:outlineLvl w:val="{n - 1}"/>',
                f'<w:b/><w:sz w:val="{36 - 4 * n}"/>',
            )
            for n in (1, 2, 3)
        ),
        ("Caption", "caption", "", '<w:i/><w:sz w:val="18"/>'),
        ("Code", "HTML Preformatted", "", '<w:rFonts w:ascii="DejaVu Sans Mono" w:hAnsi="DejaVu Sans Mono"/><w:sz w:val="18"/>'),
    )
)
_NUMBERS = ("%1.", "%2.", "%3.")
PRIVATE = "\uf0b7"
"""The bullet of Symbol, as Word writes it."""
_SYMBOL = '<w:rPr><w:rFonts w:ascii="Symbol" w:hAnsi="Symbol" w:hint="default"/></w:rPr>'
_LEVELS = "".join(
    f'<w:abstractNum w:abstractNumId="{n}">'
    + "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text or _NUMBERS[depth]}"/>'
        f'<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="{720 * (depth + 1)}" w:hanging="360"/></w:pPr>'
        f"{_SYMBOL if text == PRIVATE else ''}</w:lvl>"
        for depth in range(3)
    )
    + "</w:abstractNum>"
    for n, kind, text in ((1, "bullet", "•"), (2, "decimal", ""), (3, "lowerLetter", ""), (4, "bullet", PRIVATE))
) + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2, 3, 4))


def _part(root: str, inside: str) -> str:
    return f"{_XML}<w:{root} {_NAMES}>{inside}</w:{root}>"


def _relationships(targets: Mapping[str, tuple[str, str]]) -> str:
    inside = "".join(f'<Relationship Id="{name}" Type="{kind}" Target="{to}"/>' for name, (kind, to) in targets.items())
    return f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inside}</Relationships>'


def write_docx(
    path: Path,
    body: str,
    *,
    footnotes: str = "",
    endnotes: str = "",
    header: str = "",
    footer: str = "",
    picture_png: bytes = b"",
    font: str = "DejaVu Sans",
    more: Mapping[str, bytes] | None = None,
) -> Path:
    """Writes a .docx of these parts' XML, without a clock's time in it. `body` ends with its section. `more` are members of the
    archive beside them, or in place of them."""
    separators = '<w:{0} w:type="separator" w:id="0"><w:p><w:r><w:separator/></w:r></w:p></w:{0}>'
    size = '<w:sz w:val="22"/><w:szCs w:val="22"/>'
    fonts = f'<w:rFonts w:ascii="{font}" w:hAnsi="{font}" w:cs="{font}" w:eastAsia="Noto Sans CJK SC"/>'
    styles = (
        f"<w:docDefaults><w:rPrDefault><w:rPr>{fonts}{size}</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>"
        '<w:spacing w:after="120"/></w:pPr></w:pPrDefault></w:docDefaults>'
        f'<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>{_STYLES}'
    )
    parts = {
        "document": ("document", f"<w:body>{body}</w:body>"),
        "styles": ("styles", styles),
        "numbering": ("numbering", _LEVELS),
        "footnotes": ("footnotes", footnotes and separators.format("footnote") + footnotes),
        "endnotes": ("endnotes", endnotes and separators.format("endnote") + endnotes),
        "header1": ("hdr", header),
        "footer1": ("ftr", footer),
    }
    kinds = {"document": "document.main", "header1": "header", "footer1": "footer"}
    members = {f"word/{name}.xml": _part(root, inside).encode() for name, (root, inside) in parts.items() if inside}
    there = [name for name, (_, inside) in parts.items() if inside]
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.'
        f'{kinds.get(name, name)}+xml"/>'
        for name in there
    )
    ids = {"header1": "rIdHeader", "footer1": "rIdFooter"}
    targets = {
        ids.get(name, f"rId_{name}"): (f"{_OFFICE}/{kinds.get(name, name)}", f"{name}.xml")
        for name in there
        if name != "document"
    }
    if picture_png:
        targets["rIdPicture"] = f"{_OFFICE}/image", "media/image1.png"
        members["word/media/image1.png"] = picture_png
    members["[Content_Types].xml"] = (
        f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        f'ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>{overrides}</Types>'
    ).encode()
    members["_rels/.rels"] = _relationships({"rId1": (f"{_OFFICE}/officeDocument", "word/document.xml")}).encode()
    members["word/_rels/document.xml.rels"] = _relationships(targets).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (members | dict(more or {})).items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return path
