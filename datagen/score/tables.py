"""TEDS: how alike two tables are, as trees of rows and cells (Zhong et al., arXiv 1911.10683).

Trees are compared by Zhang's and Shasha's algorithm. A table here has rows, and rows have cells, so that the distances of all
rows to all others are computed side by side."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import NamedTuple

import numpy
from lxml import etree, html
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

_MOST_SPANNED = 1000  # HTML's own bound for colspan


class Score(NamedTuple):
    """`teds` and `structure` (cells without their text) are from 0 to 1; `is_broken` where the prediction is no table."""

    teds: float
    structure: float
    is_broken: bool = False


MISSING = Score(0.0, 0.0)


def scores(truths: Sequence[str], predicted: Sequence[str]) -> list[Score]:
    """How well each true table was read, given the page's tables, all as HTML. Each predicted table counts for one true table at
    most: those go together that are most alike. Raises `ValueError` if a truth is no table."""
    true_tables = [_whole(table) for table in truths]
    tables = [normalised(table) for table in predicted]
    if not tables or not true_tables:
        return [MISSING] * len(true_tables)
    costs = cdist(true_tables, [table or "" for table in tables], scorer=Levenshtein.normalized_distance)
    results = [MISSING] * len(true_tables)
    for number, chosen in zip(*linear_sum_assignment(costs), strict=True):
        results[number] = score(true_tables[number], tables[chosen])
    return results


def score(truth: str, table: str | None) -> Score:
    """TEDS of two `normalised` tables; 0 where there is none."""
    if table is None:
        return Score(0.0, 0.0, True)
    one, other = _tree(truth), _tree(table)
    cells_of = [[cell for row in tree.rows for cell in row] for tree in (one, other)]
    spans = [numpy.array([cell[1:3] for cell in of]) for of in cells_of]
    unlike = (spans[0][:, None] != spans[1]).any(axis=2).astype(float)
    texts = [[cell.text for cell in of] for of in cells_of]
    edits = numpy.maximum(unlike, cdist(*texts, scorer=Levenshtein.normalized_distance, dtype=numpy.float64))
    num_nodes = 1 + max(len(one.firsts), len(other.firsts))
    with_text, structure = (max(0.0, 1.0 - _distance(one, other, costs) / num_nodes) for costs in (edits, unlike))
    return Score(with_text, structure)


class Cell(NamedTuple):
    """`text` has one space for any run of white space, and is in NFKC form."""

    text: str
    colspan: int = 1
    rowspan: int = 1
    is_heading: bool = False


def cells(text: str) -> list[list[Cell]]:
    """The rows of the first table in a piece of HTML, however broken, that have cells; none where there is no such row. Groups of
    rows, and markup within cells, are passed over."""
    try:
        root = html.fragment_fromstring(text, create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    table = next(root.iter("table"), None)
    if table is None:
        return []
    rows = [row for row in table.iter("tr") if next(row.iterancestors("table"), None) is table]
    filled = [[_cell(cell) for cell in row.xpath("./td|./th")] for row in rows]
    return [row for row in filled if row]


def normalised(text: str) -> str | None:
    """The table's `cells` as HTML with rows, cells and spans alone; None where there are none."""
    lines = ["<tr>" + "".join(map(_html, row)) + "</tr>" for row in cells(text)]
    return f"<html><body><table>{''.join(lines)}</table></body></html>" if lines else None


def _cell(cell: html.HtmlElement) -> Cell:
    text = " ".join(unicodedata.normalize("NFKC", cell.text_content()).split())
    return Cell(text, _span(cell.get("colspan")), _span(cell.get("rowspan")), cell.tag == "th")


def _html(cell: Cell) -> str:
    spans = "".join(f' {name}="{n}"' for name, n in (("colspan", cell.colspan), ("rowspan", cell.rowspan)) if n > 1)
    return f"<td{spans}>{escape(cell.text, quote=False)}</td>"


