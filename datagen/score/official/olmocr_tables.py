"""Tables as olmOCR-bench sees them: cells, what is on their sides, and which are headings (`olmocr/bench/table_parsing.py` at
`olmocr.COMMIT`). HTML is mended as Beautiful Soup mends it; rows of a table within a table are rows of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import NamedTuple

from datagen.score.official.omnidocbench_tables import KEEPING_SPACE, VOID, entity, number_reference

Place = tuple[int, int]
_MOST_COLUMNS, _MOST_ROWS = 1000, 65534  # HTML's own bounds


class Cell(NamedTuple):
    text: str
    rowspan: int = 1
    colspan: int = 1
    is_heading: bool = False


@dataclass
class Table:
    """What cells say, by the row and column where they start; and of each the cells that are next to it, by side."""

    texts: dict[Place, str] = field(default_factory=dict)
    headings: set[Place] = field(default_factory=set)
    beside: dict[str, dict[Place, set[Place]]] = field(default_factory=dict)

    def on(self, side: str, place: Place) -> set[Place]:
        """The cells on a side: up, down, left, right; or the headings, top_heading and left_heading: those on the way to the
        edge, and where there are none, the cells at the edge."""
        if not side.endswith("heading"):
            return self.beside[side][place]
        next_ones = self.beside["up" if side == "top_heading" else "left"]
        seen, todo = set(), [place]
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += next_ones[one]
        headings = (seen & self.headings) - {place}
        return headings or {one for one in seen if not next_ones[one]} - {place}


def of_markdown(text: str) -> list[Table]:
    """Runs of two lines or more that have a bar. The first row and the first column are headings."""
    tables: list[Table] = []
    run: list[str] = []
    for line in [*text.strip().split("\n"), ""]:
        if "|" in line:
            run.append(line)
            continue
        if len(run) >= 2:
            rows = [[Cell(cell, is_heading=y == 0 or x == 0) for x, cell in enumerate(row)] for y, row in enumerate(_rows(run))]
            tables += _placed(rows)
        run = []
    return tables


def of_html(text: str) -> list[Table]:
    """Raises `IndexError` where a cell's rows are taken by another, as the official code does."""
    page = _Page()
    page.feed(text)
    page.close()
    tables: list[Table] = []
    for table in (one for one in page.root.within() if one.name == "table"):
        rows = [one for one in table.within() if one.name == "tr"]
        tables += _placed([list(_cells(row, len(rows) - number)) for number, row in enumerate(rows)])
    return tables


def _rows(lines: Sequence[str]) -> Iterator[list[str]]:
    rule = next(
        (n for n, line in enumerate(lines) if (bare := line.replace("|", "").strip()) and not set(bare) - set("- :")), None
    )
    for number, line in enumerate(lines):
        if number == rule or (line.strip() and not set(line) - set("- :|")):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        cells = cells[1:] if cells and not cells[0] else cells
        cells = cells[:-1] if cells and not cells[-1] else cells
        if cells:
            yield cells


