"""What a reader makes of the lines of a page's image: one way for pages to label and for pages that calibrate the gate.

PaddleOCR's detector finds the lines, the reader reads each of them in two frames, and what no confidence can mend is refused.
"""

from dataclasses import dataclass

import numpy
from PIL import Image

from datagen.engines import OPEN, Quad
from datagen.engines.compact import FolderReader
from datagen.engines.lookalikes import is_settled
from datagen.images import pixels
from datagen.record import Box, Sample

LONG_SIDE = 960
"""What a page's image is resized to before the detector looks at it, in pixels."""

_MIN_HEIGHT = 10
_MARGINS = (0.06, 0.18)  # the margins of the two views of a line, in heights of its box


@dataclass(frozen=True)
class ReadLine:
    """A line at `box` of a page's image, in pixels, and what a reader reads in its `crop`, (H, W) gray bytes.

    `score` is the lower confidence of the two views. `refusal` says why no confidence makes the reading a label; "" if one can.
    """

    box: Box
    crop: numpy.ndarray
    text: str
    score: float
    refusal: str


def read_lines(page: Sample, reader: FolderReader, script: str, threshold: float = 0.0) -> list[ReadLine]:
    """The lines of a page's image, from top to bottom. The page's text is not looked at.

    A line that its first view reads with less confidence than `threshold` is not read in the second.
    """
    assert page.image is not None
    image = pixels(page.image)
    gray = numpy.asarray(Image.fromarray(image).convert("L"))
    boxes = [_box(quad, page.size) for quad, _ in OPEN.get("ppocr-detector", long_side=LONG_SIDE).detect([image])[0]]
    framed = [views(gray, box) for box in boxes]
    readings = reader.read([plain for plain, _ in framed])
    again = [i for i, (_, score) in enumerate(readings) if score >= threshold]
    second = dict(zip(again, reader.read([framed[i][1] for i in again]), strict=True))
    lines = []
    for number, (box, (text, score)) in enumerate(zip(boxes, readings, strict=True)):
        other, other_score = second.get(number, (text, score))
        lines.append(ReadLine(box, framed[number][0], text, min(score, other_score), refusal(box, text, other, script)))
    return lines


def refusal(box: Box, text: str, other: str, script: str) -> str:
    """Why a line's two readings, `text` and `other`, can't be accepted whatever their confidence; "" if they can."""
    width, height = box.x1 - box.x0, box.y1 - box.y0
    if height < _MIN_HEIGHT:
        return "too_small"
    if height > 1.5 * width and len(text) > 2:
        return "turned"
    if not text:
        return "nothing_read"
    if text != other:
        return "views_differ"
    return "" if is_settled(text, script) else "look_alike"


def _box(quad: Quad, size: tuple[int, int]) -> Box:
    """The upright box around a quad, at least a pixel large and inside the image."""
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    x0, y0 = max(0, min(size[0] - 1, int(min(xs)))), max(0, min(size[1] - 1, int(min(ys))))
    return Box(x0, y0, max(x0 + 1, min(size[0], round(max(xs)))), max(y0 + 1, min(size[1], round(max(ys)))))


def views(gray: numpy.ndarray, box: Box) -> list[numpy.ndarray]:
    """The two views of a line."""
    framed = []
    for margin in _MARGINS:
        pad = max(1, round(margin * (box.y1 - box.y0)))
        framed.append(gray[max(0, box.y0 - pad) : box.y1 + pad, max(0, box.x0 - pad) : box.x1 + pad])
    return framed
