"""Text as typeset PDF pages and images, with the place of each line: what tests compare a text layer and readings with."""

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cairocffi
import pangocairocffi
import pymupdf

from datagen.drawing.families import ranked
from datagen.drawing.typefaces import installed, what_to_install
from datagen.drawing.typeset import CREATED, Style, TypesetLine, broken_lines, laid_out
from datagen.record import Box, Line
from tests.inputs.udhr import UDHR


@dataclass(frozen=True)
class TypesetPage:
    """The lines of `paragraphs`, in reading order. A paragraph that is broken over two pages has lines on both."""

    size_pt: tuple[float, float]
    paragraphs: tuple[tuple[TypesetLine, ...], ...]

    @property
    def lines(self) -> tuple[TypesetLine, ...]:
        return tuple(line for paragraph in self.paragraphs for line in paragraph)

    @property
    def text(self) -> str:
        return "\n\n".join("\n".join(line.text for line in paragraph) for paragraph in self.paragraphs)


@dataclass(frozen=True)
class Typeset:
    pdf: bytes
    pages: tuple[TypesetPage, ...]


def family(text: str, lang: str = "und") -> str:
    """The first typeface for the text. Raises `ValueError`, with what to install, if there is none."""
    name = next(ranked(text, lang), None)
    if name is None:
        raise ValueError(what_to_install(text, lang))
    return name


_STYLE = Style()


def typeset(paragraphs: Sequence[str], lang: str = "und", style: Style = _STYLE, max_pages: int = 0) -> Typeset:
    """The paragraphs on as many pages as they fill, but at most `max_pages` (0: all). The text beyond these is left out.

    A newline in a paragraph breaks the line. Each paragraph has its own base direction. Columns fill from the right if the first
    line is right to left. `lang` (BCP-47) chooses forms of letters and rules of line breaking. Raises `ValueError` if no font has
    the text's letters, or if the style leaves no room for them.
    """
    if style.columns < 1 or style.column_width_pt < style.size_pt or style.height_pt - 2 * style.margin_pt < 2 * style.size_pt:
        raise ValueError(f"no room for text of size_pt={style.size_pt:g} in {style}")
    paragraphs = [unicodedata.normalize("NFC", paragraph) for paragraph in paragraphs if paragraph.strip()]
    name = style.family or family("\n".join(paragraphs), lang)
    if name not in installed():
        raise ValueError(f"family={name!r}: not installed")
    buffer = io.BytesIO()
    surface = cairocffi.PDFSurface(buffer, style.width_pt, style.height_pt)
    surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, CREATED)
    context = cairocffi.Context(surface)
    context.set_source_rgb(*style.colour)
    pages: list[list[list[TypesetLine]]] = [[]]
    slots: Slots | None = None
    for paragraph in paragraphs:
        layout = laid_out(context, paragraph, name, lang, style)
        pages[-1].append([])
        for line in broken_lines(layout, paragraph.encode()):
            slots = slots or Slots(style, line.direction == "rtl")
            height = max(line.height, style.line_spacing * style.size_pt)
            x, y, page = slots.take(height)
            if page == len(pages):
                if page == max_pages:
                    return _finished(surface, buffer, style, pages)
                context.show_page()
                pages.append([[]])
            baseline = y + (height - line.height) / 2 + line.ascent
            context.move_to(x + line.left, baseline)
            pangocairocffi.pangocairo.pango_cairo_show_layout_line(context._pointer, line.pointer)
            pages[-1][-1].append(line.at(x, baseline))
        if slots:
            slots.y += style.paragraph_gap_pt
    return _finished(surface, buffer, style, pages)


def _finished(surface: cairocffi.PDFSurface, buffer: io.BytesIO, style: Style, pages: list[list[list[TypesetLine]]]) -> Typeset:
    surface.finish()
    size = (style.width_pt, style.height_pt)
    read = [TypesetPage(size, tuple(tuple(paragraph) for paragraph in page if paragraph)) for page in pages]
    return Typeset(buffer.getvalue(), tuple(read))


class Slots:
    """Gives lines their places. Columns are filled from top to bottom, and pages column by column."""

    def __init__(self, style: Style, from_right: bool) -> None:
        self.style, self.from_right, self.top = style, from_right, style.margin_pt
        self.column, self.page, self.y = 0, 0, self.top

    def take(self, height: float) -> tuple[float, float, int]:
        """The left edge and top of a line of this height, and its page."""
        style = self.style
        if self.y + height > style.height_pt - style.margin_pt and self.y > self.top:
            self.column, self.y = self.column + 1, self.top
            if self.column == style.columns:
                self.column, self.page = 0, self.page + 1
        place = style.columns - 1 - self.column if self.from_right else self.column
        top, self.y = self.y, self.y + height
        return style.margin_pt + place * (style.column_width_pt + style.column_gap_pt), top, self.page


@cache
def drawn_page(script: str, num_paragraphs: int, family: str) -> tuple[bytes, tuple[int, int], tuple[Line, ...]]:
    """The image of a page of the declaration, its size, and its lines."""
    lang, text = UDHR[script]
    words = text.split()
    paragraphs = [" ".join(words[i:] + words[:i]) for i in range(num_paragraphs)]
    return pictured(typeset(paragraphs, lang, Style(family=family, size_pt=12), max_pages=1))


def pictured(made: Typeset) -> tuple[bytes, tuple[int, int], tuple[Line, ...]]:
    """The image of a typeset document's first page, its size, and its lines."""
    zoom = 1920 / 842
    with pymupdf.open(stream=made.pdf) as doc:
        pixmap = doc[0].get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
        image = pixmap.pil_tobytes("JPEG", quality=90)
    lines = []
    for line in made.pages[0].lines:
        box = Box(*(round(v * zoom) for v in line.box))
        lines.append(Line(Box(max(0, box.x0), max(0, box.y0), *box[2:]), line.text, "face", line.direction))
    return image, (pixmap.width, pixmap.height), tuple(lines)
