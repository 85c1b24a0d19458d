"""Tables over pages and columns: which rows are where, spans cut at the break, and what the places of cells say of spans."""

from collections.abc import Collection

import pytest

from datagen.tables.cells import to_html
from datagen.word.file.document import Cell, Row, Table
from datagen.word.pages.page_letters import Rect
from datagen.word.pages.split_tables import TablePiece, grid, has_spans_of_places, table_pieces


def table(*rows: list[tuple[int, int, int, int]], head: int = 0, is_right_to_left: bool = False) -> Table:
    """A table of cells (mark, column, rowspan, colspan)."""
    made = tuple(Row(tuple(Cell((), c, rs, cs, mark) for mark, c, rs, cs in row), n < head) for n, row in enumerate(rows))
    return Table(0, made, is_right_to_left=is_right_to_left)


def at(column: int, row: int, columns: int = 1, rows: int = 1, x: float = 50.0) -> Rect:
    """A place of 100 by 20 points for each column and row."""
    return (x + 100.0 * column, 20.0 * row, x + 100.0 * (column + columns), 20.0 * (row + rows))


def pieces(table: Table, cells: dict[int, dict[int, list[Rect]]], empty: Collection[tuple[int, int]] = ()) -> list[TablePiece]:
    """The pieces of a table of which the cells (mark, page) show nothing."""
    return table_pieces(table, cells, lambda cell, page: (cell.mark, page) not in empty)


def html(piece: TablePiece) -> str:
    return to_html(grid(piece, lambda cell, piece: str(cell.mark)))


TWO_PAGES = {0: {1: [at(0, 0)], 2: [at(0, 1)]}, 1: {2: [at(0, 0)], 3: [at(0, 1)]}}


def test_break_cuts_a_span_and_repeats_the_head() -> None:
    long = table([(1, 0, 1, 1), (2, 1, 1, 1)], [(3, 0, 3, 1), (4, 1, 1, 1)], [(5, 1, 1, 1)], [(6, 1, 1, 1)], head=1)
    cells = {
        0: {1: [at(0, 0)], 2: [at(1, 0)], 3: [at(0, 1, rows=2)], 4: [at(1, 1)], 5: [at(1, 2)]},
        1: {1: [at(0, 0)], 2: [at(1, 0)], 3: [at(0, 1)], 6: [at(1, 1)]},
    }

    first, second = pieces(long, cells)

    assert (first.piece, second.piece) == (0, 1)
    assert (first.rows, second.rows) == ((0, 1, 2), (0, 3))
    assert (
        html(first) == '<table><tr><td>1</td><td>2</td></tr><tr><td rowspan="2">3</td><td>4</td></tr><tr><td>5</td></tr></table>'
    )
    assert html(second) == "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>6</td></tr></table>"
    assert all(has_spans_of_places(piece) for piece in (first, second))


@pytest.mark.parametrize(
    ("cells", "empty", "expected"),
    [
        pytest.param(TWO_PAGES, (), [(0, (0, 1)), (1, (1, 2))], id="a row within a break is on both pages"),
        pytest.param(TWO_PAGES, {(2, 1)}, [(0, (0, 1)), (1, (2,))], id="a strip without text is no row of its page"),
        pytest.param(
            {0: {1: [at(0, 30)], 2: [at(0, 31)], 3: [at(0, 2, x=250.0)]}},
            (),
            [(0, (0, 1)), (0, (2,))],
            id="columns of a page have pieces of their own",
        ),
    ],
)
def test_rows_of_pieces(cells, empty, expected) -> None:
    of_three_rows = pieces(table([(1, 0, 1, 1)], [(2, 0, 1, 1)], [(3, 0, 1, 1)]), cells, empty)

    assert [(piece.page, piece.rows) for piece in of_three_rows] == expected
    assert not empty or of_three_rows[1].box == at(0, 1)


def test_right_to_left_table_begins_at_the_right() -> None:
    mirrored = table([(1, 0, 1, 2), (2, 2, 1, 1)], [(3, 0, 1, 1), (4, 1, 1, 1), (5, 2, 1, 1)], is_right_to_left=True)
    cells = {0: {1: [at(1, 0, columns=2)], 2: [at(0, 0)], 3: [at(2, 1)], 4: [at(1, 1)], 5: [at(0, 1)]}}

    (piece,) = pieces(mirrored, cells)

    assert has_spans_of_places(piece)
    assert html(piece).startswith('<table><tr><td colspan="2">1</td><td>2</td></tr>')
