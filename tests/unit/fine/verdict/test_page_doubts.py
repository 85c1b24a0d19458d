"""Signs that a page's labels are in doubt, in the forms that real pages have them."""

import itertools
from dataclasses import replace

import pytest

from datagen.fine.verdict import page_doubts
from datagen.record import Box, Line, Quality, Region
from tests.inputs.samples import sample
from tests.unit.fine.structure.test_looks import BOLD, TEXT, region

SMALL = "9 #777777"


def doubts(*regions: Region, lang: str = "en", **signals: float) -> dict[str, int]:
    page = sample("a-000000", size=(1000, 1400), lang=lang, regions=regions, quality=Quality("trusted", (), signals))
    return dict(page_doubts.doubts(page))


def placed(*lines: tuple[str, int, int, int], label: str = "text", direction: str = "ltr", text: str = "") -> Region:
    """A region of lines, each with its beginning, its end and its top in pixels."""
    made = tuple(Line(Box(x0, y, x1, y + 25), row, "Sans", direction, look="12 #000000") for row, x0, x1, y in lines)
    box = Box(min(x[1] for x in lines), lines[0][3], max(x[2] for x in lines), lines[-1][3] + 25)
    return Region(box, label, text or " ".join(x[0] for x in lines), None, "pymupdf", lines=made)


def picture(x0: int, y0: int, x1: int, y1: int, *lines: Line) -> Region:
    return Region(Box(x0, y0, x1, y1), "image", "", None, "pymupdf", lines=lines)


def table(html: str, *lines: tuple[str, int, int, int]) -> Region:
    return replace(placed(*lines, label="table"), text=html, format="html")


GREY = "12 #666666 italic"
HEADING = region("## 8. Prawa do kodu", 400, GREY, "sub_title")
OTHERS = region(TEXT, 300), region(TEXT, 500)
LEFT, RIGHT = placed(("One column.", 100, 450, 300)), placed(("The other one.", 550, 900, 100))
TWO = ("One paragraph that ends.", 100, 400, 100), ("Another one that is as wide as the page", 100, 900, 130)
ROW = ("a", 100, 200, 100)
CUT, WHOLE = (("Divis", 100, 160, 100), ("ion", 100, 140, 130)), (("Total", 100, 160, 100), ("Income", 100, 170, 130))


def rtl(*lines: tuple[str, int, int, int]) -> Region:
    return placed(*lines, direction="rtl")


def head(text: str, look: str = SMALL) -> Region:
    return region(text, 20, look, "header")


def caption(text: str) -> Region:
    return region(text, 310, label="image_caption")


def a_right_page() -> tuple[Region, ...]:
    items = [region(f"• item {n}", 300 + 40 * n, label="list") for n in (1, 2)]
    note = replace(region("1 A note.", 1250, SMALL, "footnote"), text="<sup>1</sup> A note.")
    cells = table("<table><tr><td>a</td><td>b</td></tr></table>", ("a", 100, 200, 900), ("b", 300, 400, 900))
    contents = replace(region("One ..... 1\nTwo ..... 2", 1000, label="toc"), text="One ..... 1\nTwo ..... 2")
    body = (
        region(TEXT, 100),
        *items,
        region(TEXT, 500),
        picture(100, 600, 500, 800),
        replace(caption("Fig. 1: A map"), box=Box(100, 810, 500, 835)),
    )
    return (
        head("A report"),
        region("## 1 Aims", 60, BOLD, "sub_title"),
        *body,
        cells,
        contents,
        note,
        region("7", 1350, SMALL, "page_number"),
    )


PAGES = [
    ({}, *a_right_page()),
    # An item, a head or a text in the look of headings may be one, and so may a head that stands out from the text.
    ({"looks": 1}, region(TEXT, 100), region("7. Ocena, nagrody", 200, GREY, "list"), OTHERS[0], HEADING, OTHERS[1]),
    # What is read behind something below it is in the next column, or a doubt.
    ({}, LEFT, RIGHT),
    ({"upwards": 1}, LEFT, placed(("Above both.", 100, 900, 100))),
    # A short line within a text may end a paragraph.
    ({"short_lines": 1}, placed(*TWO)),
    # A footnote has a mark, and a line of contents is one entry.
    ({"notes": 1}, region(TEXT, 100), region("(Czytelny podpis)", 1200, label="footnote")),
    # Pictures side by side or torn may be one; a line within one may be the page's.
    ({"near_pictures": 1}, picture(100, 100, 400, 300), picture(410, 100, 700, 300)),
    # Merged cells, a table that is none, and the end of a word below its beginning in a cell.
    ({"spans": 1}, table('<table><tr><td colspan="2">表1</td></tr><tr><td>a</td><td>b</td></tr></table>', ROW)),
    ({"cut_words": 1}, table("<table><tr><td>Divis ion</td><td>a</td></tr></table>", *CUT)),
    # Letters apart, a number right before a word, blanks to be filled in.
    ({"spaced_letters": 1}, region("Р О З Д І Л другий, in which\nit is so.", 100)),
    # Signs and numbers beside Latin in lines from the right.
    *(
        ({"signs_at_latin": 1}, rtl((text, 100, 900, 100)))
        for text in ("אלגוריתם A* טוב", "اجبار login_required@ اجبار", "YOLOv8 2.3.4 المستخدم")
    ),
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_doubts(page):
    expected, *regions = page
    assert doubts(*regions) == expected


def test_short_regions_side_by_side_may_be_one_line_or_cells():
    assert (
        doubts(region(TEXT, 100), placed(("Executed on", 100, 250, 500)), placed((", California.", 700, 900, 500)))["level"] == 1
    )


LONE = {"ΚΟΜΜΑΤΙΑ ΤΗΣ ΕΦΑΡΜΟΓΗΣ ΠΟΥ ΔΕΝ ΥΛΟΠΟΙΗΘΗΚΑΝ": 1, "Beam search": 1}


NAMES = {
    ("as java.util.", "functional has it"): 1,
    ("S0164-1212(96)/", "00118-5 there"): 1,
    ("the time (// ", "hour) is short"): 1,
    ("It ends here.", "And goes on"): 0,
}


def test_many_lines_on_a_page_take_no_product_of_them(monkeypatch):
    """All of them at one height are compared in arrays: no pair is looked at by itself."""

    def never(*given):
        raise AssertionError("each with each")

    monkeypatch.setattr(itertools, "permutations", never)
    row = [placed((f"word{n}", 10 * n, 10 * n + 8, 50)) for n in range(300)]
    assert doubts(*row)["level"] == 300 * 299 // 2
