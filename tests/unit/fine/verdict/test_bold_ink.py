"""Bold lines by their ink: pages of bars, thicker or thinner, in place of letters."""

import numpy
import pytest

from datagen.fine.verdict.bold_ink import bold_alone
from datagen.record import Box, Line, Region

TEXT = "a line that is as long as the column is"


def drawn(gray: numpy.ndarray, y: int, text: str, stroke: int, label: str = "text") -> Region:
    """A region of one line, with a bar of `stroke` pixels for each letter."""
    box = Box(50, y, 50 + 12 * len(text), y + 20)
    for n in range(len(text)):
        gray[y + 2 : y + 18, 50 + 12 * n : 50 + 12 * n + stroke] = 20
    return Region(box, label, text, None, "pymupdf", lines=(Line(box, text),))


@pytest.mark.parametrize(("stroke", "text", "num"), [(4, "A heading of it", 1), (2, "A heading of it", 0), (4, "It is so.", 0)])
def test_a_short_line_in_thick_strokes_that_is_text_may_be_a_heading(stroke, text, num):
    gray = numpy.full((400, 800), 255, numpy.uint8)
    regions = [drawn(gray, 40 * n + 40, TEXT, 2) for n in range(4)] + [drawn(gray, 300, text, stroke)]
    assert len(bold_alone(regions, gray)) == num
    assert len(bold_alone(regions[2:], gray)) == 0  # too little to compare with


def test_light_letters_on_dark_ground_have_strokes_too_and_headings_are_none_of_it():
    gray = numpy.full((400, 800), 255, numpy.uint8)
    regions = [drawn(gray, 40 * n + 40, TEXT, 2) for n in range(4)] + [drawn(gray, 300, "A heading of it", 4)]
    assert len(bold_alone(regions, 255 - gray)) == 1
    head = drawn(gray, 350, "A heading of it", 4, "sub_title")
    assert len(bold_alone([*regions[:4], head], gray)) == 0


@pytest.mark.parametrize(("text", "num"), [("5.1.1 A heading of it", 1), ("A heading of it", 0)])
def test_an_item_in_thick_strokes_may_be_a_heading_if_it_has_a_sections_number(text, num):
    gray = numpy.full((400, 800), 255, numpy.uint8)
    regions = [drawn(gray, 40 * n + 40, TEXT, 2) for n in range(4)] + [drawn(gray, 300, text, 4, "list")]
    assert len(bold_alone(regions, gray)) == num
