"""The regions of each page of a laid out document, in the order in which a reader reads them, in pixels of the page's image.

Tables: cells come from the elements, and their text as it is drawn; rows are cut where a page ends.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from datagen.markup import blocks as parts
from datagen.markup.answers import BY
from datagen.markup.blocks import Block, Frame, Line, Picture
from datagen.markup.layout import Layout, Node, Rect
from datagen.record import Box, Region, SampleError
from datagen.record import Line as RecordLine
from datagen.tables.cells import Cell, Table, placed, spans, to_html

_SLACK = 1e-6  # of a pixel: what rounding makes of whole ones
_SIGN_PX, _WIDE_SIGNS = 40, 4  # a picture that is lower may be a sign of the text; one that is so many times as wide is none
_FIRST, _LAST = ("header",), ("footnote", "footer", "page_number")


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


@dataclass
class PageRegions:
    """What is on one page. `faults` are reasons why its label isn't all that it shows."""

    regions: list[Region] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pixels:
    """Rectangles on the canvas into pixels of a page's image."""

    frame: Frame
    zoom: float

    @property
    def size(self) -> tuple[int, int]:
        return round(self.frame.width * self.zoom), round(self.frame.height * self.zoom)

    def box(self, rect: Rect, page: int) -> Box:
        """The pixels that the rectangle touches, at least one."""
        x, y = self.frame.origin(page)
        width, height = self.size
        x0, y0 = (math.floor(value * self.zoom + _SLACK) for value in (rect.x0 - x, rect.y0 - y))
        x1, y1 = (math.ceil(value * self.zoom - _SLACK) for value in (rect.x1 - x, rect.y1 - y))
        x0, y0 = min(max(0, x0), width - 1), min(max(0, y0), height - 1)
        return Box(x0, y0, max(min(x1, width), x0 + 1), max(min(y1, height), y0 + 1))

    def rect(self, box: Box, page: int) -> Rect:
        """The rectangle on the canvas of a box of a page's pixels."""
        x, y = self.frame.origin(page)
        return Rect(box.x0 / self.zoom + x, box.y0 / self.zoom + y, box.x1 / self.zoom + x, box.y1 / self.zoom + y)


def regions(layout: Layout, pixels: Pixels, num_pages: int) -> list[PageRegions]:
    """The regions of all pages."""
    pages = [PageRegions() for _ in range(num_pages)]
    everything = _captions_in_place(list(parts.blocks(layout)))
    inside: dict[int, list[Block]] = {}
    for item in everything:
        if isinstance(item, Block) and (cell := parts.cell_of(item)) is not None:
            inside.setdefault(id(cell), []).append(item)
    cells = tables(layout, inside)
    for at, item in enumerate(everything):
        if isinstance(item, Node):
            for piece in pieces(item, cells.get(id(item), []), pixels.frame):
                _add_table(pages, piece, pixels)
        elif isinstance(item, Picture):
            page = pixels.frame.page(item.rect)
            if 0 <= page < num_pages and not _is_sign(item, everything[max(0, at - 1) : at + 2]):
                pages[page].regions.append(Region(pixels.box(item.rect, page), "image", "", None, BY))
        elif parts.cell_of(item) is None:
            _add_block(pages, item, pixels)
    for drawn in pages:
        drawn.regions.sort(key=lambda region: _rank(region.label))
    return pages


def _captions_in_place(everything: list[Block | Picture | Node]) -> list[Block | Picture | Node]:
    """The same, with captions that are drawn above their tables before them."""
    for at, item in enumerate(everything):
        if isinstance(item, Block) and item.label == "table_caption" and item.element.styles.get("caption-side") != "bottom":
            table = next((k for k in range(at - 1, -1, -1) if everything[k] is item.element.ancestor("table")), None)
            if table is not None:
                everything.insert(table, everything.pop(at))
    return everything


def _rank(label: str) -> int:
    return 0 if label in _FIRST else 2 + _LAST.index(label) if label in _LAST else 1


