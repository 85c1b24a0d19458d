"""The ink of a page's text: what differs between the page and the same page with its text made transparent.

So it is known, and not guessed, which text anybody can see. Text that is white on white, covered, clipped, or off the page leaves
no ink.
"""

from collections.abc import Sequence

import numpy
import simplejpeg

from datagen.record import Box

_DIFFERS = 40  # of 255 levels of gray: more than JPEG changes
_MARGIN = 0.12  # of a line's thickness: accents and swashes leave the line's rectangle by that much


def text_ink(shown: bytes, hidden: bytes) -> numpy.ndarray:
    """Where text is drawn: booleans (height, width), of two JPEGs of one size."""
    first = simplejpeg.decode_jpeg(shown, colorspace="GRAY", fastdct=True)[..., 0]
    second = simplejpeg.decode_jpeg(hidden, colorspace="GRAY", fastdct=True)[..., 0]
    return numpy.abs(first.astype(numpy.int16) - second) > _DIFFERS


def inked(ink: numpy.ndarray, boxes: Sequence[Box]) -> list[bool]:
    """Whether each box has any ink."""
    return [bool(ink[box.y0 : box.y1, box.x0 : box.x1].any()) for box in boxes]


def share_outside(ink: numpy.ndarray, boxes: Sequence[Box]) -> float:
    """The share of the ink that is in no box."""
    total = int(numpy.count_nonzero(ink))
    if not total:
        return 0.0
    left = ink.copy()
    for box in boxes:
        left[box.y0 : box.y1, box.x0 : box.x1] = False
    return int(numpy.count_nonzero(left)) / total


def grown(box: Box, size: tuple[int, int], margin: int) -> Box:
    """The box, larger by `margin` on all sides, within an image of `size` (width, height)."""
    return Box(max(0, box.x0 - margin), max(0, box.y0 - margin), min(size[0], box.x1 + margin), min(size[1], box.y1 + margin))
