"""Pages of which a round accepted most lines. Such a page is a sample itself, with regions, boxes and an order.

Refused readings on it are painted over in the paper's colour, so the picture shows the label's text and no more. A page with ink
outside of all lines can't be made so, and isn't taken.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import simplejpeg

from datagen.disk import manifest
from datagen.disk.shards import read_report, read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.engines import versions
from datagen.inputs.items import Inputs, Item
from datagen.page.boxes import around
from datagen.page.images import pixels
from datagen.page.line_regions import FoundLine, regions_of
from datagen.page.pageink import PageInk
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Sample
from datagen.work.pipeline import Estimate, Pipeline
from datagen.work.samples_of import ShardsOf, ShardSource
from datagen.writing import scripts
from datagen.writing.vertical_lines import stands
from flywheel.lines.crops import Row
from flywheel.step import pages_name, round_name

STAGE = "LabelledPages"
_DETECTOR = "ppocr-detector"
_PART = re.compile(r"(?P<page>.*)-r\d+-(?P<line>\d+)(?:-?p\d+)?")


@dataclass(frozen=True)
class Part:
    """A part of a line at `box`, and its reading. `reason` tells why it was refused; "" if it was accepted. `is_agreed`: the
    existing reader has the same words."""

    box: Box
    text: str
    score: float
    direction: str = "ltr"
    is_agreed: bool = False
    reason: str = ""


@dataclass(frozen=True)
class PageReading:
    """A round's readings on a page: by the number of a line its parts, from left to right. `lang`, `script` and `engines` come
    from accepted parts, if there are any."""

    lang: str
    script: str
    engines: Mapping[str, str]
    lines: Mapping[int, Sequence[Part]]

    @property
    def parts(self) -> list[Part]:
        return [part for _, parts in sorted(self.lines.items()) for part in parts]

    @property
    def num_chars(self) -> int:
        return sum(len(part.text) for part in self.parts)

    @property
    def num_accepted(self) -> int:
        return sum(len(part.text) for part in self.parts if not part.reason)

    @property
    def accepted_share(self) -> float:
        return self.num_accepted / max(1, self.num_chars)


@dataclass(frozen=True)
class LabelledPages(ShardSource):
    """Pages of the dataset `pages` as the round `round` read them. The round's shards go in; `shards` names the pages' shards
    that each of them read.

    A page is a sample if at least `min_accepted` of its read characters are in accepted parts, and if at most `max_strays` pieces
    of ink that may be letters are outside of all lines. Refused parts and such ink are painted over. Other pages are drops:

        too_much_refused    less than `min_accepted` was accepted
        in_columns          lines stand, in a script with columns: nothing here puts such lines in order
        ink_without_line    the detector missed lines, or pictures hold text
    """

    pages: str = ""
    round: int = 0
    shards: tuple[tuple[str, tuple[str, ...]], ...] = ()
    min_accepted: float = 0.75
    max_strays: int = 4
    jpeg_quality: int = 90

    def engines(self) -> dict[str, str]:
        return versions(_DETECTOR)

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(max(0, item.count) for item in inputs) // 30
        return Estimate(pages, 400_000 * pages, 0.2 * pages)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        url, _, name = item.uri.rpartition("/")
        shard = name.removesuffix(".tar")
        report = read_report(Folder(url.rpartition("/")[0]), shard)
        readings = page_readings(self.samples(item, lambda row: True), report.drops if report else ())
        num_pages, folder = 0, Folder(self.pages)
        for page_shard in dict(self.shards).get(shard, ()):
            for row in manifest.read_part(folder, page_shard).to_pylist():
                if row["key"] in readings:
                    num_pages += 1
                    yield self._outcome(folder, row, readings[row["key"]])
        if not num_pages:
            yield Drop("", item.uri, None, STAGE, "no_pages", "no page of which anything was read")

    def _outcome(self, folder: Folder, row: dict, reading: PageReading) -> Sample | Drop:
        if reading.accepted_share < self.min_accepted:
            at = Range(row["page"], row["page"] + 1)
            detail = f"{reading.num_accepted} of {reading.num_chars} characters accepted"
            return Drop(row["key"], row["uri"], at, STAGE, "too_much_refused", detail)
        (page,) = read_samples(folder, [row])
        return self.labelled(page, reading)

    def labelled(self, page: Sample, reading: PageReading) -> Sample | Drop:
        """The page, with its image, as a sample of its accepted readings; a drop if ink on it has no label."""
        assert page.image is not None
        parts = reading.parts
        accepted = [part for part in parts if not part.reason]
        if num_standing := sum(stands(part.box, reading.script) for part in accepted):
            return page.drop("in_columns", STAGE, f"{num_standing} parts of lines that stand")
        ink = PageInk.of(pixels(page.image), [part.box for part in parts])
        heights = sorted(part.box.y1 - part.box.y0 for part in accepted)
        strays, num_letters = ink.strays(heights[len(heights) // 2])
        if num_letters > self.max_strays:
            return page.drop("ink_without_line", STAGE, f"{num_letters} pieces of ink that may be letters")
        refused = {number: part.box for number, part in enumerate(parts) if part.reason}
        image = page.image
        if refused or strays:
            painted = ink.without(refused, strays)
            image = simplejpeg.encode_jpeg(painted, self.jpeg_quality, "RGB", "420", fastdct=False)
        by, o = f"flywheel/round-{self.round}", page.origin
        regions = regions_of(found_lines(reading), reading.script, by, _DETECTOR, ink.is_clear)
        num_agreed = sum(len(part.text) for part in accepted if part.is_agreed)
        signals = {
            "accepted_share": reading.accepted_share,
            "agreed_share": num_agreed / reading.num_accepted,
            "num_painted": float(len(refused) + len(strays)),
        }
        return Sample(
            key=f"{page.key}-page-r{self.round}",
            task="page",
            image=image,
            size=page.size,
            lang=reading.lang,
            script=reading.script,
            text="\n\n".join(region.text for region in regions),
            regions=regions,
            quality=Quality("trusted", signals=signals),
            origin=Origin(o.uri, o.sha256, o.page, o.licence, {**o.engines, **reading.engines}, page.key, Box(0, 0, *page.size)),
            stage=by,
            round=self.round,
            group=page.group,
        )


def pipeline(number: int, labels: Folder, pages: Folder, rows: Sequence[Row]) -> Pipeline | None:
    """The pipeline that makes samples of the pages that round `number` read: `rows` of the dataset `pages`. `labels` is the
    round's dataset. None if the round read no line."""
    shard_of = {row["key"]: row["shard"] for row in rows}
    shards: dict[str, set[str]] = {}
    for report in read_reports(labels):
        keys = {row["parent"] for row in manifest.read_part(labels, report.shard).select(["parent"]).to_pylist()}
        keys |= {place_of(drop.key)[0] for drop in report.drops if drop.readings}
        shards[report.shard] = {shard_of[key] for key in keys if key in shard_of}
    read = tuple((shard, tuple(sorted(of_pages))) for shard, of_pages in shards.items() if of_pages)
    census = ShardsOf(labels.url, tuple(shard for shard, _ in read))
    source = LabelledPages(pages.url, number, read)
    return Pipeline(pages_name(round_name(number)), census, source, (), max_drop=1.0) if read else None


