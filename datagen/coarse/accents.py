"""Letters whose accent is a glyph of its own, drawn over them, as TeX sets them in its old fonts."""

import itertools
import re
import unicodedata

from datagen.coarse.unmapped import NOTHING, Char, lines
from datagen.engines.light_pymupdf import pymupdf

_COMBINING = {
    "`": "\u0300", "\u00b4": "\u0301", "\u02c6": "\u0302", "^": "\u0302", "\u02dc": "\u0303", "~": "\u0303", "\u00af": "\u0304",
    "\u02d8": "\u0306", "\u02d9": "\u0307", "\u00a8": "\u0308", "\u02da": "\u030a", "\u02dd": "\u030b", "\u02c7": "\u030c",
    "\u00b8": "\u0327", "\u02db": "\u0328",
}  # fmt: skip
_DOTLESS = {"\u0131": "i", "\u0237": "j"}
_STROKED = {"d\u0304": "\u0111", "D\u0304": "\u0110"}  # TeX's Croatian and Vietnamese letter, without a font that has it
_LOOSE = re.compile("[`^~\u00a8\u00af\u00b4\u00b8\u02c6\u02c7\u02d8-\u02dd][^\\W\\d_]|[^\\W\\d_][\u00b8\u02db]")
_BELOW = "\u00b8\u02db"
_NO_GAP = 0.1  # em
_OGONEK = "\u02db"
_OFF, _OFF_BELOW = 0.3, 0.5  # of the letter's width: how far its accent's middle may be from its own; an ogonek's


def worth_a_look(text: str) -> bool:
    """Whether `compose` might change a page of this text."""
    return bool(_LOOSE.search(text))


def compose(textpage: pymupdf.TextPage) -> bool:
    """Whether any letter had its accent drawn over it, in front of it in the text, or a cedilla or ogonek behind it. Both are
    written as one letter, in one character if there is one."""
    is_changed = False
    for line in lines(textpage):
        for i, (first, second) in enumerate(itertools.pairwise(line)):
            is_behind = chr(second.c) in _BELOW
            accent, letter = (second, first) if is_behind else (first, second)
            combining = _COMBINING.get(chr(accent.c))
            if combining and chr(letter.c).isalpha() and _is_over(accent, letter):
                base = _DOTLESS.get(chr(letter.c), chr(letter.c))
                composed = _STROKED.get(base + combining) or unicodedata.normalize("NFC", base + combining)
                is_changed = True
                # Two characters hold two.
                one, two = (NOTHING, ord(composed)) if len(composed) == 1 else map(ord, composed)
                first.c, second.c = (two, one) if is_behind and one == NOTHING else (one, two)
                # MuPDF puts a space where it must go on to reach the accent.
                if (
                    not is_behind
                    and i > 1
                    and chr(line[i - 1].c) == " "
                    and letter.quad.ll.x - line[i - 2].quad.lr.x < _NO_GAP * letter.size
                ):
                    line[i - 1].c = NOTHING
    return is_changed


def _is_over(accent: Char, letter: Char) -> bool:
    """Whether the accent's middle is that of the letter, in a line from left to right. An ogonek hangs on the letter's end."""
    over, under = accent.quad, letter.quad
    off = _OFF_BELOW if chr(accent.c) == _OGONEK else _OFF
    return abs(over.ll.x + over.lr.x - under.ll.x - under.lr.x) / 2 < off * (under.lr.x - under.ll.x)
