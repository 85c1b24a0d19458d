"""Formulas within lines of text: a text layer has them without their scripts, fractions and roots."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datagen.coarse.formula_share import num_math
from datagen.page.line_pieces import Piece, Rect

MAX_CHARS = 2  # of formulas in a paragraph: a variable's name is text

Span = Mapping[str, Any]
Spans = Mapping[int, Sequence[Span]]
"""Spans by their height on the page, in steps."""

_STEP_PT = 50.0


def by_height(spans: Sequence[Span]) -> Spans:
    result: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        result[int(span["bbox"][1] // _STEP_PT)].append(span)
    return result


def num_in_formulas(pieces: Iterable[Piece], spans: Spans) -> int:
    """How many characters of lines belong to formulas: see `datagen.coarse.formula_share`."""
    return num_math({"spans": _within(piece.bbox, spans)} for piece in pieces)


def _within(box: Rect, spans: Spans) -> list[Span]:
    x0, y0, x1, y1 = box
    inside = []
    for step in range(int(y0 // _STEP_PT) - 1, int(y1 // _STEP_PT) + 1):
        for span in spans.get(step, ()):
            left, top, right, bottom = span["bbox"]
            if x0 <= (left + right) / 2 <= x1 and y0 <= (top + bottom) / 2 <= y1:
                inside.append(span)
    return sorted(inside, key=lambda span: float(span["bbox"][0]))
