"""The cells of a Word table in its grid (w:gridSpan, w:vMerge, w:hMerge, w:gridBefore), and the ground of their text: their own
shading, or that of the table's style, as LibreOffice takes it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from datagen.record import SampleError
from datagen.word.file.names import VAL, W, is_on, number, value
from datagen.word.file.styles import Styles

MAX_COLUMNS = 1000  # Word has 63, LibreOffice more
MAX_ROWS = 20_000
_SLIVER = 30  # twentieths of a point: a narrower column can't be seen
_COLOUR = re.compile("[0-9A-Fa-f]{6}")
_PERCENT = re.compile(r"pct(\d+)")
# The parts of a table's style (w:tblStylePr), by their names in rows and cells. The last one counts most.
_PARTS = {
    "evenHBand": "band2Horz",
    "oddHBand": "band1Horz",
    "evenVBand": "band2Vert",
    "oddVBand": "band1Vert",
    "lastColumn": "lastCol",
    "firstColumn": "firstCol",
    "lastRow": "lastRow",
    "firstRow": "firstRow",
    "lastRowFirstColumn": "swCell",
    "lastRowLastColumn": "seCell",
    "firstRowFirstColumn": "nwCell",
    "firstRowLastColumn": "neCell",
}
# The same, by their place among the digits of an older form.
_DIGITS = (
    *("firstRow", "lastRow", "firstColumn", "lastColumn", "oddVBand", "evenVBand", "oddHBand", "evenHBand"),
    *("firstRowLastColumn", "firstRowFirstColumn", "lastRowLastColumn", "lastRowFirstColumn"),
)


@dataclass
class CellDraft:
    """A cell. `elements` have its blocks: several elements if cells are merged in the old way."""

    elements: list[etree._Element]
    column: int
    colspan: int
    rowspan: int = 1


@dataclass
class RowDraft:
    cells: list[CellDraft] = field(default_factory=list)
    is_header: bool = False


def drafts(table: etree._Element, signs: Counter[str]) -> list[RowDraft]:
    """The rows of a table, each with the cells that begin in it. A cell that goes on from the row above (w:vMerge) must have its
    columns, else it begins a new cell. Raises `SampleError` for a table too large for any page."""
    rows: list[RowDraft] = []
    above: dict[int, CellDraft] = {}  # cells of the row above, by column
    only_headers = True
    for element in table.iterchildren(W + "tr"):
        properties = element.find(W + "trPr")
        only_headers = only_headers and bool(is_on(properties, "tblHeader"))
        row = RowDraft(is_header=only_headers)
        current: dict[int, CellDraft] = {}
        column = number(value(properties, "gridBefore"))
        last: CellDraft | None = None
        for cell in element.iterchildren(W + "tc"):
            of_cell = cell.find(W + "tcPr")
            colspan = max(1, number(value(of_cell, "gridSpan"), 1))
            if column + colspan > MAX_COLUMNS or len(rows) >= MAX_ROWS:
                raise SampleError("table_too_large", f"over {MAX_COLUMNS} columns or {MAX_ROWS} rows")
            goes_on = _merge(of_cell, "vMerge") == "continue"
            if _merge(of_cell, "hMerge") == "continue" and last is not None:
                last.colspan += colspan
                last.elements.append(cell)
            elif goes_on and column in above and above[column].colspan == colspan:
                last = above[column]
                last.rowspan += 1
                current[column] = last
                signs["texts_in_merged_cells"] += any(text.text and text.text.strip() for text in cell.iter(W + "t"))
            else:
                last = CellDraft([cell], column, colspan)
                row.cells.append(last)
                if _merge(of_cell, "vMerge"):
                    current[column] = last
            column += colspan
        rows.append(row)
        above = current
    _without_slivers(table, rows)
    return rows


def _without_slivers(table: etree._Element, rows: list[RowDraft]) -> None:
    """Removes columns that are too narrow to be seen and have no cell of their own: leftovers of moved edges."""
    widths = [number(column.get(W + "w"), _SLIVER) for column in table.iterfind(f"{W}tblGrid/{W}gridCol")]
    cells = {id(cell): cell for row in rows for cell in row.cells}.values()
    slivers = {n for n, width in enumerate(widths) if width < _SLIVER}
    while whole := {n for c in cells if (inside := set(range(c.column, c.column + c.colspan))) <= slivers for n in inside}:
        slivers -= whole
    if slivers:
        for cell in cells:
            stop = cell.column + cell.colspan
            cell.column -= sum(n < cell.column for n in slivers)
            cell.colspan = stop - sum(n < stop for n in slivers) - cell.column


def _merge(properties: etree._Element | None, name: str) -> str:
    """A cell's value for merging: "", "restart" or "continue"."""
    merge = properties.find(W + name) if properties is not None else None
    return "" if merge is None else merge.get(VAL, "continue")


class Fills:
    def __init__(self, styles: Styles, table: etree._Element):
        chain = styles.chain(value(table.find(W + "tblPr"), "tblStyle"), "table")
        self._chain = [style for style in reversed(chain) if next(style.iter(W + "shd"), None) is not None]

    def of(self, cell: etree._Element) -> int | None:
        """The fill of a cell (w:tc), 0xRRGGBB; None for none."""
        shading = cell.find(f"{W}tcPr/{W}shd")
        if shading is None and self._chain:
            row = cell.getparent()
            parts = {*_parts(cell.find(f"{W}tcPr")), *_parts(row.find(f"{W}trPr") if row is not None else None)}
            shading = next(reversed(list(self._of_style(parts))), None)
        return None if shading is None else fill(shading)

    def _of_style(self, parts: set[str]) -> Iterator[etree._Element]:
        """The shadings of a cell by the table's style. The last one counts most."""
        for style in self._chain:
            yield from style.iterfind(f"{W}tcPr/{W}shd")
            special = {e.get(W + "type"): e for e in style.findall(W + "tblStylePr")}
            for part in (name for name in _PARTS.values() if name in parts and name in special):
                yield from special[part].iterfind(f"{W}tcPr/{W}shd")


def _parts(properties: etree._Element | None) -> Iterator[str]:
    """The parts of a style that apply to a row or a cell with these properties."""
    conditions = properties.find(W + "cnfStyle") if properties is not None else None
    if conditions is None:
        return
    digits = dict(zip(_DIGITS, conditions.get(VAL, ""), strict=False))
    for name, part in _PARTS.items():
        if conditions.get(W + name, digits.get(name, "0")) in ("1", "true", "on"):
            yield part


def fill(shading: etree._Element) -> int | None:
    """The fill of a w:shd, 0xRRGGBB; None for none."""
    pattern, paper, ink = (shading.get(W + name, "") for name in ("val", "fill", "color"))
    match = _PERCENT.fullmatch(pattern)
    percent = int(match[1]) if match else 100 if pattern == "solid" else 0
    if percent == 0 or pattern == "nil":
        return int(paper, 16) if _COLOUR.fullmatch(paper) and pattern != "nil" else None
    below = int(paper, 16) if _COLOUR.fullmatch(paper) else 0xFFFFFF
    above = int(ink, 16) if _COLOUR.fullmatch(ink) else 0
    mixed = 0
    for shift in (16, 8, 0):
        mixed |= ((above >> shift & 255) * percent + (below >> shift & 255) * (100 - percent)) // 100 << shift
    return mixed
