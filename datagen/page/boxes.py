"""How boxes lie to each other: pixels or points, as (x0, y0, x1, y1)."""

from collections.abc import Iterable, Sequence

from datagen.record import Box


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
