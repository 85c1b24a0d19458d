"""The cells of a Word table with their places in its grid: w:gridSpan, w:vMerge, w:hMerge, w:gridBefore."""

from collections import Counter
from dataclasses import dataclass, field

from lxml import etree

from datagen.record import SampleError
from datagen.word.file.names import VAL, W, is_on, number, value

MAX_COLUMNS = 1000  # Word has 63, LibreOffice more
MAX_ROWS = 20_000
_SLIVER = 30  # twentieths of a point: a column that is narrower can't be seen


@dataclass
class CellDraft:
    """A cell. `elements` are those that hold its blocks: more than one where cells are merged in the old way."""

    elements: list[etree._Element]
    column: int
    colspan: int
    rowspan: int = 1


@dataclass
class RowDraft:
    cells: list[CellDraft] = field(default_factory=list)
    is_header: bool = False


def drafts(table: etree._Element, signs: Counter[str]) -> list[RowDraft]:
    """The rows of a table, each with the cells that begin in it. A cell that goes on from the row above (w:vMerge) has to have
    its columns; otherwise it begins here. Raises `SampleError` for a table that no page has."""
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
                signs["texts_in_merged_cells"] += _has_text(cell)
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
    """Takes columns away that are too narrow to be seen, and in which no cell lies as a whole: what is left of edges that were
    moved."""
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
    """What a cell says about merging: "", "restart" or "continue"."""
    merge = properties.find(W + name) if properties is not None else None
    return "" if merge is None else merge.get(VAL, "continue")


def _has_text(cell: etree._Element) -> bool:
    return any(text.text and text.text.strip() for text in cell.iter(W + "t"))