def _span(value: str | None) -> int:
    digits = (value or "").strip()
    return min(max(1, int(digits)), _MOST_SPANNED) if digits.isascii() and digits.isdigit() else 1


def _whole(truth: str) -> str:
    table = normalised(truth)
    if table is None:
        raise ValueError(f"a table of the ground truth has no cells: {truth[:60]!r}")
    return table


class _Tree(NamedTuple):
    """`counts` has each row's number of cells, `starts` its first cell among all of them. `nodes` has, in the order of their
    ends, the number of each cell and, behind all cells, of each row; `firsts` the place in that order of the first node in
    each."""

    rows: list[list[Cell]]
    counts: numpy.ndarray
    starts: numpy.ndarray
    nodes: list[int]
    firsts: list[int]


@lru_cache(maxsize=256)  # one truth is compared with many answers
def _tree(table: str) -> _Tree:
    rows = cells(table)
    counts = numpy.array([len(row) for row in rows], int)
    ends = counts.cumsum()
    starts = ends - counts
    nodes: list[int] = []
    firsts: list[int] = []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        at = len(nodes)
        nodes += [*range(start, end), int(ends[-1]) + number]
        firsts += [*range(at, at + end - start), at]
    return _Tree(rows, counts, starts, nodes, firsts)


def _distance(one: _Tree, other: _Tree, costs: numpy.ndarray) -> float:
    """The edit distance of two tables. `costs` says what it costs to make each cell of the one a cell of the other, (C, C')."""
    changes = _of_nodes(one, other, costs)[numpy.ix_(one.nodes, other.nodes)]
    firsts = numpy.array(other.firsts)
    steps = numpy.arange(len(firsts) + 1, dtype=float)
    best = numpy.empty((len(one.nodes) + 1, len(steps)))
    best[0] = steps
    for number, first in enumerate(one.firsts, 1):
        best[number, 0] = number
        best[number, 1:] = numpy.minimum(best[number - 1, 1:] + 1, best[first, firsts] + changes[number - 1])
        best[number] = _with_insertions(best[number], steps)
    return float(best[-1, -1])


def _of_nodes(one: _Tree, other: _Tree, costs: numpy.ndarray) -> numpy.ndarray:
    """What it costs to make each cell, and each row behind them, of the one table each of the other."""
    # A row becomes a cell when the row itself and all of its cells go, but for the cell that is most alike.
    rows_as_cells = one.counts[:, None] + numpy.minimum.reduceat(costs, one.starts, axis=0)
    cells_as_rows = other.counts + numpy.minimum.reduceat(costs, other.starts, axis=1)
    return numpy.block([[costs, cells_as_rows], [rows_as_cells, _of_rows(one, other, costs)]])


def _of_rows(one: _Tree, other: _Tree, costs: numpy.ndarray) -> numpy.ndarray:
    """The edit distances of the cells of each row and each other row, all pairs of rows side by side, (R, R')."""
    places = [
        tree.starts[:, None] + numpy.minimum(numpy.arange(tree.counts.max()), tree.counts[:, None] - 1) for tree in (one, other)
    ]
    steps = numpy.arange(other.counts.max() + 1, dtype=float)
    line = numpy.broadcast_to(steps, (len(one.counts), len(other.counts), len(steps))).copy()
    result = numpy.zeros((len(one.counts), len(other.counts)))
    columns = numpy.arange(len(other.counts))
    for number in range(one.counts.max()):
        changes = costs[places[0][:, number][:, None, None], places[1]]
        line[:, :, 1:] = numpy.minimum(line[:, :, 1:] + 1, line[:, :, :-1] + changes)
        line[:, :, 0] = number + 1
        line = _with_insertions(line, steps)
        done = one.counts == number + 1
        result[done] = line[done][:, columns, other.counts]
    return result


def _with_insertions(line: numpy.ndarray, steps: numpy.ndarray) -> numpy.ndarray:
    """Distances in which each may be the one before it and an insertion."""
    return numpy.minimum.accumulate(line - steps, axis=-1) + steps
