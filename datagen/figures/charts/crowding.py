"""Texts that have no room in a picture."""

from collections.abc import Iterable

Placed = tuple[float, float, float, float, str]
"""The box of a text, x0, y0, x1, y1, and the text."""


def first_overlap(boxes: Iterable[Placed]) -> str:
    """Which text lies over which, in the order of their left sides; "" for none."""
    ordered = sorted(boxes)
    for place, (_, y0, x1, y1, text) in enumerate(ordered):
        for left, top, _, bottom, other in ordered[place + 1 :]:
            if left >= x1:
                break
            if top < y1 and y0 < bottom:
                return f"{text!r} lies over {other!r}"
    return ""
