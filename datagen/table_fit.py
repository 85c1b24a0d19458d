"""A table whose rows, columns and spans are known, filled with lines of text by where these stand: for engines that tell the
structure and no places of cells."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from datagen.record import Line
from datagen.table_grid import cell_text, line_height
from datagen.tables import Cell, Table

_SLACK_EM = 0.2  # by so much a line may reach over a cut: detectors draw boxes too large
_CROSSED = 1000.0  # what a crossed line costs, in pixels of a gap's width


class _Cut(NamedTuple):
    """A place to cut lines at, what it costs, and how many of the lines' middles are before it."""

    at: float
    cost: float
    before: int


def fitted(table: Table, lines: Sequence[Line]) -> Table | None:
    """The table with the lines' text in its cells. None where there are no lines, or where they don't fall into so many rows and
    columns.

    Rows and columns are parted at the widest gaps that the fewest lines cross, each with a line in it.
    """
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return None
    em = line_height(lines)
    rows = _cuts([(line.box.y0, line.box.y1) for line in lines], table.num_rows - 1, em)
    columns = _cuts([(line.box.x0, line.box.x1) for line in lines], table.num_columns - 1, em)
    if rows is None or columns is None:
        return None
    slots = table.whole().slots()
    inside: dict[Cell, list[Line]] = defaultdict(list)
    for line in lines:
        row = sum(at < (line.box.y0 + line.box.y1) / 2 for at in rows)
        inside[slots[row, _column(line, row, columns, slots)]].append(line)
    return Table(tuple(replace(cell, text=cell_text(inside[cell])) for cell in table.whole().cells))


def _column(line: Line, row: int, columns: Sequence[float], slots: dict[tuple[int, int], Cell]) -> int:
    """The column of the cell, of those in the row, that has most of the line."""
    edges = [float("-inf"), *columns, float("inf")]

    def share(column: int) -> float:
        cell = slots[row, column]
        return min(line.box.x1, edges[cell.column + cell.columns]) - max(line.box.x0, edges[cell.column])

    return max(range(len(columns) + 1), key=share)


def _cuts(spans: Sequence[tuple[int, int]], num: int, em: float) -> list[float] | None:
    """Where to cut spans into one more part than `num`, each with the middle of a span in it; None if that can't be done."""
    if num <= 0:
        return []
    candidates = _candidates(spans, em)
    # best[i]: the cost of the cuts so far if the last one is i, and those cuts.
    best: list[tuple[float, list[float]] | None] = [(cut.cost, [cut.at]) if cut.before else None for cut in candidates]
    for _ in range(num - 1):
        further: list[tuple[float, list[float]] | None] = []
        for cut in candidates:
            earlier = [
                found
                for other, found in zip(candidates, best, strict=True)
                if found is not None and other.at < cut.at and other.before < cut.before
            ]
            cost, cuts = min(earlier, default=(0.0, []))
            further.append((cost + cut.cost, [*cuts, cut.at]) if earlier else None)
        best = further
    whole = [found for cut, found in zip(candidates, best, strict=True) if found is not None and cut.before < len(spans)]
    return min(whole)[1] if whole else None


def _candidates(spans: Sequence[tuple[int, int]], em: float) -> list[_Cut]:
    """The best place to cut between each two middles of spans that differ."""
    slack = _SLACK_EM * em
    middles = sorted((first + last) / 2 for first, last in spans)
    edges = sorted({float(edge) for span in spans for edge in span})
    cuts: dict[int, _Cut] = {}
    for left, right in itertools.pairwise(edges):
        at = (left + right) / 2
        crossed = sum(first + slack < at < last - slack for first, last in spans)
        gap_from = max((last for first, last in spans if (first + last) / 2 < at and last - slack <= at), default=left)
        gap_to = min((first for first, last in spans if (first + last) / 2 > at and first + slack >= at), default=right)
        before = sum(middle < at for middle in middles)
        cut = _Cut(at, _CROSSED * crossed - min(gap_to - gap_from, 10 * em), before)
        if before not in cuts or cut.cost < cuts[before].cost:
            cuts[before] = cut
    return sorted(cuts.values())
