"""Recover what MuPDF's text loses of right-to-left glyphs, from MuPDF's list of drawn glyphs: places of marks, and letters'
forms.

When MuPDF turns a run around, it moves marks to the run's end. A font that draws nothing for U+200C has no code for it. Then a
half-space shows only in a letter's form: a letter within a word has the form of a word's end.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from datagen.coarse.page import OpenPage
from datagen.page.glyphs import JOINING, Glyph, is_mark
from datagen.page.line_pieces import Piece

_LETTER = re.compile("[\u0620-\u064a\u066e-\u06d3]")
PERSIAN = re.compile("[\u067e\u0686\u0698\u06a9\u06af\u06cc]")
# Fonts of Windows whose ASCII glyphs stand in the order of their codes, from the space, which is the fourth glyph. Then the
# glyphs of the Arabic digits and of three Persian ones, for which Word may write any digit.
_WINDOWS = re.compile("Arial|Times ?New ?Roman|Courier ?New")
_OF_WINDOWS = {761 + i: i for i in range(10)} | {778: 4, 779: 5, 780: 6}
_FIRST_OF_ASCII, _MAX_OF_ASCII = 29, 128
_NON_JOINER = "\u200c"
_NEAR_EM, _RAISED_EM = 0.1, 0.3  # em: marks stand so far beside their letters, and over or under their baselines
_MOST_WITHIN = 4  # times as often within words as at ends: such a form stands at an end by chance
_MOST_ALIKE = 0.3  # of a font's letters within words: if more have the form of an end, the font has no other forms

Place = tuple[float, float]
Form = tuple[str, int]
"""A font's name, and the number of a glyph in it."""


def correct(view: OpenPage, pieces: Sequence[Piece]) -> dict[Place, Form]:
    """Put the marks of right-to-left pieces where they are drawn, and write digits as drawn. Returns the form at each place, for
    `half_spaces`.

    A place is a glyph's start and baseline, in points. Rotated pages stay as they are, and give no forms.
    """
    if view.page.rotation or not any(p.upright and p.glyphs for p in pieces):
        return {}
    forms: dict[Place, Form] = {}
    lines: dict[int, list[_Drawn]] = defaultdict(list)
    num_drawn = 0
    digits: dict[str, list[tuple[str, Place, int]]] = defaultdict(list)
    in_order: set[str] = set()
    for span in view.page.get_texttrace():
        for code, number, (x, y), box in span["chars"]:
            if 0x30 <= code <= 0x39:
                digits[span["font"]].append((chr(code), _place(x, y), number))
            elif 0x20 < code < 0x7F and number == code - _FIRST_OF_ASCII:
                in_order.add(span["font"])
            elif 0x590 <= code <= 0x10FFFF:
                char = chr(code)
                num_drawn += 1
                lines[round(y)].append(_Drawn(num_drawn, char, x, x + box[2] - box[0], span["size"], number))
                if JOINING.match(char):
                    forms[_place(x, y)] = span["font"], number
    _move_marks(pieces, lines)
    _write_digits(pieces, {font: of_font for font, of_font in digits.items() if font in in_order or _WINDOWS.match(font)})
    return forms


def _write_digits(pieces: Sequence[Piece], digits: Mapping[str, Sequence[tuple[str, Place, int]]]) -> None:
    """Write digits as they are drawn, by the numbers of their glyphs. Word writes ASCII digits for all digits, and draws them as
    the language has them. A font's own ASCII digits stand in the order of their codes."""
    zero = 0x6F0 if any(PERSIAN.search(p.text) for p in pieces) else 0x660
    drawn: dict[tuple[Place, str], str] = {}
    for font, of_font in digits.items():
        for char, place, number in of_font:
            if number > _MAX_OF_ASCII and number != ord(char) - _FIRST_OF_ASCII:
                value = _OF_WINDOWS.get(number, int(char)) if _WINDOWS.match(font) else int(char)
                drawn[place, char] = chr(zero + value)
    for piece in pieces if drawn else ():
        for i, (char, x0, x1) in enumerate(piece.glyphs):
            if "0" <= char <= "9":
                piece.glyphs[i] = (drawn.get((_place(x0, piece.baseline), char), char), x0, x1)


class _Drawn(NamedTuple):
    """A drawn glyph: its place in the order of drawing, the start and end of its advance, its font's size, and its number in the
    font, -1 for the rest of a ligature."""

    order: int
    char: str
    x0: float
    x1: float
    size: float
    number: int


