"""Pages that are images, as far as anybody can believe: lines found and read, regions with labels, and the order of reading."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, NamedTuple

import cv2
import numpy
import simplejpeg

from datagen.engines import Choice, Engines, merged, versions
from datagen.fine import lines_to_regions
from datagen.markdown import markdown
from datagen.page.images import pixels
from datagen.page.line_pieces import Rect
from datagen.page.region_order import in_order_of, in_reading_order
from datagen.reading.cuts import SURE
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import PageLines, read_lines
from datagen.record import Box, Drop, Line, Quality, Region, Sample, SampleError
from datagen.work.needs import Needs
from datagen.work.pipeline import Stage
from datagen.work.specification import PLACE

_CONTRAST = 64  # of 255, between paper and what is drawn in a gap of a line
_WIDE = 3.0  # a gap, in heights of its line, that parts it: detectors go on through narrower ones
_JPEG_QUALITY = 95
_BETTER = 0.05  # a page is turned if its lines are read so much more surely then


class _Page(NamedTuple):
    """A page that is upright, (H, W, 3) RGB bytes, with its lines, and what was measured of it."""

    sample: Sample
    image: numpy.ndarray
    lines: PageLines
    signals: dict[str, float]


@dataclass(frozen=True)
class AnnotateImage(Stage):
    """Gives pages regions in reading order, their text as Markdown, and what reads and sees them as engines, all by their image.

    Pages whose words hold (`Quality.words_hold`) pass as they are, unless `takes_all`. Lines are found by `detector`, and read as
    `page_lines.read_lines` says: by PP-OCR's recogniser `lines`, by Tesseract, or by the flywheel's readers in the folders
    `readers`. Regions come from `layout`, in its order if it knows one, a formula also from `equations` where `layout` sees text.
    Formulas and tables are unread: another stage reads them. If `orientation` takes a page for turned, and its lines are read
    more surely then, its image is turned upright. `layout` looks at the `batch_size` pages together.

    The verdict is `trusted` if the lines' mean score, by character, is at least `min_score`; else `suspect`, for
    `unsure_reading`, or for `unscored_reading` where the reader gives no scores; `none` without any text. Signals:

    `reading_score`   that mean score, where there is one
    `layout_share`    the share of the characters that lie in regions of the layout engine's; all others are in regions made of
                      lines that stand together
    `num_unread`      lines that were found and that nobody could read
    `turned`          by how many quarters the page was turned anticlockwise, if it was
    """

    version: ClassVar[int] = 2

    takes_all: bool = False
    detector: Choice = Choice("ppocr-detector")  # noqa: RUF009  # a tuple
    layout: Choice = Choice("pymupdf-layout")  # noqa: RUF009
    equations: Choice | None = Choice("cdla", (("classes", ("equation",)),))  # noqa: RUF009
    orientation: Choice | None = Choice("page-orientation")  # noqa: RUF009
    lines: Choice = Choice("ppocr")  # noqa: RUF009
    readers: tuple[str, ...] = field(default=(), metadata=PLACE)
    min_score: float = 0.9
    batch_size: int = 1  # an image may take 300 MB

    @property
    def needs(self) -> Needs:
        return Needs(gpus=max(choice.gpus for choice in self._choices))

    @property
    def _choices(self) -> list[Choice]:
        chosen = (self.detector, self.lines, self.layout, self.equations, self.orientation)
        return [choice for choice in chosen if choice is not None]

    def engines(self) -> dict[str, str]:
        asked = merged(choice.versions() for choice in self._choices) | versions("tesseract")
        return asked | merged(versions("compact", folder=folder) for folder in self.readers)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        read: dict[int, _Page | Drop] = {}
        for i, sample in enumerate(batch):
            if sample.task == "page" and (self.takes_all or not (sample.text.strip() and sample.quality.words_hold)):
                try:
                    read[i] = self._read(sample, engines)
                except SampleError as error:
                    read[i] = sample.drop(error.reason, type(self).__name__, error.detail)
        pages = [page for page in read.values() if isinstance(page, _Page)]
        annotated = iter(self._annotated(pages, engines))
        for i, sample in enumerate(batch):
            page = read.get(i)
            yield sample if page is None else page if isinstance(page, Drop) else next(annotated)

    def _read(self, sample: Sample, engines: Engines) -> _Page:
        """The page with its lines, upright."""
        image = pixels(sample.image or b"")
        lines = self._lines(image, sample, engines)
        signals = {"num_unread": float(lines.num_unread)}
        if turned := self._turned(image, lines, sample, engines):
            quarters, image, lines = turned
            jpeg = simplejpeg.encode_jpeg(image, _JPEG_QUALITY, "RGB", "420", fastdct=False)
            sample = replace(sample, image=jpeg, size=(image.shape[1], image.shape[0]))
            signals["turned"] = float(quarters)
        return _Page(sample, image, lines, signals)

    def _annotated(self, pages: Sequence[_Page], engines: Engines) -> Iterator[Sample]:
        """The pages with their regions; the networks look at all of them together."""
        if not pages:
            return
        asked = [page.image for page in pages], [page.lines.lines for page in pages]
        layout = self.layout.opened(engines)
        layouts = layout.regions(*asked)
        equations = self.equations.opened(engines).regions(*asked) if self.equations else [()] * len(pages)
        for page, regions, formulas in zip(pages, layouts, equations, strict=True):
            yield self._with_regions(page, regions, formulas, getattr(layout, "is_ordered", False))

    def _with_regions(self, page: _Page, layout: Sequence[Region], equations: Sequence[Region], is_ordered: bool) -> Sample:
        sample, lines = page.sample, page.lines
        look = partial(_is_clear, page.image), partial(_ink_share, page.image)
        whole = lines_to_regions.put_together(lines, layout, equations, self.detector.name, *look)
        regions = in_reading_order(whole, lines.direction)
        if is_ordered:
            regions = in_order_of([region for region in whole if region.detected_by == self.layout.name], regions)
        by_layout = sum(len(line.text) for r in regions if r.detected_by != self.detector.name for line in r.lines)
        signals = page.signals | {"layout_share": by_layout / max(1, lines.num_chars)}
        if lines.score is not None:
            signals["reading_score"] = lines.score
        return replace(
            sample,
            lang=lines.lang,
            script=lines.script,
            text=markdown(regions),
            regions=tuple(regions),
            quality=self._quality(lines, signals),
            origin=replace(sample.origin, engines=sample.origin.engines | self._asked(lines)),
        )

    def _lines(self, image: numpy.ndarray, sample: Sample, engines: Engines) -> PageLines:
        (detected,) = self.detector.opened(engines).detect([image])
        quads = [quad for quad, _ in detected]
        readers = LineReaders(engines, self.readers, self.lines)
        return read_lines(image, quads, sample.lang, sample.script, readers)

    def _turned(
        self, image: numpy.ndarray, lines: PageLines, sample: Sample, engines: Engines
    ) -> tuple[int, numpy.ndarray, PageLines] | None:
        """By how many quarters the page must be turned, its image and lines then; None if it stands upright."""
        if self.orientation is None or not lines.lines or lines.score is None:
            return None  # Tesseract reads only what it takes for upright
        quarters, _ = self.orientation.opened(engines).quarters([image])[0]
        if not quarters:
            return None
        upright = numpy.ascontiguousarray(numpy.rot90(image, quarters))
        others = self._lines(upright, sample, engines)
        surely = lines.score < SURE if others.score is None else others.score >= lines.score + _BETTER
        if not surely:
            return None
        return quarters, upright, others

    def _quality(self, lines: PageLines, signals: dict[str, float]) -> Quality:
        if not lines.lines:
            return Quality("none", (), signals)
        if lines.score is None:
            return Quality("suspect", ("unscored_reading",), signals)
        return (
            Quality("trusted", (), signals) if lines.score >= self.min_score else Quality("suspect", ("unsure_reading",), signals)
        )

    def _asked(self, lines: PageLines) -> dict[str, str]:
        """The engines that said something of the page, with their versions."""
        asked = self.detector.versions() | self.layout.versions() | lines.reader.versions()
        return asked | (self.equations.versions() if self.equations else {})


def _is_clear(image: numpy.ndarray, box: Rect) -> bool:
    """Whether a gap in a line parts nothing: it isn't wide, and nothing is drawn in its middle. (`PageInk` says the latter, too,
    but takes all ink apart first.)"""
    x0, y0, x1, y1 = map(round, box)
    height = y1 - y0
    if x1 - x0 > _WIDE * height:
        return False
    gap = image[max(0, y0 + 2 * height // 5) : y0 + 2 * height // 3, x0 + height // 5 : max(0, x1 - height // 5)]
    return not gap.size or int(gap.max()) - int(gap.min()) <= _CONTRAST


def _ink_share(image: numpy.ndarray, box: Box, lines: Sequence[Line]) -> float:
    """The share of the ink in `box`, what differs from its commonest gray, that lies in these lines."""
    gray = cv2.cvtColor(image[box.y0 : box.y1, box.x0 : box.x1], cv2.COLOR_RGB2GRAY)
    paper = int(numpy.bincount(gray.ravel(), minlength=256).argmax())
    ink = numpy.abs(gray.astype(numpy.int16) - paper) > _CONTRAST
    in_lines = numpy.zeros(ink.shape, bool)
    for line in lines:
        x0, y0, x1, y1 = line.box
        in_lines[max(0, y0 - box.y0) : max(0, y1 - box.y0), max(0, x0 - box.x0) : max(0, x1 - box.x0)] = True
    return float((ink & in_lines).sum() / max(1, ink.sum()))
