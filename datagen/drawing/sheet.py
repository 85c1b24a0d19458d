"""A typeset page in the making: what is drawn on it, and what stands where.

Regions are set in reading order. The page is drawn once it is whole: as a PDF, or straight to pixels, in the same places. Boxes
hold the extents of the lines that Pango set, never what a text layer says. A paragraph that goes on in the next column is two
regions, of which the first `continues`.
"""

import functools
import html
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

import cairocffi
import numpy
import pangocairocffi
from pangocffi import Layout, pango

from datagen.drawing.families import ranked
from datagen.drawing.prose import Text
from datagen.drawing.typeset import CREATED, SOFT_HYPHEN, BrokenLine, Rect, Style, TypesetLine, broken_lines, laid_out, union
from datagen.record import Box, Line, Region


class Column(NamedTuple):
    """Where text may stand, in points."""

    x: float
    top: float
    width: float
    bottom: float


@dataclass
class SetRegion:
    """What stands in `box`, in points. `values` are what else is known of it: a table's `html`, a formula's `latex`."""

    label: str
    box: Rect
    text: str = ""
    lines: tuple[TypesetLine, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    continues: bool = False


@dataclass
class Sheet:
    """A page of `size_pt`, in the typeface `family`, or in a serif or sans one that has the letters. With `rtl`, all lines begin
    on the right.

    On a `vertical` page everything is set as on one that is turned by a quarter: x runs down, and y to the left. Then `size_pt`
    is the turned page's, which is as wide as the page is high."""

    prose: Text
    size_pt: tuple[float, float] = (595, 842)
    family: str = ""
    serif: bool = True
    rtl: bool = False
    vertical: bool = False
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)
    regions: list[SetRegion] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paper_pt = self.size_pt[::-1] if self.vertical else self.size_pt
        self.context = self._turned(cairocffi.Context(cairocffi.PDFSurface(None, *self.paper_pt)))  # lines are measured in it
        self._below: list[Callable[[Any], None]] = []
        self._drawn: list[Callable[[Any], None]] = []
        self._layouts: list[Layout] = []  # they own the lines that are yet to be drawn
        if not self.family:
            names = _first_three(self.prose.paragraph(400), self.prose.lang, "Serif" if self.serif else "Sans")
            self.family = names[self.prose.random.randrange(len(names))]

    @property
    def num_lines(self) -> int:
        return sum(len(region.lines) for region in self.regions)

    def lines(self, text: str, width: float, size: float, **how: Any) -> list[BrokenLine]:
        """The lines of a text in a width. `how`: weight, italic, justify, indent_pt as `Style` has them; `align`: left, center or
        right; `family`; `markup`: Pango's, in the text's place."""
        align, markup, family = how.pop("align", ""), how.pop("markup", ""), how.pop("family", self.family)
        style = Style(width_pt=width, margin_pt=0, size_pt=size, **how)
        layout = laid_out(self.context, text, family, self.prose.lang, style)
        if markup:
            pango.pango_layout_set_markup(layout.pointer, markup.encode(), -1)
        if self.rtl:  # of lines that begin with Latin letters, too
            of_layout = pango.pango_layout_get_context(layout.pointer)
            pango.pango_context_set_base_dir(of_layout, pango.PANGO_DIRECTION_RTL)
            pango.pango_layout_set_auto_dir(layout.pointer, False)
        if align or self.rtl:
            align = align or "right"
            pango.pango_layout_set_alignment(layout.pointer, getattr(pango, f"PANGO_ALIGN_{align.upper()}"))
        if self.vertical:
            upright = pango.pango_layout_get_context(layout.pointer)
            pango.pango_context_set_base_gravity(upright, pango.PANGO_GRAVITY_EAST)
            pango.pango_context_set_gravity_hint(upright, pango.PANGO_GRAVITY_HINT_STRONG)
            pango.pango_layout_context_changed(layout.pointer)
        self._layouts.append(layout)
        return list(broken_lines(layout, (text if not markup else _shown(markup)).encode()))

    def region(self, label: str, box: Rect, **values: Any) -> SetRegion:
        """A region of the page. `values` are fields of it, or else go into its `values`."""
        text, lines = values.pop("text", ""), values.pop("lines", ())
        if self.vertical:
            box = self._upright(box)
            lines = tuple(replace(line, box=self._upright(line.box), direction="ttb") for line in lines)
        self.regions.append(SetRegion(label, box, text, lines, values))
        return self.regions[-1]

    def text(self, label: str, text: str, x: float, y: float, width: float, size: float, **how: Any) -> float:
        """A text in one place; the height below it."""
        flow = Flow(self, [Column(x, y, width, self.size_pt[1])])
        flow.text(label, text, size, **how)
        return flow.y

    def show(self, line: BrokenLine, x: float, baseline: float) -> None:
        def draw(context: Any) -> None:
            context.set_source_rgb(*self.colour)
            context.move_to(x + line.left, baseline)
            pangocairocffi.pangocairo.pango_cairo_show_layout_line(context._pointer, line.pointer)

        self._drawn.append(draw)

    def fill(self, box: Rect, colour: tuple[float, float, float], edges: float = 0.0) -> None:
        """A coloured rectangle below everything; with `edges`, nothing but its edges, so wide."""

        def draw(context: Any) -> None:
            context.set_source_rgb(*colour)
            context.set_line_width(edges)
            context.rectangle(box[0], box[1], box[2] - box[0], box[3] - box[1])
            context.stroke() if edges else context.fill()

        self._below.append(draw)

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.7) -> None:
        def draw(context: Any) -> None:
            context.set_source_rgb(*self.colour)
            context.set_line_width(width)
            context.move_to(x0, y0)
            context.line_to(x1, y1)
            context.stroke()

        self._below.append(draw)

    def pdf(self) -> bytes:
        """The page as a PDF."""
        buffer = io.BytesIO()
        surface = cairocffi.PDFSurface(buffer, *self.paper_pt)
        surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, CREATED)
        self._draw(cairocffi.Context(surface))
        surface.finish()
        return buffer.getvalue()

    def pixels(self, zoom: float) -> numpy.ndarray:
        """The page as (H, W, 3) RGB bytes, `zoom` pixels a point."""
        width, height = (math.ceil(round(side * zoom, 3)) for side in self.paper_pt)
        surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
        context = cairocffi.Context(surface)
        context.set_source_rgb(1, 1, 1)
        context.paint()
        context.scale(zoom, zoom)
        self._draw(context)
        surface.flush()
        rows = numpy.frombuffer(surface.get_data(), numpy.uint8).reshape(height, surface.get_stride())
        return rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].copy()

    def in_pixels(self, zoom: float, by: str) -> list[Region]:
        """The regions as records have them, with their lines, on a page of `zoom` pixels a point."""
        size = [math.ceil(round(side * zoom, 3)) for side in self.paper_pt]

        def box(rect: Rect) -> Box:
            x0, y0 = (max(0, math.floor(edge * zoom)) for edge in rect[:2])
            x1, y1 = (min(most, math.ceil(edge * zoom)) for edge, most in zip(rect[2:], size, strict=True))
            return Box(x0, y0, max(x0 + 1, x1), max(y0 + 1, y1))

        made = []
        for region in self.regions:
            lines = tuple(Line(box(line.box), line.text, self.family, line.direction) for line in region.lines)
            made.append(Region(box(region.box), region.label, region.text, None, by, lines=lines, continues=region.continues))
        return made

    def _draw(self, context: Any) -> None:
        self._turned(context)
        for draw in (*self._below, *self._drawn):
            draw(context)

    def _upright(self, box: Rect) -> Rect:
        return self.size_pt[1] - box[3], box[0], self.size_pt[1] - box[1], box[2]

    def _turned(self, context: Any) -> Any:
        if self.vertical:
            context.translate(self.paper_pt[0], 0)
            context.rotate(math.pi / 2)
        return context


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

    def text(self, label: str, text: str, size: float, **how: Any) -> None:
        """Set a text below what stands there. `how` as in `Sheet.lines`, and: `leading`, of a line over the font's size; `gap`
        below; `together` keeps it from being cut, with so many points more below it; `values` of its regions."""
        leading, gap, together = how.pop("leading", 1.3), how.pop("gap", 0.0), how.pop("together", 0.0)
        values = how.pop("values", {})
        lines = self.sheet.lines(text, self.column.width, size, **how)
        heights = [max(line.height, leading * size) for line in lines]
        if together and self.y + sum(heights) + together > self.column.bottom and not self._turn():
            self.y = self.column.bottom
            return
        pieces: list[list[tuple[BrokenLine, TypesetLine]]] = [[]]
        for line, height in zip(lines, heights, strict=True):
            if self.y + height > self.column.bottom + 0.01:
                if not self._turn():
                    break
                pieces.append([])
            x, baseline = self.column.x, self.y + (height - line.height) / 2 + line.ascent
            self.sheet.show(line, x, baseline)
            pieces[-1].append((line, line.at(x, baseline)))
            self.y += height
        self.y += gap
        at, before = 0, cast(SetRegion | None, None)
        for piece in filter(None, pieces):
            start, at = at, piece[-1][0].end if not how.get("markup") else len(text)
            of_piece = values or {"text": text[start:at].replace(SOFT_HYPHEN, "").strip()}
            box = functools.reduce(union, (line.box for _, line in piece))
            region = self.sheet.region(label, box, lines=tuple(line for _, line in piece), **of_piece)
            if before:
                before.continues = True
            before = region

    def room(self, height: float) -> Rect | None:
        """Room of this height, as wide as the column; None if no column has it."""
        if self.y + height > self.column.bottom and not self._turn():
            return None
        top, self.y = self.y, self.y + height
        return self.column.x, top, self.column.x + self.column.width, self.y

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


def _first_three(text: str, lang: str, kind: str) -> list[str]:
    """Typefaces for the text, of those whose names have `kind`, or of all if none has it. May be none."""
    others: list[str] = []
    fitting: list[str] = []
    for name in ranked(text, lang):
        if "Mono" in name or "Display" in name:
            continue
        (fitting if kind in name else others).append(name)
        if len(fitting) == 3:
            break
    return (fitting or others)[:3]
