"""Regions read whole: tables, formulas and, if an engine is named for it, text."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy

from datagen.engines import Choice, Engines, RegionReader, merged
from datagen.labels import PICTURES
from datagen.markdown import bare_latex, markdown
from datagen.page.images import pixels
from datagen.record import Box, Drop, Line, Region, Sample
from datagen.tables.cells import parse, to_html
from datagen.work.needs import Needs
from datagen.work.pipeline import Stage

_TABLES = Choice("tables")


class _Place(NamedTuple):
    """A region of a sample of the batch."""

    sample: int
    region: int


@dataclass(frozen=True)
class ReadRegions(Stage):
    """Reads the regions of pages that are marked `is_unread`: tables by the engine `tables`, equations by `formulas`. None is for
    no engine. What has no engine stays unread.

    An engine for `text` reads what is left but pictures, and again what another engine read from lines; what the file says of
    itself it doesn't read.

    Each region is cut out with `margin` pixels around it, so that a table's frame is in the crop. The engine gets the lines that
    were read there, and all crops of a batch in one language at once. The page's text is made anew of its regions.

    What an engine says is believed if it is whole: HTML of a table must be well-formed and have text in a cell, LaTeX must have
    its braces in pairs. Else the region stays unread. Signals: `unread_` with a label is the number of regions with it that are
    left unread; absent if it is 0. `not_read_` with a reason of the engine's, such as `timeout`, or with `not_whole`, is the
    number of regions that an engine couldn't read for it.
    """

    tables: Choice | None = _TABLES
    formulas: Choice | None = None
    text: Choice | None = None
    margin: int = 6
    batch_size: int = 16

    @property
    def needs(self) -> Needs:
        return Needs(gpus=max((choice.gpus for choice in self._choices), default=0))

    @property
    def _choices(self) -> list[Choice]:
        return [choice for choice in (self.tables, self.formulas, self.text) if choice is not None]

    def engines(self) -> dict[str, str]:
        return merged(choice.versions() for choice in self._choices)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        asked: dict[tuple[Choice, str], list[_Place]] = defaultdict(list)
        for i, sample in enumerate(batch):
            for n, region in enumerate(sample.regions if sample.task == "page" and sample.image else ()):
                if choice := self._who(region):
                    asked[choice, sample.lang].append(_Place(i, n))
        images = {i: pixels(batch[i].image or b"") for i in {place.sample for places in asked.values() for place in places}}
        read: dict[_Place, Region] = {}
        why: dict[int, Counter[str]] = defaultdict(Counter)
        for (choice, lang), places in asked.items():
            reader: RegionReader = choice.opened(engines)
            boxes = [self._around(batch[place.sample], place.region) for place in places]
            crops = [
                numpy.ascontiguousarray(images[place.sample][box.y0 : box.y1, box.x0 : box.x1])
                for place, box in zip(places, boxes, strict=True)
            ]
            lines = [
                [_moved(line, box) for line in batch[place.sample].regions[place.region].lines]
                for place, box in zip(places, boxes, strict=True)
            ]
            readings = reader.read(crops, lines, lang)
            reasons = getattr(reader, "reasons", None) or [""] * len(places)
            for place, (text, score), reason in zip(places, readings, reasons, strict=True):
                whole = _whole(text, reader.format)
                if not whole:
                    why[place.sample][reason or "not_whole"] += 1
                else:
                    region = batch[place.sample].regions[place.region]
                    read[place] = replace(
                        region,
                        text=whole,
                        score=score,
                        format=reader.format,
                        by=choice.name,
                        detected_by=region.detected_by or region.by,
                        is_unread=False,
                    )
        for i, sample in enumerate(batch):
            yield self._with(sample, {place.region: region for place, region in read.items() if place.sample == i}, why[i])

    def _who(self, region: Region) -> Choice | None:
        """The engine for a region that is to be read."""
        if region.label in PICTURES:
            return None
        if region.label == "table":
            return self.tables if region.is_unread else None
        if region.label == "equation":
            return self.formulas if region.is_unread else None
        return self.text if region.is_unread or region.score is not None else None

    def _around(self, sample: Sample, region: int) -> Box:
        x0, y0, x1, y1 = sample.regions[region].box
        width, height = sample.size
        return Box(
            max(0, x0 - self.margin), max(0, y0 - self.margin), min(width, x1 + self.margin), min(height, y1 + self.margin)
        )

    def _with(self, sample: Sample, read: dict[int, Region], why: Counter[str]) -> Sample:
        """The sample with these of its regions, by their index, and with signals of those that are left, and why."""
        regions = tuple(read.get(n, region) for n, region in enumerate(sample.regions))
        if read:
            sample = replace(sample, regions=regions, text=markdown(regions))
        labels = [region.label for region in regions if region.is_unread]
        if sample.task != "page" or not (labels or why):
            return sample
        signals = {f"unread_{label}": float(labels.count(label)) for label in sorted(set(labels))}
        signals |= {f"not_read_{reason}": float(num) for reason, num in sorted(why.items())}
        return replace(sample, quality=replace(sample.quality, signals=sample.quality.signals | signals))


def _moved(line: Line, box: Box) -> Line:
    """The line in the pixels of a crop at `box`."""
    x, y = box.x0, box.y0
    at = line.box
    moved = Box(at.x0 - x, at.y0 - y, at.x1 - x, at.y1 - y)
    return replace(line, box=moved, polygon=tuple((px - x, py - y) for px, py in line.polygon))


def _whole(text: str, format: str) -> str:
    """What an engine said, in the record's form; "" if it isn't whole."""
    if format == "html":
        try:
            table = parse(text, is_strict=True)
            return to_html(table) if table.has_text else ""
        except ValueError:
            return ""
    if format == "latex":
        text = bare_latex(text)
        return text if _is_paired(text) else ""
    return text.strip()


def _is_paired(latex: str) -> bool:
    """Whether braces are in pairs, but for those that are drawn (`\\{`)."""
    depth, is_escaped = 0, False
    for char in latex:
        if not is_escaped:
            depth += (char == "{") - (char == "}")
            if depth < 0:
                return False
        is_escaped = char == "\\" and not is_escaped
    return depth == 0
