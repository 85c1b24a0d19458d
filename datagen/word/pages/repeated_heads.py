"""The head of a table where it is drawn again: a tagged PDF calls it an ornament there, so its letters have no marks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from datagen.word.file.document import Table
from datagen.word.pages.page_letters import Letter, PageLetters, Rect

_EDGE_PT = 0.5


def with_repeated_heads(pages: Sequence[PageLetters], tables: Sequence[Table]) -> list[PageLetters]:
    """The pages with marks for the letters of heads that are drawn again: those of the same letters where the cell is drawn
    first."""
    letters = [list(page.letters) for page in pages]
    for mark in (cell.mark for table in tables for row in table.rows if row.is_header for cell in row.cells):
        places = [(n, rect) for n, page in enumerate(pages) for rect in page.cells.get(mark, ())]
        if len(places) < 2:
            continue
        first = [letters[places[0][0]][at] for at in _inside(places[0][1], letters[places[0][0]])]
        for n, rect in places[1:]:
            again, at = list(_inside(rect, letters[n])), 0
            for letter in first:  # without the signs of notes, which aren't drawn again
                if at < len(again) and letters[n][again[at]].char == letter.char:
                    letters[n][again[at]] = msgspec.structs.replace(letters[n][again[at]], mark=letter.mark)
                    at += 1
    return [replace(page, letters=tuple(of_page)) for page, of_page in zip(pages, letters, strict=True)]


def _inside(rect: Rect, letters: Sequence[Letter]) -> Iterator[int]:
    """The numbers of the letters in a cell that are more than white space."""
    x0, y0, x1, y1 = rect
    for n, letter in enumerate(letters):
        left, top, right, bottom = letter.box
        if letter.counts and x0 - _EDGE_PT < (left + right) / 2 < x1 + _EDGE_PT and y0 < (top + bottom) / 2 < y1:
            yield n
