"""Lines cut out of an image by their corners, and which way up they are read."""

import cv2
import numpy
import pytest

from datagen.reading import page_lines, scene_lines
from datagen.reading.cuts import LineView, best, box_around, cut, on_its_side, side_by_side, upside_down
from datagen.record import Box

UPRIGHT = ((10.0, 20.0), (110.0, 20.0), (110.0, 40.0), (10.0, 40.0))


@pytest.fixture(scope="module")
def image() -> numpy.ndarray:
    return numpy.random.default_rng(0).integers(0, 256, (80, 200, 3), dtype=numpy.uint8)


def test_a_line_that_lies_straight_is_the_images_own_pixels(image):
    of = cut(image, UPRIGHT, 0)
    assert numpy.array_equal(of.image, image[20:40, 10:110]) and not of.is_skewed and of.aspect == 0.2
    assert box_around(UPRIGHT, (100, 30)) == Box(10, 20, 100, 30)
    assert box_around(((-5, 90), (-3, 90), (-3, 95), (-5, 95)), (100, 30)) == Box(0, 29, 1, 30)


@pytest.mark.parametrize("drift", [page_lines.drift, scene_lines._drift])
def test_a_line_that_drifts_is_made_straight(drift):
    page = numpy.full((200, 300), 255, numpy.uint8)
    quad = ((20.0, 40.0), (260.0, 80.0), (256.0, 104.0), (16.0, 64.0))
    cv2.fillPoly(page, [numpy.array(quad, numpy.int32)], (0,))
    of = cut(page, quad, drift(quad), 100)
    assert of.is_skewed and of.image.shape == (24, 100) and of.image[4:-4, 4:-4].max() < 16


def test_a_tall_line_is_seen_on_its_sides_and_with_its_characters_side_by_side(image):
    of = cut(image.transpose(1, 0, 2), ((20.0, 10.0), (40.0, 10.0), (40.0, 110.0), (20.0, 110.0)), 0)
    down = on_its_side(of)
    assert down.quad[0] == (40, 10) and numpy.array_equal(down.image, numpy.rot90(of.image))
    up = upside_down(down)
    assert up.quad[0] == (20, 110) and numpy.array_equal(up.image, numpy.rot90(of.image, 3))
    row = side_by_side(of)
    assert row.direction == "ttb" and row.image.shape[0] < row.image.shape[1] and row.image.shape[2] == 3


def test_what_characters_say_side_by_side_tells_that_a_line_is_a_column():
    def view(text: str, score: float, direction: str) -> LineView:
        return LineView(UPRIGHT, numpy.zeros((2, 2), numpy.uint8), direction, text=text, score=score)

    turned, row = view("言語文字", 0.9, "ltr"), view("言語文宇", 0.6, "ttb")
    assert best([turned, row]) == (turned, True)
    assert best([turned, view("一二三四", 0.6, "ttb")]) == (turned, False)
