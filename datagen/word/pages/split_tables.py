"""The pieces of a table on pages. A piece has the rows that stand together in one column of a page, and the cells for its
HTML."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from datagen.page.boxes import around, distance
from datagen.tables import cells as tables
from datagen.word.file.document import Cell, Table
from datagen.word.pages.page_letters import Rect

_APART_PT = 6.0  # the largest gap between cells of one piece; gaps between columns are larger
_SAME_EDGE_PT = 1.5

Entry = tuple[tuple[int, int], Rect]
Placed = dict[tuple[int, int], Rect]
CellText = Callable[[Cell, "TablePiece"], str]


@dataclass(frozen=True)
class TablePiece:
    """`rows` are the numbers of the piece's rows in the table, from 0. `cells` are the places of cells, by row and number in the
    table."""

    table: Table
    piece: int
    page: int
    rows: tuple[int, ...]
    cells: Mapping[tuple[int, int], Rect]

    @property
    def box(self) -> Rect:
        return around(list(self.cells.values()))


def table_pieces(
    table: Table, cells: Mapping[int, Mapping[int, Sequence[Rect]]], is_filled: Callable[[Cell, int], bool]
) -> list[TablePiece]:
    """The pieces of a table in the order of its rows. `cells` are the places of all cells of each page, by mark. `is_filled`
    tells whether a page shows a cell's content. A row that a page break divides is in both pieces if both show some of it."""
    groups: list[tuple[int, Placed]] = []
    marks = {cell.mark for row in table.rows for cell in row.cells}
    for page in sorted(page for page in cells if not marks.isdisjoint(cells[page])):
        placed = [
            ((r, n), rect)
            for r, row in enumerate(table.rows)
            for n, cell in enumerate(row.cells)
            for rect in (cells[page].get(cell.mark, ()) if cell.mark else ())
        ]
        groups += [(page, dict(group)) for group in _touching(placed)]
    times = Counter(r for _, group in groups for r in {r for r, _ in group})
    pieces: list[TablePiece] = []
    begun: set[int] = set()
    for page, group in groups:
        rows = []
        for r, row in enumerate(table.rows):
            there = [n for n in range(len(row.cells)) if (r, n) in group]
            whole = [n for n in there if row.cells[n].rowspan == 1]
            is_only_paper = times[r] > 1 and not row.is_header and not any(is_filled(row.cells[n], page) for n in whole)
            if whole and is_only_paper:
                group = {place: rect for place, rect in group.items() if place not in {(r, n) for n in whole}}
            elif whole or (there and all(cell.rowspan > 1 for cell in row.cells) and (r not in begun or row.is_header)):
                rows.append(r)
                begun.add(r)
        if rows:
            pieces.append(TablePiece(table, len(pieces), page, tuple(rows), group))
    return pieces


def _touching(placed: Sequence[Entry]) -> list[list[Entry]]:
    """The cells in groups that lie together, the group with the lowest last row first."""
    groups: list[list[Entry]] = []
    for entry in placed:
        near = [group for group in groups if any(distance(entry[1], rect) < _APART_PT for _, rect in reversed(group))]
        if len(near) == 1:
            near[0].append(entry)
        else:
            groups = [group for group in groups if not any(group is other for other in near)]
            groups.append([*(other for group in near for other in group), entry])
    return sorted(groups, key=lambda group: max(place[0] for place, _ in group))


def grid(piece: TablePiece, text: CellText) -> tables.Table:
    """The piece's cells with their texts, and spans cut to its rows. Raises `ValueError` if cells overlap."""
    result = tables.Table(tuple(sorted(cell for _, cell in _cells(piece, text))))
    result.slots()
    return result


def _cells(piece: TablePiece, text: CellText) -> Iterator[tuple[tuple[int, int], tables.Cell]]:
    """The cells of the piece's rows, each with its row and number in the document's table."""
    rows = {r: n for n, r in enumerate(piece.rows)}
    for r, row in enumerate(piece.table.rows):
        for n, cell in enumerate(row.cells):
            if covered := [rows[k] for k in range(r, r + cell.rowspan) if k in rows]:
                yield (r, n), tables.Cell(min(covered), cell.column, text(cell, piece), len(covered), cell.colspan)


def has_spans_of_places(piece: TablePiece) -> bool:
    """Whether the places of the cells agree with the file's rows, columns and spans. The first column may be the left one or the
    right one, since the page's direction decides, too. In vertical text the first row is the right one. The part of a cell behind
    a page break may have no place of its own."""
    edges = [_edges([rect[axis] for rect in piece.cells.values()]) for axis in (1, 0)]
    placed = [tuple(_slots(rect, axis, edges[1 - axis]) for axis in (1, 0)) for rect in piece.cells.values()]
    cells = [tables.Cell(down[0], across[0], "", down[1], across[1]) for down, across in placed]
    mirrored = [tables.Cell(c.row, len(edges[1]) - c.column - c.columns, "", c.rows, c.columns) for c in cells]
    turned = [tables.Cell(c.column, c.row, "", c.columns, c.rows) for c in mirrored]
    of_file = tables.Table(tuple(cell for place, cell in _cells(piece, lambda cell, piece: "") if place in piece.cells))
    return sorted(of_file.compact().cells) in (sorted(cells), sorted(mirrored), sorted(turned))


def _edges(values: Sequence[float]) -> list[float]:
    edges: list[float] = []
    for value in sorted(values):
        if not edges or value - edges[-1] > _SAME_EDGE_PT:
            edges.append(value)
    return edges


def _slots(rect: Rect, axis: int, edges: Sequence[float]) -> tuple[int, int]:
    """The first of the edges at which a cell lies, and the number of edges in it."""
    inside = [n for n, edge in enumerate(edges) if rect[axis] - _SAME_EDGE_PT <= edge < rect[axis + 2] - _SAME_EDGE_PT]
    return (inside[0], len(inside)) if inside else (0, 0)
