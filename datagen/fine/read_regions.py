"""Regions read whole: tables, formulas and, if an engine is named for it, text."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy

from datagen.coarse.answers import BY
from datagen.engines import Choice, Engines, RegionReader, merged
from datagen.fine.verdict.mark_formulas import LABELS, has_formula, is_latex
from datagen.labels import PICTURES
from datagen.markdown import bare_latex, markdown
from datagen.page.boxes import rows_of
from datagen.page.images import pixels
from datagen.page.views import straightened
from datagen.record import Box, Drop, Line, Region, Sample
from datagen.tables.cells import parse, to_html
from datagen.work.needs import Needs
from datagen.work.pipeline import Stage

FEW_LINES = 3
"""Lines of a table that nobody reads, at least, to become text."""
_TABLES = Choice("tables")
_KEPT = 0.85  # of the letters of a table's lines: cells have them, but for a few that stand between two


class _Place(NamedTuple):
    """A region of a sample of the batch."""

    sample: int
    region: int


@dataclass(frozen=True)
class ReadRegions(Stage):
    """Reads the regions of pages that are marked `is_unread`: tables by the engine `tables`, equations by `formulas`. None is for
    no engine. What has no engine stays unread.

    An engine for `text` reads what is left but pictures, and again what another engine read from lines; what the file says of
    itself it doesn't read. Paragraphs with formulas in them go to the engine `inline`, which writes these as LaTeX; an answer
    without any is not believed (`flattened`).

    Each region is cut out with `margin` pixels around it, so that a table's frame is in the crop; one with a polygon, on a page
    that was turned, tilted or bent, as if it were seen from the front. The engine gets the lines that were read there, and all
    crops of a batch in one language at once. The page's text is made anew of its regions.

    What an engine says is believed if it is whole: HTML of a table must be well-formed, have text in a cell, and have nearly all
    of what was read in its lines; LaTeX must have its braces in pairs. Else the region stays unread; but a table of at least
    `FEW_LINES` lines becomes text, row by row, so that nothing that was read is lost (`tables_as_text`, their number). Signals:
    `unread_` with a label is the number of regions with it that are left unread; absent if it is 0. `not_read_` with a reason of
    the engine's, such as `timeout`, or with `not_whole`, `lines_lost` or `flattened`, is the number of regions that an engine
    couldn't read for it.
    """

    version: ClassVar[int] = 4

    tables: Choice | None = _TABLES
    formulas: Choice | None = None
    text: Choice | None = None
    inline: Choice | None = None
    margin: int = 6
    batch_size: int = 16

    @property
    def needs(self) -> Needs:
        return Needs(gpus=max((choice.gpus for choice in self._choices), default=0))

    @property
    def _choices(self) -> list[Choice]:
        return [choice for choice in (self.tables, self.formulas, self.text, self.inline) if choice is not None]

    def engines(self) -> dict[str, str]:
        return merged(choice.versions() for choice in self._choices)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        asked: dict[tuple[Choice, str], list[_Place]] = defaultdict(list)
        for i, sample in enumerate(batch):
            for n, region in enumerate(sample.regions if sample.task == "page" and sample.image else ()):
                if choice := self._who(region, sample.script):
                    asked[choice, sample.lang].append(_Place(i, n))
        images = {i: pixels(batch[i].image or b"") for i in {place.sample for places in asked.values() for place in places}}
        read: dict[_Place, Region] = {}
        why: dict[int, Counter[str]] = defaultdict(Counter)
        as_text: Counter[int] = Counter()
        for (choice, lang), places in asked.items():
            reader: RegionReader = choice.opened(engines)
            cut = [self._cut(images[place.sample], batch[place.sample], place.region) for place in places]
            crops, lines = [crop for crop, _ in cut], [of_crop for _, of_crop in cut]
            readings = reader.read(crops, lines, lang)
            reasons = getattr(reader, "reasons", None) or [""] * len(places)
            for place, (text, score), reason in zip(places, readings, reasons, strict=True):
                whole, region = _whole(text, reader.format), batch[place.sample].regions[place.region]
                if not whole:
                    why[place.sample][reason or "not_whole"] += 1
                elif _wants_latex(region, batch[place.sample].script) and not is_latex(whole):
                    why[place.sample]["flattened"] += 1
                elif reader.format == "html" and _kept(whole, region.lines) < _KEPT:
                    why[place.sample]["lines_lost"] += 1
                else:
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
            for n, region in enumerate(sample.regions if sample.task == "page" else ()):
                is_lost = region.label == "table" and region.is_unread and _Place(i, n) not in read
                if is_lost and len(region.lines) >= FEW_LINES:
                    read[_Place(i, n)] = _as_text(region)
                    as_text[i] += 1
            if as_text[i]:
                signals = sample.quality.signals | {"tables_as_text": float(as_text[i])}
                sample = replace(sample, quality=replace(sample.quality, signals=signals))
            yield self._with(sample, {place.region: region for place, region in read.items() if place.sample == i}, why[i])

    def _who(self, region: Region, script: str) -> Choice | None:
        """The engine for a region that is to be read."""
        if region.label in PICTURES:
            return None
        if region.label == "table":
            return self.tables if region.is_unread else None
        if region.label == "equation":
            return self.formulas if region.is_unread else None
        if _wants_latex(region, script):
            return self.inline
        return self.text if region.is_unread or region.score is not None else None

    def _cut(self, image: numpy.ndarray, sample: Sample, region: int) -> tuple[numpy.ndarray, list[Line]]:
        """What an engine sees of a region, and the lines that were read there."""
        of = sample.regions[region]
        if of.polygon:
            return straightened(image, of.polygon, of.lines, self.margin)
        (x0, y0, x1, y1), margin = of.box, self.margin
        box = Box(max(0, x0 - margin), max(0, y0 - margin), min(sample.size[0], x1 + margin), min(sample.size[1], y1 + margin))
        crop = numpy.ascontiguousarray(image[box.y0 : box.y1, box.x0 : box.x1])
        return crop, [_moved(line, box) for line in of.lines]

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


def _wants_latex(region: Region, script: str) -> bool:
    """Whether a region is a paragraph with formulas in it. Of the file's own text nothing else is left unread."""
    is_text = region.is_unread and region.label in LABELS and region.format == "markdown"
    return is_text and (region.by == BY or has_formula(region, script))


