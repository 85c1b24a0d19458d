"""A typeset page in the making: what is drawn on it, and what its ground truth in OmniDocBench's form says of it.

Regions are given in reading order. A PDF draws its body in that order, too, and heads, feet, notes and captions somewhere in
between, as typesetters do; or, where it is `shuffled`, everything anywhere, as from a program that places frames. Boxes hold the
extents of the lines that Pango set, never what a text layer says. A paragraph that goes on in the next column is two regions,
with the relation `truncated`. Footnotes have a place in reading order here, the last one, which OmniDocBench doesn't give them.
"""

import html
import io
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cairocffi
import pangocairocffi
import pymupdf
from pangocffi import Layout, pango

from datagen.drawing.families import families
from datagen.drawing.typeset import BrokenLine, Rect, Style, broken_lines, laid_out, union
from datagen.samples.declarations import declaration

_CREATED = "2000-01-01T00:00:00Z"
_ASIDE = frozenset({"header", "footer", "page_number", "page_footnote", "figure_caption", "table_caption"})
_UNSPACED = ("zh", "ja", "th")


class Column(NamedTuple):
    """Where text may stand, in points."""

    x: float
    top: float
    width: float
    bottom: float


@dataclass
class Prose:
    """Text of the Universal Declaration of Human Rights in a language, from a place that the seed says, round and round."""

    code: str
    random: random.Random
    lang: str = ""
    _paragraphs: list[str] = field(default_factory=list)
    _next: int = 0

    def __post_init__(self) -> None:
        text = declaration(self.code)
        self.lang = text.lang
        self._paragraphs = [p for p in text.paragraphs if len(p) >= (20 if self.lang[:2] in _UNSPACED else 50)]
        self._next = self.random.randrange(len(self._paragraphs))

    def paragraph(self, least: int) -> str:
        """Whole paragraphs of the text, in one, of at least so many characters."""
        taken = [self._take()]
        while sum(map(len, taken)) < least:
            taken.append(self._take())
        return ("" if self.lang[:2] in _UNSPACED else " ").join(taken)

    def heading(self, most: int) -> str:
        """The beginning of a paragraph: at most so many characters, cut between words where words have spaces between them."""
        text = self._take()[:most]
        if self.lang[:2] not in _UNSPACED and " " in text:
            text = text.rpartition(" ")[0]
        return text.rstrip(" ,.;:—-，。、；：،؛「『（(")

    def _take(self) -> str:
        text = self._paragraphs[self._next % len(self._paragraphs)]
        self._next += 1
        return text


