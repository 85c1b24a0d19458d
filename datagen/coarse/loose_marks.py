"""Combining marks that MuPDF's text has on a letter which doesn't carry them, and dotted circles that nobody drew."""

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from datagen.coarse.unmapped import NOTHING, lines
from datagen.engines.light_pymupdf import pymupdf
from datagen.page.line_pieces import Block, Piece

_CIRCLE = "\u25cc"
_FIRST, _LAST = 0x300, 0x36F  # marks of any script's letters
_SPACING = {  # for a mark without a letter
    chr(int(decomposition[2], 16)): chr(code)
    for code in (*range(0xA8, 0x385), *range(0x1FBD, 0x1FFF))
    if len(decomposition := unicodedata.decomposition(chr(code)).split()) == 3 and decomposition[:2] == ["<compat>", "0020"]
}
_WIDE_EM, _NEAR_EM = 0.3, 0.1  # how wide a mark is, at most; how far off its place is the same one
_AWAY_EM = 1.5  # from its letter: no mark of that letter stands there


class LooseMark(NamedTuple):
    """A mark that stands alone: the character, its font and the font's size, where it is drawn, and where MuPDF's text has it."""

    char: str
    font: str
    size: float
    drawn: tuple[float, float]
    written: tuple[float, float]


def worth_a_look(texts: Iterable[str]) -> bool:
    """Whether a line of these texts ends with a mark, as one does that got the mark of the table's next cell."""
    return any(_is_mark(text[-1:]) for text in texts)


def take_out(page: pymupdf.Page, textpage: pymupdf.TextPage) -> list[LooseMark]:
    """Take marks out of lines that end with them, if the page draws them far away on the same baseline.

    MuPDF puts a mark behind the character that the file has before it, wherever that stands. Nothing is known of rotated pages.
    MuPDF may raise anything.
    """
    written = [line[-1] for line in lines(textpage) if line and _is_mark(chr(line[-1].c))]
    if page.rotation or not written:
        return []
    drawn = [
        (chr(code), span["font"], x, y)
        for span in page.get_texttrace()
        for code, _, (x, y), _ in span["chars"]
        if _is_mark(chr(code))
    ]
    loose = []
    for char in written:
        mark, x, y, size = chr(char.c), char.origin.x, char.origin.y, char.size
        of_row = [(at, font) for c, font, at, baseline in drawn if c == mark and abs(baseline - y) < _NEAR_EM * size]
        away = [(at, font) for at, font in of_row if at - x > _AWAY_EM * size]
        if len(away) == len(of_row) == 1:
            at, font = away[0]
            loose.append(LooseMark(mark, font, size, (at, y), (x, y)))
            char.c = NOTHING
    return loose


def put_apart(blocks: Sequence[Block], marks: Iterable[LooseMark]) -> None:
    """Put each mark behind the piece that had it, in the form that stands without a letter."""
    for mark in marks:
        x, y = mark.written
        for block in blocks:
            at = next((i for i, p in enumerate(block) if abs(p.baseline - y) < 1 and p.bbox[0] < x < p.bbox[2] + 1), None)
            if at is not None:
                _, y0, _, y1 = block[at].bbox
                box = (mark.drawn[0] - _WIDE_EM * mark.size, y0, mark.drawn[0], y1)
                text = _SPACING.get(mark.char, mark.char)
                block.insert(at + 1, Piece(box, text, mark.font, mark.size, baseline=y))
                break


def without_circles(textpage: pymupdf.TextPage) -> bool:
    """Whether a dotted circle of no width stood before a mark. It is left out: the file says of the mark's glyph what the mark
    was first written with."""
    is_changed = False
    for line in lines(textpage):
        for circle, mark in itertools.pairwise(line):
            if chr(circle.c) == _CIRCLE and circle.quad.lr.x <= circle.quad.ll.x and unicodedata.category(chr(mark.c)) == "Mn":
                circle.c = NOTHING
                is_changed = True
    return is_changed


def _is_mark(char: str) -> bool:
    return len(char) == 1 and _FIRST <= ord(char) <= _LAST
