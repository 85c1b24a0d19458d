"""How boxes lie to each other: pixels or points, as (x0, y0, x1, y1)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from datagen.record import Box, Line, Region

T = TypeVar("T")
Placed = TypeVar("Placed", Region, Line)


def height(box: Sequence[float]) -> float:
    return float(box[3] - box[1])


def line_height(line: Line) -> float:
    """How high a line's letters are, across the way in which it runs."""
    return float(line.box.x1 - line.box.x0) if line.direction == "ttb" else height(line.box)


def area(box: Sequence[float]) -> float:
    """Above 0 for an empty box, too, so that one may divide by it."""
    return max(1e-6, max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def shared(a: Sequence[float], b: Sequence[float]) -> float:
    """The area that two boxes share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def lies_in(box: Sequence[float], other: Sequence[float]) -> bool:
    """Whether all of a box is in another."""
    return other[0] <= box[0] and other[1] <= box[1] and box[2] <= other[2] and box[3] <= other[3]


def is_centred_in(box: Sequence[float], other: Sequence[float]) -> bool:
    """Whether the middle of a box is in another."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return other[0] <= x <= other[2] and other[1] <= y <= other[3]


def around(boxes: Iterable[Sequence[float]]) -> Box:
    """The smallest box that holds all of these, of which there is one at least."""
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return Box(min(x0s), min(y0s), max(x1s), max(y1s))


def overlap(a: Sequence[float], b: Sequence[float], axis: int) -> float:
    """The share of the smaller box's extent along an axis (0: x, 1: y) that both boxes have. Below 0 if they are apart."""
    smaller = min(a[axis + 2] - a[axis], b[axis + 2] - b[axis])
    return (min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis])) / smaller if smaller > 0 else 0.0


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """How far two boxes are apart: the wider of the gaps between them along both axes."""
    return max(0.0, a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])


def middle_down(box: Sequence[float]) -> float:
    """Twice the height at which the middle of a box lies."""
    return box[1] + box[3]


def rows_of(
    items: Iterable[T],
    box_of: Callable[[T], Sequence[float]],
    down: Callable[[Sequence[float]], Any] = middle_down,
    rtl: bool = False,
) -> list[list[T]]:
    """The items from top to bottom, by `down` of their boxes, those in one row that share half of their height with the row's
    first; each row from the left, or from the right if `rtl`."""
    rows: list[list[T]] = []
    for item in sorted(items, key=lambda item: down(box_of(item))):
        if rows and overlap(box_of(rows[-1][0]), box_of(item), 1) > 0.5:
            rows[-1].append(item)
        else:
            rows.append([item])
    return [sorted(row, key=lambda item: box_of(item)[0], reverse=rtl) for row in rows]


def put_elsewhere(region: Region, box: Callable[[Box], Box], point: Callable[[float, float], tuple[float, float]]) -> Region:
    """The region, with `box` of its box and its lines' boxes, and `point` of each (x, y) of the polygons."""

    def put(one: Placed) -> Placed:
        return replace(one, box=box(one.box), polygon=tuple(point(x, y) for x, y in one.polygon))

    return replace(put(region), lines=tuple(map(put, region.lines)))
