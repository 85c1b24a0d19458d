from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from datagen.record import SampleError
from datagen.word.file import content, package_docx
from datagen.word.file.copy_marks import STYLE
from datagen.word.file.document import Document, Formula, Paragraph, Table, Text
from datagen.word.file.package import opened
from datagen.word.file.package_docx import related
from tests.inputs.word import formulas as omml
from tests.inputs.word import xml as xml

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read_and_copy(tmp_path: Path, body: str, running: bool = False, **parts) -> tuple[Document, dict[str, bytes]]:
    path = xml.write_docx(tmp_path / "a.docx", body + xml.section(running=running), **parts)
    return content.read(opened(str(path)))


def read(tmp_path: Path, body: str, **parts) -> Document:
    return read_and_copy(tmp_path, body, **parts)[0]


def paragraphs(document: Document) -> list[Paragraph]:
    return [block for block in document.blocks if isinstance(block, Paragraph)]


def words(paragraph: Paragraph) -> str:
    return "".join(piece.text for piece in paragraph.pieces if isinstance(piece, Text))


def lines(document: Document) -> list[str]:
    return [words(paragraph) for paragraph in paragraphs(document)]


KINDS = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
SYMBOLS = (("Symbol", "F061"), ("Webdings", "F0FF"))
CONTROL = "<w:sdt><w:sdtPr/><w:sdtContent>{0}</w:sdtContent></w:sdt>"
AROUND = (
    f'<w:hyperlink w:anchor="a">{xml.run("link ")}</w:hyperlink>',
    f'<w:smartTag w:element="x"><w:smartTagPr/>{xml.run("tag ")}</w:smartTag>',
)
RUBY = f"<w:r><w:ruby><w:rt>{xml.run('ji')}</w:rt><w:rubyBase>{xml.run('字')}</w:rubyBase></w:ruby></w:r>"
GONE = xml.paragraph(xml.run("one "), look='<w:rPr><w:del w:id="1"/></w:rPr>')


@pytest.mark.parametrize(
    ("body", "expected", "signs"),
    [
        pytest.param(
            xml.paragraph(
                "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:t>c</w:t><w:softHyphen/><w:t>d</w:t><w:br/>"
                "<w:t>e</w:t></w:r>"
            ),
            ["a\tb-cd\ne"],
            {},
            id="signs of a run",
        ),
        *(
            pytest.param(
                xml.paragraph(xml.run("x"), f'<w:r><w:sym w:font="Symbol" w:char="{code}"/></w:r>'), ["x"], {}, id=f"sign {code}"
            )
            for code in ("", "ZZZZ", "²", "D800", "FFFFFFFF")
        ),
        pytest.param(
            xml.paragraph("<!-- a --><w:r><!-- b --><w:t>one<!-- c --> two</w:t></w:r>"), ["one two"], {}, id="comments of XML"
        ),
        pytest.param(GONE + GONE + xml.paragraph(xml.run("two")), ["one one two"], {}, id="paragraphs whose marks were deleted"),
        pytest.param(
            xml.paragraph(
                KINDS[0],
                "<w:r><w:instrText> QUOTE </w:instrText></w:r>",
                *(xml.field("PAGE", "inner"), KINDS[1], xml.run("shown"), KINDS[2]),
            ),
            ["shown"],
            {},
            id="a field within an instruction",
        ),
        pytest.param(
            xml.paragraph(xml.run("O"), look='<w:framePr w:dropCap="drop" w:lines="3"/>') + xml.paragraph(xml.run("nce")),
            ["Once"],
            {},
            id="a dropped initial",
        ),
        pytest.param(
            xml.paragraph(*(f'<w:r><w:sym w:font="{of}" w:char="{code}"/></w:r>' for of, code in SYMBOLS)),
            ["α\ufffd"],
            {"unknown_symbols": 1},
            id="symbols of symbol fonts",
        ),
        pytest.param(
            xml.paragraph(xml.run("seen"), xml.run("hidden", "<w:vanish/>")) + xml.paragraph(xml.run("x", "<w:vanish/>")),
            ["seen"],
            {"hidden_runs": 2},
            id="hidden text",
        ),
        pytest.param(
            CONTROL.format(xml.paragraph(*AROUND, CONTROL.format(xml.run("held ")), RUBY)),
            ["link tag held 字"],
            {"ruby": 1},
            id="what stands round runs and blocks",
        ),
    ],
)
def test_lines(tmp_path, body, expected, signs):
    document = read(tmp_path, body)
    assert lines(document) == expected
    assert signs.items() <= document.signs.items()


def test_changes_are_accepted(tmp_path):
    moved = f'<w:moveFrom w:id="1">{xml.run("from")}</w:moveFrom><w:moveTo w:id="2">{xml.run("to")}</w:moveTo>'
    was_bold = xml.run("now", '<w:rPrChange w:id="3"><w:rPr><w:b/></w:rPr></w:rPrChange>')
    document = read(tmp_path, xml.paragraph(xml.inserted(xml.run("new ")), xml.deleted("old "), moved, was_bold))
    assert lines(document) == ["new tonow"]
    assert [piece.is_bold for piece in paragraphs(document)[0].pieces] == [False]
    assert document.signs["tracked_changes"] == 4