def _move_marks(pieces: Sequence[Piece], lines: Mapping[int, Sequence[_Drawn]]) -> None:
    """Put marks over the middle of the letters with which they are drawn.

    Marks of the same sign on one line can't be told apart and needn't be: their places are enough.
    """
    written: dict[tuple[str, int], list[tuple[float, Piece, int]]] = defaultdict(list)
    for piece in pieces:
        if piece.upright:
            for i, (char, x0, x1) in enumerate(piece.glyphs):
                if x0 == x1 and is_mark(char):
                    written[char, round(piece.baseline)].append((x0, piece, i))
    for (char, y), marks in written.items():
        reach = max(2, round(_RAISED_EM * max(piece.size for _, piece, _ in marks)))
        near = sorted(glyph for k in range(y - reach, y + reach + 1) for glyph in lines.get(k, ()))
        places = [_over(near, i) for i, glyph in enumerate(near) if glyph.char == char and glyph.x0 == glyph.x1]
        if len(places) == len(marks):
            for x, (_, piece, i) in zip(sorted(places), sorted(marks, key=lambda mark: mark[0]), strict=True):
                piece.glyphs[i] = (char, x, x)


def _over(line: Sequence[_Drawn], i: int) -> float:
    """The middle of the letter with which mark `i` of a line is drawn. `line` is in the order of drawing."""
    mark = line[i]
    if mark.number < 0 and (first := next((k for k in range(i - 1, -1, -1) if line[k].number >= 0), None)) is not None:
        return _over(line, first) if is_mark(line[first].char) else (line[first].x0 + line[first].x1) / 2
    before = next((g for g in reversed(line[:i]) if g.number >= 0 and not is_mark(g.char)), None)
    behind = next((g for g in line[i + 1 :] if g.number >= 0 and not is_mark(g.char)), None)
    near = _NEAR_EM * mark.size
    beside = [(g, near) for g in (before, behind) if g is not None]
    if before is not None and behind is not None:  # drawn from the left, a mark comes in front of its letter
        beside = [(behind, 5 * near), (before, near)] if behind.x0 > before.x0 else [(before, 3 * near), (behind, near)]
    bases = [g for g, reach in beside if g.x0 - reach <= mark.x0 <= g.x1 + reach][:1]
    bases = bases or [g for g in line if g.number >= 0 and not is_mark(g.char) and g.x0 - near <= mark.x0 < g.x1]
    base = min(bases, key=lambda g: abs(g.x0 - mark.x0), default=None)
    return mark.x0 if base is None else (base.x0 + base.x1) / 2


def half_spaces(lines: Iterable[tuple[Sequence[Glyph], float]], forms: Mapping[Place, Form]) -> list[list[Glyph]]:
    """Lines of clusters from left to right, with U+200C behind letters within a word that have the form of a word's end.

    Each line comes with its baseline. A form is one of ends if it often stands at ends and the font draws other forms within
    words. A U+200C whose letter has another form is taken out.
    """
    lines = list(lines)
    result = [list(line) for line, _ in lines]
    if not forms:
        return result
    seen: list[tuple[int, int, Form, str]] = []
    non_joined: list[tuple[int, int, Form, str]] = []
    within: Counter[tuple[Form, str]] = Counter()
    ends: Counter[tuple[Form, str]] = Counter()
    for n, (line, y) in enumerate(lines):
        for i, (text, x0, _) in enumerate(line):
            form = forms.get(_place(x0, y)) if JOINING.match(text) else None
            if form is None or not all(map(is_mark, text[1:])):
                continue
            left = line[i - 1][0] if i else " "
            if left == _NON_JOINER:
                non_joined.append((n, i, form, text[0]))
            elif _LETTER.match(left) or left[0] == "\u0640":
                within[form, text[0]] += 1
                seen.append((n, i, form, text[0]))
            else:
                ends[form, text[0]] += 1
    is_end = {key for key in within if ends[key] * _MOST_WITHIN >= within[key]}
    num_in, num_as_end = Counter[str](), Counter[str]()
    for key, num in within.items():
        num_in[key[0][0]] += num
        num_as_end[key[0][0]] += num * (key in is_end)
    for n, i, form, char in seen:
        if (form, char) in is_end and num_as_end[form[0]] <= _MOST_ALIKE * num_in[form[0]]:
            text, x0, x1 = result[n][i]
            result[n][i] = (text + _NON_JOINER, x0, x1)
    for n, i, form, char in non_joined:
        if within[form, char] and (form, char) not in is_end:
            _, x0, x1 = result[n][i - 1]
            result[n][i - 1] = ("", x0, x1)
    return [[cluster for cluster in line if cluster[0]] for line in result]


def _place(x: float, y: float) -> Place:
    return round(x, 1), round(y, 1)
