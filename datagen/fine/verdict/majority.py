"""The majority of three readers: a word of the first reader is wrong if the two others agree on another word.

PP-OCR and Tesseract misread one word in 27 alike, the package's readers and Tesseract 5 of 1,668 (`datagen.agreement.families`).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein, Opcodes

from datagen.record import Line, Region
from datagen.writing.lookalikes import one_sign
from datagen.writing.scripts import num_marks

_CAN_READ = 0.12  # of a line's characters differ at most; in blackletter, a third to a half differ
_MOST_OF_WORD = 0.5


class Change(NamedTuple):
    """The index of a word in its line, and the word that two other readers have in its place."""

    place: int
    word: str


def reads(text: str, third: str) -> bool:
    """Whether the `third` reader can read this kind of print: its reading is nearly the line's `text`."""
    return Levenshtein.normalized_distance(_signs(text), _signs(third)) <= _CAN_READ


def outvoted(text: str, second: str, third: str) -> list[Change]:
    """The words on which the `second` and the `third` reader agree, and which differ from the line's `text`, in the line's order.

    Quotes, dashes, dots and widths don't count as differences. A word isn't changed if the readers join, divide, omit or add
    words there, if the new word is longer or shorter by more than one character, if it has other digits, or if it has a sign in
    the place of a letter. A word with a diacritic that the readers lack, or with a sign of formulas, stays, because the readers
    may not know it.
    """
    ours = text.split()
    by_second, by_third = (_others(ours, reading.split()) for reading in (second, third))
    return [
        Change(place, word)
        for place, word in by_second.items()
        if _signs(word) == _signs(by_third.get(place, "")) and _is_near(ours[place], word)
    ]


def confirmed(text: str, second: str, third: str) -> bool:
    """Whether the `third` reader confirms each word of a line's `text` that the `second` reader changes, omits or divides."""
    others = [edit for edit in _opcodes(text.split(), third.split()) if edit.tag != "equal"]
    return bool(third) and not any(
        edit.src_start <= other.src_end and other.src_start <= edit.src_end
        for edit in _opcodes(text.split(), second.split())
        if edit.tag != "equal"
        for other in others
    )


def mended(region: Region, line: Line, changes: Sequence[Change]) -> tuple[Region, Line] | None:
    """The region and its line with the `changes`, in the texts of both. None if a word and its neighbours don't stand exactly
    once in the region's text."""
    words, text = line.text.split(), region.text
    for place, word in changes:
        before, behind = words[max(0, place - 1) : place], words[place + 1 : place + 2]
        around = [r"\s+".join(map(re.escape, run)) for run in ([*before, words[place]], behind)]
        places = [*re.finditer(r"(?<!\S)" + r"\s+".join(filter(None, around)) + r"(?!\S)", text)]
        if len(places) != 1:
            return None
        text = text[: places[0].start()] + " ".join([*before, word, *behind]) + text[places[0].end() :]
        words[place] = word
    changed = replace(line, text=" ".join(words))
    return replace(region, text=text, lines=tuple(changed if one is line else one for one in region.lines)), changed


def _others(ours: Sequence[str], theirs: Sequence[str]) -> dict[int, str]:
    """The words of `theirs` that replace single words of `ours`, by index in `ours`."""
    others = dict[int, str]()
    for is_equal, group in groupby(_opcodes(ours, theirs), key=lambda edit: edit.tag == "equal"):
        first, *_ = together = [*group]
        start, end = first.src_start, together[-1].src_end
        words = theirs[first.dest_start : together[-1].dest_end]
        if not is_equal and end - start == len(words):
            others |= {start + n: word for n, word in enumerate(words)}
    return others


def _opcodes(ours: Sequence[str], theirs: Sequence[str]) -> Opcodes:
    return Levenshtein.opcodes([*map(_signs, ours)], [*map(_signs, theirs)])


def _is_near(word: str, other: str) -> bool:
    is_plain = all(char.isalnum() or unicodedata.category(char)[0] == "P" for char in word)
    has_as_much = [*filter(str.isdecimal, word)] == [*filter(str.isdecimal, other)] and _num_letters(word) <= _num_letters(other)
    if not is_plain or not has_as_much or abs(len(word) - len(other)) > 1 or num_marks(word) > num_marks(other):
        return False
    return Levenshtein.normalized_distance(word, other) <= _MOST_OF_WORD


def _num_letters(word: str) -> int:
    return sum(map(str.isalpha, word))


def _signs(word: str) -> str:
    return one_sign(unicodedata.normalize("NFKC", word))
