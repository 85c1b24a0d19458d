"""Other typefaces for known text: a line of the training pool set anew in a font of this machine.

What a reader has seen in few typefaces it reads in those alone; documents of one language rarely bring many.
"""

import functools
import hashlib
import re
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageFont

from datagen.engines.typefaces import draws, font_files
from datagen.record import Box

# Text faces with all their letters in one file; Noto's others hold one script each.
_NAMES = re.compile(
    r"(DejaVu(Sans|Serif)|Free(Sans|Serif|Mono)|Liberation\w+-|Noto(Sans|Serif)(Display|Mono|CJK)?-).*\.(ttf|otf|ttc)"
)
_MARGIN = 0.3


@functools.cache
def typefaces() -> tuple[str, ...]:
    """Paths of the text faces of this machine, by name. May be none."""
    return tuple(path for name, path in font_files().items() if _NAMES.fullmatch(name))


@functools.cache
def sha256() -> str:
    """A digest of their files: what readers trained with them depend on."""
    h = hashlib.sha256()
    for path in typefaces():
        h.update(Path(path).read_bytes())
    return h.hexdigest()


def typeset(text: str, random: numpy.random.Generator, heights: tuple[int, int] = (28, 48)) -> tuple[numpy.ndarray, Box] | None:
    """`text` in a face that has all of it, as (H, W) gray bytes with a margin, and the line's box, `heights` pixels high; None if
    there is no such face."""
    able = [path for path in typefaces() if draws(path, text)]
    if not able:
        return None
    path = able[int(random.integers(len(able)))]
    height = int(random.integers(heights[0], heights[1] + 1))
    font = _font(path, height)
    ascent, descent = font.getmetrics()
    pad = round(_MARGIN * (ascent + descent))
    width = max(1, round(font.getlength(text)))
    image = Image.new("L", (width + 2 * pad, ascent + descent + 2 * pad), 255)
    ImageDraw.Draw(image).text((pad, pad), text, 0, font)
    return numpy.asarray(image), Box(pad, pad, pad + width, pad + ascent + descent)


@functools.lru_cache(maxsize=512)
def _font(path: str, height: int) -> ImageFont.FreeTypeFont:
    """The face at the size at which its ascent and descent are about `height` pixels."""
    ascent, descent = ImageFont.truetype(path, 100).getmetrics()
    return ImageFont.truetype(path, max(8, round(100 * height / (ascent + descent))))
