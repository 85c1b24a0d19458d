"""Rows of a page, and in each row the runs of pieces that surely belong to one line.

MuPDF ends a line at every gap wider than 0.8 em. Two kinds of gaps surely divide nothing: gaps beside leaders, and gaps between
words that are all equally far apart.
"""

import itertools
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datagen.page.line_pieces import STRETCHED_EM, Block, Piece, Rect
from datagen.writing import scripts
from datagen.writing.bidi import num_rtl

_BASELINE_EM = 0.2  # baselines no further apart than this are one
TOUCHING_EM = 0.3  # no gap between cells or columns is narrower
_EQUAL = 0.04  # gaps of a justified line differ by less
_WORDS_EM = 0.8  # MuPDF ends no line at a smaller gap, if the file has the pieces in their order

_DOTS = f"[{scripts.LEADER_DOTS}]"
_ALL_LEADER = f"^\\s*(?:[.…]|{_DOTS}(?:\\s*{_DOTS})+)\\s*$"
_ENDS_LEADER = re.compile(f"(?:{_DOTS}\\s*){{4}}$|_{{3}}\\s*$|{_ALL_LEADER}")
_STARTS_LEADER = re.compile(f"^\\s*(?:{_DOTS}\\s*){{4}}|^\\s*_{{3}}|{_ALL_LEADER}")
LETTER = re.compile(r"[^\W\d_]")


@dataclass(slots=True, eq=False)
class Run:
    """Pieces of one line, from left to right. `box` and `baseline` are turned so that lines run from left to right, and columns
    from top to bottom. `block`: the number of the first piece's block. `is_stretched`: the gap in front of the run is
    one of equal gaps between words."""

    pieces: list[Piece]
    box: Rect
    baseline: float
    block: int
    is_stretched: bool = False

    @property
    def text(self) -> str:
        return self.pieces[0].text if len(self.pieces) == 1 else " ".join(p.text for p in self.pieces)

    @property
    def size(self) -> float:
        return self.pieces[0].size if len(self.pieces) == 1 else max(p.size for p in self.pieces)


Row = list[Run]


def rows_by_direction(blocks: Sequence[Block], is_rtl: bool, is_clear: Callable[[Rect], bool]) -> list[list[Row]]:
    """For each direction of lines on the page, the rows of runs from top to bottom. Slanted text is left out.

    `is_rtl`: the page has right-to-left letters.
    """
    by_direction: dict[tuple[int, int, bool], Row] = {}
    for number, block in enumerate(blocks):
        for piece in block:
            dx, dy = piece.direction
            if max(abs(dx), abs(dy)) > 0.999:
                turn = (1 if piece.from_left else -1, 0, True) if piece.vertical else (round(dx), round(dy), False)
                by_direction.setdefault(turn, []).append(_turned(piece, turn, number))
    pages = [_rows(pieces) for pieces in by_direction.values()]
    return [[_runs(page, at, is_rtl, is_clear) for at in range(len(page))] for page in pages]


def gap_box(a: Run, b: Run) -> Rect | None:
    """The gap between two runs in the page's frame; None unless they are upright."""
    left, right = a.pieces[-1], b.pieces[0]
    if not left.upright:
        return None
    return left.bbox[2], max(left.bbox[1], right.bbox[1]), right.bbox[0], min(left.bbox[3], right.bbox[3])


def reads_from_right(row: Row) -> bool:
    """Whether a row of a page with right-to-left letters is read from the right. A row without letters is, too."""
    if any(piece.from_right for run in row for piece in run.pieces):
        return True
    texts = [run.text for run in row]
    return sum(map(num_rtl, texts)) > 0 or not any(map(LETTER.search, texts))