def test_deleted_rows_are_gone(tmp_path):
    row = xml.table([[(xml.paragraph(xml.run("cell")), 1, 1)]])
    document = read(tmp_path, row.replace("<w:trPr>", '<w:trPr><w:del w:id="1"/>') + row)
    (table,) = document.blocks
    assert isinstance(table, Table) and table.number == 0 and document.num_tables == 1


def test_an_alternative_that_nobody_knows_gives_way_to_the_fallback(tmp_path):
    both = xml.text_box(xml.paragraph(xml.run("boxed"))).replace('Requires="wps"', 'Requires="xyz"')
    document, copied = read_and_copy(tmp_path, xml.paragraph(both))
    assert lines(document) == ["boxed"]
    assert b"<w:pict>" in copied["word/document.xml"] and b"<w:drawing>" not in copied["word/document.xml"]


def test_results_of_fields_stay_and_only_what_has_none_or_runs_on_all_pages_is_made_anew(tmp_path):
    page, link = xml.field("PAGE", "7"), xml.field('HYPERLINK "http://a"', "link")
    empty = xml.field("NUMPAGES", "").replace(xml.run(""), "")
    fields = xml.paragraph(page, link, empty)
    document, copied = read_and_copy(tmp_path, fields, running=True, header=fields)
    body, header = paragraphs(document)
    assert [(piece.text, piece.is_generated) for piece in body.pieces] == [("7link", False), ("", True)]
    assert [(piece.text, piece.is_generated) for piece in header.pieces] == [("7", True), ("link", False), ("", True)]
    assert copied["word/document.xml"].count(b"instrText") == 2 and copied["word/header1.xml"].count(b"instrText") == 4


def test_simple_fields(tmp_path):
    simple = xml.paragraph(xml.run("on "), f'<w:fldSimple w:instr=" CREATEDATE ">{xml.run("1 May")}</w:fldSimple>')
    body, header = paragraphs(read(tmp_path, simple + xml.section(running=True), header=simple))
    assert [(piece.text, piece.is_generated) for piece in body.pieces] == [("on 1 May", False)]
    assert [(piece.text, piece.is_generated) for piece in header.pieces] == [("on ", False), ("1 May", True)]


def test_notes_follow_the_block_that_they_are_anchored_in(tmp_path):
    body = xml.paragraph(xml.run("said"), xml.note_sign("footnote", 2)) + xml.paragraph(
        xml.run("next"), xml.note_sign("endnote", 2)
    )
    footnotes, endnotes = xml.note("footnote", 2, xml.run("foot")), xml.note("endnote", 2, xml.run("end"))
    document = read(tmp_path, body, footnotes=footnotes, endnotes=endnotes)
    assert [(words(p).strip(), p.where) for p in paragraphs(document)] == [
        ("said", "body"),
        ("foot", "footnote"),
        ("next", "body"),
        ("end", "endnote"),
    ]
    sign = paragraphs(document)[0].pieces[-1]
    assert isinstance(sign, Text) and sign.is_generated and sign.raised == 1


def test_headings_lists_captions_code_and_direction(tmp_path):
    body = (
        xml.paragraph(xml.run("Title"), style="Title")
        + xml.paragraph(xml.run("Heading"), style="Heading2")
        + xml.paragraph(xml.run("Outlined"), look='<w:outlineLvl w:val="0"/>')
        + xml.item(xml.run("item"), number=1, depth=2)
        + xml.paragraph(xml.run("Figure 1"), style="Caption")
        + xml.paragraph(xml.run("x = 1"), style="Code")
        + xml.paragraph(xml.run("y = 2", '<w:rFonts w:ascii="Courier New"/>'))
        + xml.paragraph(xml.run("שלום"), look="<w:bidi/>")
    )
    read_ones = paragraphs(read(tmp_path, body))
    assert [(p.level, p.list_depth) for p in read_ones] == [(1, 0), (3, 0), (2, 0), (0, 2), *[(0, 0)] * 4]
    assert [p.marker_mark > 0 for p in read_ones] == [n == 3 for n in range(8)]
    assert [p.is_caption for p in read_ones] == [n == 4 for n in range(8)]
    assert [p.is_code for p in read_ones] == [n in (5, 6) for n in range(8)]
    assert [p.is_right_to_left for p in read_ones] == [n == 7 for n in range(8)]


