"""Tables of a laid out document: cells from the elements, their text as it is drawn, cut by rows where a page ends."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from datagen.markup.blocks import Block, Frame, Line, lines, markdown
from datagen.markup.layout import Layout, Node, Rect
from datagen.record import SampleError
from datagen.tables.cells import MAX_SLOTS, Cell, Table, to_html

_MAX_SPAN = 1000


@dataclass
class DrawnCell:
    """A cell at its place in the grid. Each of `blocks` is a paragraph in it."""

    element: Node
    cell: Cell
    blocks: list[Block] = field(default_factory=list)


@dataclass
class TablePiece:
    """The rows of a table that stand on one page, in one column. `rect` is on the canvas."""

    html: str
    rect: Rect
    page: int
    lines: list[tuple[Block, Line]]
    is_cut: bool = False


def tables(layout: Layout, inside: dict[int, list[Block]]) -> dict[int, list[DrawnCell]]:
    """The cells of each outermost table by the `id` of its element, in the order of rows. `inside` has the blocks of each cell by
    the `id` of its element. Raises `SampleError` (`too_many_slots`) for a table of more than `MAX_SLOTS`."""
    out: dict[int, list[DrawnCell]] = {}
    grids: dict[int, _Grid] = {}
    for item in layout.content:
        if isinstance(item, Node) and item.name in ("tr", "td", "th"):
            table = [one for one in item.ancestors() if one.name == "table"]
            if len(table) != 1:
                continue  # a table within a cell is text of the cell
            grid = grids.setdefault(id(table[0]), _Grid())
            if item.name == "tr":
                grid.new_row()
            else:
                cell = grid.placed(_span(item, "rowspan"), _span(item, "colspan"))
                out.setdefault(id(table[0]), []).append(DrawnCell(item, cell, inside.get(id(item), [])))
    return {key: _within_rows(cells, grids[key].row + 1) for key, cells in out.items()}


class _Grid:
    """Places cells as a browser does."""

    def __init__(self) -> None:
        self.row = -1
        self._taken: set[tuple[int, int]] = set()

    def new_row(self) -> None:
        self.row += 1

    def placed(self, rows: int, columns: int) -> Cell:
        self.row = max(self.row, 0)
        column = 0
        while (self.row, column) in self._taken:
            column += 1
        width = 1
        while width < columns and (self.row, column + width) not in self._taken:
            width += 1
        self._taken |= {(r, c) for r in range(self.row, self.row + rows) for c in range(column, column + width)}
        if len(self._taken) > MAX_SLOTS:
            raise SampleError("too_many_slots", f"a table of over {MAX_SLOTS} slots")
        return Cell(self.row, column, "", rows, width)


def _span(element: Node, name: str) -> int:
    text = element.attributes.get(name, "1").strip()
    return min(max(int(text), 1), _MAX_SPAN) if text.isascii() and text.isdigit() else 1


def _within_rows(cells: list[DrawnCell], num_rows: int) -> list[DrawnCell]:
    """Spans end with the table."""
    for one in cells:
        rows = min(one.cell.rows, num_rows - one.cell.row)
        one.cell = replace(one.cell, rows=max(1, rows))
    return cells


def pieces(element: Node, cells: list[DrawnCell], frame: Frame) -> Iterator[TablePiece]:
    """The table's pieces in order. `is_cut`: a cell goes on in the next piece, so the piece shows less than its cells say."""
    if not cells:
        return
    by_piece: list[tuple[int, list[DrawnCell]]] = []
    last: Rect | None = None
    rows: dict[int, list[DrawnCell]] = {}
    for one in cells:
        rows.setdefault(one.cell.row, []).append(one)
    for _, row in sorted(rows.items()):
        rects = [one.element.rects[0] for one in row if one.element.rects]
        if not rects:
            continue
        page, top = frame.page(rects[0]), frame.flowing(rects[0])
        if not by_piece or page != by_piece[-1][0] or (last is not None and top.y0 < last.y0 - 1):
            by_piece.append((page, []))
        by_piece[-1][1].extend(row)
        last = top
    for page, piece in by_piece:
        first = min(one.cell.row for one in piece)
        stop = max(one.cell.row for one in piece) + 1
        texts, drawn, is_cut = [], [], False
        rect: Rect | None = None
        for one in piece:
            is_cut |= len(one.element.rects) > 1 or (one.cell.row + one.cell.rows > stop and len(by_piece) > 1)
            text = []
            for block in one.blocks:
                block_lines = lines(block, frame)
                if block_lines:
                    text.append(markdown(block, block_lines, None))
                    drawn += [(block, line) for line in block_lines]
            texts.append(replace(one.cell, row=one.cell.row - first, text="\n".join(text)))
            for own in one.element.rects[:1]:
                rect = own if rect is None else rect.joined(own)
        if rect is not None:
            yield TablePiece(to_html(Table(tuple(texts)).whole()), rect, page, drawn, is_cut)
