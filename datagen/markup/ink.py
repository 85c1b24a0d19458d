"""The ink of a page's text: what differs between the page and the same page with its text made transparent.

So it is known, and not guessed, which text anybody can see. Text that is white on white, covered, clipped, or off the page leaves
no ink.
"""

from collections.abc import Sequence

import numpy
import simplejpeg

from datagen.record import Box

_DIFFERS = 40  # of 255 levels of gray: more than JPEG changes
_CLOSE = 0.06  # of a line's thickness
_REACH = 0.35  # of a line's thickness, by which letters may leave its rectangle


def text_ink(shown: bytes, hidden: bytes, part: Box) -> numpy.ndarray:
    """Where text is drawn: booleans (height, width), of a page's JPEG, and a JPEG without text of a `part` of the page. There is
    none elsewhere."""
    first = simplejpeg.decode_jpeg(shown, colorspace="GRAY", fastdct=True)[..., 0]
    second = simplejpeg.decode_jpeg(hidden, colorspace="GRAY", fastdct=True)[..., 0]
    ink, place = numpy.zeros(first.shape, bool), (slice(part.y0, part.y1), slice(part.x0, part.x1))
    least, most = numpy.minimum(first[place], second), numpy.maximum(first[place], second)
    ink[place] = most - least > _DIFFERS
    return ink


def surroundings(boxes: Sequence[Box], size: tuple[int, int]) -> Box | None:
    """What holds all boxes and the ink around them, in an image of `size` (width, height); None if there are no boxes."""
    if not boxes:
        return None
    x0, y0, x1, y1 = (side(box[at] for box in boxes) for at, side in enumerate((min, min, max, max)))
    thickest = max(min(box.x1 - box.x0, box.y1 - box.y0) for box in boxes)
    return grown(Box(x0, y0, x1, y1), size, thickest)


def inked(ink: numpy.ndarray, boxes: Sequence[Box]) -> list[bool]:
    """Whether each box has any ink."""
    return [bool(ink[box.y0 : box.y1, box.x0 : box.x1].any()) for box in boxes]


def outside(ink: numpy.ndarray, boxes: Sequence[Box]) -> numpy.ndarray:
    """The ink that is in no box."""
    left = ink.copy()
    for box in boxes:
        left[box.y0 : box.y1, box.x0 : box.x1] = False
    return left


def grown_to(left: numpy.ndarray, boxes: Sequence[Box]) -> list[Box]:
    """The boxes, so large that they hold the ink beside them, such as high accents, swashes and stacked letters. Ink that goes
    into a box is taken from `left`, what is in no box so far."""
    if not left.any():
        return list(boxes)
    height, width = left.shape
    larger = list(boxes)
    for reach in (_CLOSE, _REACH):  # what is close to a box isn't its neighbour's
        for at, box in enumerate(larger):
            margin = max(1, round(reach * min(box.x1 - box.x0, box.y1 - box.y0)))
            around = grown(box, (width, height), margin)
            part = left[around.y0 : around.y1, around.x0 : around.x1]
            rows, columns = numpy.flatnonzero(part.any(axis=1)), numpy.flatnonzero(part.any(axis=0))
            if rows.size:
                x0, x1 = around.x0 + int(columns[0]), around.x0 + int(columns[-1]) + 1
                y0, y1 = around.y0 + int(rows[0]), around.y0 + int(rows[-1]) + 1
                larger[at] = Box(min(box.x0, x0), min(box.y0, y0), max(box.x1, x1), max(box.y1, y1))
                part[:] = False
    return larger


def grown(box: Box, size: tuple[int, int], margin: int) -> Box:
    """The box, larger by `margin` on all sides, within an image of `size` (width, height)."""
    return Box(max(0, box.x0 - margin), max(0, box.y0 - margin), min(size[0], box.x1 + margin), min(size[1], box.y1 + margin))
