"""Tables as olmOCR-bench sees them: cells, what is on their sides, and which are headings (`olmocr/bench/table_parsing.py` at
`olmocr.COMMIT`). Rows of a table within a table are rows of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bs4 import Tag

from datagen.score.official.markup import parsed

Place = tuple[int, int]
_MOST_COLUMNS, _MOST_ROWS = 1000, 65534  # HTML's own bounds
_MOST_NESTED = 100


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
        neighbours = self.beside["up" if side == "top_heading" else "left"]
        passed, todo = set(), [place]
        while todo:
            cell = todo.pop()
            if cell not in passed:
                passed.add(cell)
                todo += neighbours[cell]
        headings = (passed & self.headings) - {place}
        return headings or {cell for cell in passed if not neighbours[cell]} - {place}


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
    """Raises `IndexError` where a cell's rows are taken by another, as the official code does, and where rows lie deeper within
    each other than anybody writes them: of a model that repeats itself, it would take hours."""
    page = parsed(text)
    for line_break in page("br"):
        line_break.replace_with("\n")
    if any(len(list(row.parents)) > _MOST_NESTED for row in page("tr")):
        raise IndexError(f"rows lie within more than {_MOST_NESTED} elements")
    tables: list[Table] = []
    for table in page("table"):
        rows = table("tr")
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
    width = max((x + 1 for line in grid for x, place in enumerate(line) if place), default=0)
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
                neighbour = next((place for row, column in way if (place := grid[row][column]) and place != (y, x)), None)
                if neighbour:
                    table.beside[side][y, x].add(neighbour)
    return [table]


def _cells(row: Tag, rows_left: int) -> Iterator[Cell]:
    is_head = row.find_parent("thead") is not None
    for cell in row(["td", "th"], recursive=False):
        rowspan, colspan = str(cell.get("rowspan", "")), str(cell.get("colspan", ""))
        height = max(1, rows_left) if rowspan.strip() == "0" else min(_span(rowspan), _MOST_ROWS)
        yield Cell(cell.get_text().strip(), height, min(_span(colspan), _MOST_COLUMNS), cell.name == "th" or is_head)


def _span(value: str) -> int:
    try:
        return max(1, int(value))
    except ValueError:
        return 1
