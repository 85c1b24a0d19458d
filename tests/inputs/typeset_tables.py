"""Tables typeset here, with their truth: four styles, Latin and Chinese, an eighth of the cells spanning, some empty.

Each is a page of a PDF by Pango and Cairo, so that it can be read as a born-digital page and, rendered, as an image. Words and
numbers are drawn by a seed. No rule of any engine was written for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy
import pymupdf

from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Sheet
from datagen.drawing.typeset import BrokenLine
from datagen.record import Box
from datagen.tables.cells import Cell, Table, to_html

Colour = tuple[float, float, float]
STYLES = ("ruled", "three-line", "no lines", "striped")
LANGS = ("en", "zh")
SPANNING, EMPTY, WRAPPED = 0.12, 0.1, 0.08  # of the cells
_MARGIN_PT = 24.0
_FACES = {"en": ("DejaVu Sans", "Noto Serif", "FreeSerif"), "zh": ("Noto Sans CJK SC", "Noto Serif CJK SC")}
_WORDS = {
    "en": (
        "alpha baseline carbon density energy factor growth height income joint kernel latency margin number output power query "
        "rate sample total update volume weight yield area branch control device error field group hazard index level method "
        "network order phase quality range score temperature unit value width zone accuracy budget cost demand export"
    ).split(),
    "zh": (
        "项目 数量 单价 合计 年份 地区 人口 增长率 收入 支出 方法 模型 精度 参数 样本 温度 压力 长度 宽度 高度 重量 体积 面积 "
        "速度 时间 日期 姓名 单位 部门 备注 比例 指标 平均值 标准差 最大值 最小值 总计 类别 等级 编号 产品 成本 利润 价格 质量 "
        "状态 北京 上海 广州 第一季度"
    ).split(),
}


@dataclass(frozen=True)
class TypesetTable:
    """`html` is the truth; `box` is the table's place on the one page of `pdf`, in points, frame included."""

    style: str
    lang: str
    html: str
    pdf: bytes
    box: tuple[float, float, float, float]

    @cached_property
    def image(self) -> numpy.ndarray:
        """The table with a little paper around it at 144 dpi, (H, W, 3) RGB bytes."""
        x0, y0, x1, y1 = self.box
        with pymupdf.open(stream=self.pdf, filetype="pdf") as doc:
            pixmap = doc[0].get_pixmap(dpi=144, clip=(x0 - 6, y0 - 6, x1 + 6, y1 + 6))
        image: numpy.ndarray = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width, 3)
        return image

    def pixels(self, zoom: float) -> Box:
        """Its place on a page rendered at `zoom` pixels a point."""
        x0, y0, x1, y1 = (round(value * zoom) for value in self.box)
        return Box(x0, y0, x1, y1)