def _moved(line: Line, box: Box) -> Line:
    """The line in the pixels of a crop at `box`."""
    x, y = box.x0, box.y0
    at = line.box
    moved = Box(at.x0 - x, at.y0 - y, at.x1 - x, at.y1 - y)
    return replace(line, box=moved, polygon=tuple((px - x, py - y) for px, py in line.polygon))


def _kept(html: str, lines: Sequence[Line]) -> float:
    """The share of the letters and digits of lines that a table has, too; 1 without any."""
    of_lines = Counter(c for line in lines for c in line.text if c.isalnum())
    of_table = Counter(c for cell in parse(html).cells for c in cell.text if c.isalnum())
    return (of_lines & of_table).total() / of_lines.total() if of_lines else 1.0


def _as_text(table: Region) -> Region:
    """A table that nobody could read as one as the text of its lines, row by row."""
    direction = max((line.direction for line in table.lines), key=[line.direction for line in table.lines].count)
    ordered = rows_of(table.lines, lambda line: line.box, rtl=direction != "ltr")
    text = "\n".join(" ".join(line.text for line in row) for row in ordered)
    scores = [line.score for line in table.lines]
    score = None if None in scores else sum(map(float, filter(None, scores))) / len(scores)
    lines = tuple(line for row in ordered for line in row)
    return replace(table, label="text", text=text, lines=lines, score=score, format="markdown", is_unread=False)


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