def _placed(rows: Sequence[Sequence[Cell]]) -> list[Table]:
    """The table of these rows, or none if it has no cell."""
    table = Table()
    spans: dict[Place, Cell] = {}
    grid: list[list[Place | None]] = []
    going_on: list[tuple[Place, int] | None] = []

    def down(column: int) -> Place | None:
        span = going_on[column]
        if span is None:
            return None
        going_on[column] = (span[0], span[1] - 1) if span[1] > 1 else None
        return span[0]

    for y, cells in enumerate(rows):
        line: list[Place | None] = []
        left = list(cells)
        while left or len(line) < len(going_on):
            x = len(line)
            if (x < len(going_on) and going_on[x] is not None) or not left:
                line.append(down(x))
                continue
            cell = left.pop(0)
            table.texts[y, x] = cell.text
            spans[y, x] = cell
            if cell.is_heading:
                table.headings.add((y, x))
            going_on += [None] * (x + cell.colspan - len(going_on))
            going_on[x : x + cell.colspan] = [((y, x), cell.rowspan - 1) if cell.rowspan > 1 else None] * cell.colspan
            line += [(y, x)] * cell.colspan
        grid.append(line)
    while any(going_on):
        grid.append([down(column) for column in range(len(going_on))])
    width = max((x + 1 for line in grid for x, one in enumerate(line) if one), default=0)
    if not width:
        return []
    grid = [[*line, *[None] * (width - len(line))][:width] for line in grid]
    table.beside = {side: {place: set() for place in table.texts} for side in ("up", "down", "left", "right")}
    for (y, x), cell in spans.items():
        bottom, right = y + cell.rowspan, x + cell.colspan
        ways = {
            "right": [[(row, column) for column in range(right, width)] for row in range(y, bottom)],
            "left": [[(row, column) for column in range(x - 1, -1, -1)] for row in range(y, bottom)],
            "down": [[(row, column) for row in range(bottom, len(grid))] for column in range(x, right)],
            "up": [[(row, column) for row in range(y - 1, -1, -1)] for column in range(x, right)],
        }
        for side, lines in ways.items():
            for way in lines:
                neighbour = next((one for row, column in way if (one := grid[row][column]) and one != (y, x)), None)
                if neighbour:
                    table.beside[side][y, x].add(neighbour)
    return [table]


@dataclass
class _Element:
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: "_Element | None" = None
    children: list["_Element | str"] = field(default_factory=list)

    def within(self) -> Iterator["_Element"]:
        for child in self.children:
            if isinstance(child, _Element):
                yield child
                yield from child.within()

    def text(self) -> str:
        return "".join(
            child if isinstance(child, str) else "\n" if child.name == "br" else child.text() for child in self.children
        )


def _cells(row: _Element, rows_left: int) -> Iterator[Cell]:
    around, is_head = row.parent, False
    while around is not None:
        is_head = is_head or around.name == "thead"
        around = around.parent
    for cell in row.children:
        if isinstance(cell, _Element) and cell.name in ("td", "th"):
            rowspan, colspan = cell.attributes.get("rowspan", ""), cell.attributes.get("colspan", "")
            height = max(1, rows_left) if rowspan.strip() == "0" else min(_span(rowspan), _MOST_ROWS)
            yield Cell(cell.text().strip(), height, min(_span(colspan), _MOST_COLUMNS), cell.name == "th" or is_head)


def _span(value: str) -> int:
    try:
        return max(1, int(value))
    except ValueError:
        return 1


class _Page(HTMLParser):
    """The elements of a page. A tag that closes none is passed over; one that closes an outer element closes the inner ones."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.root = self.last = _Element("")
        self.closed_at_once: list[str] = []
        self.text: list[str] = []

    def _flush(self) -> None:
        text, self.text = "".join(self.text), []
        if not text:
            return
        around: _Element | None = self.last
        while around is not None and around.name not in KEEPING_SPACE:
            around = around.parent
        if around is None and not text.strip(" \n\t\f\r"):
            text = "\n" if "\n" in text else " "
        self.last.children.append(text)

    def close(self) -> None:
        super().close()
        self._flush()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]], at_once: bool = True) -> None:
        self._flush()
        element = _Element(tag, {name: value or "" for name, value in attrs}, self.last)
        self.last.children.append(element)
        if tag in VOID and at_once:
            self.closed_at_once.append(tag)
        else:
            self.last = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs, at_once=False)
        self.handle_endtag(tag, False)

    def handle_endtag(self, tag: str, is_written: bool = True) -> None:
        if is_written and tag in self.closed_at_once:
            self.closed_at_once.remove(tag)
            return
        self._flush()
        one: _Element | None = self.last
        while one is not None and one.name != tag:
            one = one.parent
        if one is not None and one.parent is not None:
            self.last = one.parent

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_charref(self, name: str) -> None:
        self.text.append(number_reference(name))

    def handle_entityref(self, name: str) -> None:
        self.text.append(entity(name))

    def handle_comment(self, data: str) -> None:
        self._flush()
