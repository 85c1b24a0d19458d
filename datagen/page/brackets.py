"""Brackets of right-to-left pages as they look, whatever the file calls them.

A font's map gives a glyph one character. The glyph `(` stands for the opening bracket of an English word and for the closing one
of an Arabic word, so the map may say `)` of it. The look is in the place: a bracket that opens to the right stands close to what
is on its right, and has a gap or nothing on its left. This holds for text of either direction. It is asked where the image of a
bracket doesn't show which way it opens.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from datagen.writing.bidi import KINDS, mirror, mirroring_helps

Cluster = tuple[str, float, float]
"""The characters of one glyph, and where it starts and ends along its line, in points."""

Fonts = Mapping[tuple[float, float], str]
"""The font of each bracket of a line, by where the bracket starts and ends."""

Opens = Callable[[float, float], int]
"""Which way the image of the bracket between two places opens: 1 to the right, -1 to the left, 0 where that isn't plain."""

_KIND_OF = {char: kind for kind in KINDS for char in kind}
_BLANK, _SIGN, _LETTER = 0, 1, 2
_BY_PLACE = 2  # a bracket's place says more than whether brackets pair up


class _Bracket(NamedTuple):
    line: int
    at: int
    kind: str
    font: str
    is_among_latin: bool


def as_they_look(lines: Sequence[tuple[Sequence[Cluster], Fonts, Opens]]) -> list[list[Cluster]]:
    """The clusters of the page's lines, which stand from left to right, each bracket as the character that it looks like.

    Where the image doesn't say, the brackets of a font vote, those between left-to-right letters apart from the others: a writer
    may use two subsets of a font for the two directions. Where these say nothing, the font's other brackets do, then the page's.
    """
    brackets = [bracket for n, (line, fonts, _) in enumerate(lines) for bracket in _brackets(n, line, fonts)]
    votes: Counter[tuple[object, ...]] = Counter()
    for bracket in brackets:
        place = _place_says(lines[bracket.line][0], bracket.at)
        for group in _groups(bracket):
            votes[group] += _BY_PLACE * place
    for n, (line, _, _) in enumerate(lines):
        of_line = [b for b in brackets if b.line == n]
        for key in dict.fromkeys(map(_groups, of_line)):
            same = [b for b in of_line if _groups(b) == key]
            for group in key:
                votes[group] += mirroring_helps([line[b.at][0] for b in same], same[0].kind)
    result = [list(line) for line, _, _ in lines]
    for bracket in brackets:
        char, start, end = result[bracket.line][bracket.at]
        says = next((votes[group] for group in _groups(bracket) if votes[group]), 0)
        if opens := lines[bracket.line][2](start, end):
            says = -opens if char == bracket.kind[0] else opens
        if says > 0:
            result[bracket.line][bracket.at] = mirror(char), start, end
    return result


def _brackets(n: int, line: Sequence[Cluster], fonts: Fonts) -> Iterator[_Bracket]:
    if not any(cluster[0] in _KIND_OF for cluster in line):
        return
    kinds = [_direction(cluster[0]) for cluster in line]
    for at, (char, start, end) in enumerate(line):
        if char in _KIND_OF:
            before = next((kind for kind in reversed(kinds[:at]) if kind), "")
            behind = next((kind for kind in kinds[at + 1 :] if kind), "")
            yield _Bracket(n, at, _KIND_OF[char], fonts.get((start, end), ""), before == behind == "L")


def _groups(bracket: _Bracket) -> tuple[tuple[object, ...], ...]:
    """Whom to ask what a bracket looks like, the nearest first."""
    kind, font, latin = bracket.kind, bracket.font, bracket.is_among_latin
    return (kind, font, latin), (kind, font), (kind, "", latin, "page"), ("", "", latin, "page")


def _place_says(line: Sequence[Cluster], at: int) -> int:
    """+1 if a bracket stands where the other one of its pair would, -1 if it stands where it should, 0 where that isn't plain."""
    char = line[at][0]
    left = _weight(line[at - 1][0]) if at else _BLANK
    right = _weight(line[at + 1][0]) if at + 1 < len(line) else _BLANK
    if left == right or None in (left, right):
        return 0
    opens_right = right > left  # type: ignore[operator]
    return -1 if opens_right == (char == _KIND_OF[char][0]) else 1


def _weight(text: str) -> int | None:
    """How much a bracket clings to what stands beside it; None for other brackets, which say nothing."""
    if text[0] in _KIND_OF:
        return None
    if text.isspace():
        return _BLANK
    return _LETTER if any(map(str.isalnum, text)) else _SIGN


def _direction(text: str) -> str:
    """L of letters and digits that run from the left, R of others, "" of signs."""
    kind = unicodedata.bidirectional(text[0])
    return "R" if kind in ("R", "AL", "AN") else "L" if kind in ("L", "EN") else ""
