"""A line of a text layer as it is written in a label: one way to write each thing that looks the same."""

import functools
import re
import unicodedata
from collections.abc import Callable

from datagen.record import clean_text
from datagen.sources.pdf_glyphs import CLUSTERS, TWO_PARTS, is_mark

_CONTROL = {c: None for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\t\n"}
# Zero-width spaces, joiners of words, marks of direction: nothing is drawn. ZWJ and ZWNJ choose forms of letters, so they stay.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_HYPHENS = str.maketrans("\u2010\u2011", "--")
_LIGATURES = "\ufb00-\ufb17"
# Glyphs of Arabic and Hebrew letters, and of vertical punctuation. The honorifics U+FDFA to U+FDFD are drawn as signs, not as the
# words that they stand for.
_GLYPHS = re.compile(f"[{_LIGATURES}\ufb1d-\ufdf9\ufe10-\ufe19\ufe30-\ufe44\ufe70-\ufefc]")
# What MuPDF says twice: it takes the bytes of an /ActualText for its characters, and so repeats what stands at its end; and says
# the consonants in place of the first part of a vowel sign that stands on both sides of them. No word has the same vowel sign
# twice in a row, nor the same letter three times below each other, nor twice below another one but where that is an r.
_LETTER, _VIRAMA = "[\u0915-\u0d39]", "[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d]"
_VOWELS = (
    "\u0901-\u0903\u093e-\u094c\u0981-\u0983\u09be-\u09cc\u0a3e-\u0a4c\u0abe-\u0acc\u0b3e-\u0b4c\u0bbe-\u0bcc\u0c3e-\u0c4c"
    "\u0cbe-\u0ccc\u0d3e-\u0d4c\u0dcf-\u0ddf\u0f71-\u0f7e\u102b-\u1038\u103a-\u103e\u104c-\u104f\u17b6-\u17d1"
)
_TWICE = re.compile(
    f"((?<=({_LETTER}))({_VIRAMA})\\2)\\1|"
    f"((?:{_LETTER}{_VIRAMA})+{_LETTER})\\4(?={TWO_PARTS.pattern})|"
    f"((?:(?<![\u0c30\u0cb0])[\u0c4d\u0ccd\u17d2\u1039][\u0c00-\u17b3])+|[{_VOWELS}]+)\\5"
)
_CONJOINED = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")  # parts of Hangul syllables


def without_control(text: str) -> str:
    return text.translate(_CONTROL)


def clean_line(text: str) -> str:
    """A line in NFC, without what draws nothing, ligatures and presentation forms as letters, each gap as one space.

    U+2010 and U+2011 look like `-` and become it, as does a soft hyphen at the end, where it is drawn. Lone surrogates become
    U+FFFD.
    """
    return cleaner(text)(text)


def cleaner(alphabet: str) -> Callable[[str], str]:
    """`clean_line` for lines of these characters: most pages' need little of it, and have a hundred lines."""
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
    return " ".join(line.split())


def _may_compose(alphabet: str) -> bool:
    composing = any(map(is_mark, alphabet)) or _CONJOINED.search(alphabet)
    return bool(composing) or not unicodedata.is_normalized("NFC", alphabet)


_STEPS: tuple[tuple[Callable[[str], object], Callable[[str], str]], ...] = (
    (re.compile("[\ud800-\udfff]").search, clean_text),
    (re.compile("\u00ad").search, lambda line: re.sub("\u00ad(?=\\s*$)", "-", line)),
    (_INVISIBLE.search, lambda line: _INVISIBLE.sub("", line)),
    (re.compile("[\u2010\u2011]").search, lambda line: line.translate(_HYPHENS)),
    (_GLYPHS.search, lambda line: _GLYPHS.sub(_letters, line)),
    (_may_compose, functools.partial(unicodedata.normalize, "NFC")),
    (CLUSTERS.search, lambda line: _TWICE.sub(lambda found: found[1] or found[4] or found[5], line)),
)


def _letters(found: re.Match[str]) -> str:
    text = unicodedata.normalize("NFKC", found[0])
    if "\ufe10" <= found[0] <= "\ufe44":  # vertical forms of what Chinese and Japanese set in full width
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return text.strip(" \u0640") or text