@dataclass
class Sheet:
    """`name` is the page's in the ground truth; `kind` and `layout` are OmniDocBench's attributes. `size_pt` is the page's.

    On a `vertical` page everything is set as on one that is turned by a quarter: x runs down, and y to the left. Then `size_pt`
    is the turned page's, which is as wide as the page is high."""

    name: str
    prose: Prose
    kind: str
    layout: str
    size_pt: tuple[float, float] = (595, 842)
    dpi: int = 150
    serif: bool = True
    vertical: bool = False
    shuffled: bool = False
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)
    regions: list[dict[str, Any]] = field(default_factory=list)
    relations: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._buffer = io.BytesIO()
        size = self.size_pt[::-1] if self.vertical else self.size_pt
        self._surface = cairocffi.PDFSurface(self._buffer, *size)
        self._surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, _CREATED)
        self.context = cairocffi.Context(self._surface)
        if self.vertical:
            self.context.translate(size[0], 0)
            self.context.rotate(math.pi / 2)
        self._below: list[Callable[[], None]] = []
        self._drawn: list[tuple[str, list[Callable[[], None]]]] = []  # what is drawn together, and which category it is of
        self._layouts: list[Layout] = []  # they own the lines that are yet to be drawn
        self._order = 0
        sample = self.prose.paragraph(400)
        names = [name for name in families(sample, self.prose.lang) if "Mono" not in name and "Display" not in name]
        fitting = [name for name in names if ("Serif" if self.serif else "Sans") in name] or names
        self.family = fitting[self.prose.random.randrange(min(3, len(fitting)))]

    def lines(self, text: str, width: float, size: float, **how: Any) -> list[BrokenLine]:
        """The lines of a text in a width. `how`: weight, italic, justify, indent_pt as `Style` has them; `align`: left, center or
        right; `family`; `markup`: Pango's, in the text's place."""
        align, markup, family = how.pop("align", ""), how.pop("markup", ""), how.pop("family", self.family)
        style = Style(width_pt=width, margin_pt=0, size_pt=size, **how)
        layout = laid_out(self.context, text, family, self.prose.lang, style)
        if markup:
            pango.pango_layout_set_markup(layout.pointer, markup.encode(), -1)
        if align:
            pango.pango_layout_set_alignment(layout.pointer, getattr(pango, f"PANGO_ALIGN_{align.upper()}"))
        if self.vertical:
            upright = pango.pango_layout_get_context(layout.pointer)
            pango.pango_context_set_base_gravity(upright, pango.PANGO_GRAVITY_EAST)
            pango.pango_context_set_gravity_hint(upright, pango.PANGO_GRAVITY_HINT_STRONG)
            pango.pango_layout_context_changed(layout.pointer)
        self._layouts.append(layout)
        return list(broken_lines(layout, (text if not markup else _shown(markup)).encode()))

    def region(self, category: str, box: Rect, ordered: bool = True, **values: Any) -> int:
        """A region of the ground truth; its number."""
        self._order += ordered
        if self.vertical:
            box = (self.size_pt[1] - box[3], box[0], self.size_pt[1] - box[1], box[2])
        self.regions.append({"category_type": category, "box": box, "order": self._order if ordered else None, **values})
        return len(self.regions) - 1

    def text(self, category: str, text: str, x: float, y: float, width: float, size: float, **how: Any) -> float:
        """A text in one place; the height below it. `ordered=False` leaves it out of the reading order."""
        flow = Flow(self, [Column(x, y, width, self.size_pt[1])])
        flow.text(category, text, size, **how)
        return flow.y

    def begin(self, category: str) -> None:
        """What is shown from now on is drawn together, in its order."""
        self._drawn.append((category, []))

    def show(self, line: BrokenLine, x: float, baseline: float, colour: tuple[float, float, float] | None = None) -> None:
        def draw() -> None:
            self.context.set_source_rgb(*(colour or self.colour))
            self.context.move_to(x + line.left, baseline)
            pangocairocffi.pangocairo.pango_cairo_show_layout_line(self.context._pointer, line.pointer)

        self._drawn[-1][1].append(draw)

    def fill(self, box: Rect, colour: tuple[float, float, float]) -> None:
        """A coloured rectangle below everything."""

        def draw() -> None:
            self.context.set_source_rgb(*colour)
            self.context.rectangle(box[0], box[1], box[2] - box[0], box[3] - box[1])
            self.context.fill()

        self._below.append(draw)

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.7) -> None:
        def draw() -> None:
            self.context.set_source_rgb(*self.colour)
            self.context.set_line_width(width)
            self.context.move_to(x0, y0)
            self.context.line_to(x1, y1)
            self.context.stroke()

        self._below.append(draw)

    def picture(self, x: float, y: float, width: float, height: float) -> float:
        """A landscape without any letters; the height below it."""
        sky = [self.prose.random.uniform(0.5, 0.9) for _ in range(3)]
        hills = [
            (self.prose.random.uniform(0.3, 0.9), self.prose.random.uniform(0.15, 0.45), self.prose.random.random())
            for _ in range(9)
        ]

        def draw() -> None:
            self.context.save()
            self.context.rectangle(x, y, width, height)
            self.context.clip()
            gradient = cairocffi.LinearGradient(x, y, x, y + height)
            gradient.add_color_stop_rgb(0, *sky)
            gradient.add_color_stop_rgb(1, 0.95, 0.9, 0.8)
            self.context.set_source(gradient)
            self.context.paint()
            for number, (top, radius, place) in enumerate(hills):
                shade = 0.7 - 0.06 * number
                self.context.set_source_rgb(shade * 0.6, shade, shade * 0.7)
                self.context.arc(x + place * width, y + height * (top + radius + 0.05 * number), radius * width, 0, 6.3)
                self.context.fill()
            self.context.restore()

        self._below.append(draw)
        self.region("figure", (x, y, x + width, y + height))
        return y + height

    def table(
        self, rows: Sequence[Sequence[str]], x: float, y: float, widths: Sequence[float], size: float, look: str, head: str = ""
    ) -> float:
        """A table; the height below it. `look`: ruled, three-line, striped or bare. `head` stands in a cell above all columns."""
        self.begin("table")
        grid = [[(cell, 1) for cell in row] for row in rows]
        if head:
            grid.insert(0, [(head, len(widths))])
        pad, top, edges = 4.0, y, [y]
        lefts = [x + sum(widths[:n]) for n in range(len(widths) + 1)]
        num_heads = 2 if head else 1
        for number, row in enumerate(grid):
            column, height, cells = 0, 0.0, []
            for text, span in row:
                width = lefts[column + span] - lefts[column] - 2 * pad
                lines = self.lines(text, width, size, weight=700 if number < num_heads else 400) if text else []
                cells.append((lefts[column] + pad, lines))
                height = max(height, sum(line.height for line in lines))
                column += span
            if look == "striped" and number % 2:
                self.fill((x, top, lefts[-1], top + height + 2 * pad), (0.9, 0.93, 0.97))
            for left, lines in cells:
                at = top + pad
                for line in lines:
                    self.show(line, left, at + line.ascent)
                    at += line.height
            top += height + 2 * pad
            edges.append(top)
        self._rules(lefts, edges, look, bool(head))
        spans = {span: f' colspan="{span}"' if span > 1 else "" for row in grid for _, span in row}
        lines_html = ["".join(f"<td{spans[span]}>{html.escape(cell)}</td>" for cell, span in row) for row in grid]
        rows_html = "".join(f"<tr>{line}</tr>" for line in lines_html)
        self.region("table", (x, y, lefts[-1], top), html=f"<table>{rows_html}</table>", look=look)
        return top

    def _rules(self, lefts: Sequence[float], edges: Sequence[float], look: str, has_head: bool) -> None:
        if look == "ruled":
            for edge in edges:
                self.rule(lefts[0], edge, lefts[-1], edge)
            for left in lefts:
                outer = left in (lefts[0], lefts[-1])
                self.rule(left, edges[0] if outer or not has_head else edges[1], left, edges[-1])
        elif look == "three-line":
            for edge, width in ((edges[0], 1.2), (edges[2 if has_head else 1], 0.6), (edges[-1], 1.2)):
                self.rule(lefts[0], edge, lefts[-1], edge, width)

    def finished(self) -> tuple[bytes, bytes, dict[str, Any]]:
        """The page as a PDF, as a PNG, and its ground truth."""
        self._check()
        for draw in self._below:
            draw()
        for _, together in self._in_files_order():
            for draw in together:
                draw()
        self._surface.finish()
        pdf = self._buffer.getvalue()
        with pymupdf.open("pdf", pdf) as document:
            pixmap = document[0].get_pixmap(dpi=self.dpi)
        return pdf, pixmap.tobytes("png"), self._truth(pixmap.width, pixmap.height)

    def _in_files_order(self) -> list[tuple[str, list[Callable[[], None]]]]:
        draw = self.prose.random
        if self.shuffled:
            return draw.sample(self._drawn, len(self._drawn))
        placed = [group for group in self._drawn if group[0] not in _ASIDE]
        for group in self._drawn:
            if group[0] in _ASIDE:
                placed.insert(draw.randint(0, len(placed)), group)
        return placed

    def _check(self) -> None:
        """No region may leave the page or lie in another: a layout that does so is wrong."""
        width, height = self.size_pt[::-1] if self.vertical else self.size_pt
        boxes = [(region["category_type"], region["box"]) for region in self.regions]
        for number, (category, (x0, y0, x1, y1)) in enumerate(boxes):
            assert -1 < x0 < x1 < width + 1 and -1 < y0 < y1 < height + 1, f"{self.name}: {category} {x0, y0, x1, y1}"
            for other, (left, top, right, bottom) in boxes[:number]:
                inner = (min(x1, right) - max(x0, left), min(y1, bottom) - max(y0, top))
                assert min(inner) < 4, f"{self.name}: {category} {x0, y0, x1, y1} lies in {other} {left, top, right, bottom}"

    def _truth(self, width: int, height: int) -> dict[str, Any]:
        zoom = self.dpi / 72
        detections = []
        for number, region in enumerate(self.regions):
            values = {name: value for name, value in region.items() if name != "box"}
            x0, y0, x1, y1 = (round(value * zoom, 2) for value in region["box"])
            poly = [x0, y0, x1, y0, x1, y1, x0, y1]
            detections.append({"anno_id": number, "ignore": False, "poly": poly, **values})
        attributes = {"data_source": self.kind, "language": self.prose.lang, "layout": self.layout, "special_issue": []}
        info = {"page_attribute": attributes, "page_no": 0, "height": height, "width": width, "image_path": f"{self.name}.png"}
        return {"layout_dets": detections, "extra": {"relation": self.relations}, "page_info": info}


