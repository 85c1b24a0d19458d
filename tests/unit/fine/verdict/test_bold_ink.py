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


@pytest.mark.parametrize(
    ("stroke", "text", "label", "num"),
    [
        (4, "A heading of it", "text", 1),
        (2, "A heading of it", "text", 0),
        (4, "هل هذا عنوان؟", "text", 1),  # a heading may ask, in any script
        (4, "A heading of it", "sub_title", 0),
        (4, "5.1.1 A heading of it", "list", 1),
    ],
)
def test_a_short_line_in_thick_strokes_may_be_a_heading(stroke, text, label, num):
    gray = numpy.full((400, 800), 255, numpy.uint8)
    regions = [drawn(gray, 40 * n + 40, TEXT, 2) for n in range(4)] + [drawn(gray, 300, text, stroke, label)]
    assert len(bold_alone(regions, gray)) == num
    assert len(bold_alone(regions, 255 - gray)) == num  # light letters on dark ground
    assert bold_alone(regions[2:], gray) == []  # too little to compare with
