"""Split texts for comparison: into words, or into signs where a script has no spaces. Each word has two forms, `exactly` and
`about`.

Letters, their marks and digits count. Markup, punctuation, spaces and line breaks don't. Two words have the same form `exactly`
if their NFKC forms are equal. The form `about` is also the same for words that differ only in case, in letters that look alike,
in the script of digits, or in marks that writers may leave out.
"""

import functools
import re
import unicodedata
from typing import NamedTuple

from datagen.writing import scripts
from datagen.writing.line_text import normalise
from datagen.writing.lookalikes import fold, in_context, one_sign

_SKIPPED = r"(?P<skipped></?[A-Za-z][^<>]{0,200}>|&[a-z]{2,6};)"
_NUMBER = r"(?P<number>\d+(?:[.,:/\u066b\u066c]\d+)*)"
_AM = r"\u0e4d\s?\u0e32|\u0ecd\s?\u0eb2"  # an AM in two parts
_SIGN = rf"(?P<sign>{_AM}|[{scripts.HAN}{scripts.IDEOGRAPHS}{scripts.KANA}{scripts.PHRASED}])"
_JOINED = "\u00ad\u200c\u200d\u0640"  # drawn as nothing, or only to fill a line
_PARTS = re.compile(rf"{_SKIPPED}|{_NUMBER}|{_SIGN}|(?P<letter>\w)|(?P<other>.)", re.DOTALL)
_UNSPACED_SIGN = f"[{scripts.HAN}{scripts.IDEOGRAPHS}{scripts.KANA}{scripts.PHRASED}]"
_BETWEEN = re.compile(f"(?<={_UNSPACED_SIGN}) +(?={_UNSPACED_SIGN})")
_SPACED_OUT = 0.15  # of the characters: so many spaces come from the reader
UNSPACED = frozenset("Hans Hant Hani Jpan Thai Laoo Khmr Mymr Tibt Lana Tale Talu Tavt Yiii".split())
_BREAK = re.compile(r"[-\u2010\u058a]\s*\n\s*")
_AT_WILL = re.compile("[\u0591-\u05c7\u064b-\u0652\u0670\u0640]")  # points of Hebrew and of Arabic; the tatweel
_ONE_LETTER = str.maketrans("\u06cc\u0649\u06a9\u06aa\u0651", "\u064a\u064a\u0643\u0643\u0651")
_MANY_AS_ONE = str.maketrans("0|1", "oll")


class Word(NamedTuple):
    """A word, a number, or a sign of a script without spaces: its place in the text, and its two forms."""

    start: int
    stop: int
    exactly: str
    about: str


def words(text: str, script: str) -> tuple[Word, ...]:
    """The words of a text, in order. A word that is hyphenated at a line's end is one word."""
    bounds: list[tuple[int, int, bool]] = []  # start, end, and whether letters that follow belong to the word
    for match in _PARTS.finditer(text):
        kind, (start, stop) = match.lastgroup or "", match.span()
        is_mark = stop - start == 1 and (unicodedata.category(match[0])[0] == "M" or match[0] in _JOINED)
        touches = bool(bounds) and bounds[-1][1] == start
        if is_mark and bounds and not text[bounds[-1][1] : start].strip():  # some readers put spaces before marks
            bounds[-1] = bounds[-1][0], stop, bounds[-1][2]
        elif touches and bounds[-1][2] and (kind == "number" or (kind == "letter" and match[0] != "_")):
            bounds[-1] = bounds[-1][0], stop, True  # H2O
        elif kind in ("number", "letter") and match[0] != "_":
            bounds.append((start, stop, True))
        elif kind == "sign" and unicodedata.category(match[0][-1])[0] in "LN":
            bounds.append((start, stop, False))
    parted = {match.start(): match.end() for match in _BREAK.finditer(text)}
    whole: list[tuple[int, int, bool]] = []
    for start, stop, is_word in bounds:
        if whole and is_word and whole[-1][2] and parted.get(whole[-1][1]) == start and text[start].islower():
            whole[-1] = whole[-1][0], stop, True
        else:
            whole.append((start, stop, is_word))
    made = (Word(start, stop, *_keys(_BREAK.sub("", text[start:stop]), script)) for start, stop, _ in whole)
    return tuple(word for word in made if word.about)


def closed_up(text: str, script: str) -> str:
    """The text without spaces between signs, if its script has no spaces and its reader put many in."""
    if script not in UNSPACED or text.count(" ") < _SPACED_OUT * len(text):
        return text
    return _BETWEEN.sub("", text)


def exactly(text: str, script: str) -> str:
    """A text's letters and digits in the form `Word.exactly`."""
    return "".join(word.exactly for word in words(text, script))


def about(text: str, script: str) -> str:
    return "".join(word.about for word in words(text, script))


def in_one_form(exact: str) -> str:
    """A word without the marks that writers may leave out, and with one form of each letter that Arabic and Persian write in
    different forms."""
    return _AT_WILL.sub("", exact).translate(_ONE_LETTER)


@functools.lru_cache(maxsize=65536)
def _keys(word: str, script: str) -> tuple[str, str]:
    exact = unicodedata.normalize("NFKC", normalise("".join(word.split()))).translate(dict.fromkeys(map(ord, _JOINED)))
    loose = "".join(str(unicodedata.digit(char, char)) for char in exact)
    loose = fold(one_sign(in_context(loose)), script).casefold()
    loose = in_one_form(loose)
    if not loose.isdecimal() and any(map(str.isalpha, loose)):
        loose = loose.translate(_MANY_AS_ONE)
    return exact, loose or exact