class Flow:
    """Text that runs through columns, from the top of the first to the bottom of the last. What finds no room is left out."""

    def __init__(self, sheet: Sheet, columns: Sequence[Column]):
        self.sheet, self.columns, self.number = sheet, list(columns), 0
        self.y = self.columns[0].top

    @property
    def column(self) -> Column:
        return self.columns[self.number]

    @property
    def is_full(self) -> bool:
        """Whether not three lines more fit."""
        return self.number == len(self.columns) - 1 and self.y > self.column.bottom - 36

    def text(self, category: str, text: str, size: float, **how: Any) -> None:
        """Set a text below what stands there. `how` as in `Sheet.lines`, and: `leading`, of a line over the font's size; `gap`
        below; `together` keeps it from being cut, with so many points more below it; `ordered`; `colour`."""
        leading, gap, together = how.pop("leading", 1.3), how.pop("gap", 0.0), how.pop("together", 0.0)
        ordered, colour, values = how.pop("ordered", True), how.pop("colour", None), how.pop("values", {})
        lines = self.sheet.lines(text, self.column.width, size, **how)
        heights = [max(line.height, leading * size) for line in lines]
        if together and self.y + sum(heights) + together > self.column.bottom and not self._turn():
            self.y = self.column.bottom
            return
        self.sheet.begin(category)
        pieces: list[list[tuple[BrokenLine, Rect]]] = [[]]
        for line, height in zip(lines, heights, strict=True):
            if self.y + height > self.column.bottom + 0.01:
                if not self._turn():
                    break
                pieces.append([])
            x, baseline = self.column.x, self.y + (height - line.height) / 2 + line.ascent
            self.sheet.show(line, x, baseline, colour)
            pieces[-1].append((line, line.at(x, baseline).box))
            self.y += height
        self.y += gap
        at, before = 0, -1
        for piece in (piece for piece in pieces if piece):
            start = at
            for line, _ in piece:
                at = text.index(line.text, at) + len(line.text) if not how.get("markup") else len(text)
            box = piece[0][1]
            for _, other in piece:
                box = union(box, other)
            number = self.sheet.region(category, box, ordered, **(values or {"text": text[start:at].strip()}))
            if before >= 0:
                pair = {"source_anno_id": before, "target_anno_id": number, "relation_type": "truncated"}
                self.sheet.relations.append(pair)
            before = number

    def picture(self, height: float) -> None:
        """A picture as wide as the column, in the next one if there is no room left in this for it and for a caption."""
        if self.y + height + 34 > self.column.bottom:
            assert self._turn(), "no room for a picture"
        self.y = self.sheet.picture(self.column.x, self.y, self.column.width, height) + 4

    def skip(self, height: float) -> None:
        self.y += height

    def _turn(self) -> bool:
        if self.number == len(self.columns) - 1:
            return False
        self.number += 1
        self.y = self.column.top
        return True


def columns(x: float, top: float, width: float, bottom: float, num: int, gap: float, from_right: bool = False) -> list[Column]:
    """Equal columns side by side, in the order in which they are read."""
    each = (width - (num - 1) * gap) / num
    made = [Column(x + n * (each + gap), top, each, bottom) for n in range(num)]
    return made[::-1] if from_right else made


def _shown(markup: str) -> str:
    """What a piece of Pango's markup shows."""
    return html.unescape("".join(part.partition(">")[2] if n else part for n, part in enumerate(markup.split("<"))))
