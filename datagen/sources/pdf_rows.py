"""Rows of a page, and in each the runs of pieces that belong to one line whatever stands around it.

MuPDF ends a line at every gap wider than 0.8 em. Some gaps tell by themselves that they part nothing: those beside leaders, and
those between words that are all as far apart.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from datagen import scripts
from datagen.sources.pdf_pieces import STRETCHED_EM, Block, Piece, Rect

_BASELINE_EM = 0.2  # baselines no further apart than this are one
TOUCHING_EM = 0.3  # no gap between cells or columns is narrower
_WORDS_EM = 0.8  # MuPDF ends no line at a smaller gap, if the file has the pieces in their order

_DOTS = f"[{scripts.LEADER_DOTS}]"
_ALL_LEADER = f"^\\s*(?:[.…]|{_DOTS}(?:\\s*{_DOTS})+)\\s*$"
_ENDS_LEADER = re.compile(f"(?:{_DOTS}\\s*){{4}}$|_{{3}}\\s*$|{_ALL_LEADER}")
_STARTS_LEADER = re.compile(f"^\\s*(?:{_DOTS}\\s*){{4}}|^\\s*_{{3}}|{_ALL_LEADER}")
LETTER = re.compile(r"[^\W\d_]")


@dataclass(slots=True, eq=False)
class Run:
    """Pieces of one line, from left to right. `box` and `baseline` are turned so that lines run from left to right, and columns
    from top to bottom."""

    pieces: list[Piece]
    box: Rect
    baseline: float

    @property
    def text(self) -> str:
        return self.pieces[0].text if len(self.pieces) == 1 else " ".join(p.text for p in self.pieces)

    @property
    def size(self) -> float:
        return self.pieces[0].size if len(self.pieces) == 1 else max(p.size for p in self.pieces)


Row = list[Run]


def rows_by_direction(blocks: Sequence[Block], is_clear: Callable[[Rect], bool]) -> list[list[Row]]:
    """For each direction of lines on the page, the rows of runs from top to bottom. What is written at an angle isn't there."""
    by_direction: dict[tuple[int, int, bool], Row] = {}
    for block in blocks:
        for piece in block:
            dx, dy = piece.direction
            if max(abs(dx), abs(dy)) > 0.999:
                turn = (1, 0, True) if piece.vertical else (round(dx), round(dy), False)
                by_direction.setdefault(turn, []).append(_turned(piece, turn))
    return [[_runs(row, is_clear) for row in _rows(pieces)] for pieces in by_direction.values()]


def gap_box(a: Run, b: Run) -> Rect | None:
    """The gap between two runs in the page's frame; None unless they are upright."""
    left, right = a.pieces[-1], b.pieces[0]
    if not left.upright:
        return None
    return left.bbox[2], max(left.bbox[1], right.bbox[1]), right.bbox[0], min(left.bbox[3], right.bbox[3])


def is_leader(a: Run, b: Run) -> bool:
    """Whether leaders stand on one side of the gap between two runs."""
    return bool(_ENDS_LEADER.search(a.pieces[-1].text) or _STARTS_LEADER.search(b.pieces[0].text))


def _turned(piece: Piece, turn: tuple[int, int, bool]) -> Run:
    x0, y0, x1, y1 = piece.bbox
    dx, dy, vertical = turn
    if vertical:
        return Run([piece], (y0, -x1, y1, -x0), -(x0 + x1) / 2)
    if dx > 0:
        return Run([piece], piece.bbox, piece.baseline)
    if dx:
        return Run([piece], (-x1, -y1, -x0, -y0), -piece.baseline)
    if dy > 0:
        return Run([piece], (y0, -x1, y1, -x0), -piece.baseline)
    return Run([piece], (-y1, x0, -y0, x1), piece.baseline)


def _rows(runs: Row) -> Iterator[Row]:
    row: Row = []
    for run in sorted(runs, key=lambda r: r.baseline):
        if row and run.baseline - row[0].baseline > _BASELINE_EM * run.size:
            yield row
            row = []
        row.append(run)
    if row:
        yield row


def _runs(row: Row, is_clear: Callable[[Rect], bool]) -> Row:
    """The row, with what surely belongs together in one run."""
    if len(row) == 1:
        return row
    row.sort(key=lambda r: r.box[0])
    runs = row[:1]
    for k in range(1, len(row)):
        last, run = runs[-1], row[k]
        if _goes_on(row, k, is_clear):
            (x0, y0, x1, y1), box = last.box, run.box
            union = (x0, min(y0, box[1]), max(x1, box[2]), max(y1, box[3]))
            runs[-1] = Run([*last.pieces, *run.pieces], union, last.baseline)
        else:
            runs.append(run)
    return runs


def _goes_on(row: Row, k: int, is_clear: Callable[[Rect], bool]) -> bool:
    left, right = row[k - 1], row[k]
    (a,), (b,) = left.pieces, right.pieces
    em = max(a.size, b.size)
    gap = right.box[0] - left.box[2]
    if gap < -TOUCHING_EM * em or (a.num_hidden > 0) != (b.num_hidden > 0):
        return False
    if gap < TOUCHING_EM * em or is_leader(left, right):
        return True
    if gap > _WORDS_EM * em and not _is_stretched(row, k):
        return False
    box = gap_box(left, right)
    return box is None or is_clear(box)


def _is_stretched(row: Row, k: int) -> bool:
    """Whether the gap in front of a piece is one between words that are all as far apart, as justified text has them."""
    gap = row[k].box[0] - row[k - 1].box[2]
    if gap > STRETCHED_EM * row[k].size or not all(
        r.pieces[0].single_words and LETTER.search(r.text) for r in row[k - 1 : k + 1]
    ):
        return False
    gaps = [b.box[0] - a.box[2] for a, b in itertools.pairwise(row[max(0, k - 2) : k + 2])]
    return sum(abs(g - gap) < 0.1 * gap for g in gaps) > 1 and min(gaps) > 0.9 * gap
