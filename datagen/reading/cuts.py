"""Lines cut out of an image by their corners, the orientations in which a line may be read, and the choice between them."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy
from rapidfuzz.fuzz import ratio

from datagen.engines import Quad
from datagen.record import Box
from datagen.writing.vertical_lines import laid

SURE = 0.85
"""PP-OCR's mean score is higher on upright lines in scripts that it knows."""
TALL, VERY_TALL = 1.5, 3.0
"""Ratios of height to width. Above the first, a line may be vertical or turned. Above the second, it is no single letter."""
_SKEW = 0.08  # of a line's height: a line that is more skewed is made straight
_PAD = 0.15  # of a line's height: with this much, 54 of 81 lost full stops were read
_SAME_TEXT = 50.0  # of 100


class LineView(NamedTuple):
    """A line in one orientation. `quad` has its corners in pixels, clockwise. The first corner is the top left of the first
    character in upright position. `image` has the (H, W) gray or (H, W, 3) RGB bytes between the corners. If the line
    `is_skewed`, `image` was made straight. `text` and `score` are what a reader read in `image`. `padded` is `image` with a
    margin at both ends, which helps some readers."""

    quad: Quad
    image: numpy.ndarray
    direction: str = "ltr"
    is_skewed: bool = False
    text: str = ""
    score: float | None = None
    padded: numpy.ndarray | None = None

    @property
    def aspect(self) -> float:
        """Height divided by width."""
        return self.image.shape[0] / self.image.shape[1]


def box_around(quad: Quad, size: tuple[int, int]) -> Box:
    """The upright box around four corners, inside an image of (width, height) `size`, and at least one pixel large."""
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    x0, y0 = max(0, min(size[0] - 1, int(min(xs)))), max(0, min(size[1] - 1, int(min(ys))))
    return Box(x0, y0, max(x0 + 1, min(size[0], round(max(xs)))), max(y0 + 1, min(size[1], round(max(ys)))))


def padded(quad: Quad, size: tuple[int, int]) -> Quad:
    """A line's corners, moved outwards along the line, inside an image of (width, height) `size`. PP-OCR's detector often leaves
    out the full stop at a line's end."""
    corners = numpy.array(quad, numpy.float64)
    sides = numpy.linalg.norm(corners[1] - corners[0]), numpy.linalg.norm(corners[3] - corners[0])
    pairs = ((0, 1), (3, 2)) if sides[0] >= sides[1] else ((0, 3), (1, 2))
    for first, last in pairs:
        along = (corners[last] - corners[first]) * _PAD * min(sides) / max(max(sides), 1.0)
        corners[first] -= along
        corners[last] += along
    return tuple((float(x), float(y)) for x, y in corners.clip((0, 0), size))


def cut(image: numpy.ndarray, quad: Quad, drift: float, most: int | None = None) -> LineView:
    """The line at `quad` of an image, (H, W) or (H, W, 3) bytes. `drift` is how many pixels the line's sides deviate from the
    image's directions. A line that deviates much is made straight, and is at most `most` pixels long."""
    top_left, top_right, bottom_right, bottom_left = corners = numpy.array(quad, numpy.float32)
    wide = float(max(numpy.linalg.norm(top_right - top_left), numpy.linalg.norm(bottom_right - bottom_left)))
    high = float(max(numpy.linalg.norm(bottom_left - top_left), numpy.linalg.norm(bottom_right - top_right)))
    if drift <= 1 + _SKEW * min(wide, high):
        x0, y0, x1, y1 = box_around(quad, (image.shape[1], image.shape[0]))
        return LineView(quad, numpy.ascontiguousarray(image[y0:y1, x0:x1]))
    width, height = (min(most or length, max(1, length)) for length in (round(wide), round(high)))
    turn = cv2.getPerspectiveTransform(corners, numpy.array([(0, 0), (width, 0), (width, height), (0, height)], numpy.float32))
    straight = cv2.warpPerspective(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return LineView(quad, straight, is_skewed=True)


def on_its_side(tall: LineView) -> LineView:
    """A tall line whose letters lie on their right side, turned so that the line runs from left to right."""
    return LineView((*tall.quad[1:], tall.quad[0]), numpy.ascontiguousarray(numpy.rot90(tall.image)))


def upside_down(line: LineView) -> LineView:
    """The line turned by 180 degrees, unread."""
    return LineView((*line.quad[2:], *line.quad[:2]), numpy.ascontiguousarray(line.image[::-1, ::-1]))


def side_by_side(tall: LineView) -> LineView:
    """A tall line of upright characters, with the characters set side by side."""
    is_gray = tall.image.ndim == 2
    gray = tall.image if is_gray else cv2.cvtColor(tall.image, cv2.COLOR_RGB2GRAY)
    row = laid(gray, Box(0, 0, gray.shape[1], gray.shape[0]), "Jpan")[0]
    return LineView(tall.quad, row if is_gray else cv2.cvtColor(row, cv2.COLOR_GRAY2RGB), "ttb")


def best(views: Sequence[LineView]) -> tuple[LineView, bool]:
    """The view of a line that is read best, or the first of equals; and whether the line is a vertical column.

    PP-OCR can also read a column that was turned. The line is a column if its characters set side by side give nearly the same
    text.
    """
    surest = max(views, key=lambda line: (line.score or 0.0, len(line.text)))
    return surest, any(line.direction == "ttb" and ratio(line.text, surest.text) > _SAME_TEXT for line in views)
