"""Covered letters: a page's text layer has them, and nobody sees them."""

import itertools
import re
from collections.abc import Mapping, Sequence

import numpy

from datagen.engines.light_pymupdf import pymupdf
from datagen.page.boxes import around
from datagen.word.pages.page_letters import Letter, Rect

_LEAST_PT = 2.0  # the least sides of two tables' overlap
_UNSEEN = 24  # of 255: a seen letter's ink changes more
_MODE = re.compile(rb"(?<=\s)[0-7]\s+Tr(?=\s)")


def covered_letters(page: pymupdf.Page, xref: int, shown: bytes, letters: Sequence[Letter], over: Sequence[Rect]) -> set[int]:
    """The numbers of the letters without effect on the drawn page, among letters at places that may be covered (`over`): by
    pictures, shapes, other tables. `shown` is the page's stream, the object `xref` of the document."""
    near = _within(letters, over)
    if not near:
        return set()
    clip = pymupdf.Rect(*around([letters[n].box for n in near]))
    with_text, left, top = _pixels(page, clip)
    page.parent.update_stream(xref, b" 3 Tr " + _MODE.sub(b"3 Tr", shown), compress=False)
    without = _pixels(page, clip)[0]
    changes = numpy.maximum(with_text, without) - numpy.minimum(with_text, without)
    page.parent.update_stream(xref, shown, compress=False)
    covered = set()
    for n in near:
        x0, y0, x1, y1 = map(int, letters[n].box)
        rows, columns = slice(max(0, y0 - top), max(y0 + 1, y1) - top), slice(max(0, x0 - left), max(x0 + 1, x1) - left)
        part = changes[rows, columns]
        if part.size and part.max() < _UNSEEN:
            covered.add(n)
    return covered


def overlaps(cells: Mapping[int, Sequence[Rect]], tables: Mapping[int, int]) -> list[Rect]:
    """The overlaps of two tables. `cells` are the places of cells by mark; `tables` has the table of each mark."""
    whole: dict[int, Rect] = {}
    for mark, rects in cells.items():
        for rect in rects if mark in tables else ():
            whole[tables[mark]] = around([rect, whole.get(tables[mark], rect)])
    shared = (
        (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])) for a, b in itertools.combinations(whole.values(), 2)
    )
    return [rect for rect in shared if rect[2] - rect[0] > _LEAST_PT and rect[3] - rect[1] > _LEAST_PT]


def _within(letters: Sequence[Letter], over: Sequence[Rect]) -> list[int]:
    """The numbers of the letters with their middle in one of the boxes."""
    if not over:
        return []
    boxes = numpy.array([letter.box for letter in letters]).reshape(-1, 4)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    is_near = numpy.zeros(len(letters), bool)
    for x0, y0, x1, y1 in over:
        is_near |= (x0 < x) & (x < x1) & (y0 < y) & (y < y1)
    return [n for n in numpy.flatnonzero(is_near).tolist() if letters[n].counts]


def _pixels(page: pymupdf.Page, clip: pymupdf.Rect) -> tuple[numpy.ndarray, int, int]:
    """A part of the page, (H, W) of uint8, a pixel a point, and the coordinates of its first pixel."""
    pixmap = page.get_pixmap(clip=clip, colorspace=pymupdf.csGRAY, alpha=False)
    return numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width), pixmap.x, pixmap.y