def typeset_tables(num: int = 40, seed: int = 0) -> Iterator[TypesetTable]:
    """`num` tables, the styles in turn, each style's in turn in one of the languages."""
    for i in range(num):
        random = Random(f"{seed}/{i}")
        lang = LANGS[i // len(STYLES) % len(LANGS)]
        yield _typeset(_drawn(random, lang), STYLES[i % len(STYLES)], lang, random)


def _drawn(random: Random, lang: str) -> Table:
    """A table's cells: a head, numbers and words, spans of two or three, and empty cells."""
    num_rows, num_columns = random.randint(4, 11), random.randint(3, 7)
    kinds = [random.choice(("word", "number", "number", "percent")) if c else "name" for c in range(num_columns)]
    taken: set[tuple[int, int]] = set()
    cells = []
    for r in range(num_rows):
        for c in range(num_columns):
            if (r, c) in taken:
                continue
            rows = columns = 1
            if random.random() < SPANNING:
                rows, columns = random.choice(((1, 2), (1, 3), (2, 1), (2, 1), (2, 2)))
            columns = next((n for n in range(columns, 0, -1) if _is_free(taken, r, c, n, num_columns)), 1)
            rows = min(rows, num_rows - r) if r else 1
            taken |= {(r + i, c + j) for i in range(rows) for j in range(columns)}
            is_empty = r > 0 and rows == columns == 1 and random.random() < EMPTY
            text = "" if is_empty else _text(random, lang, kinds[c] if r else "head")
            cells.append(Cell(r, c, text, rows, columns, is_header=r == 0))
    return Table(tuple(cells))


def _is_free(taken: set[tuple[int, int]], r: int, c: int, columns: int, num_columns: int) -> bool:
    return c + columns <= num_columns and not any((r, c + j) in taken for j in range(columns))


def _text(random: Random, lang: str, kind: str) -> str:
    if kind == "number":
        return random.choice((f"{random.randint(1, 99_999):,}", f"{random.uniform(0, 99):.2f}", str(random.randint(0, 999))))
    if kind == "percent":
        return f"{random.uniform(0, 100):.1f}%"
    num = random.randint(4, 7) if random.random() < WRAPPED else random.choice((1, 1, 2))
    words = random.choices(_WORDS[lang], k=num)
    return ("" if lang == "zh" else " ").join(words).capitalize()


def _typeset(table: Table, style: str, lang: str, random: Random) -> TypesetTable:
    size, face = random.uniform(8, 11), random.choice(_FACES[lang])
    pads = random.uniform(0.3, 0.8) * size, random.uniform(0.15, 0.5) * size
    places = [0.0, *(random.choice((0.0, 0.5, 1.0)) for _ in range(table.num_columns))]
    sheet = Sheet(Prose(lang, ("",), Random(0)), family=face)
    widths = _widths(sheet, table, size, pads[0])
    heads = style != "no lines" or random.random() < 0.5
    thin = random.choice((0.4, 0.5, 0.75, 1.0))
    look: dict[str, Any] = {}
    if style == "ruled":
        look = {"ink": random.choice(((0, 0, 0), (0.4, 0.4, 0.4), (0.2, 0.3, 0.6)))}
    elif style == "striped":
        shade = random.uniform(0.88, 0.96)
        look = {"tint": (shade, shade, random.choice((shade, 1.0)))}
    set_table(sheet, table, _MARGIN_PT, _MARGIN_PT, widths, size, style, pads, places, heads, thin, **look)
    return TypesetTable(style, lang, to_html(table), sheet.pdf(), sheet.regions[0].box)


def set_table(
    sheet: Sheet,
    table: Table,
    x: float,
    y: float,
    widths: Sequence[float],
    size: float,
    style: str,
    pads: tuple[float, float] = (4.0, 4.0),
    places: Sequence[float] = (),
    has_heads: bool = True,
    thin: float = 0.7,
    ink: Colour = (0, 0, 0),
    tint: Colour = (0.9, 0.93, 0.97),
) -> float:
    """Set a table at (x, y) on a sheet, in one of `STYLES`; the height below it. `pads` are beside and above what a cell says;
    `places` say for each column where lines stand, from 0, left, to 1. Lengths are in points."""
    lefts = [x + sum(widths[:c]) for c in range(len(widths) + 1)]
    broken: dict[Cell, list[BrokenLine]] = {}
    for cell in table.cells:
        width = lefts[cell.column + cell.columns] - lefts[cell.column] - 2 * pads[0]
        weight = 700 if has_heads and cell.is_header else 400
        broken[cell] = sheet.lines(cell.text, width + 0.5, size, weight=weight) if cell.text else []
    tops = _tops(table, broken, y, size, pads[1])
    _rule(sheet, table, style, lefts, tops, thin, ink, tint)
    for cell, of_cell in broken.items():
        left, right = lefts[cell.column] + pads[0], lefts[cell.column + cell.columns] - pads[0]
        at = (tops[cell.row] + tops[cell.row + cell.rows] - sum(line.height for line in of_cell)) / 2
        place = 0.5 if cell.columns > 1 or cell.is_header else places[cell.column] if places else 0.0
        for line in of_cell:
            box = line.at(0, 0).box
            sheet.show(line, left + place * max(0.0, right - left - box[2] + box[0]), at + line.ascent)
            at += line.height
    sheet.region("table", (x, y, lefts[-1], tops[-1]), html=to_html(table), look=style)
    return tops[-1]


def _widths(sheet: Sheet, table: Table, size: float, pad: float) -> list[float]:
    """Of each column: its widest cell's, at most a share of the page's, and enough for what spans."""
    most = (595 - 2 * _MARGIN_PT) / table.num_columns
    widths = [2 * size] * table.num_columns
    for cell in sorted(table.cells, key=lambda cell: cell.columns):
        if not cell.text:
            continue
        (line,) = sheet.lines(cell.text, 9999, size, weight=700)
        needed = line.logical[2] + 2 * pad + 1
        span = range(cell.column, cell.column + cell.columns)
        lacking = min(needed, most * cell.columns) - sum(widths[c] for c in span)
        for c in span:
            widths[c] += max(0.0, lacking) / cell.columns
    return widths


def _tops(table: Table, broken: dict[Cell, list[BrokenLine]], top: float, size: float, pad: float) -> list[float]:
    heights = [1.2 * size + 2 * pad] * table.num_rows
    for cell in sorted(broken, key=lambda cell: cell.rows):
        lacking = sum(line.height for line in broken[cell]) + 2 * pad - sum(heights[cell.row : cell.row + cell.rows])
        for r in range(cell.row, cell.row + cell.rows):
            heights[r] += max(0.0, lacking) / cell.rows
    return [top + sum(heights[:r]) for r in range(len(heights) + 1)]


def _rule(
    sheet: Sheet, table: Table, style: str, lefts: list[float], tops: list[float], thin: float, ink: Colour, tint: Colour
) -> None:
    if style == "three-line":
        below_heads = max(cell.row + cell.rows for cell in table.cells if cell.is_header)
        for y, width in ((tops[0], 2 * thin), (tops[below_heads], thin), (tops[-1], 2 * thin)):
            sheet.rule(lefts[0], y, lefts[-1], y, width)
    for cell in table.cells:
        left, top, right = lefts[cell.column], tops[cell.row], lefts[cell.column + cell.columns]
        if style == "ruled":
            sheet.fill((left, top, right, tops[cell.row + cell.rows]), ink, thin)
        elif style == "striped" and cell.row % 2 == 0:
            sheet.fill((left, top, right, tops[cell.row + 1]), tint)
