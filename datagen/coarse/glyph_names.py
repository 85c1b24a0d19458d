"""What a glyph is by its name in the font program, or by its code where a font has codes of its own.

Names come from Adobe's list and its rules (`uni2192`, `f_i`, `a.alt`), which fontTools knows; from ZapfDingbats; and, here, from
the fonts of TeX. Their built-in encodings have names of their own, and draw some arrows in two pieces.
"""

import functools
import re

from fontTools import agl

from datagen.writing import scripts

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
# TeX's fonts of nothing but signs. Those of letters of mathematics have a dotless i.
_SIGNS_ALONE = re.compile(r"(?:TeX-math[abcux]|MSAM|CMSY|CMBSY|CMEX|LASY|stmary|esint|MnSymbol|FdSymbol)[-A-Za-z]*\d*", re.I)
# Fonts that pictures are drawn with: pieces of lines, arcs and arrowheads under the codes of letters.
_STROKES = re.compile(r"(LINE|LINEW|LCIRCLE|LCIRCLEW|XY(ATIP|BTIP|BSQL|DASH|LINE|CIRC|CMAT|CMBT|EUAT|EUBT))\d+")
# Symbol fonts map their bytes to private characters from U+F000 on. Of Wingdings these are the signs that text has: bullets,
# arrows, marks. Of Symbol it is Adobe's encoding, without pieces of brackets.
_FIRST_OF_SYMBOLS = 0xF000
_WINGDINGS = dict(
    zip(
        b'"()*6@FJLlmnopqrsuvwx\x9e\x9f\xa1\xa7\xa8\xab\xd8\xdf\xe0\xe1\xe2\xe8\xec\xee\xef\xf0\xf1\xf2\xfb\xfc\xfd\xfe',
        "✂☎✆✉⌛✍☞☺☹●❍■□□❑❒⬧◆❖◆⌧·•○▪◻★➢←→↑↓➔↗↘⇦⇨⇧⇩✗✓☒☑",
        strict=True,
    )
)
_SYMBOL = dict(
    zip(
        (*range(0x21, 0x60), *range(0x61, 0x7F), *range(0xA0, 0xBD), *range(0xBF, 0xE6), 0xF1, 0xF2),
        "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
        "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⟩∫",
        strict=True,
    )
)
# LibreOffice's own font has letters and signs of formulas under private characters of its own.
_OPEN_SYMBOL = dict(
    zip(
        (
            *(0xE080, 0xE083, 0xE084, 0xE085, 0xE086, 0xE087, 0xE089, 0xE08B, 0xE08C),
            *range(0xE0AC, 0xE0D2),
            *range(0xE0D3, 0xE0D6),
        ),
        "‰+<>⩽⩾∈…→ΓΔΘΛΞΠΣϒΦΨΩαβγδϵζηθικλμνξοπρστυϕχψωεϑϖςφ∂",
        strict=True,
    )
)
_SYMBOL_FONTS = (
    (re.compile(r"(?:.*\+)?Wingdings(?:-?Regular)?"), {_FIRST_OF_SYMBOLS + code: char for code, char in _WINGDINGS.items()}),
    (re.compile(r"(?:.*\+)?Symbol(?:MT)?(?:[,-].*)?"), {_FIRST_OF_SYMBOLS + code: char for code, char in _SYMBOL.items()}),
    (re.compile(r"(?:.*\+)?(?:OpenSymbol|StarSymbol)"), _OPEN_SYMBOL),
)
# Adobe's private characters for names that are in no other standard: a dotless j, and digits in the old style.
_ADOBE_PRIVATE = {0xF6BE: "\u0237"} | {0xF730 + digit: str(digit) for digit in range(10)}
_ICON_FONT = re.compile("Icon|icons|[Ii]co[Mm]oon|[Aa]wesome|[Gg]lyph|Symbol|Emoji")  # draws icons under these; Lexicon is none
_DINGBATS = re.compile("Dingbats", re.IGNORECASE)
_UNSURE = re.compile(f"[{scripts.PRIVATE}{scripts.DISTURBING}{scripts.INVISIBLE}{scripts.JOINERS}\\x00-\\x20\\x7f-\\xa0\ufffd]")


def character(name: str, font: str) -> str:
    """The one character that a glyph's name stands for in a font of that name; "" if there is none, or more than one."""
    text = _TEX.get(name) or agl.toUnicode(name, isZapfDingbats=bool(_DINGBATS.search(font)))
    return text if len(text) == 1 and is_drawn(text) else ""


def private_character(code: int, font: str) -> str:
    """The character that a private one stands for in a font of that name; "" if that isn't known."""
    for name, characters in _SYMBOL_FONTS:
        if name.fullmatch(font):
            return characters.get(code, "")
    return "" if _ICON_FONT.search(font) else _ADOBE_PRIVATE.get(code, "")


def other_piece(name: str) -> tuple[bool, str] | None:
    """Of a glyph that is a piece of an arrow: whether it stands before the other piece, and that piece's character."""
    return _PIECES.get(name)


@functools.lru_cache(maxsize=1024)
def draws_strokes(font: str) -> bool:
    """Whether the glyphs of a font are pieces of a picture's lines, and no characters."""
    return bool(_STROKES.fullmatch(font.split("+")[-1]))


@functools.lru_cache(maxsize=1024)
def has_no_letters(font: str) -> bool:
    """Whether a font of TeX's has signs of mathematics, and no accented letters, whatever a file says of its codes."""
    return bool(_SIGNS_ALONE.fullmatch(font.split("+")[-1]))


def is_drawn(char: str) -> bool:
    """Whether it is a character that leaves ink and that everybody means the same by."""
    return not _UNSURE.search(char)
