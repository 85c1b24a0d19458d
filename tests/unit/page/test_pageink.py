"""Whose ink is whose on a page, what no line has, and what is painted over."""

import numpy
import pytest
from PIL import Image

from datagen.page.images import pixels as pixels_of
from datagen.page.masked import without_unread
from datagen.page.pageink import PageInk
from datagen.record import Box, Line, Region
from tests.inputs.samples import encoded

PAPER, INK = (250, 245, 230), (20, 20, 30)
FIRST, SECOND = Box(50, 50, 350, 80), Box(50, 74, 350, 104)  # detected boxes share some height


def page(*inked: Box) -> numpy.ndarray:
    pixels = numpy.full((400, 400, 3), PAPER, numpy.uint8)
    for x0, y0, x1, y1 in inked:
        pixels[y0:y1, x0:x1] = INK
    return pixels


def letters(box: Box, descender: int = 0) -> list[Box]:
    """Letters in the middle of a box, the first of which goes down further."""
    xs = range(box.x0 + 5, box.x1 - 10, 15)
    return [Box(x, box.y0 + 6, x + 4, box.y1 - 6 + (descender if x == xs[0] else 0)) for x in xs]


def inked(pixels: numpy.ndarray, box: Box) -> bool:
    x0, y0, x1, y1 = box
    return bool((pixels[y0:y1, x0:x1].max(axis=2) < 128).all())


@pytest.mark.parametrize(
    ("lone", "num_signs", "num_letters"),
    [
        (letters(Box(50, 200, 110, 230)), 3, 3),  # a word that the detector missed
        ([Box(50, 210, 60, 216)], 1, 0),  # a bullet
        ([Box(50, 210, 390, 212)], 0, 0),  # a rule
        ([Box(100, 150, 300, 390)], 0, 0),  # a picture
        ([Box(50, 210, 52, 212)], 0, 0),  # dirt
    ],
)
def test_ink_that_no_line_has_is_told_from_pictures_and_rules(lone, num_signs, num_letters):
    ink = PageInk.of(page(*letters(FIRST), *lone), [FIRST])
    signs, letters_there = ink.strays(30)
    assert (len(signs), letters_there) == (num_signs, num_letters)
    painted = ink.without({}, signs)
    assert all(inked(painted, letter) for letter in letters(FIRST))
    assert all(inked(painted, box) is not bool(num_signs) for box in lone)


def test_a_gap_is_clear_unless_something_is_drawn_in_it():
    ink = PageInk.of(page(*letters(FIRST), Box(380, 40, 383, 90)), [FIRST])
    assert ink.is_clear((351.0, 50.0, 379.0, 80.0))
    assert not ink.is_clear((365.0, 50.0, 399.0, 80.0))


def test_a_page_without_boxes_has_ink_of_nobody():
    ink = PageInk.of(page(*letters(FIRST)), [])
    assert ink.strays(30)[1] == len(letters(FIRST))


FORMULA = Box(40, 150, 360, 250)


def region(box: Box, text: str = "", label: str = "text", lines: tuple[Line, ...] = (), **values) -> Region:
    return Region(box, label, text, None, "pymupdf", lines=lines, **values)


def test_an_unread_formula_is_cut_out_in_the_colour_around_it_though_it_stands_on_another():
    pixels = page(*letters(FIRST), *letters(Box(50, 180, 350, 210)))
    at = slice(FORMULA.y0 + 10, FORMULA.y1 - 10), slice(FORMULA.x0 + 10, FORMULA.x1 - 10)
    pixels[at] = numpy.where((pixels[at] == PAPER).all(axis=2, keepdims=True), (235, 220, 210), pixels[at])
    regions = (region(FIRST, "read"), region(FORMULA, label="equation", is_unread=True))
    painted = pixels_of(without_unread(encoded(Image.fromarray(pixels), "PNG"), regions))
    assert numpy.abs(painted[FORMULA.y0 : FORMULA.y1].astype(int) - PAPER).max() <= 4
    assert numpy.abs(painted[:120].astype(int) - pixels[:120]).max() <= 60  # JPEG, at the edges of letters
    assert all(inked(painted, letter) for letter in letters(FIRST))


def test_a_page_of_which_all_is_read_keeps_its_bytes():
    image = encoded(Image.fromarray(page(*letters(FIRST))), "PNG")
    regions = (region(FIRST, "read"), region(FORMULA, label="image", is_unread=True), region(SECOND, label="header"))
    assert without_unread(image, regions) is image
