"""How much of a page's text belongs to formulas, which a line of text can't hold: scripts, fractions and roots are flattened."""

import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datagen.page.boxes import is_centred_in
from datagen.page.line_pieces import Piece, Rect
from datagen.page.raised import step_of
from datagen.writing import scripts

# Letters of formulas by their fonts, and signs that hardly stand in prose.
_MATH_FONT = re.compile(
    r"CMMI|CMSY|CMEX|MSAM|MSBM|MTSY|MTMI|EU[FSR]M\d|RSFS|r[tp]xmi|[tp]x(?:mi|sy|ex)|[TP]X(?:MI|SY|EX)|MathJax"
    r"|Euclid(?:Math|Symbol|Extra)|Math(?!ias|ilde)"
)
_DELIMITERS = re.compile("CMEX|MathExtension")  # with roots and large operators
_MATH = re.compile(f"[{scripts.MATH}]")
_RELATION = re.compile("[=<>+\u00b1\u2212\u00d7\u00f7|]")
_SMALLER = 0.85  # a script's size, at most, of the size of what it belongs to

MAX_CHARS = 2  # of formulas in a paragraph: a variable's name is text

Span = Mapping[str, Any]
Spans = Mapping[int, Sequence[Span]]
"""Spans by their height on the page, in steps."""


def num_math(lines: Iterable[Mapping[str, Any]]) -> int:
    """The number of characters of formulas in the lines of MuPDF's dictionary: letters in fonts for formulas, and signs.

    It is 0 if no line is a formula. In a formula, such a letter or sign has a relation or an operator beside it, or something
    smaller. Others stand in text: a logo, the name of a variable, a list of signs.
    """
    filled = [[s for s in line["spans"] if not s["text"].isspace()] for line in lines]
    num = sum(_num_math(span) for line in filled for span in line)
    return num if num and any(map(_is_formula, filled)) else 0


def num_in_formulas(pieces: Iterable[Piece], spans: Spans) -> int:
    """How many characters of lines belong to formulas: see `num_math`."""
    return num_math({"spans": _within(piece.bbox, spans)} for piece in pieces)


def _within(box: Rect, spans: Spans) -> list[Span]:
    steps = range(step_of(box[1]) - 1, step_of(box[3]) + 1)
    inside = [span for step in steps for span in spans.get(step, ()) if is_centred_in(span["bbox"], box)]
    return sorted(inside, key=lambda span: float(span["bbox"][0]))


def _is_formula(spans: list[Span]) -> bool:
    return any(
        (_num_math(left) or _num_math(right)) and (_is_script(left, right) or _is_related(left, right))
        for left, right in itertools.pairwise(spans)
    ) or any(_DELIMITERS.search(s["font"]) or (_num_letters(s) > 1 and _RELATION.search(s["text"])) for s in spans)


def _is_script(left: Span, right: Span) -> bool:
    return min(left["size"], right["size"]) < _SMALLER * max(left["size"], right["size"])


def _is_related(left: Span, right: Span) -> bool:
    """Whether a relation or an operator stands where the spans meet."""
    return bool(_RELATION.match(left["text"].rstrip()[-1:]) or _RELATION.match(right["text"].lstrip()[:1]))


def _num_math(span: Span) -> int:
    return _num_letters(span) + (0 if span["text"].isascii() else len(_MATH.findall(span["text"])))


def _num_letters(span: Span) -> int:
    return sum(map(str.isalpha, span["text"])) if is_for_formulas(span["font"]) else 0


@functools.lru_cache(maxsize=1024)
def is_for_formulas(font: str) -> bool:
    return bool(_MATH_FONT.search(font))
