"""What contradicts a page's labels, a page a row: by looks, by what stands beside, by lines, and of items.

A row has the rule, what it finds, and the regions in the order of reading. Rows of one rule stand together.
"""

from dataclasses import replace

import pytest

from datagen.fine.verdict import item_doubts, label_doubts, line_doubts, look_doubts
from datagen.record import Box, Line, Region
from tests.unit.fine.structure.test_looks import BLUE, BODY, BOLD, TEXT, region

LARGE, ITALIC = "16 #000000", "12 #000000 italic"


def looks(*regions: Region) -> dict[str, int]:
    return dict(+look_doubts.doubts(regions))


def labels(*regions: Region) -> dict[str, int]:
    return dict(+label_doubts.doubts(regions))


def items(*regions: Region) -> dict[str, int]:
    return dict(+item_doubts.doubts(regions))


def body(y: int) -> Region:
    return region(TEXT, y)


def heading(text: str, y: int, look: str = BOLD) -> Region:
    return region(text, y, look, "sub_title")


def item(text: str, y: int, look: str = BODY) -> Region:
    return region(text, y, look, "list")


def caption(text: str, y: int = 310, look: str = BODY) -> Region:
    return region(text, y, look, "image_caption")


def note(text: str, y: int = 900) -> Region:
    return region(text, y, label="footnote")


def entry(y: int, *starts: int) -> Region:
    """A reference whose lines begin at these pixels."""
    made = region("A book\nof somebody" if len(starts) > 1 else "Vekayi, 7(1)", y, label="reference", x=starts[0])
    return replace(made, lines=tuple(at(line, x0=x0) for line, x0 in zip(made.lines, starts, strict=True)))


def at(line: Line, **sides: int) -> Line:
    return replace(line, box=line.box._replace(**sides))


def moved(made: Region, number: int, **sides: int) -> Region:
    """The region with other sides of one of its lines."""
    return replace(made, lines=tuple(at(line, **sides) if n == number else line for n, line in enumerate(made.lines)))


def lines(text: str, y: int, *spans: tuple[int, int], label: str = "list") -> Region:
    """A region whose lines begin and end at these pixels."""
    rows = zip(text.split("\n"), spans, strict=True)
    made = tuple(Line(Box(x0, y + 30 * i, x1, y + 30 * i + 25), row, "Sans", look=BODY) for i, (row, (x0, x1)) in enumerate(rows))
    box = Box(min(x0 for x0, _ in spans), y, max(x1 for _, x1 in spans), made[-1].box.y1)
    return Region(box, label, text.replace("\n", " "), None, "pymupdf", lines=made)


PICTURE, BESIDE = (Region(Box(x, 100, x + 200, 300), "image", "", None, "pymupdf") for x in (100, 350))
WRAPPED = region("One line that goes\non and ends here.\nThe next one", 100, BODY)
TWO_COLUMNS = moved(body(100), 1, x1=900), region(TEXT, 100, x=550)
HE_IS = replace(item("2. He is so.", 100), lines=(at(item("2. He is so.", 100).lines[0], x1=450),))
HE_IS_ALSO = replace(moved(region("He\nis also that.", 100), 0, x0=470, x1=500), text="He is also that.")
TWO_LINES = region("## A title", 100, BLUE, "sub_title")