def refused_boxes(labels: Folder) -> dict[str, list[Box]]:
    """By the key of a page, the boxes of refused readings in the round's dataset `labels`."""
    boxes: dict[str, list[Box]] = defaultdict(list)
    for drop in (drop for report in read_reports(labels) for drop in report.drops if drop.readings):
        boxes[place_of(drop.key)[0]] += [reading.box for reading in drop.readings]
    return boxes


def page_readings(accepted: Iterable[Sample], refused: Iterable[Drop]) -> dict[str, PageReading]:
    """By the key of a page, its readings: a round's accepted crops, and its drops."""
    lines: dict[str, dict[int, list[Part]]] = defaultdict(lambda: defaultdict(list))
    first_crops: dict[str, Sample] = {}
    for crop in accepted:
        (region,) = crop.regions
        (line,) = region.lines
        page, number = place_of(crop.key)
        is_agreed = crop.quality.signals.get("agreed", 0.0) > 0
        lines[page][number].append(Part(crop.origin.box, crop.text, region.score or 0.0, line.direction, is_agreed))
        first_crops.setdefault(page, crop)
    for drop in refused:
        for reading in drop.readings:
            page, number = place_of(drop.key)
            lines[page][number].append(Part(reading.box, reading.text, reading.score, reason=drop.reason))
    readings = {}
    for key, of_page in lines.items():
        by_number = {number: sorted(parts, key=lambda part: part.box) for number, parts in of_page.items()}
        first = first_crops.get(key)
        about = (first.lang, first.script, first.origin.engines) if first else ("und", "Zyyy", {})
        readings[key] = PageReading(*about, by_number)
    return readings


def found_lines(reading: PageReading) -> list[FoundLine]:
    """The lines with an accepted part. Accepted parts that touch are one run."""
    with_text = []
    for _, parts in sorted(reading.lines.items()):
        runs: list[list[Part]] = [[]]
        for part in parts:
            if part.reason:
                runs.append([])
            else:
                runs[-1].append(part)
        lines = [_run(run, reading.script) for run in runs if run]
        if lines:
            ordered = lines[::-1] if reading.script in scripts.RTL else lines
            with_text.append(FoundLine(around(part.box for part in parts), tuple(ordered)))
    return with_text


def _run(parts: Sequence[Part], script: str) -> Line:
    """Neighbouring parts, from left to right, as one line."""
    ordered = parts[::-1] if script in scripts.RTL else parts
    text = " ".join(part.text for part in ordered)
    score = sum(part.score * len(part.text) for part in parts) / sum(len(part.text) for part in parts)
    direction = "rtl" if any(part.direction == "rtl" for part in parts) else "ltr"
    return Line(around(part.box for part in parts), text, direction=direction, score=score)


def place_of(key: str) -> tuple[str, int]:
    """The page and the number of the line to which a part's key belongs."""
    match = _PART.fullmatch(key)
    assert match, key
    return match["page"], int(match["line"])
