"""List signs beside lines: detectors of text leave out the dash or the dot before an item, or cut through it."""

import itertools
from collections.abc import Sequence

import cv2
import numpy

from datagen.engines import Quad
from datagen.page.paper import inked

_LONG, _LEVEL = 2.0, 0.2  # times as wide as high is a line that may have a sign; and it rises by so much of its height, at most
# All in heights of the line.
_REACH, _WITHIN = 3.0, 1.0  # so far before a line, and in it, is looked
_SIZE, _HIGH, _WIDE = 0.18, 0.7, 1.3  # of a sign's longer side, at least; of its height and its width, at most
_GAP, _MOST_GAP, _FREE = 0.25, 2.2, 1.0  # between sign and text, at least and at most; before a sign
_MIDDLE = (0.25, 0.8)  # where a sign's middle lies, from the line's upper edge
_MARGIN = 0.1


def with_signs(image: numpy.ndarray, quads: Sequence[Quad]) -> list[Quad]:
    """The corners of lines found in an image, (H, W, 3) RGB bytes, each widened to hold a sign that stands alone right before or
    behind it, on paper, in no other line."""
    if not quads:
        return []
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    boxes = numpy.array([_box(quad) for quad in quads], numpy.float32)
    widened: list[Quad] = []
    for i, quad in enumerate(quads):
        others = numpy.delete(boxes, i, axis=0)
        left = _sign_before(gray, boxes[i], others)
        mirrored = _mirrored(others, gray.shape[1])
        right = _sign_before(gray[:, ::-1], _mirrored(boxes[i : i + 1], gray.shape[1])[0], mirrored)
        widened.append(_widened(quad, left, None if right is None else gray.shape[1] - right))
    return widened


def _box(quad: Quad) -> tuple[float, float, float, float]:
    xs, ys = zip(*quad, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _mirrored(boxes: numpy.ndarray, width: int) -> numpy.ndarray:
    return numpy.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)


def _widened(quad: Quad, left: float | None, right: float | None) -> Quad:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    if not _is_level(quad):
        return quad
    if left is not None:
        ax, dx = min(ax, left), min(dx, left)
    if right is not None:
        bx, cx = max(bx, right), max(cx, right)
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)


def _is_level(quad: Quad) -> bool:
    (ax, ay), (bx, by), _, (_, dy) = quad
    return bx - ax > _LONG * (dy - ay) > 0 and abs(by - ay) < _LEVEL * (dy - ay)


def _sign_before(gray: numpy.ndarray, box: numpy.ndarray, others: numpy.ndarray) -> float | None:
    """Where a sign before a line begins, None where there is none: the last ink before the line's first letter, with gaps on both
    sides of it, and no higher than signs are."""
    x0, y0, _, y1 = (float(value) for value in box)
    high = y1 - y0
    top, bottom = max(0, round(y0)), round(y1)
    start, end = max(0, round(x0 - _REACH * high)), round(x0 + _WITHIN * high)
    strip = gray[top:bottom, start:end]
    if high <= 0 or strip.size == 0:
        return None
    ink = inked(strip)
    runs = _runs(numpy.asarray(ink.any(axis=0)), _GAP * high)
    before = 0.0 if start else -_FREE * high  # nothing stands beyond the image's edge
    for (a, b), (after, _) in itertools.pairwise(runs):
        is_free, before = a - before >= _FREE * high, b
        if (a + b) / 2 + start >= x0 or after + start < x0 - _GAP * high:
            continue  # within the line, or something stands between
        rows = numpy.flatnonzero(ink[:, a:b].any(axis=1))
        height, middle = int(rows[-1] - rows[0] + 1), float(rows[0] + rows[-1] + 1) / 2
        is_sign = max(b - a, height) >= _SIZE * high and height <= _HIGH * high and b - a <= _WIDE * high
        is_placed = _MIDDLE[0] * high < middle < _MIDDLE[1] * high and after - b <= _MOST_GAP * high
        if is_sign and is_placed and is_free and not _lies_in((a + b) / 2 + start, top + middle, others):
            return max(0.0, a + start - _MARGIN * high)
    return None


def _runs(columns: numpy.ndarray, gap: float) -> list[tuple[int, int]]:
    """The runs of columns with ink, where less than `gap` parts nothing."""
    places = numpy.flatnonzero(columns)
    if not len(places):
        return []
    cuts = numpy.flatnonzero(numpy.diff(places) > gap)
    starts, ends = places[numpy.r_[0, cuts + 1]], places[numpy.r_[cuts, len(places) - 1]]
    return [(int(a), int(b) + 1) for a, b in zip(starts, ends, strict=True)]


def _lies_in(x: float, y: float, boxes: numpy.ndarray) -> bool:
    return bool(((boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])).any())