LOOKS = [
    (
        {},
        heading("## One", 100, f"{LARGE} bold"),
        body(140),
        heading("### Two", 300),
        body(340),
        *(item(f"{n}. **An item**", 500 + 40 * n, BOLD) for n in (1, 2)),
    ),
    # A short text, or an item with a number, that is wholly bold.
    ({"heading": 1}, body(100), region("A title of two lines\nthat is long", 200, BOLD), body(300)),
    ({}, body(100), item("4. A row of a table\nthat ends so.", 200, BOLD), item("4. A row of a table\nthat ends so.", 300, BOLD)),
    ({}, region(TEXT, 100, BOLD), region("Bold, too", 200, BOLD)),
    # Larger and bolder headings stand higher.
    ({"heading": 1}, heading("### One", 100, f"{LARGE} bold"), heading("## Two", 300)),
    # Captions that read as text or are of two pictures, and texts that read as captions.
    ({"captions": 1}, PICTURE, BESIDE, caption("One map Another map"), body(400)),
    ({"captions": 1}, PICTURE, region("Fig. 1 A map", 310), body(400)),
    *(
        ({"captions": 1}, body(20), PICTURE, region("A sample of it", 310, look), body(400))
        for look in ("12 #777777", "9 #000000", ITALIC)
    ),
    # Notes and references that are torn, or hold another one.
    ({"torn": 1}, note("1 A note"), note("that goes on", 928)),
    ({"torn": 1}, entry(100, 100, 140), entry(200, 100, 140), entry(300, 140), entry(400, 100, 140)),
    # Two headings as near as lines; an item's sign in one; a title that isn't the first.
    ({"heading": 1}, TWO_LINES, heading("## Of two lines", 130, BLUE)),
    # Breaks of lines within running text; an address has them everywhere.
    ({"glued": 1}, replace(WRAPPED, text="One line that goes on and ends here.\nThe next one")),
    # A line across two columns; a full line in mid-sentence; a text on an item's last row.
    ({"torn": 1}, *TWO_COLUMNS),
    ({"torn": 1}, HE_IS, HE_IS_ALSO),
]

HEAD = region("Financial control - a view in real", 30, label="header")
SECTIONS = [one for n in (1, 2, 3) for one in (item(f"{n}. Name", 100 * n), body(100 * n + 30))]
THAI = lines("ขอขอบพระคุณคณาจารย์ทุกท่าน\nที่ให้ความรู้ในด้านวิชา", 100, (100, 900), (100, 900), label="text")
NAMES = "จตุรงค์ โรจนวัฒนา\nเกษมสันต์ ยินดี"


def narrow(text: str, x0: int, y: int) -> Region:
    return replace(made := lines(text, y, (x0, x0 + 180), (x0, x0 + 180), label="text"), text=made.text.replace(" ", ""))


LABELS = [
    (
        {},
        region("A name", 10, label="header"),
        heading("## One", 60),
        body(100),
        *(item(f"{n}. an item", 300 + 40 * n) for n in (1, 2, 3)),
        replace(note("1 A note", 1200), text="<sup>1</sup>A note"),
        region("3", 1300, label="page_number"),
    ),
    # A sentence goes on from no head, unless in another look; a head over a line or two may be a letter's end.
    ({"running": 1}, HEAD, region("time, which makes reports few\nand on", 60), body(200)),
    # A heading ends in no item's sign; short items each above a paragraph may be headings.
    ({"heading": 1}, heading("## حدد عدد الدرجات ✓", 100), body(200)),
    ({"heading": 3}, *SECTIONS),
    # No item begins within another's line, and no section within a text.
    ({"glued": 1}, item("• One is • Another is\nthis", 100)),
    # Names below each other are no sentence in writing without spaces.
    ({"glued": 1}, THAI, narrow(NAMES, 700, 300)),
    # A file's name that ends a sentence is no listing.
    ({"torn": 1}, region("The format is told\nin the file", 90), region("/src/main/Input.xsd.", 150, label="code")),
]

HANGING = [lines(f"{n}. an item that goes\non", 100 + 60 * n, (100, 500), (130, 200)) for n in (1, 2)]
WIDE = lines("a text that is as wide as the page", 20, (100, 900), label="text")

ITEMS = [
    ({}, body(60), *HANGING, body(500)),
    # A sign alone, a single asterisk and a centred line with a dash are no items.
    ({"items": 1}, item("- one", 100), item("•", 140)),
    ({"items": 1}, lines("A name", 60, (200, 400), label="text"), lines("- a street, a town", 100, (100, 500)), body(300)),
    # An item whose number goes on from a heading's is a heading.
    ({"heading": 1}, heading("5.1 End", 100), item("5.1.1 Trust", 200)),
    # A line below an item at its sign's edge is another text; one that goes on behind the sign is the item's.
    ({"glued": 1}, WIDE, lines("• an item\nNext part:", 100, (100, 300), (100, 250))),
]


