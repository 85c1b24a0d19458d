"""Several small charts in one picture, as reports and papers have them."""

import io
import random
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from datagen.figures.charts.looks import Look, look
from datagen.record import Box

NUMBERS = (2, 2, 3, 4)
"""How many panels a picture has."""
_GAP = 12  # pixels between two panels
_COMMON = (
    *("palette", "paper", "plot_paper", "ink", "is_serif", "size", "title_size", "title_place", "is_title_bold", "grid"),
    *("grid_style", "spines", "line_width", "marker", "has_markers", "bar_width", "edge", "opacity", "colour_map"),
)


def looks(draw: random.Random, kinds: Sequence[str]) -> list[Look]:
    """Looks of panels of these kinds: of one size, one lettering and one set of colours, which has enough for a pie."""
    first = look(draw, "pie")
    common = {name: getattr(first, name) for name in _COMMON} | {"size": min(12.5, first.size)}
    common |= {"title_size": min(15.0, first.title_size), "margin": 6.0}
    width = draw.randint(400, 540)
    height = round(width * draw.uniform(0.65, 0.9))
    return [replace(look(draw, kind), width=width, height=height, **common) for kind in kinds]


def pasted(images: Sequence[bytes], paper: str, num_columns: int) -> tuple[bytes, tuple[int, int], list[Box]]:
    """PNGs side by side, row by row on a paper; the picture, its size, and the box of each."""
    opened = [Image.open(io.BytesIO(image)).convert("RGB") for image in images]
    rows = [opened[first : first + num_columns] for first in range(0, len(opened), num_columns)]
    widths = [max(row[column].width for row in rows if column < len(row)) for column in range(num_columns)]
    heights = [max(image.height for image in row) for row in rows]
    size = (sum(widths) + _GAP * (num_columns - 1), sum(heights) + _GAP * (len(rows) - 1))
    sheet, boxes, top = Image.new("RGB", size, paper), [], 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for image, width in zip(row, widths, strict=False):
            sheet.paste(image, (left, top))
            boxes.append(Box(left, top, left + image.width, top + image.height))
            left += width + _GAP
        top += height + _GAP
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue(), size, boxes
