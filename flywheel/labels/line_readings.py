"""Lines that the detector found on a page's image, and a reader's reading of each whole line.

PaddleOCR's detector finds the lines. A reader reads each line in two frames. A line is refused if it can't be a label at any
confidence. `reading_pieces.py` cuts lines into pieces.
"""

import io
from dataclasses import dataclass

import numpy
from PIL import Image

from datagen.engines import OPEN, Engines
from datagen.engines.compact import FolderReader
from datagen.page.images import pixels
from datagen.reading.cuts import TALL, box_around
from datagen.record import Box, Sample
from datagen.writing.lookalikes import is_settled
from datagen.writing.vertical_lines import along, laid, stands

LONG_SIDE = 960
"""The long side, in pixels, to which a page's image is resized for the detector."""

ROOM = 0.18
"""The margin of a line's image, in heights of its box. It ends where the page ends."""

_MIN_HEIGHT = 10
_LINE_HEIGHT, _LINE_WIDTH = 160, 6  # pixels: the highest line; heights: a higher image this wide is a line


@dataclass(frozen=True)
class Frame:
    """How a view shows a line: with a `margin` in heights of its box, and stretched to `stretch` times its width."""

    margin: float
    stretch: float = 1.0


FRAMES = (Frame(0.06), Frame(0.18, 1.25))
"""The two views of a line. In the second view, letters are lower by a sixth and hardly narrower. A word that was right by luck in
one view is read otherwise in the other."""


@dataclass(frozen=True)
class DetectedLine:
    """A line at `box` of a page's image, in pixels. `gray`, (H, W) bytes, shows the line at `inner`, with `ROOM` around. A line
    that `stands` runs from top to bottom in its box, and is laid down in `gray`. `vote` is the reading of the language's existing
    reader; None if there is no such reader."""

    box: Box
    gray: numpy.ndarray
    inner: Box
    vote: str | None = None
    stands: bool = False

    def view(self, margin: float) -> numpy.ndarray:
        """The line with a margin in heights of its box. The margin ends where the image ends."""
        box, pad = self.inner, _pad(self.inner, margin)
        return self.gray[max(0, box.y0 - pad) : box.y1 + pad, max(0, box.x0 - pad) : box.x1 + pad]

    def shown(self, frame: Frame) -> numpy.ndarray:
        """The line in a view, as a reader gets it."""
        crop = self.view(frame.margin)
        if frame.stretch == 1:
            return crop
        height, width = crop.shape
        size = max(1, round(width * frame.stretch)), height
        return numpy.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC))

    def inset(self, margin: float) -> int:
        """The number of columns before the line's box in the view with this margin."""
        return min(self.inner.x0, _pad(self.inner, margin))


@dataclass(frozen=True)
class ReadLine:
    """A line at `box` of a page's image, in pixels, with a reader's reading. `score` is the lower confidence of the two views.
    `refusal` says why the reading can't be a label at any confidence; "" if it can."""

    box: Box
    text: str
    score: float
    refusal: str


def detected(page: Sample, script: str, engines: Engines = OPEN) -> list[DetectedLine]:
    """The lines of a page's image in `script`, from top to bottom, without votes. The page's text is not looked at. A crop's
    lines are its regions."""
    assert page.image is not None
    image = pixels(page.image)
    gray = numpy.asarray(Image.fromarray(image).convert("L"))
    if page.task == "crop":
        return [_cut(gray, region.box, script) for region in page.regions]
    if is_line(page.size):
        return [whole(gray)]
    quads = engines.get("ppocr-detector", long_side=LONG_SIDE).detect([image])[0]
    return [_cut(gray, box_around(quad, page.size), script) for quad, _ in quads]


def is_line(size: tuple[int, int]) -> bool:
    """Whether an image of this (width, height) shows one line: it is at most 160 pixels high, or at least 6 times as wide as
    high."""
    width, height = size
    return height <= _LINE_HEIGHT or width >= _LINE_WIDTH * height


def read_lines(page: Sample, reader: FolderReader, script: str) -> list[ReadLine]:
    """The lines of a page's image with their readings, from top to bottom."""
    lines = detected(page, script)
    plain, wide = (reader.read([line.shown(frame) for line in lines]) for frame in FRAMES)
    read = []
    for line, (text, score), (other, other_score) in zip(lines, plain, wide, strict=True):
        read.append(ReadLine(line.box, text, min(score, other_score), refusal(line.inner, text, other, script)))
    return read


def refusal(box: Box, text: str, other: str, script: str) -> str:
    """Why a line's two readings, `text` and `other`, can't be accepted at any confidence; "" if they can. `box` is the line's,
    laid down."""
    if reason := unfit(box, text):
        return reason
    if text != other:
        return "views_differ"
    return "" if is_settled(text, script) else "look_alike"


def unfit(box: Box, text: str) -> str:
    """Why the `box` with the reading `text` is no line; "" if it may be one. A line that stands must be laid down first."""
    width, height = box.x1 - box.x0, box.y1 - box.y0
    if height < _MIN_HEIGHT:
        return "too_small"
    if height > TALL * width and len(text) > 2:
        return "turned"
    return "" if text else "nothing_read"


def view(gray: numpy.ndarray, box: Box, script: str) -> numpy.ndarray:
    """The first of the two views of a line at `box` of a page, laid down if it stands."""
    return _cut(gray, box, script).view(FRAMES[0].margin)


def encoded(gray: numpy.ndarray) -> bytes:
    """A line, (H, W) gray bytes, as a PNG, so that it loses nothing more than the page's JPEG did."""
    file = io.BytesIO()
    Image.fromarray(gray).save(file, "PNG")
    return file.getvalue()


def _pad(box: Box, margin: float) -> int:
    return max(1, round(margin * (box.y1 - box.y0)))


def whole(gray: numpy.ndarray) -> DetectedLine:
    """An image of a line as its line, with `ROOM` of paper around."""
    height, width = gray.shape
    pad = _pad(Box(0, 0, width, height), ROOM)
    around = numpy.pad(gray, pad, constant_values=int(numpy.percentile(gray, 90)))
    return DetectedLine(Box(0, 0, width, height), around, Box(pad, pad, pad + width, pad + height))


def _cut(gray: numpy.ndarray, box: Box, script: str) -> DetectedLine:
    is_standing = stands(box, script)
    pad = _pad(along(box) if is_standing else box, ROOM)
    left, top = min(pad, box.x0), min(pad, box.y0)
    inner = Box(left, top, left + box.x1 - box.x0, top + box.y1 - box.y0)
    around = gray[box.y0 - top : box.y1 + pad, box.x0 - left : box.x1 + pad]
    if is_standing:
        around, inner = laid(around, inner, script)
    return DetectedLine(box, around, inner, stands=is_standing)
