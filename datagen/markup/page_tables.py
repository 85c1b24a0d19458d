"""Tables of a laid out document: cells from the elements, their text as it is drawn, cut by rows where a page ends."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from datagen.markup.blocks import Block, Frame, Line, lines, markdown
from datagen.markup.layout import Layout, Node, Rect
from datagen.record import SampleError
from datagen.tables.cells import Cell, Table, placed, spans, to_html


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
    the `id` of its element. Raises `SampleError` (`too_many_slots`) for a table of more than `cells.MAX_SLOTS`."""
    tables: dict[int, list[list[Node]]] = {}
    for item in layout.content:
        if isinstance(item, Node) and item.name in ("tr", "td", "th"):
            above = [one for one in item.ancestors() if one.name == "table"]
            if len(above) != 1:
                continue  # a table within a cell is text of the cell
            rows = tables.setdefault(id(above[0]), [])
            if item.name == "tr" or not rows:
                rows.append([])
            if item.name != "tr":
                rows[-1].append(item)
    out = {}
    for key, rows in tables.items():
        try:
            places = list(placed([[spans(cell.attributes) for cell in row] for row in rows]))
        except ValueError as error:
            raise SampleError("too_many_slots", str(error)) from None
        pairs = zip(itertools.chain(*rows), itertools.chain(*places), strict=True)
        out[key] = [DrawnCell(element, cell, inside.get(id(element), [])) for element, cell in pairs]
    return out


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
