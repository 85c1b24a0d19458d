"""Captions of figures in many scripts, as Pillow draws them below an image."""

import math
import random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from datagen.drawing import typefaces

Patterns = tuple[tuple[str, str], ...]
_FACES = 4  # of a script
COLOUR = tuple[int, int, int]


class Caption(NamedTuple):
    """A text and the path of the typeface that draws it."""

    text: str
    face: str


def drawn(patterns: Patterns, source: random.Random) -> Caption | None:
    """One of the patterns, which are pairs of a script and a text with {} for a number; None where the machine has no typeface
    for the one that chance takes."""
    script, pattern = source.choice(patterns)
    text = pattern.format(source.randint(1, 40))
    paths = [path for path in typefaces.reference_faces(script)[:_FACES] if typefaces.draws(path, text)]
    return Caption(text, source.choice(paths)) if paths else None


def faces(patterns: Patterns) -> set[str]:
    """Paths of all typefaces that `drawn` chooses from."""
    return {path for script, _ in patterns for path in typefaces.reference_faces(script)[:_FACES]}


def below(image: Image.Image, caption: Caption, size: int, ink: COLOUR) -> Image.Image:
    """The image with the caption below it, `size` pixels an em, on the colour of its corner."""
    font = ImageFont.truetype(caption.face, size, layout_engine=ImageFont.Layout.RAQM)
    width = math.ceil(font.getlength(caption.text)) + size
    whole = Image.new(image.mode, (max(image.width, width), image.height + 2 * size), image.getpixel((0, 0)))
    whole.paste(image, ((whole.width - image.width) // 2, 0))
    colour = ink if image.mode == "RGB" else round(sum(ink) / 3)
    ImageDraw.Draw(whole).text((whole.width / 2, image.height + size), caption.text, colour, font, anchor="mm")
    return whole
