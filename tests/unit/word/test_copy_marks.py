"""How marks are put into a copy."""

from lxml import etree

from datagen.word.file.copy_marks import CopyMarks, colours_in, luminance
from datagen.word.file.names import W
from datagen.word.file.styles import Styles
from datagen.word.file.table_cells import Fills, fill

_W = f'xmlns:w="{W[1:-1]}"'


def cell(properties: str = "") -> etree._Element:
    return etree.fromstring(f"<w:tc {_W}><w:tcPr>{properties}</w:tcPr></w:tc>")


def filled(marks: CopyMarks, mark: int, original: int | None) -> int:
    one = cell('<w:shd w:val="clear" w:fill="ABCDEF"/>')
    marks.fill_cell([one], mark, original)
    (shading,) = one.iter(W + "shd")
    return int(shading.get(W + "fill", ""), 16)


def test_cells_have_fills_of_their_own_as_light_as_the_file_s() -> None:
    marks = CopyMarks()
    originals = [None, 0xFFFFFF, 0xC0C0C0, 0x333333, 0x4F81BD, 0x9D9D9D] * 2000

    colours = [filled(marks, mark, original) for mark, original in enumerate(originals, 1)]

    assert len(set(colours)) == len(colours)
    assert [marks.fills[colour] for colour in colours] == list(enumerate(originals, 1))
    is_dark = [original is not None and luminance(original) <= 156 for original in originals]
    assert [luminance(colour) <= 156 for colour in colours] == is_dark


def test_colours_of_the_file_are_nobodys() -> None:
    first = [filled(CopyMarks(), 1, original) for original in (None, 0)]
    taken = colours_in([b"".join(b'<w:shd w:fill="%06x"/>' % colour for colour in first)])

    assert taken == frozenset(first)
    assert not {filled(CopyMarks(taken=taken), 1, original) for original in (None, 0)} & taken


def test_a_piece_of_runs_with_several_styles_has_a_style_for_each() -> None:
    marks = CopyMarks()
    runs = [etree.fromstring(f'<w:r {_W}><w:rPr><w:rStyle w:val="{name}"/></w:rPr></w:r>') for name in ("A", "B", "A")]
    for run in runs:
        marks.mark_run(run, 7)
        marks.mark_run(run, 7)  # as parts of fields are

    names = [run[0][0].get(W + "val") for run in runs]
    styles = etree.fromstring(marks.with_styles(etree.fromstring(f"<w:styles {_W}/>")))
    bases = {style.get(W + "styleId"): style.find(W + "basedOn").get(W + "val") for style in styles}
    assert names[0] == names[2] != names[1]
    assert bases == {names[0]: "A", names[1]: "B"}


def test_shading_is_what_libreoffice_mixes() -> None:
    def of(text: str) -> int | None:
        return fill(etree.fromstring(f"<w:shd {_W} {text}/>"))

    assert of('w:val="clear" w:fill="AABBCC"') == 0xAABBCC
    assert of('w:val="clear" w:fill="auto"') is of('w:val="nil" w:fill="AABBCC"') is None
    assert of('w:val="solid" w:color="102030" w:fill="FFFFFF"') == 0x102030
    assert of('w:val="pct50" w:color="000000" w:fill="FFFFFF"') == 0x7F7F7F


def test_a_style_of_tables_fills_the_cells_that_the_file_says() -> None:
    def part(name: str, colour: str) -> str:
        return f'<w:tblStylePr w:type="{name}"><w:tcPr><w:shd w:val="clear" w:fill="{colour}"/></w:tcPr></w:tblStylePr>'

    styles = Styles(
        etree.fromstring(
            f'<w:styles {_W}><w:style w:type="table" w:styleId="Base">{part("firstCol", "0000FF")}</w:style>'
            f'<w:style w:type="table" w:styleId="T"><w:basedOn w:val="Base"/>{part("firstRow", "FF0000")}'
            f"{part('band1Horz', '00FF00')}</w:style></w:styles>"
        )
    )
    rows = (
        '<w:tr><w:trPr><w:cnfStyle w:val="100000000000"/></w:trPr>'
        '<w:tc><w:tcPr><w:cnfStyle w:firstColumn="1"/></w:tcPr></w:tc></w:tr>'
        '<w:tr><w:trPr><w:cnfStyle w:oddHBand="1"/></w:trPr><w:tc/>'
        '<w:tc><w:tcPr><w:shd w:val="clear" w:fill="auto"/></w:tcPr></w:tc></w:tr>'
        '<w:tr><w:tc><w:tcPr><w:cnfStyle w:val="001000000000"/></w:tcPr></w:tc><w:tc/></w:tr>'
    )
    table = etree.fromstring(f'<w:tbl {_W}><w:tblPr><w:tblStyle w:val="T"/></w:tblPr>{rows}</w:tbl>')
    fills = Fills(styles, table)

    assert [fills.of(one) for one in table.iter(W + "tc")] == [0xFF0000, 0x00FF00, None, 0x0000FF, None]
