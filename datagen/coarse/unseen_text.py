"""Text in the colour of the paper: it is in the file, and nobody sees it."""

from collections.abc import Iterable, Iterator
from typing import Any

from datagen.coarse.page import OpenPage
from datagen.coarse.unmapped import lines
from datagen.engines.light_pymupdf import pymupdf

_LIGHT = 0xE6  # of each channel, at least: text on dark ground is light, too, and its image has contrast
_CONTRAST = 20  # of 255
_WITHIN = 0.5  # pt


def blank_out(view: OpenPage, textpage: pymupdf.TextPage, blocks: Iterable[dict[str, Any]]) -> bool:
    """Whether any text of the page, `textpage` with its `blocks`, is light and leaves no mark on the image. It becomes spaces."""
    unseen = [span["bbox"] for span in _light(blocks) if _is_unseen(view, span["bbox"])]
    for line in lines(textpage) if unseen else ():
        for char in line:
            x, y = (char.quad.ll.x + char.quad.lr.x) / 2, (char.quad.ul.y + char.quad.ll.y) / 2
            if any(x0 - _WITHIN < x < x1 + _WITHIN and y0 < y < y1 for x0, y0, x1, y1 in unseen):
                char.c = ord(" ")
    return bool(unseen)


def _light(blocks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        for line in block["lines"]:
            for span in line["spans"]:
                if min(span["color"].to_bytes(3, "big")) >= _LIGHT and not span["text"].isspace():
                    yield span


def _is_unseen(view: OpenPage, bbox: tuple[float, float, float, float]) -> bool:
    box = view.pixels(bbox)
    if box is None:
        return False
    trim = (box.y1 - box.y0) // 8  # letters around it reach into its box
    beside = max(1, min(trim, (box.x1 - box.x0) // 4))
    part = view.image[box.y0 + trim : box.y1 - trim, box.x0 + beside : box.x1 - beside]
    return part.size > 0 and int(part.max()) - int(part.min()) < _CONTRAST
