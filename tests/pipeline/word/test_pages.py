"""Word documents rendered and taken apart into pages: what is true of the document is what the pages say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from datagen.tables import cells as tables
from datagen.word import office
from datagen.word.file import content
from datagen.word.file.package import opened
from datagen.word.pages.document_pages import Rendering, WordPages
from tests.inputs.samples import encoded
from tests.inputs.word import formulas as maths
from tests.inputs.word import xml as xml
from tests.office import needs_office
from tests.word_pages import Pages, read_all

pytestmark = needs_office
WORDS = "The river sold quiet lamps under seven green bridges while old maps turned slowly. "
Read = Callable[..., "Pages"]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a body's XML."""

    def read_body(*blocks: str, **parts: Any) -> Pages:
        body = "".join(blocks) + xml.section(running="header" in parts or "footer" in parts)
        path = xml.write_docx(tmp_path / "body.docx", body, **parts)
        return read_all([path], tmp_path)["body"]

    return read_body


def prose(num: int = 1) -> str:
    return xml.paragraph(xml.run(WORDS * num))


# Rules, one by one


def test_paragraph_over_two_pages_is_divided_at_a_word(read: Read) -> None:
    pages = read(*[prose(20)] * 4)

    (*_, first), (second, *_) = (page.regions for page in pages.pages)
    assert (first.continues, second.continues) == (True, False)
    assert f"{first.text} {second.text}".split() == (WORDS * 20).split()
    assert " ".join(line.text for line in first.lines) == first.text
    assert " ".join(line.text for line in second.lines) == second.text


def test_items_have_the_numbers_that_the_page_shows(read: Read) -> None:
    items = [
        xml.item(xml.run(f"item {n}"), number=number, depth=depth)
        for n, number, depth in ((0, 2, 1), (1, 2, 2), (2, 2, 1), (3, 1, 1), (4, 4, 1))
    ]

    pages = read(*items)

    assert [(r.label, r.text) for r in pages.regions] == [
        ("list", "1. item 0"),
        ("list", "    1. item 1"),
        ("list", "2. item 2"),
        ("list", "- item 3"),
        ("list", "- item 4"),
    ]
    # Symbol's bullet has a private character, which nobody would type.
    assert [r.lines[0].text for r in pages.regions[3:]] == ["• item 3", "• item 4"]


def test_formulas_stand_in_text_and_alone(read: Read) -> None:
    inline, shown = maths.raised(maths.text("x"), maths.text("2")), maths.fraction(maths.text("a"), maths.text("b"))
    pages = read(
        xml.paragraph(xml.run("where "), maths.inline(inline), xml.run(" holds")),
        xml.paragraph(maths.display(shown)),
        xml.paragraph(xml.run("\t"), maths.inline(shown), xml.run("\t(7)")),
    )

    assert [(r.label, r.format, r.text) for r in pages.regions] == [
        ("text", "markdown", r"where \(x2\) holds"),
        ("equation", "latex", "ab"),
        ("equation", "latex", "ab"),
        ("text", "markdown", "(7)"),
    ]
    cuts = pages.pages[0].cuts
    assert [(cut.number, cut.is_display) for cut in cuts] == [(0, False), (1, True), (2, True)]
    assert [region.box for region in pages.labelled("equation")] == [cut.box for cut in cuts[1:]]


def test_table_over_two_pages_repeats_its_head(read: Read) -> None:
    rows = [(xml.paragraph(xml.run(f"cell {n} ")), 1, 1) for n in range(60)]
    head = [(xml.paragraph(xml.run("name"), maths.inline(maths.text("x"))), 1, 1), (xml.paragraph(xml.run("sum")), 1, 1)]

    pages = read(xml.table([head, *([cell, cell] for cell in rows)], head=1), prose())

    texts = [tables.parse(region.text) for region in pages.labelled("table")]
    assert [table.cells[0].text for table in texts] == [r"name\(x\)"] * 2
    assert sum(table.num_rows for table in texts) == 62
    assert [cut.piece for page in pages.pages for cut in page.cuts if cut.kind == "table"] == [0, 1]
    assert not any(page.reason for page in pages.pages)


def test_sign_that_nobody_knows_costs_its_page_and_its_table(read: Read) -> None:
    sign = '<w:r><w:sym w:font="Webdings" w:char="F0FF"/></w:r>'
    pages = read(xml.table([[(xml.paragraph(xml.run("cell "), sign), 1, 1), (xml.paragraph(xml.run("other")), 1, 1)]]))

    (page,) = pages.pages
    assert page.reason == "unknown_sign"
    assert [(loss.kind, loss.reason) for loss in page.lost] == [("table", "unknown_sign")]


def test_nested_table_of_columns_is_a_cut_of_its_own_and_makes_its_page_suspect(read: Read) -> None:
    inner = xml.table(
        [[(xml.paragraph(xml.run(t)), 1, 1) for t in ("a", "b")], [(xml.paragraph(xml.run(t)), 1, 1) for t in "cd"]], width_pt=90
    )
    lines = xml.table([[(xml.item(xml.run(t), number=4), 1, 1)] for t in ("e", "f")], width_pt=90)
    outer, other = (
        xml.table([[(xml.paragraph(xml.run("left")), 1, 1), (nested + xml.paragraph(xml.run("below")), 1, 1)]])
        for nested in (inner, lines)
    )

    pages = read(outer, prose(), other, prose())

    (page,) = pages.pages
    assert (page.reason, page.doubts) == ("", ("table_in_table",))
    assert [(loss.kind, loss.number, loss.reason) for loss in page.lost] == [("table", 0, "table_in_table")]
    assert [cut.text for cut in page.cuts] == [
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        "<table><tr><td>left</td><td>• e<br>• f<br>below</td></tr></table>",
        "<table><tr><td>• e</td></tr><tr><td>• f</td></tr></table>",
    ]
    assert [region.label for region in pages.regions] == ["table", "text", "table", "text"]


