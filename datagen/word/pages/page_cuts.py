"""A formula or a table cut out of a page's image: all of its ink, paper around it, and nothing of its neighbours."""

import math
from dataclasses import dataclass

import cv2
import numpy

from datagen.coarse.page import OpenPage, encoded
from datagen.record import Box
from datagen.word.pages.page_letters import Rect

_LOOKED_AT = 20_000  # pixels, for the colour of the paper
_CONTRAST = 40  # of 255, of ink to paper
_MARGIN = 8  # pixels of paper around
_AROUND = 12  # pixels around a formula's place that are searched
_INSIDE = 0.6  # of a piece of ink: a piece with so much in the place is the formula's
_FEW = 0.1  # of a formula's ink: at most so much ink of neighbours may reach into its box; the cut leaves it out
_REACH_OF_RULE = 4
_RULED = 0.5  # of an edge's length: a longer line along it is the table's frame


@dataclass(frozen=True)
class Ink:
    """A formula's `box` in pixels of the page's image, and the `image` in it, (H, W, 3), without its neighbours' ink."""

    box: Box
    image: numpy.ndarray


def formula_ink(view: OpenPage, place: Rect) -> Ink | None:
    """The ink of a formula at `place`, in points: all pieces that lie in it. None if there is none, or if too much of the
    neighbours' ink reaches in."""
    box = view.pixels(place)
    if box is None:
        return None
    height, width = view.image.shape[:2]
    left, top = max(0, box.x0 - _AROUND), max(0, box.y0 - _AROUND)
    part = view.image[top : min(height, box.y1 + _AROUND), left : min(width, box.x1 + _AROUND)]
    paper = _paper(view.image, box)
    ink = _is_ink(part, paper)
    num, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(numpy.uint8), connectivity=8)
    inside = numpy.bincount(labels[box.y0 - top : box.y1 - top, box.x0 - left : box.x1 - left].ravel(), minlength=num)
    x0s, y0s, x1s, y1s = stats[:, 0], stats[:, 1], stats[:, 0] + stats[:, 2], stats[:, 1] + stats[:, 3]
    goes_on = (x0s == 0) | (y0s == 0) | (x1s == part.shape[1]) | (y1s == part.shape[0])
    own = (inside >= _INSIDE * stats[:, 4]) & ~goes_on
    own[0] = False
    if not own.any():
        return None
    tight = Box(int(x0s[own].min()), int(y0s[own].min()), int(x1s[own].max()), int(y1s[own].max()))
    crop = numpy.s_[tight.y0 : tight.y1, tight.x0 : tight.x1]
    strange = ink[crop] & ~own[labels[crop]]
    if strange.sum() > _FEW * own[labels[crop]].sum():
        return None
    image = part[crop].copy()
    image[cv2.dilate(strange.astype(numpy.uint8), numpy.ones((3, 3), numpy.uint8)).astype(bool) & ~own[labels[crop]]] = paper
    return Ink(Box(tight.x0 + left, tight.y0 + top, tight.x1 + left, tight.y1 + top), image)


def table_box(view: OpenPage, place: Rect) -> Box | None:
    """The box of a table with its cells at `place`, in pixels, with the frame that is drawn around them."""
    box = view.pixels(place)
    if box is None:
        return None
    height, width = view.image.shape[:2]
    paper = _paper(view.image, box)
    x0, y0, x1, y1 = box
    for _ in range(_REACH_OF_RULE):
        x0 -= x0 > 0 and _is_ruled(view.image[y0:y1, x0 - 1], paper)
        x1 += x1 < width and _is_ruled(view.image[y0:y1, x1], paper)
        y0 -= y0 > 0 and _is_ruled(view.image[y0 - 1, x0:x1], paper)
        y1 += y1 < height and _is_ruled(view.image[y1, x0:x1], paper)
    return Box(x0, y0, x1, y1)


def _is_ruled(edge: numpy.ndarray, paper: numpy.ndarray) -> bool:
    return float(_is_ink(edge, paper).mean()) >= _RULED


def _is_ink(pixels: numpy.ndarray, paper: numpy.ndarray) -> numpy.ndarray:
    """Which of the (…, 3) pixels have another colour than the paper."""
    return numpy.asarray((numpy.abs(pixels.astype(numpy.int16) - paper.astype(numpy.int16)) > _CONTRAST).any(axis=-1))


def _paper(image: numpy.ndarray, box: Box) -> numpy.ndarray:
    """The box's most frequent colour, (3,)."""
    part = image[box.y0 : box.y1, box.x0 : box.x1]
    step = max(1, math.isqrt(part.shape[0] * part.shape[1] // _LOOKED_AT))
    pixels = part[::step, ::step].reshape(-1, 3)
    red, green, blue = (pixels >> 3).astype(numpy.uint16).T
    colours = red << 10 | green << 5 | blue
    most = numpy.bincount(colours).argmax()
    return numpy.median(pixels[colours == most], axis=0).astype(numpy.uint8)


def cut(image: numpy.ndarray, jpeg_quality: int) -> tuple[bytes, tuple[int, int], Box]:
    """The (H, W, 3) image with paper around it: a JPEG, its size (width, height), and the image's box in it."""
    height, width = image.shape[:2]
    paper = _paper(image, Box(0, 0, width, height)).tolist()
    canvas = cv2.copyMakeBorder(image, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT, value=paper)
    inner = Box(_MARGIN, _MARGIN, _MARGIN + width, _MARGIN + height)
    return encoded(canvas, jpeg_quality), (width + 2 * _MARGIN, height + 2 * _MARGIN), inner
