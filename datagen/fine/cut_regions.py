"""Regions and lines cut out of annotated pages, as samples of their own: for models that read regions, and for models that read
lines.

Pipeline("fine-regions", ShardsOf("fine"), SamplesOf(stage="fine-regions", verdicts=("trusted",)), (CutRegions(),))
Pipeline("fine-lines", ShardsOf("fine"), SamplesOf(stage="fine-lines", verdicts=("trusted",), despite=STRUCTURE), (CutLines(),))
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

import cv2
import numpy
import simplejpeg

from datagen.engines import Engines
from datagen.markdown import content
from datagen.page.boxes import area, put_elsewhere, shared
from datagen.page.images import pixels
from datagen.record import Box, Drop, Line, Quality, Region, Sample
from datagen.work.pipeline import Stage

TASK_OF = {"table": "table", "equation": "formula", "text": "crop", "list": "crop", "code": "crop", "reference": "crop"}
"""The task of a region by its label. Regions with other labels aren't cut out."""
STRUCTURE = ("structure_in_doubt",)
"""Reasons for which a page is suspect, and its lines aren't."""
_NO_LINES = ("table", "equation", "image")
_FORMAT_OF = {"table": "html", "formula": "latex"}


@dataclass(frozen=True)
class CutRegions(Stage):
    """Gives, in place of each page, its tables and formulas, and at most `num_paragraphs` of its paragraphs, drawn by the page's
    key. A page of which none is cut out drops: `no_regions`.

    A region's text is its Markdown, as it stands in the page's. Its image is what is inside its box, with `margin` pixels of the
    paper's colour around. Each region that can't be cut out is a drop: what is `unread`, tables and formulas in no format of
    theirs (`unformatted`), what is less than `min_side` pixels high or wide (`small`), what scored under `min_score`
    (`little_score`), and what shares more than `max_shared` of its box with another region (`overlapped`).
    """

    num_paragraphs: int = 2
    margin: int = 8
    min_side: int = 12
    min_score: float = 0.0
    max_shared: float = 0.05
    quality: int = 92
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            yield from self._regions(page)

    def _regions(self, page: Sample) -> Iterator[Sample | Drop]:
        wanted = [number for number, region in enumerate(page.regions) if TASK_OF.get(region.label) in ("table", "formula")]
        paragraphs = [number for number, region in enumerate(page.regions) if TASK_OF.get(region.label) == "crop"]
        wanted += Random(f"regions {page.key}").sample(paragraphs, min(self.num_paragraphs, len(paragraphs)))
        if page.image is None or not wanted:
            yield page.drop("no_regions", type(self).__name__)
            return
        image = pixels(page.image)
        for number in sorted(wanted):
            key = f"{page.key}-r{number:03d}"
            if reason := self._unfit(page, number):
                yield replace(page.drop(reason, type(self).__name__, page.regions[number].label), key=key)
            else:
                yield _cut(page, page.regions[number], image, key, self.margin, self.quality)

    def _unfit(self, page: Sample, number: int) -> str:
        """Why a region can't be cut out; "" if it can."""
        region = page.regions[number]
        x0, y0, x1, y1 = region.box
        if not content(region):
            return "unread"
        if region.format != _FORMAT_OF.get(TASK_OF[region.label], region.format):
            return "unformatted"
        if min(x1 - x0, y1 - y0) < self.min_side:
            return "small"
        if region.score is not None and region.score < self.min_score:
            return "little_score"
        others = (other.box for at, other in enumerate(page.regions) if at != number)
        return "overlapped" if any(shared(region.box, other) > self.max_shared * area(region.box) for other in others) else ""


@dataclass(frozen=True)
class CutLines(Stage):
    """Gives, in place of each page, at most `num_lines` of its lines, drawn by the page's key. A page of which none is cut out
    drops: `no_lines`.

    Lines of tables and formulas stay, and so do those that run from top to bottom, lean, are less than `min_height` pixels high,
    or have less than `min_chars` characters. A line's image is what is inside its box, with `margin` pixels of the paper's colour
    around.
    """

    version: ClassVar[int] = 2

    num_lines: int = 8
    margin: int = 2
    min_height: int = 14
    min_chars: int = 2
    quality: int = 92
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            read = [region for region in page.regions if region.label not in _NO_LINES and not region.is_unread]
            lines = [(region, line) for region in read for line in region.lines]
            fit = [number for number, (_, line) in enumerate(lines) if self._is_fit(line)]
            if page.image is None or not fit:
                yield page.drop("no_lines", type(self).__name__)
                continue
            image = pixels(page.image)
            for number in sorted(Random(f"lines {page.key}").sample(fit, min(self.num_lines, len(fit)))):
                region, line = lines[number]
                alone = Region(line.box, "text", line.text, line.score, region.by, lines=(line,))
                one = _cut(page, alone, image, f"{page.key}-l{number:03d}", self.margin, self.quality)
                # A line is right or wrong whatever its paragraph is.
                is_trusted = page.quality.verdict == "trusted" or {*page.quality.reasons} <= {*STRUCTURE}
                yield replace(one, quality=replace(one.quality, verdict="trusted" if is_trusted else page.quality.verdict))

    def _is_fit(self, line: Line) -> bool:
        is_level = line.direction != "ttb" and not line.polygon
        return is_level and line.box.y1 - line.box.y0 >= self.min_height and len(line.text.strip()) >= self.min_chars


def _cut(page: Sample, region: Region, image: numpy.ndarray, key: str, margin: int, quality: int) -> Sample:
    """The region as a sample, from the page's `image` (H, W, 3), with `margin` pixels of the paper's colour around, as a JPEG of
    this `quality`. Its task is that of its label."""
    x0, y0, x1, y1 = region.box
    inside = numpy.ascontiguousarray(image[y0:y1, x0:x1])
    edges = numpy.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    paper = [int(value) for value in numpy.median(edges, axis=0)]
    framed = cv2.copyMakeBorder(inside, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=paper)
    size = (framed.shape[1], framed.shape[0])
    return replace(
        page,
        key=key,
        task=TASK_OF[region.label],
        image=simplejpeg.encode_jpeg(framed, quality, "RGB", "444", fastdct=False),
        size=size,
        text=content(region),
        regions=(_moved(region, margin - x0, margin - y0, size),),
        quality=Quality(page.quality.verdict, (), page.quality.signals),
        origin=replace(page.origin, parent=page.key, box=region.box),
        caption="",
    )


def _moved(region: Region, dx: int, dy: int, size: tuple[int, int]) -> Region:
    """The region in an image of `size` whose pixels lie so many pixels on. Lines stay inside of it."""

    def box(old: Box) -> Box:
        x0, y0 = min(max(0, old.x0 + dx), size[0] - 1), min(max(0, old.y0 + dy), size[1] - 1)
        return Box(x0, y0, min(max(x0 + 1, old.x1 + dx), size[0]), min(max(y0 + 1, old.y1 + dy), size[1]))

    return put_elsewhere(region, box, lambda x, y: (x + dx, y + dy))
