"""Rules that part the articles of a page, from its pixels."""

import cv2
import numpy

from datagen.record import Box

_SIDE = 1000  # pixels of the longer side on which they are looked for
_LONG, _THICK = 0.12, 0.008  # of that side: a rule is as long at least, and as thick at most
_BLOCK, _DARKER = 25, 12  # pixels around each, and how much darker a rule is than their mean


def long_rules(image: numpy.ndarray) -> list[Box]:
    """The long straight strokes of an image, (H, W, 3) bytes, dark on light: first those that lie, then those that stand."""
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    gray = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, _BLOCK, _DARKER)
    long, thick = round(_LONG * _SIDE), max(2, round(_THICK * _SIDE))
    rules = []
    for stands in (False, True):
        kernel = numpy.ones((long, 1) if stands else (1, long), numpy.uint8)
        # A stroke that is a pixel off along its way is one.
        joined = cv2.dilate(dark, numpy.ones((1, 3) if stands else (3, 1), numpy.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(joined, cv2.MORPH_OPEN, kernel))
        for x, y, wide, high, _ in stats[1:].tolist():
            if (wide if stands else high) <= thick + 2:
                x0, y0, x1, y1 = (round(value / scale) for value in (x, y, x + wide, y + high))
                rules.append(Box(x0, y0, min(width, x1), min(height, y1)))
    return rules
