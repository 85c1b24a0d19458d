"""The dataset `lines`: the lines that the detector finds on the pages to be read, and what the existing reader reads in them.

It is made once, after the pools are frozen and before the first round. So a round only reads crops, with its own readers. Nobody
looks at the pages' text layers.
"""

import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy
import simplejpeg

from datagen.engines import OPEN, tesseract, versions
from datagen.engines.vertical import stands
from datagen.images import pixels
from datagen.items import Inputs, Item
from datagen.pipeline import Estimate
from datagen.record import Box, Drop, Line, Origin, Quality, Reading, Region, Sample
from datagen.sources.dataset import ShardSource
from flywheel.places import PlaceFile
from flywheel.reading import DetectedLine, detected

STAGE = "DetectedLines"
_DETECTOR, _EXISTING = "ppocr-detector", "tesseract"
_VOTE_MARGIN = 0.1  # in heights of the line
_JPEG_QUALITY = 95

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DetectedLines(ShardSource):
    """The lines on those pages that are in the file `pages`: a gray crop each, wide enough for both views of a reader.

    A line that stands is laid down. The crop's text is what Tesseract reads in the page's language. Where it has no data for it,
    or fails, the crop is unread; in the second case its metadata says so (`existing_reader`). The origin says which page a crop
    is from and where it lies there. A page without a line is a drop, `no_lines`.
    """

    version: ClassVar[int] = 1

    pages: PlaceFile = field(default_factory=PlaceFile)

    def engines(self) -> dict[str, str]:
        return versions(_DETECTOR) | versions(_EXISTING)

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(max(0, item.count) for item in inputs)
        return Estimate(30 * pages, 400_000 * pages, 1.2 * pages)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        num_items = 0
        languages, engines = self.pages.keys(), self.engines()
        for page in self.samples(item, lambda row: row["key"] in languages, images=True):
            num_items += 1
            yield from of_page(page, languages[page.key], page.script, engines)
        if not num_items:
            yield Drop("", item.uri, None, STAGE, "no_pages", "no page to read")


def of_page(page: Sample, lang: str, script: str, engines: dict[str, str]) -> Iterator[Sample | Drop]:
    """The lines on a page's image, as samples; a drop if there is none."""
    lines = detected(page, script)
    if not lines:
        yield page.drop("no_lines", STAGE, readings=(Reading(lang, Box(0, 0, *page.size), "", 0.0),))
    votes, failed = _votes(lines, lang, script)
    for number, (line, vote) in enumerate(zip(lines, votes, strict=True)):
        height, width = line.gray.shape
        is_unread = vote is None
        lines_read = () if vote is None else (Line(line.inner, vote),)
        region = Region(
            line.inner, "text", vote or "", None, _EXISTING, (), lines_read, detected_by=_DETECTOR, is_unread=is_unread
        )
        o = page.origin
        yield Sample(
            key=f"{page.key}-l{number:04d}",
            task="crop",
            image=simplejpeg.encode_jpeg(numpy.ascontiguousarray(line.gray)[:, :, None], _JPEG_QUALITY, "GRAY"),
            size=(width, height),
            lang=lang,
            script=script,
            text=vote or "",
            regions=(region,),
            quality=Quality("none"),
            origin=Origin(o.uri, o.sha256, o.page, o.licence, engines, page.key, line.box),
            stage="lines",
            group=page.group,
            metadata={"existing_reader": "failed"} if failed else {},
        )


def line_of(sample: Sample) -> DetectedLine:
    """The line that `of_page` made a sample of."""
    (region,) = sample.regions
    vote = None if region.is_unread else sample.text
    box = sample.origin.box
    return DetectedLine(box, pixels(sample.image or b"", "L"), region.box, vote, stands(box, sample.script))


def _votes(lines: Sequence[DetectedLine], lang: str, script: str) -> tuple[Sequence[str | None], bool]:
    """What the existing reader of a language reads in each line, None where there is none; and whether it failed."""
    code = tesseract.reads(lang, script)
    if not code or not lines:
        return [None] * len(lines), False
    try:
        return [text for text, _ in OPEN.get(_EXISTING).read([line.view(_VOTE_MARGIN) for line in lines], code)], False
    except RuntimeError as error:
        _tell(code, str(error))
        return [None] * len(lines), True


@functools.cache
def _tell(code: str, error: str) -> None:
    """Once a process."""
    log.warning("lines: tesseract can't read %s: %s; its lines have no vote", code, error)
