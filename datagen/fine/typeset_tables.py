"""Tables typeset here, with their truth: four styles, Latin and Chinese, an eighth of the cells spanning, some empty.

Each is a page of a PDF by Pango and Cairo, so that it can be read as a born-digital page and, rendered, as an image. Words and
numbers are drawn by a seed. No rule of any engine was written for them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import cairocffi
import numpy
import pangocairocffi
import pymupdf

from datagen.drawing.families import PANGO_UNIT
from datagen.drawing.typeset import Style, broken_lines, laid_out
from datagen.record import Box
from datagen.tables.cells import Cell, Table, to_html

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
    pad_x, pad_y = random.uniform(0.3, 0.8) * size, random.uniform(0.15, 0.5) * size
    alignment = [0.0, *(random.choice((0.0, 0.5, 1.0)) for _ in range(table.num_columns))]
    buffer = io.BytesIO()
    surface = cairocffi.PDFSurface(buffer, 595, 842)
    surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z")
    context = cairocffi.Context(surface)
    bold = Style(size_pt=size, weight=700)
    widths = _widths(context, table, face, lang, size, pad_x)
    lefts = [_MARGIN_PT + sum(widths[:c]) for c in range(len(widths) + 1)]
    heads = style != "no lines" or random.random() < 0.5
    layouts: list[Any] = []  # lines are freed with their layouts

    def lines(cell: Cell) -> list[Any]:
        width = lefts[cell.column + cell.columns] - lefts[cell.column] - 2 * pad_x
        weight = bold.weight if heads and cell.is_header else 400
        look = Style(width_pt=width + 0.5, margin_pt=0, size_pt=size, weight=weight)
        if not cell.text:
            return []
        layouts.append(laid_out(context, cell.text, face, lang, look))
        return list(broken_lines(layouts[-1], cell.text.encode()))

    broken = {cell: lines(cell) for cell in table.cells}
    tops = _tops(table, broken, size, pad_y)
    _draw_rules(context, table, style, lefts, tops, random)
    context.set_source_rgb(0, 0, 0)
    for cell, of_cell in broken.items():
        left, right = lefts[cell.column] + pad_x, lefts[cell.column + cell.columns] - pad_x
        height = sum(line.height for line in of_cell)
        y = (tops[cell.row] + tops[cell.row + cell.rows] - height) / 2
        place = 0.5 if cell.columns > 1 or cell.is_header else alignment[cell.column]
        for line in of_cell:
            width = line.at(0, 0).box[2] - line.at(0, 0).box[0]
            context.move_to(left + place * max(0.0, right - left - width), y + line.ascent)
            pangocairocffi.pangocairo.pango_cairo_show_layout_line(context._pointer, line.pointer)
            y += line.height
    surface.finish()
    return TypesetTable(style, lang, to_html(table), buffer.getvalue(), (lefts[0], tops[0], lefts[-1], tops[-1]))


def _widths(context: Any, table: Table, face: str, lang: str, size: float, pad: float) -> list[float]:
    """Of each column: its widest cell's, at most a share of the page's, and enough for what spans."""
    most = (595 - 2 * _MARGIN_PT) / table.num_columns
    widths = [2 * size] * table.num_columns
    for cell in sorted(table.cells, key=lambda cell: cell.columns):
        if not cell.text:
            continue
        layout = laid_out(context, cell.text, face, lang, Style(width_pt=9999, margin_pt=0, size_pt=size, weight=700))
        needed = layout.get_extents()[1].width / PANGO_UNIT + 2 * pad + 1
        span = range(cell.column, cell.column + cell.columns)
        lacking = min(needed, most * cell.columns) - sum(widths[c] for c in span)
        for c in span:
            widths[c] += max(0.0, lacking) / cell.columns
    return widths


def _tops(table: Table, broken: dict[Cell, list[Any]], size: float, pad: float) -> list[float]:
    heights = [1.2 * size + 2 * pad] * table.num_rows
    for cell in sorted(broken, key=lambda cell: cell.rows):
        lacking = sum(line.height for line in broken[cell]) + 2 * pad - sum(heights[cell.row : cell.row + cell.rows])
        for r in range(cell.row, cell.row + cell.rows):
            heights[r] += max(0.0, lacking) / cell.rows
    return [_MARGIN_PT + sum(heights[:r]) for r in range(len(heights) + 1)]


def _draw_rules(context: Any, table: Table, style: str, lefts: list[float], tops: list[float], random: Random) -> None:
    thin = random.choice((0.4, 0.5, 0.75, 1.0))
    if style == "ruled":
        context.set_line_width(thin)
        context.set_source_rgb(*random.choice(((0, 0, 0), (0.4, 0.4, 0.4), (0.2, 0.3, 0.6))))
        for cell in table.cells:
            x, y = lefts[cell.column], tops[cell.row]
            context.rectangle(x, y, lefts[cell.column + cell.columns] - x, tops[cell.row + cell.rows] - y)
            context.stroke()
    elif style == "three-line":
        context.set_source_rgb(0, 0, 0)
        for y, width in ((tops[0], 2 * thin), (tops[1], thin), (tops[-1], 2 * thin)):
            context.set_line_width(width)
            context.move_to(lefts[0], y)
            context.line_to(lefts[-1], y)
            context.stroke()
    elif style == "striped":
        shade = random.uniform(0.88, 0.96)
        context.set_source_rgb(shade, shade, random.choice((shade, 1.0)))
        for cell in table.cells:
            if cell.row % 2 == 0:
                x, y = lefts[cell.column], tops[cell.row]
                context.rectangle(x, y, lefts[cell.column + cell.columns] - x, tops[cell.row + 1] - y)
                context.fill()
