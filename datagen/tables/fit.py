"""Fills a table of known rows, columns and spans with lines of text, by the places of the lines. This is for engines that tell a
table's structure but not the places of cells."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from datagen.record import Line
from datagen.tables.cells import Cell, Table
from datagen.tables.grid import cell_text, line_height

_SLACK_EM = 0.2  # a line may reach so far over a cut, since detectors draw boxes too large
_CROSSED = 1000.0  # the cost of a crossed line, in pixels of gap width
_WIDEST_EM = 10.0  # a wider gap is no better


class _Cut(NamedTuple):
    """A place to cut: the number of lines whose middles are before it, the lines that it crosses, and the width, in pixels, of
    the gap between the other lines."""

    at: float
    before: int
    crossed: tuple[int, ...]
    gap: float


def fitted(table: Table, lines: Sequence[Line]) -> Table | None:
    """The table with the lines' text in its cells. None if there are no lines, or if they can't be divided into the table's rows
    and columns.

    Rows and columns are divided at the widest gaps that the fewest lines cross. Lines in cells that span a gap may cross it. Each
    row and column has the middle of a line in it.
    """
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return None
    em = line_height(lines)
    cells, slots = table.whole().cells, table.whole().slots()
    over = [sum(cell.row <= i < cell.row + cell.rows - 1 for cell in cells) for i in range(table.num_rows - 1)]
    heights = [(line.box.y0, line.box.y1) for line in lines]
    widths = [(line.box.x0, line.box.x1) for line in lines]

    def columns_of(rows: Sequence[float]) -> list[float] | None:
        row_of = _parts(heights, rows)
        return _cuts(
            widths,
            table.num_columns - 1,
            em,
            lambda cut, i: sum(slots[row_of[n], i] != slots[row_of[n], i + 1] for n in cut.crossed),
        )

    rows = _cuts(heights, len(over), em, lambda cut, i: max(0, len(cut.crossed) - over[i]))
    columns = columns_of(rows) if rows is not None else None
    if rows is None or columns is None:
        return None
    # Known columns tell into which rows each line may reach.
    column_of = [_column(line, row, columns, slots) for line, row in zip(lines, _parts(heights, rows), strict=True)]
    rows = _cuts(
        heights, len(over), em, lambda cut, i: sum(slots[i, column_of[n]] != slots[i + 1, column_of[n]] for n in cut.crossed)
    )
    columns = columns_of(rows) if rows is not None else None
    if rows is None or columns is None:
        return None
    row_of = _parts(heights, rows)
    column_of = [_column(line, row, columns, slots) for line, row in zip(lines, row_of, strict=True)]
    inside: dict[Cell, list[Line]] = defaultdict(list)
    for line, row, column in zip(lines, row_of, column_of, strict=True):
        inside[slots[row, column]].append(line)
    return Table(tuple(replace(cell, text=cell_text(inside[cell])) for cell in cells))


def _parts(spans: Sequence[tuple[int, int]], cuts: Sequence[float]) -> list[int]:
    """For each span, the index of the part between cuts that has its middle."""
    return [sum(at < (first + last) / 2 for at in cuts) for first, last in spans]


def _column(line: Line, row: int, columns: Sequence[float], slots: dict[tuple[int, int], Cell]) -> int:
    """The column of the cell, of those in the row, that has most of the line."""
    edges = [float("-inf"), *columns, float("inf")]

    def share(column: int) -> float:
        cell = slots[row, column]
        return min(line.box.x1, edges[cell.column + cell.columns]) - max(line.box.x0, edges[cell.column])

    return max(range(len(columns) + 1), key=share)


def _cuts(
    spans: Sequence[tuple[int, int]], num: int, em: float, wrongly_crossed: Callable[[_Cut, int], int]
) -> list[float] | None:
    """`num` places to cut spans at, each part with the middle of a span in it; None if there aren't so many. `wrongly_crossed`
    says how many spans a cut crosses that it mustn't, if it is the one of that index."""
    if num <= 0:
        return []
    candidates = _candidates(spans, em)

    def cost(cut: _Cut, i: int) -> float:
        return _CROSSED * wrongly_crossed(cut, i) - cut.gap

    # The cost of the cuts so far, if the last one is this candidate, and those cuts.
    best: list[tuple[float, list[float]] | None] = [(cost(cut, 0), [cut.at]) if cut.before else None for cut in candidates]
    for i in range(1, num):
        further: list[tuple[float, list[float]] | None] = []
        for cut in candidates:
            earlier = [
                found
                for other, found in zip(candidates, best, strict=True)
                if found is not None and other.at < cut.at and other.before < cut.before
            ]
            so_far, cuts = min(earlier, default=(0.0, []))
            further.append((so_far + cost(cut, i), [*cuts, cut.at]) if earlier else None)
        best = further
    whole = [found for cut, found in zip(candidates, best, strict=True) if found is not None and cut.before < len(spans)]
    return min(whole)[1] if whole else None


def _candidates(spans: Sequence[tuple[int, int]], em: float) -> list[_Cut]:
    """The places with the widest gap, of those that have as many middles before them and cross the same spans."""
    slack = _SLACK_EM * em
    middles = sorted((first + last) / 2 for first, last in spans)
    edges = sorted({float(edge) for span in spans for edge in span})
    cuts: dict[tuple[int, tuple[int, ...]], _Cut] = {}
    for left, right in itertools.pairwise(edges):
        at = (left + right) / 2
        crossed = tuple(n for n, (first, last) in enumerate(spans) if first + slack < at < last - slack)
        gap_from = max((last for first, last in spans if (first + last) / 2 < at and last - slack <= at), default=left)
        gap_to = min((first for first, last in spans if (first + last) / 2 > at and first + slack >= at), default=right)
        cut = _Cut(at, sum(middle < at for middle in middles), crossed, min(gap_to - gap_from, _WIDEST_EM * em))
        known = cuts.get((cut.before, crossed))
        if known is None or known.gap < cut.gap:
            cuts[cut.before, crossed] = cut
    return sorted(cuts.values())
