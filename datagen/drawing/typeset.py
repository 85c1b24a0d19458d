"""Lines of text set by Pango and Cairo, with the place of each line.

The places and texts come from the input and from Pango's layout. They never come from the text layer of the PDF, since that is
what they are to test. Pango is needed because it breaks lines, and orders right-to-left text;
lines of training come from `datagen.drawing.line_by_pillow`, which can do none of this. Needs libpangocairo. The same input,
fonts and library versions give the same bytes.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import cairocffi
import pangocairocffi
from pangocffi import Layout, ffi, pango

from datagen.drawing.families import PANGO_UNIT, description_with_others
from datagen.drawing.typefaces import installed, missing

Rect = tuple[float, float, float, float]  # x0, y0, x1, y1 in points, origin top left, x1/y1 exclusive

SOFT_HYPHEN = "\u00ad"
CREATED = "2000-01-01T00:00:00Z"  # Cairo would write the time of day
_BREAK_INSERTS_HYPHEN = 1 << 13  # in PangoLogAttr's bit field, which pangocffi leaves opaque


@dataclass(frozen=True)
class TypesetLine:
    """A line as the input has it, in logical order, without the space that it is broken at.

    `box` holds the logical extents and the ink. Soft hyphens draw nothing and are left out. If the line is broken at one, it is
    drawn, and stands as `-` at the end.
    """

    text: str
    box: Rect
    direction: str = "ltr"


@dataclass(frozen=True)
class Style:
    """How a document looks.

    An empty `family` is chosen by the text. Characters that a named one lacks come from other fonts. `line_spacing` is the
    distance of baselines in font sizes; lines of fonts that are higher get more. `indent_pt` is the first line's in each
    paragraph; below 0 it is the other lines'. `colour` is RGB, 0 to 1.
    """

    width_pt: float = 595
    height_pt: float = 842
    margin_pt: float = 56
    family: str = ""
    size_pt: float = 11
    line_spacing: float = 1.3
    paragraph_gap_pt: float = 6
    columns: int = 1
    column_gap_pt: float = 24
    justify: bool = False
    indent_pt: float = 0
    weight: int = 400
    italic: bool = False
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def column_width_pt(self) -> float:
        return (self.width_pt - 2 * self.margin_pt - (self.columns - 1) * self.column_gap_pt) / self.columns


def laid_out(context: cairocffi.Context, text: str, name: str, lang: str, style: Style) -> Layout:
    """A layout of one paragraph. Raises `ValueError` if no font has some of its characters."""
    layout = pangocairocffi.create_layout(context)
    pointer = layout.pointer
    # "und" too: without a language Pango takes the environment's, and the bytes with it.
    pango.pango_context_set_language(pango.pango_layout_get_context(pointer), pango.pango_language_from_string(lang.encode()))
    pango.pango_context_set_round_glyph_positions(pango.pango_layout_get_context(pointer), False)
    pango.pango_layout_set_font_description(pointer, description_with_others(name, style.size_pt, style.weight, style.italic))
    pango.pango_layout_set_wrap(pointer, pango.PANGO_WRAP_WORD_CHAR)
    pango.pango_layout_set_justify(pointer, style.justify)
    pango.pango_layout_set_width(pointer, int(style.column_width_pt * PANGO_UNIT))
    pango.pango_layout_set_indent(pointer, int(style.indent_pt * PANGO_UNIT))
    layout.text = text
    if SOFT_HYPHEN not in text:
        # Else Pango puts hyphens where it cuts words that are wider than the column, even in scripts without hyphens.
        attributes = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
        pango.pango_attr_list_insert(attributes, pango.pango_attr_insert_hyphens_new(False))
        pango.pango_layout_set_attributes(pointer, attributes)
    if pango.pango_layout_get_unknown_glyphs_count(pointer):
        lacking = frozenset.intersection(*(missing(name, frozenset(text)) for name in installed()))
        lacking |= {char for char in text if unicodedata.category(char) == "Cc"} - set("\t\n")
        raise ValueError(f"no installed font has {''.join(sorted(lacking))!r}")
    return layout


class BrokenLine(NamedTuple):
    """A line that Pango has broken. x is from the column's left edge, y from the baseline, in points."""

    pointer: Any
    text: str
    logical: Rect
    ink: Rect
    direction: str
    end: int  # in the text, in characters

    @property
    def left(self) -> float:
        return self.logical[0]

    @property
    def ascent(self) -> float:
        return -self.logical[1]

    @property
    def height(self) -> float:
        return self.logical[3] - self.logical[1]

    def at(self, x: float, baseline: float) -> TypesetLine:
        box = union(self.logical, self.ink) if self.ink[0] < self.ink[2] else self.logical
        return TypesetLine(self.text, (x + box[0], baseline + box[1], x + box[2], baseline + box[3]), self.direction)


def broken_lines(layout: Layout, text: bytes) -> Iterator[BrokenLine]:
    """The layout's lines from top to bottom. They are freed with the layout."""
    pointer = layout.pointer
    number = ffi.new("int *")
    attributes = ffi.cast("uint32_t *", pango.pango_layout_get_log_attrs_readonly(pointer, number))
    iterator = ffi.gc(pango.pango_layout_get_iter(pointer), pango.pango_layout_iter_free)
    ink, logical = ffi.new("PangoRectangle *"), ffi.new("PangoRectangle *")
    char = byte = 0
    while True:
        line = pango.pango_layout_iter_get_line_readonly(iterator)
        start = pango.pango_layout_line_get_start_index(line)
        end = start + pango.pango_layout_line_get_length(line)
        char, byte = char + len(text[byte:end].decode()), end
        last = pango.pango_layout_iter_at_last_line(iterator)
        hyphen = "-" if not last and attributes[char] & _BREAK_INSERTS_HYPHEN else ""
        pango.pango_layout_iter_get_line_extents(iterator, ink, logical)
        baseline = pango.pango_layout_iter_get_baseline(iterator)
        yield BrokenLine(
            line,
            text[start:end].decode().replace(SOFT_HYPHEN, "").strip() + hyphen,
            _rect(logical, baseline),
            _rect(ink, baseline),
            "rtl" if pango.pango_layout_line_get_resolved_direction(line) == pango.PANGO_DIRECTION_RTL else "ltr",
            char,
        )
        if not pango.pango_layout_iter_next_line(iterator):
            return


def _rect(rectangle: Any, baseline: int) -> Rect:
    x, y = rectangle.x, rectangle.y - baseline
    return x / PANGO_UNIT, y / PANGO_UNIT, (x + rectangle.width) / PANGO_UNIT, (y + rectangle.height) / PANGO_UNIT


def union(a: Rect, b: Rect) -> Rect:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
