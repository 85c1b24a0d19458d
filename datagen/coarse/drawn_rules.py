"""Underscores and barred letters that TeX draws: its old fonts have none, so `\\_` is a rule of 0.3 em on the baseline,
and `\\dj` one through a d's stem."""

import re
from collections.abc import Iterable

from datagen.coarse.unmapped import Char, lines
from datagen.engines.light_pymupdf import pymupdf
from datagen.page.line_pieces import Rect

_OLD_FONT = re.compile(r"(?:^|\+)(?:CM[A-Z]+\d|Nimbus)")  # of Computer Modern; of Times and Helvetica as TeX has them
_LONG, _THICK = (1.5, 8.0), 1.0  # pt
_OFF = 0.08  # em that a rule may lie beside the gap's end, or above or below the baseline
_BAR_EM = (0.45, 0.62)  # above the baseline
_FILLS = 0.7  # of the gap: the rest is a small space in front of it. Where a word ends, the gap is wider


def worth_a_look(fonts: Iterable[str]) -> bool:
    """Whether `write` might change a page with fonts of these names."""
    return any(map(_OLD_FONT.search, fonts))


def write(page: pymupdf.Page, textpage: pymupdf.TextPage) -> bool:
    """Whether `_` was written for a space of the text that a short rule on the baseline fills, or `đ` for a d that one goes
    through. MuPDF may raise anything."""
    rules = [drawing["rect"] for drawing in page.get_cdrawings() if _is_short(drawing["rect"], drawing.get("width") or 0.0)]
    is_changed = False
    for line in lines(textpage) if rules else ():
        for before, space, after in zip(line, line[1:], line[2:], strict=False):
            if chr(space.c) == " " and chr(before.c).isalnum() and chr(after.c).isalnum():
                off = _OFF * after.size
                left, right, baseline = space.quad.ll.x, space.quad.lr.x, space.origin.y
                if any(
                    abs(x1 - right) < off and abs((y0 + y1) / 2 - baseline) < off and x1 - x0 > _FILLS * (right - left)
                    for x0, y0, x1, y1 in rules
                ):
                    space.c = ord("_")
                    is_changed = True
        for char in line:
            if chr(char.c) == "d" and any(_goes_through(rule, char) for rule in rules):
                char.c = ord("đ")
                is_changed = True
    return is_changed


def _goes_through(rule: Rect, char: Char) -> bool:
    """Whether a rule goes through the stem of a d, which is at its right."""
    x0, y0, x1, y1 = rule
    over = (char.origin.y - (y0 + y1) / 2) / max(char.size, 0.01)
    left, right = char.quad.ll.x, char.quad.lr.x
    return (
        _BAR_EM[0] < over < _BAR_EM[1]
        and left < x0 < (left + right) / 2 + _OFF * char.size
        and abs(x1 - right) < _OFF * char.size
    )


def _is_short(rect: Rect, stroke_pt: float) -> bool:
    x0, y0, x1, y1 = rect
    return _LONG[0] < x1 - x0 < _LONG[1] and max(y1 - y0, stroke_pt) < _THICK
