"""The ink of a page: which of it belongs to lines with a label, which to refused ones, and which to none. And painting over it.

Ink is what differs from the paper's commonest gray. It is taken apart into pieces that hang together. A piece belongs to the box
whose middle line is nearest to its own middle, of those boxes that reach so far: boxes of neighbouring lines share some height.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy

from datagen.page.line_pieces import Rect
from datagen.page.paper import inked
from datagen.record import Box

_REACH = 0.75  # of a box's height, from its middle line
_SIDE = 0.3  # of a box's height, beyond its ends
# Of a line's height: how large signs are at least, such as a leader's dots, how high letters, and how high and wide they are at
# most, with what touches them.
_SIGN, _LETTER, _HIGHEST_SIGN, _WIDEST_SIGN = 0.08, 0.35, 1.4, 5.0
_HIGHEST = 2.0  # of a box's height: how high its ink is
_DIRT = 2  # pixels
_EDGE = 2  # pixels around ink that JPEG blurs


@dataclass(frozen=True)
class PageInk:
    """A page's `pixels`, (H, W, 3) bytes, and its ink. `places`, (H, W), has the number of the ink at each pixel, 0 for paper.
    By that number `owners` says whose it is, the number of a box or -1, and `spans` where: x0, y0, width, height."""

    pixels: numpy.ndarray
    places: numpy.ndarray
    owners: numpy.ndarray
    spans: numpy.ndarray

    @classmethod
    def of(cls, pixels: numpy.ndarray, boxes: Sequence[Box]) -> "PageInk":
        """The ink of a page with these boxes."""
        gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        _, places, stats, middles = cv2.connectedComponentsWithStats(inked(gray).astype(numpy.uint8), connectivity=8)
        owners = numpy.full(len(stats), -1)
        some = stats[:, 2:4].max(axis=1) > _DIRT  # scans have more dirt than letters
        owners[some] = _owners(middles[some], stats[some, 3], boxes)
        return cls(pixels, places, owners, stats[:, :4])

    def strays(self, height: float) -> tuple[list[int], int]:
        """The numbers of ink that belongs to no box and may be signs of lines that are `height` pixels high, and how many of them
        are as high as letters, and not as bullets, dashes and dots."""
        wide, high = self.spans[:, 2], self.spans[:, 3]
        may_be = (self.owners < 0) & (high <= _HIGHEST_SIGN * height) & (wide <= _WIDEST_SIGN * height)
        may_be &= numpy.maximum(wide, high) >= _SIGN * height
        may_be[0] = False
        return numpy.flatnonzero(may_be).tolist(), int((may_be & (high >= _LETTER * height)).sum())

    def is_clear(self, box: Rect) -> bool:
        """Whether no ink lies in the middle of a gap in a line."""
        x0, y0, x1, y1 = map(round, box)
        height = y1 - y0
        return not self.places[y0 + 2 * height // 5 : y0 + 2 * height // 3, x0 + height // 5 : max(0, x1 - height // 5)].any()

    def without(self, boxes: dict[int, Box], numbers: Sequence[int] = (), around: int = 0) -> numpy.ndarray:
        """The pixels, (H, W, 3) bytes, with these `boxes`, by their numbers, and the ink of these `numbers` in the colour of the
        paper around them: of the paper within a box, or of a strip of `around` pixels about it. Ink of other boxes stays where
        they overlap."""
        painted = self.pixels.copy()
        stays = (self.owners >= 0) & ~numpy.isin(self.owners, list(boxes))
        strips = {number: self._strip(box, around) for number, box in boxes.items()} if around else {}
        for number, (x0, y0, x1, y1) in boxes.items():
            at = slice(y0, y1), slice(x0, x1)
            ink = self.places[at]
            staying = _grown(stays[ink] & (ink > 0))
            painted[at][~staying] = strips[number] if around else _paper(self.pixels[at], ink > 0)
        goes = numpy.isin(self.owners, list(boxes))
        goes[list(numbers)] = True
        goes[0] = False
        for number in numpy.flatnonzero(goes):
            x0, y0, width, height = self.spans[number]
            at = slice(max(0, y0 - 3 * _EDGE), y0 + height + 3 * _EDGE), slice(max(0, x0 - 3 * _EDGE), x0 + width + 3 * _EDGE)
            ink = self.places[at]
            staying = _grown((ink > 0) & ~goes[ink])
            paper = strips.get(int(self.owners[number]))
            painted[at][_grown(ink == number) & ~staying] = _paper(self.pixels[at], ink > 0) if paper is None else paper
        return painted

    def _strip(self, box: Box, width: int) -> numpy.ndarray:
        """The colour of the paper in a strip about a box."""
        x0, y0 = max(0, box.x0 - width), max(0, box.y0 - width)
        at = slice(y0, box.y1 + width), slice(x0, box.x1 + width)
        no_paper = self.places[at] > 0
        no_paper[box.y0 - y0 : box.y1 - y0, box.x0 - x0 : box.x1 - x0] = True
        return _paper(self.pixels[at], no_paper)


def _owners(middles: numpy.ndarray, high: numpy.ndarray, boxes: Sequence[Box]) -> numpy.ndarray:
    """The number of the box that ink with each middle (x, y) belongs to, -1 for none. Ink that is much higher is a frame, or a
    picture."""
    if not len(boxes):
        return numpy.full(len(middles), -1)
    x0, y0, x1, y1 = numpy.array(boxes, numpy.float64).T
    height = y1 - y0
    away = numpy.abs(middles[:, 1:] - (y0 + y1) / 2) / height
    beside = (middles[:, :1] < x0 - _SIDE * height) | (middles[:, :1] > x1 + _SIDE * height)
    beside |= high[:, None] > _HIGHEST * height
    # Beyond a box's own ends its neighbour in the line comes first.
    outside = numpy.maximum(x0 - middles[:, :1], middles[:, :1] - x1).clip(0) / height
    cost = numpy.where(beside | (away > _REACH), numpy.inf, away + outside)
    nearest = cost.argmin(axis=1)
    return numpy.where(numpy.isfinite(cost.min(axis=1)), nearest, -1)


def _grown(mask: numpy.ndarray) -> numpy.ndarray:
    """The mask with its edges."""
    size = 2 * _EDGE + 1
    return cv2.dilate(mask.astype(numpy.uint8), numpy.ones((size, size), numpy.uint8)).astype(bool)


def _paper(pixels: numpy.ndarray, ink: numpy.ndarray) -> numpy.ndarray:
    """The colour of the paper in a part of a page; of all of it, where that is ink."""
    paper = pixels[~_grown(ink)]
    return numpy.median(paper if len(paper) else pixels.reshape(-1, 3), axis=0).round().astype(numpy.uint8)
