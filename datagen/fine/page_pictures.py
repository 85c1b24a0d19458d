"""Where a page's pictures are: its raster images, what the layout model takes for pictures, and what is drawn close together."""

from collections.abc import Sequence

import numpy

from datagen.engines.light_pymupdf import pymupdf
from datagen.fine.page_layout import PageLayout
from datagen.page.boxes import area, around, is_centred_in, lies_in
from datagen.page.line_pieces import Rect

_MIN_AREA, _MAX_AREA = 0.002, 0.9  # of the page's: smaller ones are ornaments, larger ones its background
_RULE_PT = 2.0  # what is thinner is a rule
_NEAR_PT = 4.0  # what is nearer belongs together
_MIN_DRAWINGS = 12  # drawings that make a picture where neither an image nor the model says that there is one
_MAX_DRAWINGS = 1500  # to compare all with all takes too long for more
_BACKGROUND = 0.1  # of its area: what more text than that stands on isn't a picture


def pictures(layout: PageLayout, texts: Sequence[Rect], page: pymupdf.Rect) -> list[Rect]:
    """Boxes of the pictures in points, none inside another, from the top. `texts` are the boxes of text that is in no picture;
    what much of it stands on is a background, such as a box around a paragraph or a cell's shade."""
    whole = page.width * page.height
    written = numpy.array(texts).reshape(-1, 4)
    labelled = [block.box for block in layout.blocks if block.label == "image" and block.parts]
    guessed = [block.box for block in layout.blocks if block.label == "image" and not block.parts]
    seeds = [box for box in (_cut(box, page) for box in [*layout.pictures, *labelled]) if not _is_background(box, written, whole)]
    guesses = [box for box in (_cut(box, page) for box in guessed) if not _is_background(box, written, whole)]
    drawn = [box for box in (_cut(box, page) for box in layout.drawings) if _is_drawing(box, written, whole)]
    if len(drawn) > _MAX_DRAWINGS:
        drawn = []
    result: list[Rect] = []
    boxes = [*seeds, *drawn, *guesses]
    for group in _groups(boxes):
        sure = [boxes[i] for i in group if i < len(seeds)]
        known = [boxes[i] for i in group if i < len(seeds) + len(drawn)]
        if not sure and len(known) == len(group) < _MIN_DRAWINGS:
            continue
        # The model sees a picture's ink, no edge: where there are boxes that are drawn, these count.
        extent = around(known or [boxes[i] for i in group])
        if _holds_text(extent, written):
            result += sure
        else:
            result.append(extent)
    large = sorted((box for box in result if area(box) >= _MIN_AREA * whole), key=lambda b: -area(b))
    outer: list[Rect] = []
    for box in large:
        if not any(is_centred_in(box, other) for other in outer):
            outer.append(box)
    return sorted(outer, key=lambda b: (b[1], b[0]))


def framed(box: Rect, layout: PageLayout, margin: float, others: Sequence[Rect]) -> Rect:
    """A table's box with the rules and the frame that are drawn around its text, no farther than `margin` points from it. What
    has other text in it, or between it and the table, is another's: text with the boxes `others`, outside of the table's."""
    written = numpy.array([other for other in others if not _holds_text(box, numpy.array([other]))]).reshape(-1, 4)
    x0, y0, x1, y1 = box
    limit = (x0 - margin, y0 - margin, x1 + margin, y1 + margin)
    rules = (drawn for drawn in layout.drawings if lies_in(drawn, limit))
    return around([box, *(drawn for drawn in rules if not _holds_text(around([box, drawn]), written))])


def _is_drawing(box: Rect, written: numpy.ndarray, whole: float) -> bool:
    thin = min(box[2] - box[0], box[3] - box[1]) <= _RULE_PT
    return not thin and not _holds_text(box, written) and not _is_background(box, written, whole)


def _holds_text(box: Rect, written: numpy.ndarray) -> bool:
    x, y = (written[:, 0] + written[:, 2]) / 2, (written[:, 1] + written[:, 3]) / 2
    return bool(((box[0] <= x) & (x <= box[2]) & (box[1] <= y) & (y <= box[3])).any())


def _is_background(box: Rect, written: numpy.ndarray, whole: float) -> bool:
    if box[0] >= box[2] or box[1] >= box[3] or area(box) > _MAX_AREA * whole:
        return True
    wide = numpy.minimum(written[:, 2], box[2]) - numpy.maximum(written[:, 0], box[0])
    high = numpy.minimum(written[:, 3], box[3]) - numpy.maximum(written[:, 1], box[1])
    return float((numpy.maximum(wide, 0) * numpy.maximum(high, 0)).sum()) > _BACKGROUND * area(box)


def _groups(boxes: Sequence[Rect]) -> list[list[int]]:
    """The places of boxes that touch each other, directly or through others."""
    if not boxes:
        return []
    x0, y0, x1, y1 = numpy.array(boxes).T
    group = numpy.full(len(boxes), -1)
    for first in range(len(boxes)):
        if group[first] >= 0:
            continue
        group[first], reached = first, [first]
        while reached:
            i = reached.pop()
            near = (x0 < x1[i] + _NEAR_PT) & (x1 > x0[i] - _NEAR_PT) & (y0 < y1[i] + _NEAR_PT) & (y1 > y0[i] - _NEAR_PT)
            new = numpy.flatnonzero(near & (group < 0))
            group[new] = first
            reached += new.tolist()
    return [numpy.flatnonzero(group == first).tolist() for first in numpy.unique(group)]


def _cut(box: Rect, page: pymupdf.Rect) -> Rect:
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], page.width), min(box[3], page.height)
