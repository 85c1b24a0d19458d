"""A visual line is one line, whatever its gaps; what stands beside it in another column or cell is not in its region."""

from collections import Counter

import pymupdf
import pytest

from datagen.page.visual_lines import leaders_as_one
from tests.inputs.line_pages import KINDS, compare, pages
from tests.opened import read
from tests.pipeline.page.test_right_to_left import placed, texts


def regions(pdf: bytes) -> list[list[str]]:
    return [[line.text for line in region.lines] for region in read(pdf).regions]


@pytest.mark.parametrize("kind", KINDS)
def test_typeset_lines_are_whole_and_columns_are_apart(kind):
    counts: Counter[str] = Counter()
    for typeset in pages(kind, 3):
        counts.update(compare(typeset, read(typeset.pdf())))
    # Of words that are set far apart, gaps lie above each other now and then.
    assert counts["broken"] <= 0.005 * counts["within"]
    assert counts["joined"] == 0
    assert counts["within"] + counts["between"] > 5 or kind == "drop capital"


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("Index ........................ 9", "Index ..... 9"),
        ("Index. . . . . . . . . . . . .9", "Index ..... 9"),
        ("A long title of an entry . . 9", "A long title of an entry ..... 9"),
        ("Name: ______________ Date: _____", "Name: _____ Date: _____"),
        ("CNP…………, seria ……, nr………", "CNP ....., seria ....., nr ....."),
        ("Well…… no", "Well…… no"),
        ("我………你", "我………你"),
        ("\u4ed6\u8bf4\u2026\u2026\u597d", "\u4ed6\u8bf4\u2026\u2026\u597d"),
        ("a . . . b . . . .", "a . . . b . . . ."),
    ],
)
def test_leaders_take_one_form(written, one):
    assert leaders_as_one(written).strip() == one


ABOVE, BELOW = (
    "A line of text above that is long enough to show one column",
    "And a line of text below, which also goes across the gap",
)
ITEMS_LEFT = [(72, 100, "From the top down"), (80, 120, "\u2022 It begins with the whole and di-"), (88, 133, "vides it")]
ITEMS_RIGHT = [(262, 100, "From the bottom up"), (270, 120, "\u2022 It begins with the small-"), (278, 133, "est part")]


def same(*pieces: tuple[float, float, str]) -> tuple[list, list[str]]:
    """A page whose pieces are lines as they are, in their order in the file."""
    return list(pieces), [text for _, _, text in pieces]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        # Two rows of dots far apart are two blanks.
        ([(72, 100, "." * 30), (300, 100, "." * 30)], ["..... ....."]),
        ([(72, 100, "." * 30), (160, 100, "." * 30)], ["....."]),
        same(*ITEMS_LEFT, *ITEMS_RIGHT),
        ([(72, 100, "\u2022 one"), (110, 100, "and two")], ["\u2022 one and two"]),
        ([(72, 100, "\u2022"), (100, 100, "Red"), (72, 114, "1."), (100, 114, "A pear")], ["\u2022 Red", "1. A pear"]),
        # A tab stop parts no line, nor does the order in the file.
        ([(72, 100, ABOVE), (72, 114, "Phone"), (180, 114, "555 0100"), (72, 128, BELOW)], [ABOVE, "Phone 555 0100", BELOW]),
        ([(200, 100, "third"), (72, 100, "first"), (130, 100, "second")], ["first second third"]),
    ],
)
def test_a_line_is_whole_and_apart_from_what_stands_beside_it(pieces, lines):
    assert texts(placed(*pieces)) == lines


@pytest.mark.parametrize(
    ("rows", "width"),
    [
        ([("Name", "Size", "Owner"), ("readme", "12", "root"), ("licence", "7", "nobody"), ("notes", "404", "root")], 80),
        # A dash in a cell is no bullet, and numbers that go up are none of pages.
        ([("Name", "Size", "Owner"), ("readme", "-", "root"), ("licence", "-", "nobody"), ("notes", "404", "root")], 60),
        ([("apples", "10", "red"), ("pears", "12", "green"), ("plums", "30", "blue"), ("quinces", "45", "yellow")], 60),
    ],
)
def test_cells_of_a_table_without_rules_are_apart(rows, width):
    pieces = [(72 + width * k, 100 + 14 * i, cell) for i, row in enumerate(rows) for k, cell in enumerate(row)]
    assert regions(placed(*pieces)) == [[cell] for row in rows for cell in row]


def test_a_drop_capital_is_the_first_letter_of_its_line():
    pdf = placed(
        (100, 103, "ver the past three decades the free"),
        (100, 116, "software of the world has grown and"),
        (72, 129, "grown more"),
    )
    with pymupdf.open(stream=pdf, filetype="pdf") as doc:
        writer = pymupdf.TextWriter(doc[0].rect)
        writer.append((72, 116), "O", font=pymupdf.Font("helv"), fontsize=33)
        writer.write_text(doc[0])
        content = read(doc.tobytes())
    first, second, third = (line for region in content.regions for line in region.lines)
    assert [line.text for line in (first, second, third)] == [
        *("Over the past three decades the free", "software of the world has grown and", "grown more")
    ]
    assert first.box.x0 < second.box.x0 - 40
    assert first.box.y1 - first.box.y0 == second.box.y1 - second.box.y0
