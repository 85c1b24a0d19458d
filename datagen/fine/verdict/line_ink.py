"""Evidence about a line's text from the ink alone: where words end, and how wide they are.

Readers share weaknesses. PP-OCR and Tesseract may both miss a space, or add one. Both read letters of unknown scripts as a few
known letters. In such cases their agreement means nothing, and the ink decides.
"""

import re
from collections.abc import Sequence

import numpy

from datagen.coarse.verdict import ink_shapes
from datagen.coarse.verdict.ink_fonts import Cut
from datagen.coarse.verdict.ink_lines import cut_as_drawn, without_leaders
from datagen.drawing import line_by_pillow
from datagen.drawing.typefaces import draws, reference_faces

_DARK = 160
_SIZE = 40  # pixels an em, of the drawn words
# Scripts that put no space between words, or whose letters stand apart within words.
UNSPACED = frozenset("Hans Hant Hani Jpan Hira Kana Bopo Thai Laoo Khmr Mymr Tibt Lana Tale Talu Tavt Yiii".split())
APART = frozenset("Arab Syrc Nkoo Mand Adlm Rohg".split())
_CLEAR = 1.8  # times as wide as the widest gap within words is the narrowest between them, where the ink counts words
_LEAST_GAP = 0.2  # of the ink's height: less is no space
_EVEN = 0.5  # of the middle one: a gap that is narrower isn't one between words
_OFF = 0.5  # of a word's width, or of its line's mean one
_STRETCHED = 1.7  # times as wide as it is drawn, no typeface sets a line
_MIN_WORD, _MIN_CHARS = 2, 6  # characters of a line whose width, whose spaces tell something
_SPACED_OUT = re.compile(r"(?:\b\w\s){3}")  # letters that stand apart


def spaces_hold(cut: Cut, script: str) -> bool | None:
    """Whether a line's words end at the gaps in its ink; None if the ink can't tell."""
    words = cut.line.text.split()
    num = len(words) - 1
    if script in UNSPACED | APART or cut.line.direction == "ttb" or len("".join(words)) < _MIN_CHARS:
        return None
    if _SPACED_OUT.search(cut.line.text):
        return None
    gaps = _gaps(cut.crop)
    if cut.images and num:
        is_even = gaps[num - 1] >= _EVEN * gaps[num // 2]
        return _as_wide(cut, script) if is_even else None
    least = _LEAST_GAP * _ink_height(cut.crop)
    clear = [k for k in range(1, min(len(gaps), 2 * num + 6)) if gaps[k - 1] >= max(least, _CLEAR * gaps[k])]
    return False if clear and clear[-1] > num else None


def step_behind(cut: Cut, num: int) -> float:
    """The ratio of the narrowest of the `num` widest gaps in a line to the next narrower gap."""
    gaps = _gaps(cut.crop)
    return gaps[num - 1] / gaps[num] if 0 < num < len(gaps) else 0.0


def is_stretched(cut: Cut, script: str) -> bool:
    """Whether a line's ink is so much wider, for its height, than its drawn text that it must say more. Narrower ink means
    nothing, because a leaning line is higher."""
    text = without_leaders(cut.line.text)
    if len(text.replace(" ", "")) < _MIN_WORD or cut.line.direction == "ttb":
        return False
    ink = ink_shapes.ink(cut.crop, text)
    face = next((name for name in reference_faces(script) if draws(name, text)), "")
    if ink is None or not face:
        return False
    drawn = ink_shapes.drawn_aspect(face, text)
    return drawn > 0 and ink.aspect > _STRETCHED * drawn


def _as_wide(cut: Cut, script: str) -> bool | None:
    """Whether the widths of the words' ink are in about the same proportions as the drawn words."""
    texts = [text for _, text in cut.images]
    face = next((name for name in reference_faces(script) if draws(name, "".join(texts))), "")
    if not face:
        return None
    return cut_as_drawn(cut.images, [line_by_pillow.width(face, _SIZE, text) for text in texts], _OFF)


def _gaps(crop: numpy.ndarray) -> Sequence[int]:
    """The widths of the gaps between columns of ink, the widest first, followed by 1."""
    columns = numpy.flatnonzero((crop < _DARK).any(axis=0))
    steps = numpy.diff(columns) - 1 if len(columns) else numpy.zeros(0, int)
    return [*sorted((int(step) for step in steps if step > 0), reverse=True), 1]


def _ink_height(crop: numpy.ndarray) -> int:
    rows = numpy.flatnonzero((crop < _DARK).any(axis=1))
    return int(rows[-1] - rows[0] + 1) if len(rows) else 0
