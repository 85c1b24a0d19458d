"""Pages of the declaration, typeset here: image, size, and lines with their boxes."""

from functools import cache

import pymupdf

from datagen.drawing.typeset import Style
from datagen.record import Box, Line
from tests.inputs.typeset import typeset
from tests.inputs.udhr import UDHR


@cache
def drawn_page(script: str, num_paragraphs: int, family: str) -> tuple[bytes, tuple[int, int], tuple[Line, ...]]:
    """The image of a page, its size, and its lines."""
    lang, text = UDHR[script]
    words = text.split()
    paragraphs = [" ".join(words[i:] + words[:i]) for i in range(num_paragraphs)]
    return pictured(typeset(paragraphs, lang, Style(family=family, size_pt=12), max_pages=1))


def pictured(made) -> tuple[bytes, tuple[int, int], tuple[Line, ...]]:
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
