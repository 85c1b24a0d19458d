"""Small images of pages with a few words each, none like another."""

import random

from PIL import Image, ImageDraw

from tests.inputs.samples import encoded

WORDS = "All human beings are born free and equal in dignity and rights They are endowed with reason and conscience".split()


def page(name: str) -> bytes:
    draw, image = random.Random(name), Image.new("L", (160, 220), 255)
    on = ImageDraw.Draw(image)
    for line in range(8):
        on.text((10, 12 + 22 * line), f"{name} {' '.join(draw.choices(WORDS, k=3))}", fill=0)
    return encoded(image, "PNG", compress_level=1)
