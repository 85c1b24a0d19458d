"""A toy maker: a word on a coloured sign. It shows how a synthetic source is built; it teaches a model little."""

import importlib.metadata
import io
import math
import random
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image, ImageDraw, ImageFont

from datagen.record import Box, Line, Region
from datagen.work.draws import Drawing

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True)
class Signs:
    """Signs of one word of up to `max_letters` letters, set in the face that Pillow carries, so that they look the same
    anywhere."""

    version: ClassVar[int] = 1
    name: ClassVar[str] = "signs"
    task: ClassVar[str] = "scene"

    max_letters: int = 8

    def draw(self, random: random.Random) -> Drawing:
        word = "".join(random.choices(_LETTERS, k=random.randint(1, self.max_letters)))
        font = ImageFont.load_default(random.randint(16, 48))
        ink, paper = ((random.randint(0, 90),) * 3, tuple(random.randint(160, 255) for _ in range(3)))
        left, right, above, below = (random.randint(8, 40) for _ in range(4))
        _, _, width, height = map(math.ceil, font.getbbox(word))
        mask = Image.new("L", (left + width + right, above + height + below))
        ImageDraw.Draw(mask).text((left, above), word, 255, font)
        image = Image.composite(Image.new("RGB", mask.size, ink), Image.new("RGB", mask.size, paper), mask)
        box = Box(*(mask.getbbox() or (0, 0, *mask.size)))
        file = io.BytesIO()
        image.save(file, "PNG")
        region = Region(box, "text", word, None, self.name, lines=(Line(box, word),))
        return Drawing(file.getvalue(), image.size, word, (region,), script="Latn", difficulty=len(word) / self.max_letters)

    def engines(self) -> dict[str, str]:
        return {"pillow": importlib.metadata.version("pillow")}
