"""The letters that something covers: a page's text layer has them, and nobody sees them."""

import itertools
import re
from collections.abc import Mapping, Sequence

import numpy

from datagen.engines.light_pymupdf import pymupdf
from datagen.word.pages.page_letters import Letter, Rect
from datagen.word.pages.paragraph_parts import union

_ZOOM = 2.0  # pixels a point
_LEAST_PT = 2.0  # of what two tables share
_UNSEEN = 24  # of 255, that a letter's ink changes
_MODE = re.compile(rb"(?<=\s)[0-7]\s+Tr(?=\s)")


def covered_letters(page: pymupdf.Page, xref: int, shown: bytes, letters: Sequence[Letter], over: Sequence[Rect]) -> set[int]:
    """Which letters, by their numbers, change nothing where the page is drawn, of those that stand where something may lie `over`
    them: pictures, shapes, other tables. `shown` is the page's stream, which is the object `xref` of the document."""
    near = [n for n, letter in enumerate(letters) if letter.counts and any(_is_within(letter.box, box) for box in over)]
    if not near:
        return set()
    with_text = _pixels(page)
    page.parent.update_stream(xref, b" 3 Tr " + _MODE.sub(b"3 Tr", shown), compress=False)
    changes = numpy.abs(with_text - _pixels(page)).max(axis=2)
    page.parent.update_stream(xref, shown, compress=False)
    covered = set()
    for n in near:
        x0, y0, x1, y1 = (max(0, int(edge * _ZOOM)) for edge in letters[n].box)
        part = changes[y0 : y1 + 1, x0 : x1 + 1]
        if part.size and part.max() < _UNSEEN:
            covered.add(n)
    return covered


def overlaps(cells: Mapping[int, Sequence[Rect]], tables: Mapping[int, int]) -> list[Rect]:
    """Where two tables lie over each other. `cells` are the places of cells by mark, `tables` has the table of each mark."""
    whole: dict[int, Rect] = {}
    for mark, rects in cells.items():
        for rect in rects if mark in tables else ():
            whole[tables[mark]] = union([rect, whole.get(tables[mark], rect)])
    shared = (
        (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])) for a, b in itertools.combinations(whole.values(), 2)
    )
    return [rect for rect in shared if rect[2] - rect[0] > _LEAST_PT and rect[3] - rect[1] > _LEAST_PT]


def _is_within(letter: Rect, box: Rect) -> bool:
    x, y = (letter[0] + letter[2]) / 2, (letter[1] + letter[3]) / 2
    return box[0] < x < box[2] and box[1] < y < box[3]


def _pixels(page: pymupdf.Page) -> numpy.ndarray:
    """(H, W, 3) of int16."""
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(_ZOOM, _ZOOM), alpha=False)
    return numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width, 3).astype(numpy.int16)
