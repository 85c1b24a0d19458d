"""What the network should answer for a page: its elements, matched with the regions of a page of known truth."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy

from datagen.labels import HEADINGS, PICTURES
from datagen.layouts.elements import Elements
from datagen.layouts.labeller import LABELS
from datagen.page.boxes import area, shared
from datagen.page.line_pieces import Rect
from datagen.record import LABELS as RECORD_LABELS
from datagen.record import Region

UNKNOWN = -1
_SLACK, _SAME = 0.15, 0.5  # of a line's thickness; of two pictures' common area
_HEADING = re.compile(r"(#{1,6}) ")
_LEVELS = {"title": 1, "sub_title": 2}  # of headings whose text has no "#", as in `markdown`


class Answer(NamedTuple):
    """Of N elements, each (N,) int64: the label's index in `LABELS`, a heading's level (0: no heading, or unknown), and the
    number of the region in reading order. `UNKNOWN` where no region of the truth has the element."""

    label: numpy.ndarray
    level: numpy.ndarray
    region: numpy.ndarray


def answer(page: Elements, truth: Sequence[Region], size: tuple[int, int]) -> Answer:
    """The true answer, from the true regions, whose boxes are in a page of `size`; the page may have another unit. Nothing is
    known of lines in regions of other labels."""
    x_scale, y_scale = page.size[0] / size[0], page.size[1] / size[1]

    def scaled(box: Sequence[float]) -> Rect:
        return box[0] * x_scale, box[1] * y_scale, box[2] * x_scale, box[3] * y_scale

    texts = [(n, scaled(line.box)) for n, region in enumerate(truth) if _is_text(region) for line in region.lines]
    texts += [(n, scaled(region.box)) for n, region in enumerate(truth) if _is_text(region) and not region.lines]
    whole = [(n, scaled(region.box)) for n, region in enumerate(truth)]
    pictures = [(n, scaled(region.box)) for n, region in enumerate(truth) if region.label in PICTURES]
    regions = []
    for line in page.lines:
        slack = _SLACK * min(line.box[2] - line.box[0], line.box[3] - line.box[1])
        middle = (line.box[0] + line.box[2]) / 2, (line.box[1] + line.box[3]) / 2
        regions.append(_smallest(middle, texts, slack) if _smallest(middle, texts, slack) >= 0 else _smallest(middle, whole, 0.0))
    for picture in page.pictures:
        likeness = [(shared(picture, box) / (area(picture) + area(box) - shared(picture, box)), n) for n, box in pictures]
        best, n = max(likeness, default=(0.0, UNKNOWN))
        regions.append(n if best > _SAME else UNKNOWN)
    regions = [n if n < 0 or truth[n].label in RECORD_LABELS else UNKNOWN for n in regions]
    label, level = [], []
    for i, n in enumerate(regions):
        region = truth[n] if n >= 0 else None
        none = UNKNOWN if i < len(page.lines) else LABELS.index("")
        name = "" if region is None else "image" if region.label in PICTURES else region.label
        label.append(LABELS.index(name) if name in LABELS and region is not None else none)
        level.append(0 if region is None else _level(region))
    return Answer(numpy.array(label, int), numpy.array(level, int), numpy.array(regions, int))


def _level(region: Region) -> int:
    """A heading's level. That of a sub_title is unknown on annotated pages, which have no text."""
    if region.label not in HEADINGS or (region.label == "sub_title" and not region.text):
        return 0
    signs = _HEADING.match(region.text)
    return len(signs[1]) if signs else _LEVELS[region.label]


def _is_text(region: Region) -> bool:
    return region.label not in PICTURES


def _smallest(point: tuple[float, float], boxes: Sequence[tuple[int, Rect]], slack: float) -> int:
    """The number of the smallest box around a point, `UNKNOWN` if there is none."""
    holders = [
        (area(box), n)
        for n, box in boxes
        if box[0] - slack <= point[0] <= box[2] + slack and box[1] - slack <= point[1] <= box[3] + slack
    ]
    return min(holders)[1] if holders else UNKNOWN
