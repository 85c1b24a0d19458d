"""Ink that no text lies over. It is measured on every page, so that a text detector need only look at pages that have some."""

from collections.abc import Iterable

import numpy
from PIL import Image

from datagen.page.paper import inked, paper_gray
from datagen.record import Box

_STRIDE = 3  # of rows and columns looked at
_CELL = 8  # of them, to a side of a cell: about a line of text high at 1920 pixels
_FEW = 6  # cells that don't count: corners of frames, ends of rules
_NOTHING = 0.002  # of the ink: edges of letters
_TEXTLIKE = (0.10, 0.65)  # of a cell's area, without rules: fills and photographs have more


def uncovered_ink(pixels: numpy.ndarray, boxes: Iterable[Box]) -> float:
    """The share of the cells with as much ink as text has that lie outside of `boxes`. 0 for a page without ink.

    `pixels` are (H, W, 3) bytes, and boxes are in its pixels.
    """
    green = numpy.ascontiguousarray(pixels[::_STRIDE, ::_STRIDE, 1])  # near enough to luminance
    ink = inked(green, paper=paper_gray(green[::4]))
    free = ink.copy()
    for x0, y0, x1, y1 in boxes:
        pad = (y1 - y0) // 5
        top, left, bottom, right = (max(0, v) // _STRIDE for v in (y0 - pad, x0 - pad, y1 + pad, x1 + pad))
        free[top : bottom + 1, left : right + 1] = False
    if numpy.count_nonzero(free) <= _NOTHING * numpy.count_nonzero(ink):
        return 0.0
    num_free = _cells(free)
    return num_free / max(num_free, _cells(ink)) if num_free > _FEW else 0.0


def _cells(ink: numpy.ndarray) -> int:
    """The number of cells that have about as much ink as text has."""
    rows, columns = (n // _CELL for n in ink.shape)
    if not rows or not columns:
        return 0
    # Pillow's reduce averages blocks faster than numpy's sums over them.
    image = Image.fromarray(ink[: rows * _CELL, : columns * _CELL].view(numpy.uint8) * 255)
    filled = numpy.asarray(image.reduce(_CELL), numpy.float32) / 255
    across = numpy.asarray(image.reduce((_CELL, 1))) == 255  # inked right through
    down = numpy.asarray(image.reduce((1, _CELL))) == 255
    ruled = across.reshape(rows, _CELL, columns).sum(axis=1) + down.reshape(rows, columns, _CELL).sum(axis=2)
    filled -= ruled / _CELL
    return int(((filled >= _TEXTLIKE[0]) & (filled <= _TEXTLIKE[1])).sum())
