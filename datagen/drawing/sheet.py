"""A page as an image: a title, headings, paragraphs and items of lists in several sizes, with the place of each line.

Lines are broken and placed as on the PDF pages of `datagen.drawing.typeset`, and drawn straight to pixels.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import cairocffi
import numpy
import pangocairocffi
from pangocffi import pango

from datagen.drawing.typeset import Slots, Style, broken_lines, laid_out
from datagen.record import Box


@dataclass(frozen=True)
class Block:
    """Text that is set in one size: a title, a heading, a paragraph or an item of a list, by its `label`.

    `gap_pt` is left above it, and `indent_pt` is as `Style` has it. A title stands above all columns. A block with a `space_pt`
    is no text, but room of that height, as wide as the column, for a picture.
    """

    text: str
    label: str
    size_pt: float
    weight: int = 400
    italic: bool = False
    indent_pt: float = 0.0
    gap_pt: float = 0.0
    space_pt: float = 0.0


@dataclass(frozen=True)
class SetLine:
    """A line of a sheet, in logical order; its box is in pixels, and holds the ink and the height of the font."""

    text: str
    box: Box
    direction: str


@dataclass
class SetBlock:
    """The lines of a block that stand in one column, or the room that it has, in pixels. What `continues` goes on in the next
    column."""

    block: Block
    lines: list[SetLine] = field(default_factory=list)
    continues: bool = False
    room: Box | None = None


@dataclass(frozen=True)
class Sheet:
    """`gray` is (H, W) bytes, dark on white."""

    gray: numpy.ndarray
    blocks: tuple[SetBlock, ...]

    @property
    def num_lines(self) -> int:
        return sum(len(block.lines) for block in self.blocks)


def draw(blocks: Iterable[Block], lang: str, style: Style, long_side: int, rtl: bool, ink: float = 1.0) -> Sheet:
    """A page of `style` with as many of the blocks as it has room for, at `long_side` pixels. `ink` is how dark they are.

    Blocks are asked for one by one, until the page is full; what is left of the last one is left out, and so is each picture for
    which there is no room. With `rtl`, all lines begin
    on the right, and columns fill from there. Raises `ValueError` if no installed font has one of the characters.
    """
    zoom = long_side / max(style.width_pt, style.height_pt)
    width, height = math.ceil(round(style.width_pt * zoom, 3)), math.ceil(round(style.height_pt * zoom, 3))
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width, height)
    context = cairocffi.Context(surface)
    context.scale(zoom, zoom)
    above = replace(style, columns=1)
    slots, is_above, column = Slots(above, rtl), True, -1.0
    made: list[SetBlock] = []
    for block in blocks:
        if is_above and block.label != "title":
            slots, is_above = Slots(style, rtl, slots.y), False
        slots.y += block.gap_pt if slots.y > slots.top else 0
        if block.space_pt:
            before = slots.column, slots.page, slots.y
            x, y, page = slots.take(block.space_pt)
            if page or slots.y > style.height_pt - style.margin_pt:  # text still has room, perhaps
                slots.column, slots.page, slots.y = before
                continue
            room = (x, y, x + (above if is_above else style).column_width_pt, y + block.space_pt)
            made.append(SetBlock(block, room=_pixels(room, zoom, width, height)))
            continue
        for line, x, y, page in _placed(context, block, lang, above if is_above else style, slots, rtl):
            if page:
                return _finished(surface, made, ink)
            if not made or made[-1].block is not block or x != column:
                if made and made[-1].block is block:
                    made[-1].continues = True
                made.append(SetBlock(block))
                column = x
            context.move_to(x + line.left, y)
            pangocairocffi.pangocairo.pango_cairo_show_layout_line(context._pointer, line.pointer)
            at = line.at(x, y)
            made[-1].lines.append(SetLine(at.text, _pixels(at.box, zoom, width, height), at.direction))
    return _finished(surface, made, ink)


def _placed(context: Any, block: Block, lang: str, style: Style, slots: Slots, rtl: bool) -> Any:
    """Each line of a block with the left edge of its column, its baseline, and the number of its page."""
    is_justified = style.justify and block.label == "text"
    of_block = replace(style, size_pt=block.size_pt, weight=block.weight, italic=block.italic, justify=is_justified)
    of_block = replace(of_block, indent_pt=block.indent_pt)
    layout = laid_out(context, block.text, style.family, lang, of_block)
    of_layout = pango.pango_layout_get_context(layout.pointer)
    pango.pango_context_set_base_dir(of_layout, pango.PANGO_DIRECTION_RTL if rtl else pango.PANGO_DIRECTION_LTR)
    pango.pango_layout_set_auto_dir(layout.pointer, False)
    pango.pango_layout_set_alignment(layout.pointer, pango.PANGO_ALIGN_RIGHT if rtl else pango.PANGO_ALIGN_LEFT)
    for line in broken_lines(layout, block.text.encode()):
        height = max(line.height, style.line_spacing * block.size_pt)
        x, y, page = slots.take(height)
        yield line, x, y + (height - line.height) / 2 + line.ascent, page


def _pixels(rect: tuple[float, float, float, float], zoom: float, width: int, height: int) -> Box:
    x0, y0, x1, y1 = (edge * zoom for edge in rect)
    left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
    return Box(left, top, max(left + 1, min(width, math.ceil(x1))), max(top + 1, min(height, math.ceil(y1))))


def _finished(surface: cairocffi.ImageSurface, blocks: list[SetBlock], ink: float) -> Sheet:
    surface.flush()
    height, stride = surface.get_height(), surface.get_stride()
    inked = numpy.frombuffer(surface.get_data(), numpy.uint8).reshape(height, stride)[:, : surface.get_width()]
    return Sheet((255 - inked * ink).astype(numpy.uint8), tuple(blocks))
