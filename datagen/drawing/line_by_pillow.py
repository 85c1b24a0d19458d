"""A line of text drawn in a typeface, as pixels: by Pillow, with Raqm, which shapes complex scripts.

Pillow draws a line of known text, which is all that ink is compared with and that training lines need, and takes a font by its
file. It neither breaks lines nor says where a word stands in one, and writes no PDF that holds text: whole pages, with boxes, are
drawn by Pango, on a `datagen.drawing.sheet`. Both take their fonts from `datagen.drawing.typefaces`.
"""

import functools

import numpy
from PIL import Image, ImageDraw, ImageFont, features

from datagen.record import Box

# What decides how a line is drawn, beside the font: Pillow with its shaper.
VERSIONS = {name: str(features.version(name)) for name in ("pil", "freetype2", "raqm", "harfbuzz")}


def line(path: str, size: int, text: str, margin: int) -> tuple[numpy.ndarray, Box]:
    """`text` in the font of a file, of a collection the first one, at `size` pixels an em: (H, W) bytes with ink 255.

    The box is the line's: as high as the font's ascent and descent, as wide as the text advances. Around it are `margin` pixels,
    into which letters may reach.
    """
    font = _font(path, size)
    ascent, descent = font.getmetrics()
    # The exact box of the ink takes a third as long as the drawing; the advance alone, next to nothing.
    box = Box(margin, margin, margin + max(1, round(font.getlength(text))), margin + ascent + descent)
    image = Image.new("L", (box.x1 + margin, box.y1 + margin))
    ImageDraw.Draw(image).text((margin, margin + ascent), text, 255, font, anchor="ls")
    return numpy.asarray(image), box


def width(path: str, size: int, text: str) -> float:
    """How far `text` advances in the font, in pixels."""
    return _font(path, size).getlength(text)


def height(path: str, size: int) -> int:
    """The font's ascent and descent, in pixels."""
    return sum(_font(path, size).getmetrics())


def size_of_height(path: str, height: int) -> int:
    """The size in pixels an em, at least 8, at which the font's ascent and descent are about `height` pixels."""
    ascent, descent = _font(path, 100).getmetrics()
    return max(8, round(100 * height / (ascent + descent)))


@functools.lru_cache(maxsize=512)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)