def _turned(piece: Piece, turn: tuple[int, int, bool], block: int) -> Run:
    """A run of one piece. `turn`: the direction that it is written along, or that columns follow each other in, and whether it is
    a column."""
    x0, y0, x1, y1 = piece.bbox
    dx, dy, vertical = turn
    if vertical and dx > 0:
        return Run([piece], (y0, x0, y1, x1), (x0 + x1) / 2, block)
    if vertical:
        return Run([piece], (y0, -x1, y1, -x0), -(x0 + x1) / 2, block)
    if dx > 0:
        return Run([piece], piece.bbox, piece.baseline, block)
    if dx:
        return Run([piece], (-x1, -y1, -x0, -y0), -piece.baseline, block)
    if dy > 0:
        return Run([piece], (y0, -x1, y1, -x0), -piece.baseline, block)
    return Run([piece], (-y1, x0, -y0, x1), piece.baseline, block)


def _rows(runs: Row) -> list[Row]:
    """The runs as rows of one baseline, each from left to right."""
    runs.sort(key=_baseline)
    rows: list[Row] = []
    start = -math.inf
    for run in runs:
        if run.baseline - start <= _BASELINE_EM * run.pieces[0].size:
            rows[-1].append(run)
        else:
            rows.append([run])
            start = run.baseline
    for row in rows:
        if len(row) > 1:
            row.sort(key=lambda run: run.box[0])
    return rows


_baseline = operator.attrgetter("baseline")


def _runs(page: Sequence[Row], at: int, is_rtl: bool, is_clear: Callable[[Rect], bool]) -> Row:
    """A row, with pieces that surely belong together joined to runs."""
    row = page[at]
    if len(row) == 1:
        return row
    rtl = is_rtl and reads_from_right(row)
    runs = row[:1]
    for k in range(1, len(row)):
        last, run = runs[-1], row[k]
        if _goes_on(page, at, k, rtl, is_clear):
            (x0, y0, x1, y1), box = last.box, run.box
            union = (x0, min(y0, box[1]), max(x1, box[2]), max(y1, box[3]))
            runs[-1] = Run([*last.pieces, *run.pieces], union, last.baseline, last.block, last.is_stretched)
        else:
            runs.append(run)
    return runs


def _goes_on(page: Sequence[Row], at: int, k: int, rtl: bool, is_clear: Callable[[Rect], bool]) -> bool:
    """Whether piece `k` of a row surely belongs to the line of the piece on its left."""
    left, right = page[at][k - 1], page[at][k]
    (a,), (b,) = left.pieces, right.pieces
    em = max(a.size, b.size)
    gap = right.box[0] - left.box[2]
    if gap < -TOUCHING_EM * em or (a.num_hidden > 0) != (b.num_hidden > 0):
        return False
    before, behind = (b, a) if rtl else (a, b)
    if gap < TOUCHING_EM * em or _ENDS_LEADER.search(before.text) or _STARTS_LEADER.search(behind.text):
        return True
    if gap > _WORDS_EM * em:
        right.is_stretched = _is_stretched(page[at], k)
        if not (right.is_stretched and _is_crossed(page, at, left, right)):
            return False
    box = gap_box(left, right)
    return box is None or is_clear(box)


def _is_crossed(page: Sequence[Row], at: int, left: Run, right: Run) -> bool:
    """Whether a piece of the row above or below reaches across the gap."""
    rows = [page[i] for i in (at - 1, at + 1) if 0 <= i < len(page)]
    return any(r.box[0] < left.box[2] and r.box[2] > right.box[0] for row in rows for r in row)


def _is_stretched(row: Row, k: int) -> bool:
    """Whether the gap in front of piece `k` is one of equal gaps between words, as in justified text."""
    gap = row[k].box[0] - row[k - 1].box[2]
    if gap > STRETCHED_EM * row[k].size or not all(
        r.pieces[0].single_words and LETTER.search(r.text) for r in row[k - 1 : k + 1]
    ):
        return False
    gaps = [b.box[0] - a.box[2] for a, b in itertools.pairwise(row[max(0, k - 2) : k + 2])]
    return sum(abs(g - gap) < _EQUAL * gap for g in gaps) > 1 and min(gaps) > (1 - _EQUAL) * gap