def _is_sign(picture: Picture, around: Sequence[Block | Picture | Node]) -> bool:
    """Whether a picture is an icon: as low as a line of text, and within a line or no wider than a few letters. `around` is what
    comes before and behind it."""
    wide, high = picture.rect.x1 - picture.rect.x0, picture.rect.y1 - picture.rect.y0
    if high >= _SIGN_PX or picture.element.ancestor("figure") is not None:
        return False
    element = parts.block_element(picture.element)
    return wide < _WIDE_SIGNS * _SIGN_PX or any(isinstance(item, Block) and item.element is element for item in around)


def _add_block(pages: list[PageRegions], block: Block, pixels: Pixels) -> None:
    frame = pixels.frame
    pieces = parts.fragments(parts.lines(block, frame), frame)
    for number, lines in enumerate(pieces):
        page = lines[0].page
        if not 0 <= page < len(pages):
            continue
        rect = lines[0].rect
        for line in lines[1:]:
            rect = rect.joined(line.rect)
        box = pixels.box(rect, page)
        goes_on = number + 1 < len(pieces) and pieces[number + 1][0].page < len(pages)
        if latex := block.formula:
            if not latex.strip():
                pages[page].faults.append("formula_without_latex")
            pages[page].regions.append(Region(box, "equation", latex.strip(), None, BY, format="latex"))
            continue
        if any(style.latex == " " for _, _, style in block.styles):
            pages[page].faults.append("formula_without_latex")
        text = parts.markdown(block, lines, pieces[number + 1][0].start if number + 1 < len(pieces) else None)
        record = _lines(block, lines, pixels, page)
        pages[page].regions.append(Region(box, block.label, text, None, BY, lines=record, continues=goes_on))


def _lines(block: Block, lines: list[Line], pixels: Pixels, page: int) -> tuple[RecordLine, ...]:
    """None if one of them has a formula: the letters of its LaTeX aren't those on the page."""
    texts = [parts.line_text(block, line) for line in lines]
    if any(parts.FORMULA in block.text[line.start : line.stop] for line in lines):
        return ()
    direction = block.element.styles.get("direction", "ltr")
    if pixels.frame.is_vertical and block.label not in ("header", "footer", "page_number"):
        direction = "ttb"
    return tuple(
        RecordLine(pixels.box(line.rect, page), text, direction=direction)
        for line, text in zip(lines, texts, strict=True)
        if text
    )


def _add_table(pages: list[PageRegions], piece: TablePiece, pixels: Pixels) -> None:
    if not 0 <= piece.page < len(pages):
        return
    page = pages[piece.page]
    if piece.is_cut:
        page.faults.append("cut_cell")
    if any(style.latex == " " for block, _ in piece.lines for _, _, style in block.styles):
        page.faults.append("formula_without_latex")
    lines = tuple(record for block, line in piece.lines for record in _lines(block, [line], pixels, piece.page))
    page.regions.append(Region(pixels.box(piece.rect, piece.page), "table", piece.html, None, BY, lines=lines, format="html"))


def tables(layout: Layout, inside: dict[int, list[Block]]) -> dict[int, list[DrawnCell]]:
    """The cells of each outermost table by the `id` of its element, in the order of rows. `inside` has the blocks of each cell by
    the `id` of its element. Raises `SampleError` (`too_many_slots`) for a table of more than `cells.MAX_SLOTS`."""
    tables: dict[int, list[list[Node]]] = {}
    for item in layout:
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
                block_lines = parts.lines(block, frame)
                if block_lines:
                    text.append(parts.markdown(block, block_lines, None))
                    drawn += [(block, line) for line in block_lines]
            texts.append(replace(one.cell, row=one.cell.row - first, text="\n".join(text)))
            for own in one.element.rects[:1]:
                rect = own if rect is None else rect.joined(own)
        if rect is not None:
            yield TablePiece(to_html(Table(tuple(texts)).whole()), rect, page, drawn, is_cut)
