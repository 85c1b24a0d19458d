"""A line of text in a typeface, as pixels, by Pango: it orders right-to-left text, shapes every script, and takes what a typeface
lacks, such as Latin names, from another one."""

import math
import re
from typing import Any

import cairocffi
import numpy
import pangocairocffi
from pangocffi import ffi, pango

from datagen.drawing.families import PANGO_UNIT, description_with_others, new_layout
from datagen.record import Box
from datagen.writing import scripts

_RTL = re.compile(f"[{scripts.RIGHT_TO_LEFT}]")
_ABOVE, _BELOW = 0.7, 0.2  # of the size: how far a line of text reaches at least above and below its baseline
PLAIN = _ABOVE + _BELOW


def line(
    text: str, family: str, lang: str, size: float, margin: int, weight: int = 400, italic: bool = False, of_column: bool = False
) -> tuple[numpy.ndarray, Box]:
    """`text` in a family, at `size` pixels an em: (H, W) gray bytes, dark on white, with `margin` pixels around the line's box.

    The box is around the ink, and at least from a little under the baseline to the height of a capital. Chinese and Japanese
    characters have the forms that they have in a column with `of_column`: commas lie on the right above. Raises `ValueError` if
    no installed font has one of the characters.
    """
    layout, kept = _layout(text, family, lang, size, weight, italic, of_column)
    if pango.pango_layout_get_unknown_glyphs_count(layout):
        raise ValueError(f"no installed font has all characters of {text!r}")
    ink, logical = ffi.new("PangoRectangle *"), ffi.new("PangoRectangle *")
    pango.pango_layout_get_extents(layout, ink, logical)
    baseline = pango.pango_layout_get_baseline(layout) / PANGO_UNIT
    left, right = min(ink.x, logical.x) / PANGO_UNIT, max(ink.x + ink.width, logical.x + logical.width) / PANGO_UNIT
    top = min(ink.y / PANGO_UNIT, baseline - _ABOVE * size)
    bottom = max((ink.y + ink.height) / PANGO_UNIT, baseline + _BELOW * size)
    width, height = max(1, math.ceil(right - left)), max(1, math.ceil(bottom - top))
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width + 2 * margin, height + 2 * margin)
    context = cairocffi.Context(surface)
    context.move_to(margin - left, margin - top)
    pangocairocffi.pangocairo.pango_cairo_show_layout(context._pointer, layout)
    surface.flush()
    del kept
    stride = surface.get_stride()
    inked = numpy.frombuffer(surface.get_data(), numpy.uint8).reshape(height + 2 * margin, stride)[:, : width + 2 * margin]
    return 255 - inked, Box(margin, margin, margin + width, margin + height)


def draws(text: str, family: str, lang: str) -> bool:
    """Whether the line can be drawn in the family with what others lend it. A font may have all characters of a text and not the
    dotted circle that stands for a letter under a mark where no letter belongs."""
    layout, kept = _layout(text, family, lang, 30, 400, False)
    count = pango.pango_layout_get_unknown_glyphs_count(layout)
    del kept
    return bool(count == 0)


def width(text: str, family: str, lang: str, size: float) -> float:
    """How wide the line is, in pixels."""
    layout, _ = _layout(text, family, lang, size, 400, False)
    logical = ffi.new("PangoRectangle *")
    pango.pango_layout_get_extents(layout, ffi.NULL, logical)
    return logical.width / PANGO_UNIT


def _layout(
    text: str, family: str, lang: str, size: float, weight: int, italic: bool, of_column: bool = False
) -> tuple[Any, Any]:
    """A layout, and what must live as long as it does."""
    layout, context = new_layout(lang)
    pango.pango_context_set_round_glyph_positions(context, False)
    # A line of a right-to-left text begins on the right, whatever its first letter is.
    rtl = _RTL.search(text) is not None
    pango.pango_context_set_base_dir(context, pango.PANGO_DIRECTION_RTL if rtl else pango.PANGO_DIRECTION_LTR)
    pango.pango_layout_set_font_description(layout, description_with_others(family, size, weight, italic))
    pango.pango_layout_set_auto_dir(layout, False)
    pango.pango_layout_set_single_paragraph_mode(layout, True)
    pango.pango_layout_set_text(layout, text.encode(), -1)
    if of_column:
        attributes = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
        pango.pango_attr_list_insert(attributes, pango.pango_attr_font_features_new(b"vert=1"))
        pango.pango_layout_set_attributes(layout, attributes)
    return layout, context
