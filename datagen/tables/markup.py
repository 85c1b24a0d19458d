"""Tables as models write them: HTML, LaTeX's `tabular`, or OTSL (arXiv 2305.03393), into the project's tables.

OTSL has a token a slot: `<fcel>` and its text, `<ecel>` for none, `<lcel>` for one that belongs to the cell on its left, `<ucel>`
to the one above, `<xcel>` to both; `<nl>` ends a row. `<ched>`, `<rhed>` and `<srow>` are cells with text, of heads.
"""

import re

from datagen.tables import cells as tables
from datagen.tables import tabular
from datagen.tables.cells import MAX_SLOTS, Cell, Table, plain

_OTSL = re.compile(r"<(fcel|ecel|lcel|ucel|xcel|ched|rhed|srow|nl)>")
_FENCE = re.compile(r"\s*```[a-zA-Z]*\n(.*?)\n?```\s*", re.DOTALL)


def unfenced(text: str) -> str:
    """`text` without the fence that chat models put around what they were asked for."""
    fenced = _FENCE.fullmatch(text)
    return fenced[1] if fenced else text


def read(text: str) -> Table:
    """The one table that `text` holds. Raises `ValueError` if it holds none, or one that isn't whole."""
    text = unfenced(text)
    if "<table" in text:
        return tables.parse(text, is_strict=True)
    if _OTSL.search(text):
        return from_otsl(text)
    return tabular.to_table(text)


def from_otsl(text: str) -> Table:
    """The table of OTSL's tokens; rows that are too short end in empty cells. Raises `ValueError` for text outside of cells, and
    for slots that belong to no cell, or to one that is no rectangle."""
    before, *parts = _OTSL.split(text)
    rows: list[list[tuple[str, str]]] = [[]]
    for token, content in zip(parts[::2], parts[1::2], strict=True):
        if token == "nl":
            rows.append([])
        else:
            rows[-1].append((token, content))
        if content.strip() and token in ("nl", "ecel", "lcel", "ucel", "xcel"):
            raise ValueError(f"text stands behind <{token}>: {content.strip()[:40]!r}")
    if before.strip():
        raise ValueError(f"text stands before the first cell: {before.strip()[:40]!r}")
    rows = [row for row in rows if row]
    width = max((len(row) for row in rows), default=0)
    if not width or width * len(rows) > MAX_SLOTS:
        raise ValueError(f"a table of {len(rows)} rows and {width} columns: allowed are 1 to {MAX_SLOTS:,} slots")
    rows = [[*row, *[("ecel", "")] * (width - len(row))] for row in rows]
    names = [[token for token, _ in row] for row in rows]
    cells = []
    for r, row in enumerate(rows):
        for c, (token, content) in enumerate(row):
            if token in ("lcel", "ucel", "xcel"):
                continue
            columns = _run(names[r][c + 1 :], "lcel")
            num_rows = _run([line[c] for line in names[r + 1 :]], "ucel")
            cells.append(Cell(r, c, plain(content.split("\n")), num_rows, columns, token in ("ched", "rhed", "srow")))
    table = Table(tuple(cells))
    slots = table.slots()
    if len(slots) != width * len(rows) or any(
        names[r][c] != _expected(cell, r, c) for (r, c), cell in slots.items() if (r, c) != (cell.row, cell.column)
    ):
        raise ValueError("the spans are no rectangles")
    return table


def _run(names: list[str], name: str) -> int:
    """One more than how many of `names` in a row are `name`."""
    return 1 + next((i for i, other in enumerate(names) if other != name), len(names))


def _expected(cell: Cell, row: int, column: int) -> str:
    """The token of a slot of a cell that isn't its first."""
    return "lcel" if row == cell.row else "ucel" if column == cell.column else "xcel"