def test_text_box_and_picture_are_regions(read: Read) -> None:
    pages = read(
        xml.paragraph(xml.run("Before."), xml.text_box(xml.paragraph(xml.run("In the box.")))),
        xml.paragraph(xml.picture(width_pt=120, height_pt=80)),
        prose(),
        picture_png=encoded(Image.linear_gradient("L"), "PNG"),
    )

    assert [(r.label, r.text) for r in pages.regions] == [
        ("text", "Before."),
        ("text", "In the box."),
        ("image", ""),
        ("text", WORDS.strip()),
    ]
    box, zoom = pages.labelled("image")[0].box, 1200 / 841.9
    assert (box.x1 - box.x0, box.y1 - box.y0) == pytest.approx((120 * zoom, 80 * zoom), abs=2)


def test_equation_of_which_there_is_a_picture_is_unread_or_costs_its_page(read: Read) -> None:
    png = encoded(Image.linear_gradient("L"), "PNG")
    alone = read(prose(), xml.paragraph(xml.old_equation()), picture_png=png)
    assert [(r.label, r.text, r.is_unread) for r in alone.regions] == [("text", WORDS.strip(), False), ("equation", "", True)]
    assert [page.reason for page in alone.pages] == [""]

    in_text = read(xml.paragraph(xml.run("So that "), xml.old_equation(), xml.run(" holds.")), picture_png=png)
    assert [page.reason for page in in_text.pages] == ["equation_is_picture"]


def test_refused_formula_costs_the_text_of_its_region(tmp_path: Path) -> None:
    bad = xml.table([[(xml.paragraph(xml.run("is "), maths.inline(maths.text("y"))), 1, 1)]])
    worse = xml.paragraph(xml.run("so "), maths.inline(maths.text("z")))
    body = xml.paragraph(maths.display(maths.text("x"))) + bad + worse + prose() + xml.section()
    path = xml.write_docx(tmp_path / "a.docx", body)
    package = opened(str(path))
    document, parts = content.read(package)
    package.write(str(tmp_path / "copy.docx"), parts)
    (pdf,) = office.convert([str(tmp_path / "copy.docx")], str(tmp_path / "pdf"), "pdf")
    refusals = dict.fromkeys((1, 2), ("formula_not_katex", "why"))

    page = WordPages(document, {0: "x"}, refusals, Rendering(pdf, 800, 80)).page(0)

    assert (page.reason, page.detail, page.formulas, page.tables) == ("", "", (0,), ())
    assert [(r.label, r.text, r.is_unread) for r in page.regions] == [
        ("equation", "x", False),
        ("table", "", True),
        ("text", "", True),
        ("text", WORDS.strip(), False),
    ]
    assert page.signals == {"text_distance": 0.0, "letters_apart": 0.0}
    assert [(cut.kind, cut.number) for cut in page.cuts] == [("formula", 0)]
    assert [(loss.kind, loss.number, loss.reason) for loss in page.lost] == [
        ("formula", 1, "formula_not_katex"),
        ("formula", 2, "formula_not_katex"),
        ("table", 0, "formula_not_katex"),
    ]


def test_formula_over_the_edge_of_its_page_has_no_label(read: Read) -> None:
    long = maths.text(*"+".join("abcdefghijklmnopqrstuvwxyz" * 2))

    (page,) = read(
        xml.paragraph(maths.display(long)), xml.paragraph(xml.run("see "), maths.inline(long)), xml.paragraph(xml.run("after"))
    ).pages

    assert [(r.label, r.text, r.is_unread) for r in page.regions] == [
        ("equation", "", True),
        ("text", "", True),
        ("text", "after", False),
    ]
    assert page.cuts == () and [loss.reason for loss in page.lost] == ["formula_off_page"] * 2


def test_form_says_in_each_cell_what_stands_there(read: Read) -> None:
    cells = [
        xml.run("Urgent "), xml.control('<w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox>'),
        xml.control("<w:checkBox><w:default w:val=\"0\"/></w:checkBox>"),
        xml.control('<w:ddList><w:result w:val="1"/><w:listEntry w:val="Select..."/><w:listEntry w:val="Routine"/></w:ddList>'),
        xml.control('<w:ddList><w:listEntry w:val="Select..."/></w:ddList>'),
        xml.run("H") + xml.run("2", '<w:vertAlign w:val="subscript"/>') + xml.run("O"),
    ]  # fmt: skip
    rows = [[(xml.paragraph(cell), 1, 1) for cell in row] for row in (cells[:3], cells[3:])]
    pages = read(xml.table(rows), prose())

    assert pages.labelled("table")[0].text == (
        "<table><tr><td>Urgent</td><td>☒</td><td>☐</td></tr>"
        "<tr><td>Routine</td><td>Select...</td><td>H<sub>2</sub>O</td></tr></table>"
    )
    assert [page.reason for page in pages.pages] == [""]
