"""Signs of a list's items that are drawings, as browsers print them: no character tells of them."""

from collections.abc import Sequence

from datagen.fine.page_layout import PageLayout
from datagen.fine.parts import Part
from datagen.labels import TEXTS
from datagen.page.line_pieces import Rect

_SIGN_EM, _SIGN_GAP_EM, _MIN_SIGNS = 0.9, 2.5, 3  # how wide a sign is, and how far from its item
_MIN_DOTS, _SAME_SIDE_PT = 2, 0.2
_SAME_PT = 1.0  # signs of a list stand below each other


def mark_drawn_signs(parts: Sequence[Part], layout: PageLayout) -> None:
    """Make items of texts with a small drawing where a list's sign would be, if several have one in the same place, or two have a
    dot there. Set `has_drawn_sign` of all items with such a drawing."""
    signs: list[tuple[Part, Rect]] = []
    for part in parts:
        if part.pieces and part.label in TEXTS:
            first = part.pieces[0]
            if sign := _sign(first.bbox, first.size, layout):
                signs.append((part, sign))
    for part, sign in signs:
        num = sum(abs(sign[0] - other[0]) < _SAME_PT for _, other in signs)
        least = _MIN_DOTS if all(_is_dot(sign, other) for _, other in signs if abs(sign[0] - other[0]) < _SAME_PT) else _MIN_SIGNS
        part.has_drawn_sign = num >= least or part.label == "list"
        part.label = "list" if part.has_drawn_sign else part.label


def _is_dot(a: Rect, b: Rect) -> bool:
    """Whether a sign is as wide as high, and another one of its size."""
    sides = a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]
    return max(sides) - min(sides) < _SAME_SIDE_PT


def _sign(line: Rect, size: float, layout: PageLayout) -> Rect | None:
    """The box of a small drawing in front of a line, from left to right, of letters of `size`; all in points."""
    for box in (*layout.drawings, *layout.pictures):
        middle = (box[1] + box[3]) / 2
        is_small = box[2] - box[0] < _SIGN_EM * size and box[3] - box[1] < 2 * _SIGN_EM * size
        if is_small and line[1] < middle < line[3] and 0 <= line[0] - box[2] + 1 < _SIGN_GAP_EM * size:
            return box
    return None
