"""Looks of headings, by which those of one level are told."""

from collections.abc import Sequence
from typing import NamedTuple

from datagen.record import Line


class Look(NamedTuple):
    """The look of letters: their size in points, their red, green and blue, and marks such as bold or underlined."""

    size: float
    colour: tuple[int, int, int]
    marks: frozenset[str]


def look_of(lines: Sequence[Line]) -> Look | None:
    """The look that lines share, with the marks that all lines have. None if the lines differ in size or colour, or if a line's
    look isn't known."""
    looks = {line.look for line in lines}
    if not looks or "" in looks or len({tuple(look.split()[:2]) for look in looks}) != 1:
        return None
    size, colour, *_ = min(looks).split()
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return Look(float(size), (red, green, blue), frozenset.intersection(*(frozenset(look.split()[2:]) for look in looks)))
