"""Readers read lines that nobody has labelled. The gate decides which pieces of the lines are accepted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, ClassVar

import numpy

from datagen.engines import OPEN, Engines
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Reading, Region, Sample
from datagen.risk.bounds import NOBODY
from datagen.work.needs import Needs
from datagen.work.pipeline import Stage
from datagen.work.samples_of import SamplesOf
from datagen.writing.direction import is_rtl
from flywheel.labels.calibrated_scores import Worth
from flywheel.labels.detected_lines import line_of
from flywheel.labels.line_readings import encoded
from flywheel.labels.reading_pieces import AGREED, STRATA, LineReading, Part, read_parts
from flywheel.pools.page_lists import PlaceFile
from flywheel.readers import kinds
from flywheel.step import COMPACT

STAGE = "ReadLines"


@dataclass(frozen=True)
class Gate:
    """The gate of one language on the pages in the file `pages`. `reader` names the folder of the reader, and `sha256` is that of
    its weights. A piece that the existing reader reads alike needs the confidence `agreed`; another piece needs `alone`. `worth`
    tells, for each of `STRATA`, the share of right pieces at some confidence."""

    lang: str
    script: str
    pages: PlaceFile
    reader: str
    sha256: str
    agreed: float
    alone: float
    worth: tuple[Worth, ...] = ()

    def share(self, part: Part) -> float:
        """The share of right pieces among pieces of this part's confidence. The confidence itself if `worth` is empty."""
        return self.worth[STRATA.index(part.stratum)].share(part.score) if self.worth else part.score

    def refusal(self, part: Part) -> str:
        """Why a part is not accepted; "" if it is."""
        if not part.stratum:
            return part.reason
        cutoff = self.agreed if part.stratum == AGREED else self.alone
        return "" if part.score >= cutoff else "gate_is_shut" if cutoff == NOBODY else "low_confidence"


@dataclass(frozen=True)
class LinesOf(SamplesOf):
    """The lines of the dataset `lines` on pages that one of the files `pages` names in its language. Lines get the keys of the
    round `round`."""

    version: ClassVar[int] = 1

    pages: tuple[tuple[str, PlaceFile], ...] = ()
    round: int = 0

    def is_chosen(self, row: dict[str, Any]) -> bool:
        return any(file.keys().get(row["parent"]) == lang for lang, file in self.pages)

    def given(self, sample: Sample) -> Sample:
        page, _, number = sample.key.rpartition("-l")
        return replace(sample, key=f"{page}-r{self.round}-{number}")


