"""Reading pages that nobody has labelled, as images: the gate decides which readings are accepted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy
import simplejpeg

from datagen.engines import OPEN, compact, versions
from datagen.engines.direction import is_rtl
from datagen.items import Inputs, Item
from datagen.pipeline import Estimate
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Reading, Region, Sample
from datagen.sources.dataset import ShardSource
from flywheel.places import PlaceFile
from flywheel.reading import ReadLine, read_lines

STAGE = "ReadPages"


@dataclass(frozen=True)
class Gate:
    """What reads the pages of a language in the fold whose pages are in the file `pages`, and the confidence that is asked for.

    `reader` names the reader's folder, and `sha256` is of its weights.
    """

    lang: str
    script: str
    pages: PlaceFile
    reader: str
    sha256: str
    threshold: float


@dataclass(frozen=True)
class ReadPages(ShardSource):
    """Reads pages; gives a crop for each line that is accepted, and a drop for each line that is refused.

    Each of `gates` names its pages, and the reader that reads them: a folder in the folder `readers` of the round `round`. Nobody
    looks at the pages' text layers. An accepted crop's origin says which page it is from and where it lies there. A drop has the
    reading that was refused. Its reason is `too_small` (for the reader), `turned` (higher than wide), `nothing_read`,
    `views_differ` (the line reads otherwise with another margin), `look_alike` (its letters don't say which script a word is in)
    or `low_confidence` (under the threshold). A page without a line is a drop, `no_lines`.
    """

    version: ClassVar[int] = 3

    readers: str = ""
    round: int = 0
    gates: tuple[Gate, ...] = ()
    jpeg_quality: int = 92

    def engines(self) -> dict[str, str]:
        return versions("ppocr-detector") | compact.engines()

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(max(0, item.count) for item in inputs)
        return Estimate(pages, 10_000 * pages, 0.1 * pages)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        num_items = 0
        for page in self.samples(item, lambda row: self._gate(row["key"]) is not None, images=True):
            gate = self._gate(page.key)
            assert gate is not None
            num_items += 1
            yield from self.lines(page, gate)
        if not num_items:
            yield Drop("", item.uri, None, STAGE, "no_pages", "no page to read")

    def _gate(self, key: str) -> Gate | None:
        """The gate that names this page."""
        return next((gate for gate in self.gates if gate.pages.keys().get(key) == gate.lang), None)

    def lines(self, page: Sample, gate: Gate) -> Iterator[Sample | Drop]:
        """The lines of a page behind a gate: a crop for each that is accepted, and a drop for each that is refused."""
        reader = OPEN.get("compact", folder=f"{self.readers}/{gate.reader}", sha256=gate.sha256)
        lines = read_lines(page, reader, gate.script, gate.threshold)
        if not lines:
            yield page.drop("no_lines", STAGE, readings=(Reading(gate.lang, Box(0, 0, *page.size), "", 0.0),))
        for number, line in enumerate(lines):
            key = f"{page.key}-r{self.round}-{number:04d}"
            if reason := line.refusal or ("low_confidence" if line.score < gate.threshold else ""):
                part = Range(page.origin.page, page.origin.page + 1)
                reading = Reading(gate.lang, line.box, line.text, line.score)
                yield Drop(key, page.origin.uri, part, STAGE, reason, readings=(reading,))
            else:
                yield self._accepted(page, gate, key, line)

    def _accepted(self, page: Sample, gate: Gate, key: str, line: ReadLine) -> Sample:
        height, width = line.crop.shape
        box, by, o = Box(0, 0, width, height), f"flywheel/round-{self.round}", page.origin
        direction = "rtl" if is_rtl(line.text, gate.script) else "ltr"
        return Sample(
            key=key,
            task="crop",
            image=simplejpeg.encode_jpeg(numpy.ascontiguousarray(line.crop)[:, :, None], self.jpeg_quality, "GRAY"),
            size=(width, height),
            lang=gate.lang,
            script=gate.script,
            text=line.text,
            regions=(Region(box, "text", line.text, line.score, by, lines=(Line(box, line.text, direction=direction),)),),
            quality=Quality("trusted", signals={"confidence": line.score}),
            origin=Origin(o.uri, o.sha256, o.page, o.licence, self.engines() | {by: gate.sha256}, page.key, line.box),
            stage=by,
            round=self.round,
            group=page.group,
        )
