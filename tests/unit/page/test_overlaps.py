"""Regions that lie over each other: divided, told once, or counted."""

from dataclasses import replace

import pytest

from datagen.markdown import markdown
from datagen.page.overlaps import divided, overlap_share, without_doubles
from datagen.record import Box, Line, Region
from datagen.writing.join_lines import joined


def region(*lines: tuple[int, int, str], label: str = "text", text: str | None = None, **values) -> Region:
    """Lines of 100 by 10 pixels, each at x, y."""
    made = tuple(Line(Box(x, y, x + 100, y + 10), words) for x, y, words in lines)
    around = Box(*(f(line.box[k] for line in made) for k, f in enumerate((min, min, max, max))))
    return Region(
        around, label, joined([line.text for line in made]) if text is None else text, None, "pymupdf", lines=made, **values
    )


ACROSS = region((0, 80, "This para-"), (0, 90, "graph goes on,"), (120, 10, "and ends here."))
FIRST, LAST = region((0, 10, "Another one"), (0, 20, "above it.")), region((120, 30, "And one below."))


def test_a_paragraph_in_two_columns_is_a_region_in_each_and_the_page_says_the_same():
    page = (FIRST, ACROSS, LAST)
    assert overlap_share(page) == 0.5  # of six lines those of the other two
    after = divided(page)
    assert [(r.text, r.continues) for r in after] == [
        ("Another one above it.", False), ("This paragraph goes on,", True), ("and ends here.", False),
        ("And one below.", False),
    ]  # fmt: skip
    assert [r.box for r in after[1:3]] == [Box(0, 80, 100, 100), Box(120, 10, 220, 20)]
    assert overlap_share(after) == 0.0 and markdown(after) == markdown(page)
    assert divided(after) == after


def test_a_word_that_is_cut_between_columns_keeps_its_hyphen_in_its_box():
    across = region((0, 90, "This is a para-"), (120, 10, "graph."))
    page = (FIRST, across, LAST)
    assert across.text == "This is a paragraph."
    assert [r.text for r in divided(page)][1:3] == ["This is a para-", "graph."]
    assert markdown(divided(page)) == markdown(page)


@pytest.mark.parametrize(
    "across",
    [
        replace(ACROSS, text="What an engine read otherwise"),
        replace(ACROSS, text="This **paragraph goes on, and ends** here."),
        replace(ACROSS, label="sub_title"),
        replace(ACROSS, label="table", format="html", text="<table><tr><td>a</td></tr></table>"),
        replace(ACROSS, text="", is_unread=True),
    ],
)
def test_what_cant_be_divided_without_a_guess_stays_and_is_counted(across):
    page = (FIRST, across, LAST)
    assert divided(page) == page and overlap_share(page) > 0


def test_what_a_table_says_isnt_told_beside_it_and_what_it_lacks_is():
    html = "<table><tr><td>Name</td><td>Number of bills</td></tr></table>"
    table = region((0, 0, "Name"), (120, 50, "Number of bills"), label="table", text=html, format="html")
    cell, other, note = region((10, 20, "Name")), region((10, 30, "Num")), region((0, 200, "Name"))
    page = (table, cell, other, note)
    assert without_doubles(page) == (table, other, note)
    assert without_doubles((note, replace(note, score=0.5))) == (note,)
    broken = (replace(table, text="Name, Number of bills"), cell)
    assert without_doubles(broken) == broken


def test_paragraphs_on_a_page_that_leans_reach_into_each_others_boxes_and_overlap_by_their_polygons():
    def leaning(x: float, y: float, height: float) -> tuple[tuple[float, float], ...]:
        return ((x, y), (x + 400, y + 100), (x + 400, y + height + 100), (x, y + height))

    def paragraph(y: int, *words: str) -> Region:
        tops = [(y + 20 * n, text) for n, text in enumerate(words)]
        lines = tuple(Line(Box(0, top, 400, top + 120), text, polygon=leaning(0, top, 18)) for top, text in tops)
        box = Box(0, y, 400, y + 100 + 20 * len(words))
        return Region(box, "text", " ".join(words), None, "ppocr", leaning(0, y, 20 * len(words)), lines)

    page = (paragraph(0, "One paragraph", "of two lines."), paragraph(50, "And another", "below that."))
    assert overlap_share(page) == 0 and divided(page) == page
    assert overlap_share((page[0], replace(page[1], polygon=leaning(0, 0, 90)))) == 0.5
