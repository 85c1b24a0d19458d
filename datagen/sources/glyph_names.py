"""What a glyph is by its name in the font program: the names that the Adobe Glyph List lacks.

Names come from Adobe's list and its rules (`uni2192`, `f_i`, `a.alt`), which fontTools knows; from ZapfDingbats; and, here, from
the fonts of TeX. Their built-in encodings have names of their own, and draw some arrows in two pieces.
"""

import re

from fontTools import agl

from datagen import scripts

_TEX = {
    "arrowhookleft": "\u21aa",
    "arrowhookright": "\u21a9",
    "mapsto": "\u21a6",
    "arrownortheast": "\u2197",
    "arrowsoutheast": "\u2198",
    "arrownorthwest": "\u2196",
    "arrowsouthwest": "\u2199",
    "arrowleftright": "\u2194",
    "arrowdblleft": "\u21d0",
    "arrowdblright": "\u21d2",
    "arrowdblboth": "\u21d4",
    "circlecopyrt": "\u25ef",
    "circleR": "\u00ae",
    "square": "\u25a1",
    "squaresolid": "\u25a0",
    "squaresmallsolid": "\u25aa",
    "trianglesolid": "\u25b2",
    "triangledownsld": "\u25bc",
    "triangleleftsld": "\u25c0",
    "trianglerightsld": "\u25b6",
    "check": "\u2713",
    "checkmark": "\u2713",
    "maltesecross": "\u2720",
    "star": "\u22c6",
    "visiblespace": "\u2423",
    "permille": "\u2030",
    "perthousandzero": "\u2030",
    "numero": "\u2116",
}
# Of an arrow that is drawn in two pieces: the piece that a name stands for, whether it stands before the arrow, and the arrow.
_PIECES = {
    "arrowhookleft": (True, "\u2192"),
    "arrowhookright": (False, "\u2190"),
    "mapsto": (True, "\u2192"),
}
# Fonts that pictures are drawn with: pieces of lines, arcs and arrowheads under the codes of letters.
_STROKES = re.compile(r"(LINE|LINEW|LCIRCLE|LCIRCLEW|XY(ATIP|BTIP|BSQL|DASH|LINE|CIRC|CMAT|CMBT|EUAT|EUBT))\d+")
_DINGBATS = re.compile("Dingbats", re.IGNORECASE)
_UNSURE = re.compile(f"[{scripts.PRIVATE}{scripts.DISTURBING}{scripts.INVISIBLE}{scripts.JOINERS}\\x00-\\x20\\x7f-\\xa0\ufffd]")


def character(name: str, font: str) -> str:
    """The one character that a glyph's name stands for in a font of that name; "" if there is none, or more than one."""
    text = _TEX.get(name) or agl.toUnicode(name, isZapfDingbats=bool(_DINGBATS.search(font)))
    return text if len(text) == 1 and is_drawn(text) else ""


def other_piece(name: str) -> tuple[bool, str] | None:
    """Of a glyph that is a piece of an arrow: whether it stands before the other piece, and that piece's character."""
    return _PIECES.get(name)


def draws_strokes(font: str) -> bool:
    """Whether the glyphs of a font are pieces of a picture's lines, and no characters."""
    return bool(_STROKES.fullmatch(font.split("+")[-1]))


def is_drawn(char: str) -> bool:
    """Whether it is a character that leaves ink and that everybody means the same by."""
    return not _UNSURE.search(char)
