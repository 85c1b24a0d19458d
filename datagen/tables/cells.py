"""Tables as cells with places and spans, and as the HTML of the record and of DeepSeek-OCR's format.

    <table><tr><td rowspan="2">A</td><td colspan="2">B</td></tr><tr><td>1</td><td>2<br>3</td></tr></table>

The HTML has only `td`, no other attributes, and no white space between tags. A cell's text is plain, with `<sup>` and `<sub>` as
its only tags. Every other `&`, `<` and `>` is escaped, and a newline is `<br>`. A right-to-left table has its rightmost column
first.
"""

import functools
import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser

MAX_SLOTS = 100_000
"""The most slots (rows times columns) that the cells of a table may cover. A span of a million is an attack or noise."""
_MAX_CHARS = 4_000_000
_MAX_COLUMNS = 1000  # as HTML's specification has it
_NUMBER = re.compile(r"\s*\+?0*([0-9]{1,9})(?![0-9])", re.ASCII)
_RAISED = re.compile(r"&lt;(su[bp])&gt;(.*?)&lt;/\1&gt;", re.DOTALL)
_BREAKING = frozenset(("br", "hr", "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "caption"))
_UNSEEN = frozenset(("script", "style", "template", "title", "head"))
_CELLS, _OUTER = ("td", "th"), ("table", "tr", "td", "th")


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A cell. Its first slot is at `row` and `column`, and it covers `rows` rows and `columns` columns."""

    row: int
    column: int
    text: str = ""
    rows: int = 1
    columns: int = 1
    is_header: bool = False


@dataclass(frozen=True)
class Table:
    """Cells in the order of rows, without overlaps. A slot without a cell is empty."""

    cells: tuple[Cell, ...]

    @functools.cached_property
    def num_rows(self) -> int:
        return max((cell.row + cell.rows for cell in self.cells), default=0)

    @functools.cached_property
    def num_columns(self) -> int:
        return max((cell.column + cell.columns for cell in self.cells), default=0)

    @property
    def has_text(self) -> bool:
        return any(cell.text for cell in self.cells)

    def slots(self) -> dict[tuple[int, int], Cell]:
        """The cell that covers each (row, column). Raises `ValueError` if two cells overlap."""
        slots: dict[tuple[int, int], Cell] = {}
        for cell in self.cells:
            for row in range(cell.row, cell.row + cell.rows):
                for column in range(cell.column, cell.column + cell.columns):
                    if slots.setdefault((row, column), cell) is not cell:
                        raise ValueError(f"two cells cover row {row}, column {column}: each slot takes one")
        return slots

    def whole(self) -> "Table":
        """This table with an empty cell in each slot without a cell. Raises `ValueError` if two cells overlap."""
        slots = self.slots()
        places = ((row, column) for row in range(self.num_rows) for column in range(self.num_columns))
        return Table(tuple(sorted([*self.cells, *(Cell(*place) for place in places if place not in slots)])))

    def compact(self) -> "Table":
        """This table without rows and columns in which no cell begins. Spans get shorter, and nothing else changes."""
        rows = sorted({cell.row for cell in self.cells})
        columns = sorted({cell.column for cell in self.cells})
        return Table(
            tuple(
                Cell(
                    rows.index(cell.row),
                    columns.index(cell.column),
                    cell.text,
                    sum(cell.row <= row < cell.row + cell.rows for row in rows),
                    sum(cell.column <= column < cell.column + cell.columns for column in columns),
                    cell.is_header,
                )
                for cell in self.cells
            )
        )


def to_html(table: Table) -> str:
    """The table's HTML, with rows of one length. Raises `ValueError` if cells overlap."""
    rows: list[list[str]] = [[] for _ in range(table.num_rows)]
    for cell in table.whole().cells:
        attributes = (f' {name}="{num}"' for name, num in (("rowspan", cell.rows), ("colspan", cell.columns)) if num > 1)
        text = _RAISED.sub(r"<\1>\2</\1>", html.escape(cell.text, quote=False)).replace("\n", "<br>")
        rows[cell.row].append(f"<td{''.join(attributes)}>{text}</td>")
    return f"<table>{''.join('<tr>' + ''.join(row) + '</tr>' for row in rows)}</table>"


def parse(text: str, is_strict: bool = False) -> Table:
    """The first table in any HTML, with cells placed as a browser places them.

    Markup within a cell is removed, and its text stays; a line break becomes a newline. A table within a cell is text of the
    cell. Cells that would overlap are cut, and so are spans below the last row. Raises `ValueError` if there is no table, or if
    it covers more than `MAX_SLOTS`. If `is_strict`, also raises if a tag of a row or cell isn't closed or is misplaced, if text
    stands outside of cells, or if cells overlap. A model that writes nonsense makes such errors.
    """
    if len(text) > _MAX_CHARS:
        raise ValueError(f"a table of {len(text):,} characters: allowed are {_MAX_CHARS:,}")
    reader = _Reader()
    try:
        reader.feed(text)
        reader.close()
    except AssertionError as error:  # Python's parser raises this for unknown declarations
        raise ValueError(f"this is no HTML: {error}") from None
    reader.end()
    if not reader.num_tables:
        raise ValueError("no <table> is in it")
    table, num_cut = _table(reader.rows)
    if is_strict and (wrong := reader.wrong or (num_cut and "cells that overlap, or leave the table")):
        raise ValueError(f"the table isn't well-formed: {wrong}")
    return table


def normalise(text: str) -> str:
    """A table's HTML rewritten by `to_html`, for scores: without attributes, markup in cells, and header cells. Raises like
    `parse`."""
    return to_html(parse(text))


def agreement(one: Table, other: Table) -> float:
    """The share of pairs of neighbouring cells that two tables have in common (Göbel et al., ICDAR 2013). Neighbours are texts
    beside or below each other; empty cells between them don't count. From 0 to 1; 1 for tables with the same content."""
    a, b = _neighbours(one), _neighbours(other)
    return 2 * (a & b).total() / (a.total() + b.total()) if a or b else float(one == other)


def _neighbours(table: Table) -> Counter[tuple[str, str, bool]]:
    slots = table.slots()
    pairs: Counter[tuple[str, str, bool]] = Counter()
    for cell in table.cells:
        if not cell.text:
            continue
        pairs[cell.text, "", True] += 1  # a text divided otherwise must count as a difference, too
        for is_below in (False, True):
            beside: dict[Cell, None] = {}
            for n in range(cell.columns if is_below else cell.rows):
                row, column = (cell.row + cell.rows, cell.column + n) if is_below else (cell.row + n, cell.column + cell.columns)
                while (row, column) in slots and not slots[row, column].text:
                    row, column = (row + 1, column) if is_below else (row, column + 1)
                if (row, column) in slots:
                    beside[slots[row, column]] = None
            for other in beside:
                pairs[cell.text, other.text, is_below] += 1
    return pairs


def plain(lines: Iterable[str]) -> str:
    """The text of a cell's lines, with single spaces and without blank lines."""
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


@dataclass(slots=True)
class _Draft:
    """A cell as its tags describe it. `rows` is 0 if the cell goes down to the table's end."""

    is_header: bool
    rows: int
    columns: int
    text: list[str]


class _Reader(HTMLParser):
    """Reads the rows of the first table, and the first error in its form (`wrong`)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[_Draft]] = []
        self.wrong = ""
        self.num_tables = 0
        self._depth = 0  # of tables
        self._unseen = 0  # of scripts and styles
        self._cell: _Draft | None = None
        self._in_row = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            self.num_tables += 1
            self._depth += self._depth > 0 or self.num_tables == 1
            if self.num_tables > 1:
                self._complain("more than one table")
        elif self._depth != 1:
            if tag in _BREAKING or tag in _OUTER:
                self._add("\n")
        elif tag == "tr":
            if self._in_row:
                self._complain("a row in a row")
            self._open_row()
        elif tag in _CELLS:
            if not self._in_row:
                self._complain("a cell outside of rows")
                self._open_row()
            elif self._cell:
                self._complain("a cell in a cell")
            self._cell = _Draft(tag == "th", *spans(dict(attrs)), [])
            self.rows[-1].append(self._cell)
        elif tag in _BREAKING:
            self._add("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "table":
            if self._depth == 1 and (self._cell or self._in_row):
                self._complain("a row or a cell that isn't closed")
            if self._depth == 1:
                self._cell, self._in_row = None, False
            elif not self._depth:
                self._complain("a table that nothing opened")
            self._depth = max(0, self._depth - 1)
        elif self._depth != 1:
            if tag in _BREAKING or tag in _OUTER:
                self._add("\n")
        elif tag == "tr":
            if not self._in_row or self._cell:
                self._complain("a row's end where no row ends")
            self._cell, self._in_row = None, False
        elif tag in _CELLS:
            if not self._cell:
                self._complain("a cell's end where no cell ends")
            self._cell = None
        elif tag in _BREAKING:
            self._add("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._add(data.replace("\n", " "))

    def end(self) -> None:
        if self._depth:
            self._complain("a table that isn't closed")

    def _add(self, text: str) -> None:
        if self._cell and self._depth:
            self._cell.text.append(text)
        elif not text.isspace():
            self._complain("text outside of cells")

    def _open_row(self) -> None:
        self.rows.append([])
        self._cell, self._in_row = None, True

    def _complain(self, wrong: str) -> None:
        self.wrong = self.wrong or wrong


def _span(value: str | None, least: int, most: int) -> int:
    """The number of a span attribute, at most `most`; 1 if it is no number or below `least`. A `rowspan` may be 0."""
    number = _NUMBER.match(value or "")
    return min(most, int(number[1])) if number and int(number[1]) >= least else 1


def spans(attributes: Mapping[str, str | None]) -> tuple[int, int]:
    """The rows (0: down to the table's end) and columns that a cell's attributes ask for."""
    return _span(attributes.get("rowspan"), 0, MAX_SLOTS), _span(attributes.get("colspan"), 1, _MAX_COLUMNS)


def placed(rows: Sequence[Sequence[tuple[int, int]]]) -> Iterator[list[Cell]]:
    """The cells of each row as a browser places them, without text, given the `spans` of each. Those that would overlap are cut,
    and so are spans below the last row. Raises `ValueError` if they cover more than `MAX_SLOTS`."""
    taken: dict[int, int] = {}  # column: the row in which it is free again
    num_slots = 0
    for row, wanted in enumerate(rows):
        column, cells = 0, []
        for most_rows, most_columns in wanted:
            while taken.get(column, 0) > row:
                column += 1
            below = len(rows) - row
            num_rows = min(most_rows or below, below)
            num_columns = 1
            while num_columns < most_columns and taken.get(column + num_columns, 0) <= row:
                num_columns += 1
            num_slots += num_rows * num_columns
            if num_slots > MAX_SLOTS:
                raise ValueError(f"the table's cells cover over {MAX_SLOTS:,} slots")
            taken |= dict.fromkeys(range(column, column + num_columns), row + num_rows)
            cells.append(Cell(row, column, "", num_rows, num_columns))
            column += num_columns
        yield cells


def _table(rows: list[list[_Draft]]) -> tuple[Table, int]:
    """The table with cells in their slots, and the number of cells that were cut because they overlapped or left the table."""
    cells, num_cut = [], 0
    for drafts, places in zip(rows, placed([[(one.rows, one.columns) for one in drafts] for drafts in rows]), strict=True):
        for draft, cell in zip(drafts, places, strict=True):
            num_cut += cell.rows < draft.rows or cell.columns < draft.columns
            cells.append(replace(cell, text=plain("".join(draft.text).split("\n")), is_header=draft.is_header))
    return Table(tuple(cells)), num_cut