@pytest.mark.parametrize(
    ("doubts", "row"), [(of, row) for of, rows in ((looks, LOOKS), (labels, LABELS), (items, ITEMS)) for row in rows]
)
def test_a_page_contradicts_its_labels(doubts, row):
    expected, *regions = row
    assert doubts(*regions) == expected


CONTENTS = region("Contents\nOne ..... 1\nTwo ..... 2", 100, label="toc")
SPEECHES = region("Ann: Yes, it is.\nBob: No, it is not.", 100)
SPEECHES_APART = replace(SPEECHES, text="Ann: Yes, it is.\nBob: No, it is not.")
IN_TABLE = replace(region("a table", 50, label="table"), box=Box(300, 50, 900, 400))
POINT_LARGER = region("A line", 100, "13 #000000")
COLUMN = region("A text that stands beside all\n" * 6 + "of it.", 60, x=700)
CLOSING = heading("## With regards", 300)
INDENTED = region("It ends.\nA new part goes on\nand on.", 200)
READ_HEAD, READ_HEADING = replace(region("2.4 On rooms", 20, label="header"), by="ppocr"), heading("2.5 On doors", 300)


def first_line_of(toc: Region, look: str) -> Region:
    return replace(toc, lines=(replace(toc.lines[0], look=look), *toc.lines[1:]))


OF_LINES = [
    # One line in another look above text, also a point larger beside another column, but a date below the title.
    (line_doubts.num_in_other_looks, 1, region("A line", 100, BLUE), body(140)),
    (line_doubts.num_in_other_looks, 1, COLUMN, POINT_LARGER, body(140)),
    (line_doubts.num_heads_in_contents, 1, region("x", 0), first_line_of(CONTENTS, BLUE)),
    (line_doubts.num_terms_within, 0, SPEECHES_APART),
    (line_doubts.num_terms_within, 1, SPEECHES),
    (line_doubts.num_headings_in_tables, 1, IN_TABLE, heading("## 3.1 One", 100)),
    (line_doubts.num_captions_of_signs, 1, caption("6", 100), caption("Figure 6: A map", 300)),
    # A heading that ends a sentence, differs in itself, or begins a signature.
    (line_doubts.num_no_headings, 1, heading("## 想定で進めます。", 100, BLUE), body(140)),
    (line_doubts.num_no_headings, 0, CLOSING, body(360)),
    # Equations in lines, and an indented line within a text.
    (line_doubts.num_glued_lines, 1, region("a = b\nb = c = 2", 100)),
    (line_doubts.num_glued_lines, 1, region(TEXT, 100, x=150), moved(INDENTED, 1, x0=150)),
    (line_doubts.num_feet_that_lead_on, 1, region("Partners:", 900, label="footer"), region("Page 3", 950, label="footer")),
    # A head with the number before the first heading's; the file's own pages have told theirs.
    (line_doubts.num_heads_in_series, 1, READ_HEAD, READ_HEADING),
    (line_doubts.num_heads_in_series, 0, replace(READ_HEAD, by="pymupdf"), READ_HEADING),
]


@pytest.mark.parametrize("row", OF_LINES)
def test_lines_look_or_read_otherwise_than_they_are_labelled(row):
    doubt, num, *regions = row
    assert doubt(regions) == num


CODE = "void run(Node *n);", "import numpy as np", "}", "if (a == b) {", "#include <stdio.h>", "<b>x</b>"
PROSE = ("He came (late); she left;", "We import goods from Asia.", "f(x) = 2x", "Two of them (a, b)")


SIGNS_WITHIN = {
    "①one\n②two\n③three": 2,
    "A text\n※ a remark": 1,
    "1. one\n2. two": 1,
    "– one\n– two": 1,
    "It has 1 thing\nand 5 others": 0,
}


@pytest.mark.parametrize(("text", "num"), SIGNS_WITHIN.items())
def test_signs_of_items_that_begin_several_lines_of_one_text_are_counted(text: str, num: int):
    assert line_doubts.num_signs_within(region(text, 100)) == num
