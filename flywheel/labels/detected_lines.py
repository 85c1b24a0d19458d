"""The dataset `lines`: the detector's lines on the pages to be read, with the existing reader's readings.

It is made once, after the pools are frozen and before the first round. So a round only reads crops with its own readers. The
pages' text layers aren't used.
"""

import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from datagen.engines import Engines, tesseract, versions
from datagen.inputs.items import Inputs
from datagen.page.images import pixels
from datagen.record import Box, Drop, Line, Origin, Quality, Reading, Region, Sample
from datagen.work.needs import A_CORE, Needs
from datagen.work.pipeline import Estimate, Stage
from datagen.work.samples_of import SamplesOf
from datagen.writing.vertical_lines import stands
from flywheel.labels import existing_readers as existing
from flywheel.labels.line_readings import DetectedLine, detected, encoded
from flywheel.pools.page_lists import PlaceFile

_DETECTOR = "ppocr-detector"
_VOTE_MARGIN = 0.1  # in heights of the line

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PagesOf(SamplesOf):
    """The pages in the file `pages`, each in its language there. `scripts` has languages' scripts; a page in another language
    keeps its own."""

    version: ClassVar[int] = 2

    pages: PlaceFile = field(default_factory=PlaceFile)
    scripts: tuple[tuple[str, str], ...] = ()

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(max(0, item.count) for item in inputs)
        return Estimate(30 * pages, 400_000 * pages, 1.2 * pages)

    def is_chosen(self, row: dict[str, Any]) -> bool:
        keys = self.pages.keys()
        return row["key"] in keys

    def given(self, sample: Sample) -> Sample:
        lang = self.pages.keys()[sample.key]
        return replace(sample, lang=lang, script=dict(self.scripts).get(lang, sample.script))


@dataclass(frozen=True)
class DetectLines(Stage):
    """The lines on pages: a gray crop each, in the page's own pixels, wide enough for both views of a reader.

    An image of a line is one line. A standing line is laid down. A crop's text is the reading of the language's existing reader:
    one of `existing` (`flywheel.labels.existing_readers`), or else Tesseract. If there is none, or it fails, the crop is unread;
    in the second case its metadata has `existing_reader`. The origin has the crop's page and place. A page without a line is a
    drop, `no_lines`.
    """

    version: ClassVar[int] = 4
    needs: ClassVar[Needs] = A_CORE

    existing: tuple[tuple[str, str], ...] = ()
    batch_size: int = 8

    def engines(self) -> dict[str, str]:
        return versions(_DETECTOR) | existing.engines(reader for _, reader in self.existing)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        asked, readers = self.engines(), dict(self.existing)
        for page in batch:
            yield from self._lines(page, asked, readers.get(page.lang, existing.DEBIAN), engines)

    def _lines(self, page: Sample, asked: dict[str, str], reader: str, engines: Engines) -> Iterator[Sample | Drop]:
        lines = detected(page, page.script, engines)
        if not lines:
            yield page.drop("no_lines", type(self).__name__, readings=(Reading(page.lang, Box(0, 0, *page.size), "", 0.0),))
        votes, failed = _votes(lines, page.lang, page.script, reader, engines)
        for number, (line, vote) in enumerate(zip(lines, votes, strict=True)):
            height, width = line.gray.shape
            lines_read = () if vote is None else (Line(line.inner, vote),)
            is_unread, o = vote is None, page.origin
            region = Region(
                line.inner, "text", vote or "", None, reader, (), lines_read, detected_by=_DETECTOR, is_unread=is_unread
            )
            yield Sample(
                key=f"{page.key}-l{number:04d}",
                task="crop",
                image=encoded(line.gray),
                size=(width, height),
                lang=page.lang,
                script=page.script,
                text=vote or "",
                regions=(region,),
                quality=Quality("none"),
                origin=Origin(o.uri, o.sha256, o.page, o.licence, asked, page.key, line.box),
                stage="lines",
                group=page.group,
                metadata={"existing_reader": "failed"} if failed else {},
            )


def line_of(sample: Sample) -> DetectedLine:
    """The line of a sample that `DetectLines` made."""
    (region,) = sample.regions
    vote = None if region.is_unread else sample.text
    box = sample.origin.box
    return DetectedLine(box, pixels(sample.image or b"", "L"), region.box, vote, stands(box, sample.script))


def _votes(
    lines: Sequence[DetectedLine], lang: str, script: str, reader: str, engines: Engines
) -> tuple[Sequence[str | None], bool]:
    """The existing reader's reading of each line, None if there is none; and whether the reader failed."""
    if not lines or (reader == existing.DEBIAN and not tesseract.reads(lang, script)):
        return [None] * len(lines), False
    try:
        return existing.read(reader, lang, script, [line.view(_VOTE_MARGIN) for line in lines], engines), False
    except RuntimeError as error:
        _tell(reader, lang, str(error))
        return [None] * len(lines), True


@functools.cache
def _tell(reader: str, lang: str, error: str) -> None:
    """Warn once a process."""
    log.warning("lines: %s can't read %s: %s; its lines have no vote", reader, lang, error)
