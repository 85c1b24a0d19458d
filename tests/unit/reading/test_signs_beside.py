"""Signs before lines: pictures of lines that are drawn here, and corners as a detector leaves them."""

import cv2
import numpy
import pytest

from datagen.reading.signs_beside import with_signs

HIGH = 30


def quad(x0: float, x1: float, y: float = 100):
    return ((x0, y), (x1, y), (x1, y + HIGH), (x0, y + HIGH))


def paper(*marks: tuple[int, int, int, int], right_to_left: bool = False) -> numpy.ndarray:
    """A line's letters from 200 to 500, at (100, 130), with filled boxes before it."""
    image = numpy.full((260, 700, 3), 255, numpy.uint8)
    for x in range(200, 500, 16):
        cv2.rectangle(image, (x, 105), (x + 10, 125), (0, 0, 0), -1)
    for x0, y0, x1, y1 in marks:
        cv2.rectangle(image, (x0, y0), (x1, y1), (0, 0, 0), -1)
    return numpy.ascontiguousarray(image[:, ::-1]) if right_to_left else image


DASH, DOT = (160, 115, 182, 117), (170, 112, 178, 120)


@pytest.mark.parametrize("mark", [DASH, DOT])
@pytest.mark.parametrize("start", [196, 175])  # and where the detector cuts through the sign
def test_a_line_is_widened_to_the_sign_before_it(mark, start):
    ((left, _), (right, _), *_) = with_signs(paper(mark), [quad(start, 505)])[0]
    assert mark[0] - 5 <= left < mark[0] and right == 505


def test_the_sign_of_a_line_from_right_to_left_stands_behind_it():
    ((left, _), (right, _), *_) = with_signs(paper(DOT, right_to_left=True), [quad(195, 504)])[0]
    assert left == 195 and 529 < right < 536


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [(160, 60, 163, 200)],  # a rule down the page
        [(170, 102, 172, 103)],  # a speck
        [(148, 112, 156, 120), DOT],  # two, as a leader has
    ],
)
def test_what_is_no_sign_stays_outside(marks):
    assert with_signs(paper(*marks), [quad(196, 505)]) == [quad(196, 505)]


def test_a_line_that_leans_or_stands_stays_as_it_is():
    leaning = ((196.0, 100.0), (505.0, 120.0), (505.0, 150.0), (196.0, 130.0))
    standing = ((200.0, 20.0), (230.0, 20.0), (230.0, 240.0), (200.0, 240.0))
    assert with_signs(paper(DOT), [leaning, standing]) == [leaning, standing]
    assert with_signs(paper(), []) == []