def test_formulas_wherever_they_stand_have_their_order(tmp_path):
    names = iter("abcdef")
    inline = lambda: omml.inline(omml.text(next(names)))  # noqa: E731
    body = (
        xml.paragraph(xml.run("with "), inline())
        + xml.paragraph(omml.display(omml.text(next(names)), omml.text(next(names))))
        + xml.table([[(xml.paragraph(xml.run("in "), f'<w:hyperlink w:anchor="x">{inline()}</w:hyperlink>'), 1, 1)]])
        + xml.paragraph(inline(), xml.note_sign("footnote", 2))
    )
    document = read(tmp_path, body, footnotes=xml.note("footnote", 2, omml.inline(omml.text("f"))))

    def formulas(blocks):
        for block in blocks:
            if isinstance(block, Paragraph):
                yield from (piece for piece in block.pieces if isinstance(piece, Formula))
            else:
                for row in block.rows:
                    for cell in row.cells:
                        yield from formulas(cell.blocks)

    of_document = sorted(formulas(document.blocks), key=lambda formula: formula.number)
    assert [formula.number for formula in of_document] == list(range(6)) and document.num_formulas == 6
    assert ["".join(name for name in "abcdef" if f">{name}<" in f.omml) for f in of_document] == list("abcdef")
    assert [formula.is_display for formula in of_document] == [False, True, True, False, False, False]


def test_the_copy_calls_each_run_by_its_mark_and_keeps_its_colour(tmp_path):
    inside = xml.run("a", '<w:color w:val="FF0000" w:themeColor="accent1"/>') + xml.run("b", '<w:rStyle w:val="S"/><w:i/>')
    document, copied = read_and_copy(tmp_path, xml.paragraph(inside))
    (paragraph,) = paragraphs(document)
    names = [f"{STYLE}{piece.mark}" for piece in paragraph.pieces if isinstance(piece, Text)]
    root = etree.fromstring(copied["word/document.xml"])
    assert [style.get(f"{_W}val") for style in root.iter(f"{_W}rStyle")] == names and b'"FF0000"' in copied["word/document.xml"]
    styles = {style.get(f"{_W}styleId"): style for style in etree.fromstring(copied["word/styles.xml"]).iter(f"{_W}style")}
    bases = [[e.get(f"{_W}val") for e in styles[name].iter(f"{_W}basedOn")] for name in names]
    assert bases == [[], ["S"]]


def test_in_heads_letters_have_the_colour_of_their_mark(tmp_path):
    head = xml.item(xml.run("a", '<w:color w:val="FF0000"/>'), xml.field("PAGE", "3"), number=2)
    document, copied = read_and_copy(tmp_path, xml.paragraph(xml.run("b")), running=True, header=head)
    header = paragraphs(document)[1]
    colours = [int(e.get(f"{_W}val", ""), 16) for e in etree.fromstring(copied["word/header1.xml"]).iter(f"{_W}color")]
    a, page = (piece.mark for piece in header.pieces if isinstance(piece, Text))
    marks = [document.marks.letters[colour] for colour in colours]
    assert marks == [(header.marker_mark, 0), (a, 0xFF0000), *[(page, 0)] * 5]


def test_a_file_without_styles_gets_some(tmp_path):
    path = xml.write_docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")) + xml.section())
    package = opened(str(path))
    without = replace(package, parts=package_docx.cleaned(_without_styles(package.parts), Counter())[1])
    _, copied = content.read(without)
    without.write(str(tmp_path / "b.docx"), copied)
    again = opened(str(tmp_path / "b.docx"))
    (styles,) = (part for kind, part in related(again.parts, again.main).values() if kind == "styles")
    assert STYLE.encode() in again.parts[styles]


def _without_styles(parts):
    rels = "word/_rels/document.xml.rels"
    root = etree.fromstring(parts[rels])
    for element in [e for e in root if e.get("Type", "").endswith("/styles")]:
        root.remove(element)
    return {name: part for name, part in parts.items() if name != "word/styles.xml"} | {rels: etree.tostring(root)}


def test_only_docx_is_read(tmp_path):
    (tmp_path / "a.rtf").write_text("{\\rtf1 x}")
    with pytest.raises(SampleError, match="not_a_word_document"):
        content.read(opened(str(tmp_path / "a.rtf")))


def test_a_style_of_tables_speaks_of_heads(tmp_path):
    styles = (
        f'<w:styles xmlns:w="{xml.W}"><w:style w:type="table" w:styleId="T"><w:name w:val="T"/><w:tblStylePr w:type="firstRow">'
        "<w:rPr><w:caps/><w:b/></w:rPr></w:tblStylePr></w:style></w:styles>"
    )
    rows = [[(xml.paragraph(xml.run("head")), 1, 1)], [(xml.paragraph(xml.run("body")), 1, 1)]]
    look = '<w:tblStyle w:val="T"/><w:tblLook w:val="{}"/>'
    body = xml.table(rows, look=look.format("0020")) + xml.table(rows, look=look.format("0000"))
    document = read(tmp_path, body, more={"word/styles.xml": styles.encode()})
    pieces = [
        cell.blocks[0].pieces[0]
        for table in document.blocks
        if isinstance(table, Table)
        for row in table.rows
        for cell in row.cells
        if isinstance(cell.blocks[0], Paragraph)
    ]
    assert [(p.text, p.is_bold) for p in pieces if isinstance(p, Text)] == [
        ("HEAD", True),
        ("body", False),
        ("head", False),
        ("body", False),
    ]
