"""A line of a text layer as it is written in a label: one way to write each thing that looks the same."""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from datagen.page.glyphs import is_mark
from datagen.record import clean_text
from datagen.writing import scripts

_CONTROL = {c: None for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\t\n"}
# ZWJ and ZWNJ choose forms of letters, so they stay where these are; TeX puts one between any two that might be a ligature.
_INVISIBLE = re.compile(f"[{scripts.INVISIBLE}]|(?<=[\\x20-\u02ff\u0370-\u052f{scripts.HAN}])[{scripts.JOINERS}]+")
_DOTS = re.compile(r"(?<![. ])( ?)\. \. \.(?! ?\.)")  # three dots that TeX spaces a little
# What looks like another sign, and letters that are two in the image.
_HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-", "\ua789": ":", "\u0132": "IJ", "\u0133": "ij"})
_GLYPHS = re.compile(f"[{scripts.GLYPHS}]")
_VERTICAL_FORM = re.compile(f"[{scripts.VERTICAL_FORMS}]")
# MuPDF says some characters twice. It takes the bytes of an /ActualText for its characters, and so repeats the end of it. And it
# says consonants in place of the first part of a vowel sign that stands on both sides of them. No word has the same vowel sign
# twice in a row, or a letter three times in one stack, or a letter twice below another one, unless that one is an r.
_LETTER, _VIRAMA, _STACKED = f"[{scripts.INDIC_LETTERS}]", f"[{scripts.VIRAMAS}]", f"[{scripts.STACKED_LETTERS}]"
_TWICE = re.compile(
    f"((?<=({_LETTER}))({_VIRAMA})\\2)\\1|"
    f"((?:{_LETTER}{_VIRAMA})+{_LETTER})\\4(?=[{scripts.TWO_PART_VOWELS}])|"
    f"((?:(?<![\u0c30\u0cb0])[\u0c4d\u0ccd\u17d2\u1039]{_STACKED})+|[{scripts.VOWEL_SIGNS}]+)\\5"
)
# Word writes Thai's sara am as a space and sara aa, which begins no word. And an overlaid stroke stands before its sign.
_SARA_AM = re.compile("([\u0e01-\u0e2e][\u0e48-\u0e4b]?) +([\u0e48-\u0e4b]?)\u0e32")
_STRUCK = re.compile("\u0338\\s?([<=>\u2208\u220b\u2223\u223c\u2243\u2245\u2248\u2261\u2264\u2265\u2282\u2283\u2286\u2287])")
# Signs of mathematics and other forms for Greek letters within words, and accents apart in front of capitals, as fonts draw them.
_LIKE_GREEK = "\u00b5\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f5\u2206"
_AS_GREEK = str.maketrans(_LIKE_GREEK, "\u03bc\u03b2\u03b8\u03c6\u03c0\u03ba\u03c1\u03b5\u0394")
_IN_GREEK = re.compile(f"(?<=[\u0386-\u03ce\u1f00-\u1fff])[{_LIKE_GREEK}]|[{_LIKE_GREEK}](?=[\u0386-\u03ce\u1f00-\u1fff])")
_ACCENT_APART = re.compile(
    "(?<![^\\W\\d_])([\u0384\u00b4\u1ffd\u1fbd\u1fbf\u1ffe\u1fce\u1fde])([\u0391\u0395\u0397\u0399\u039f\u03a5\u03a9])"
)
_ACCENTS = {
    "\u0384": "\u0301", "\u00b4": "\u0301", "\u1ffd": "\u0301", "\u1fbd": "\u0313", "\u1fbf": "\u0313", "\u1ffe": "\u0314",
    "\u1fce": "\u0313\u0301", "\u1fde": "\u0314\u0301",
}  # fmt: skip
_BOPOMOFO_I = re.compile(f"(?<=[{scripts.IDEOGRAPHS}])\u3127(?=[{scripts.IDEOGRAPHS}])")
# The glyph of the name of God, of which Word says all letters but the last. No other word ends so. Of its marks, shadda and a
# short alef or fatha stand on the second lam; they are said twice where they are a glyph of their own.
_ALLAH = re.compile(
    "\u0627([\u064b-\u0652\u0670]*)\u0644([\u064b-\u0652\u0670]*)\u0644([\u064b-\u0652\u0670]*)(?![\u0620-\u0652\u066e-\u06d3])"
)
_CLUSTERED = re.compile(f"[{scripts.CLUSTERED}]")
_BOX = re.compile("^\\s*([\u2610-\u2612\u22a0\u25a1])(?=[^\\W\\d_]{2})")  # files set what it belongs to apart without a space
_HANGUL_PART = re.compile(f"[{scripts.HANGUL_PARTS}]")


def as_it_looks(text: str) -> str:
    """The text with plain hyphens and colons for what looks like them, and with two letters for signs of two."""
    return text.translate(_HYPHENS)


def without_control(text: str) -> str:
    return text.translate(_CONTROL)


def cleaner(alphabet: str) -> Callable[[str], str]:
    """A function that writes lines of these characters as labels have them. Only the steps that these need are in it.

    A line comes out in NFC, without characters that draw nothing. Ligatures and presentation forms become letters, radicals
    ideographs. White space becomes one space. U+2010 and U+2011 look like `-` and become it, as does a soft hyphen at the end,
    where it is drawn; U+A789 becomes the colon that it looks like. Lone surrogates become U+FFFD. Most pages need few of these
    steps, and have a hundred lines.
    """
    steps = [step for needed, step in _STEPS if needed(alphabet)] if not alphabet.isascii() else []
    if not steps:
        return _spaces

    def clean(line: str) -> str:
        if not line.isascii():
            for step in steps:
                line = step(line)
        return _spaces(line)

    return clean


def _spaces(line: str) -> str:
    text = " ".join(line.split())
    return _DOTS.sub(r"\1...", text) if ". . ." in text else text


def _may_compose(alphabet: str) -> bool:
    composing = any(map(is_mark, alphabet)) or _HANGUL_PART.search(alphabet)
    return bool(composing) or not unicodedata.is_normalized("NFC", alphabet)


_STEPS: tuple[tuple[Callable[[str], object], Callable[[str], str]], ...] = (
    (re.compile(f"[{scripts.SURROGATES}]").search, clean_text),
    (re.compile("\u00ad").search, lambda line: re.sub("\u00ad(?=\\s*$)", "-", line)),
    (re.compile(f"[{scripts.INVISIBLE}{scripts.JOINERS}]").search, lambda line: _INVISIBLE.sub("", line)),
    (re.compile("[\u2010\u2011\ua789\u0132\u0133]").search, as_it_looks),
    (_GLYPHS.search, lambda line: _GLYPHS.sub(_letters, line)),
    (re.compile("\u0e32").search, lambda line: _SARA_AM.sub("\\1\\2\u0e33", line)),
    (re.compile("[\u0391-\u03c9]").search, lambda line: _ACCENT_APART.sub(_on_capital, _IN_GREEK.sub(_in_greek, line))),
    (re.compile("[\u2610-\u2612\u22a0\u25a1]").search, lambda line: _BOX.sub("\\1 ", line)),
    (re.compile("\u3127").search, lambda line: _BOPOMOFO_I.sub("\u4e00", line)),
    (re.compile("\u0644").search, lambda line: _ALLAH.sub(_with_last_letter, line)),
    (re.compile("\u0338").search, lambda line: _STRUCK.sub("\\1\u0338", line)),
    (_may_compose, functools.partial(unicodedata.normalize, "NFC")),
    (_CLUSTERED.search, lambda line: _TWICE.sub(lambda match: match[1] or match[4] or match[5], line)),
)


def _in_greek(match: re.Match[str]) -> str:
    return match[0].translate(_AS_GREEK)


def _with_last_letter(match: re.Match[str]) -> str:
    marks = Counter(match[1] + match[2] + match[3])
    of_last = "\u064e" if marks["\u064e"] > max(1, marks["\u0651"]) else ""
    on_lam = [mark for mark in ("\u0651", "\u064e", "\u0670") if marks.pop(mark, 0)]
    return "\u0627\u0644\u0644" + "".join(on_lam) + "\u0647" + of_last + "".join(marks)


def _on_capital(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match[2] + _ACCENTS[match[1]])


def _letters(match: re.Match[str]) -> str:
    text = scripts.RADICALS.get(match[0]) or unicodedata.normalize("NFKC", match[0])
    if _VERTICAL_FORM.match(match[0]):  # vertical forms of what Chinese and Japanese set in full width
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return text.strip(" \u0640") or text
