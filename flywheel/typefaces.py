"""Other typefaces for known text: a line of the training pool set anew in a font of this machine.

What a reader has seen in few typefaces it reads in those alone; documents of one language rarely bring many.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image, ImageDraw, ImageFont

from datagen.record import Box

_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
# Text faces with all their letters in one file; Noto's others hold one script each.
_NAMES = re.compile(
    r"(DejaVu(Sans|Serif)|Free(Sans|Serif|Mono)|Liberation\w+-|Noto(Sans|Serif)(Display|Mono|CJK)?-).*\.(ttf|otf|ttc)"
)
_MARGIN = 0.3


@dataclass(frozen=True)
class Typeface:
    """A font file and the characters that it draws."""

    path: str
    characters: frozenset[int]

    def has(self, text: str) -> bool:
        return all(ord(c) in self.characters for c in text)


@functools.cache
def typefaces() -> tuple[Typeface, ...]:
    """The text faces of this machine, by name. May be none."""
    found = {path.name: path for folder in _FOLDERS for path in sorted(folder.rglob("*")) if _NAMES.fullmatch(path.name)}
    return tuple(Typeface(str(path), _characters(path)) for _, path in sorted(found.items()))


@functools.cache
def sha256() -> str:
    """A digest of their files: what readers trained with them depend on."""
    h = hashlib.sha256()
    for face in typefaces():
        h.update(Path(face.path).read_bytes())
    return h.hexdigest()


def typeset(text: str, random: numpy.random.Generator, heights: tuple[int, int] = (28, 48)) -> tuple[numpy.ndarray, Box] | None:
    """`text` in a face that has all of it, as (H, W) gray bytes with a margin, and the line's box, `heights` pixels high; None if
    there is no such face."""
    able = [face for face in typefaces() if face.has(text)]
    if not able:
        return None
    face = able[int(random.integers(len(able)))]
    height = int(random.integers(heights[0], heights[1] + 1))
    font = _font(face.path, height)
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


def _characters(path: Path) -> frozenset[int]:
    if path.suffix == ".ttc":
        with TTCollection(path, lazy=True) as collection:
            return frozenset(collection.fonts[0].getBestCmap())
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())
