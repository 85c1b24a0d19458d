"""Items that may be none, or not one."""

from dataclasses import replace

import pytest

from datagen.fine.verdict import item_doubts
from datagen.record import Box, Line, Region
from tests.unit.fine.structure.test_looks import BOLD, TEXT, region


def kinds(*regions: Region) -> dict[str, int]:
    return dict(+item_doubts.doubts(regions))


def item(text: str, y: int, starts: tuple[int, ...] = (100,), ends: tuple[int, ...] = (500,), label: str = "list") -> Region:
    """An item whose lines begin and end at these pixels."""
    lines = tuple(
        Line(Box(x0, y + 30 * i, x1, y + 30 * i + 25), row, "Sans", look="12 #000000")
        for i, (row, x0, x1) in enumerate(zip(text.split("\n"), starts, ends, strict=True))
    )
    box = Box(min(starts), y, max(ends), lines[-1].box.y1)
    return Region(box, label, text.replace("\n", " "), None, "pymupdf", lines=lines)


def test_a_list_as_most_are_has_no_doubts():
    items = [item(f"{n}. an item that goes\non", 100 + 70 * n, (100, 130), (500, 200)) for n in (1, 2, 3)]
    assert kinds(region(TEXT, 60), *items, region(TEXT, 500)) == {}
    assert kinds(region("- one", 100, label="list"), region("- two", 140, label="list")) == {}


def test_a_sign_alone_and_a_single_asterisk_are_no_items():
    assert kinds(region("- one", 100, label="list"), region("•", 140, label="list")) == {"items": 1}
    note = region("* may change", 100, label="list")
    assert kinds(region(TEXT, 20), note) == {"items": 1}
    assert kinds(note, region("* may stay", 140, label="list")) == {}


def test_a_centred_line_with_a_dash_is_no_item():
    above, below = item("A name", 60, (200,), (400,), "text"), region(TEXT, 300)
    assert kinds(above, item("- a street, a town", 100, (100,), (500,)), below) == {"items": 1}
    assert kinds(above, item("- a street, a town", 100, (150,), (700,)), below) == {}


@pytest.mark.parametrize(("text", "num"), [("5.1.1 Trust", 1), ("5.2 Trust", 1), ("5.3 Trust", 0), ("5.2 It is so.", 0)])
def test_an_item_whose_number_goes_on_from_a_headings_is_a_heading(text: str, num: int):
    assert item_doubts.num_sections_as_items([region("5.1 End", 100, BOLD, "sub_title"), region(text, 200, label="list")]) == num


def test_a_line_below_an_item_at_its_signs_edge_is_another_text():
    wide = item("a text that is as wide as the page", 20, ends=(900,), label="text")
    assert kinds(wide, item("• an item\nNext part:", 100, (100, 100), (300, 250))) == {"glued": 1}
    assert kinds(wide, item("• an item\nthat goes on", 100, (100, 100), (880, 250))) == {}


def test_a_text_that_goes_on_with_an_item_is_a_torn_part_of_it():
    items = [item(f"{n}. an item that goes\non", 100 + 60 * n, (100, 130), (500, 200)) for n in (1, 2)]
    last = item("3. one of five:", 280)
    tail = item("two of one kind\nand three others", 310, (130, 130), (500, 300), "text")
    assert kinds(*items, last, tail) == {"torn": 1}
    lower = replace(tail, lines=tuple(replace(line, box=line.box._replace(y0=line.box.y0 + 20)) for line in tail.lines))
    assert kinds(*items, last, lower) == {}
    assert kinds(*items, item("3. one of five.", 280), tail) == {}
