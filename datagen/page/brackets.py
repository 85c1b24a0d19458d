"""Brackets of right-to-left pages as they look, whatever the file calls them.

A font's map gives a glyph one character. The glyph `(` stands for the opening bracket of an English word and for the closing one
of an Arabic word, so the map may say `)` of it. The image of a bracket shows which way it opens. Where the image doesn't say, the
place does: a bracket that opens to the right stands close to what is on its right, and has a gap or nothing on its left.
"""

from collections.abc import Callable, Sequence

from datagen.writing.bidi import KINDS, mirror

Cluster = tuple[str, float, float]
"""The characters of one glyph, and where it starts and ends along its line, in points."""

Opens = Callable[[float, float], int]
"""Which way the image of the bracket between two places opens: 1 to the right, -1 to the left, 0 where that isn't plain."""

_OPENING, _BRACKETS = {kind[0] for kind in KINDS}, {char for kind in KINDS for char in kind}
_BLANK, _SIGN, _LETTER = 0, 1, 2


def as_they_look(line: Sequence[Cluster], opens: Opens) -> list[Cluster]:
    """The clusters of a line, which stand from left to right, each bracket as the character that it looks like."""
    result = list(line)
    for at, (char, start, end) in enumerate(line):
        if char in _BRACKETS:
            direction = opens(start, end) or _by_place(line, at)
            if direction == (-1 if char in _OPENING else 1):
                result[at] = mirror(char), start, end
    return result


def _by_place(line: Sequence[Cluster], at: int) -> int:
    """Which way a bracket opens by what it stands close to; 0 where that isn't plain."""
    left = _weight(line[at - 1][0]) if at else _BLANK
    right = _weight(line[at + 1][0]) if at + 1 < len(line) else _BLANK
    return 0 if left is None or right is None else (right > left) - (right < left)


def _weight(text: str) -> int | None:
    """How much a bracket clings to what stands beside it; None for other brackets, which say nothing."""
    if text[0] in _BRACKETS:
        return None
    if text.isspace():
        return _BLANK
    return _LETTER if any(map(str.isalnum, text)) else _SIGN