@dataclass(frozen=True)
class ReadLines(Stage):
    """Reads lines (`LinesOf`) with readers of a `kind`, on a `device` as in `Pretrained`.

    An accepted piece gives a crop, and a refused part of a line gives a drop. A line without an accepted piece gives one drop.

    A crop's score is the share of right pieces among pieces of its stratum and confidence, so scores of all readers and languages
    compare. The reader's confidence is among the signals of the crop's quality. A drop's score is the reader's confidence.

    Each of `gates` names its pages and its reader: a folder in the folder `readers` of the round `round`. An accepted crop has
    pixels of its page; its origin names the page, and the crop's place there. A drop has the refused reading. The reason of a
    line is `too_small` (for the reader), `turned` (higher than wide, in a script without columns) or `nothing_read`. The reason
    of a part of a line, or of most of a line, is

        views_differ     the reader reads other words at another scale
        look_alike       the letters of a word don't say which script the word is in
        disagrees        the existing reader reads other words
        low_confidence   the words aren't sure, and there is no existing reader; or the piece is below its cutoff
        gate_is_shut     the pieces of this stratum can't be shown to be right often enough
        other_script     most letters are Latin, in a text of another script
        too_short        the words are sure, but too few for a piece
        no_gap           no paper shows between the words, so the image can't be cut there
    """

    version: ClassVar[int] = 7

    readers: str = ""
    round: int = 0
    gates: tuple[Gate, ...] = ()
    kind: str = COMPACT
    device: str = field(default="", metadata={"secret": True})  # decides no byte
    batch_size: int = 64

    @property
    def needs(self) -> Needs:
        return kinds.needs(self.kind, self.device)

    def engines(self) -> dict[str, str]:
        return kinds.engines(self.kind)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for gate, lines in groupby(batch, key=self._gate):
            yield from self.outcomes(list(lines), gate, engines)

    def _gate(self, line: Sample) -> Gate:
        """The gate whose file of pages names this line's page."""
        return next(gate for gate in self.gates if gate.pages.keys().get(line.origin.parent) == gate.lang)

    def outcomes(self, lines: Sequence[Sample], gate: Gate, engines: Engines = OPEN) -> Iterator[Sample | Drop]:
        """The crops and drops of lines that one gate judges."""
        reader = kinds.reader(f"{self.readers}/{gate.reader}", gate.sha256, engines, self.device)
        readings = read_parts([line_of(line) for line in lines], reader, gate.script)
        for line, reading in zip(lines, readings, strict=True):
            judged = [replace(part, reason=gate.refusal(part)) for part in reading.parts]
            is_whole = len(judged) == 1 or all(part.reason for part in judged)
            runs = [(reason, list(run)) for reason, run in groupby(judged, key=lambda part: bool(part.reason))]
            count = 0
            for is_refused, run in runs:
                for part in [reading.merge(run)] if is_refused else run:
                    count += 1
                    at = line.origin.box if is_whole else box_of(reading, part)
                    part_key = line.key if is_whole else f"{line.key}-p{count}"
                    yield (
                        self._refused(line, gate, part_key, part, at)
                        if is_refused
                        else self._accepted(line, gate, part_key, part, at, reading.crop)
                    )

    def _refused(self, line: Sample, gate: Gate, key: str, part: Part, box: Box) -> Drop:
        where = Range(line.origin.page, line.origin.page + 1)
        reading = Reading(gate.lang, box, part.text, part.score)
        return Drop(key, line.origin.uri, where, STAGE, part.reason, readings=(reading,))

    def _accepted(self, line: Sample, gate: Gate, key: str, part: Part, at: Box, crop: numpy.ndarray) -> Sample:
        pixels = crop[:, part.left : part.right]
        height, width = pixels.shape
        box, by, o, share = Box(0, 0, width, height), f"flywheel/round-{self.round}", line.origin, gate.share(part)
        direction = "rtl" if is_rtl(part.text, gate.script) else "ltr"
        return Sample(
            key=key,
            task="crop",
            image=encoded(pixels),
            size=(width, height),
            lang=gate.lang,
            script=gate.script,
            text=part.text,
            regions=(Region(box, "text", part.text, share, by, lines=(Line(box, part.text, direction=direction),)),),
            quality=Quality("trusted", signals={"confidence": part.score, "agreed": float(part.stratum == AGREED)}),
            origin=Origin(o.uri, o.sha256, o.page, o.licence, o.engines | self.engines() | {by: gate.sha256}, o.parent, at),
            stage=by,
            round=self.round,
            group=line.group,
        )


def box_of(reading: LineReading, part: Part) -> Box:
    """The line's box on its page, cut to the part's columns."""
    box, inset = reading.line.box, reading.inset
    if reading.line.stands:
        scale = (box.y1 - box.y0) / (reading.line.inner.x1 - reading.line.inner.x0)
        top, bottom = (box.y0 + round((x - inset) * scale) for x in (part.left, part.right))
        y0 = max(box.y0, min(box.y1 - 1, top))
        return Box(box.x0, y0, box.x1, max(y0 + 1, min(box.y1, bottom)))
    x0 = max(box.x0, min(box.x1 - 1, box.x0 + part.left - inset))
    return Box(x0, box.y0, max(x0 + 1, min(box.x1, box.x0 + part.right - inset)), box.y1)
