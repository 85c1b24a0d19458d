"""Lay the readings of a page beside the label's regions: which lines, or which part of a text, belong to which region.

A line belongs to the region that holds most of the line. A text without lines that lies over several regions, such as an answer
for a whole page, is split by its words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from datagen.agreement.families import voter
from datagen.agreement.spans import Reading, Text, aligned_words, of_lines
from datagen.agreement.words import about, closed_up, words
from datagen.labels import PICTURES
from datagen.page.boxes import area, distance, overlap, put_elsewhere, shared
from datagen.record import Box, Line, Region, Sample

_INSIDE = 0.5  # of a line's area, or of a region's
_WHOLE = 0.8  # of a text's area: it is one region's
_PIECE, _BESIDE = 1.5, 0.6  # of a line's height: a piece of the line is no wider, and no farther from the line
_IN_ROW = 0.6  # of a piece's height: so much overlaps its row
_FOUND = 0.3  # of a text's words: if the regions have fewer of them, the text says something else


@dataclass(frozen=True)
class Page:
    """What one dataset says of a page, its boxes in the label's pixels."""

    dataset: str
    sample: Sample

    def voter_of(self, region: Region) -> str:
        return voter(region.by, self.sample)

    @property
    def main_voter(self) -> str:
        return voter("", self.sample)


@dataclass(frozen=True)
class Unit:
    """A line of a page, or a region without lines. `number` is the unit's place in the page's order."""

    page: Page
    region: Region
    line: Line
    number: int
    is_line: bool

    @property
    def box(self) -> Box:
        return self.line.box


@dataclass
class Beside:
    """What the other pages have for each of the label's regions: `texts` by dataset, whole tables and formulas (`wholes`), and
    `units`. The units in `extra` belong to no region."""

    texts: list[dict[str, Reading]]
    wholes: list[list[tuple[Page, Region]]]
    units: list[list[Unit]]
    extra: list[Unit] = field(default_factory=list)


def scaled(sample: Sample, size: tuple[int, int]) -> Sample:
    """The sample with its boxes scaled to an image of `size`, and within that image."""
    if sample.size == size or not all(sample.size):
        return sample
    across, down = size[0] / sample.size[0], size[1] / sample.size[1]

    def box(of: Box) -> Box:
        x0, x1 = (min(size[0], max(0, round(x * across))) for x in (of.x0, of.x1))
        y0, y1 = (min(size[1], max(0, round(y * down))) for y in (of.y0, of.y1))
        x0, y0 = min(x0, size[0] - 1), min(y0, size[1] - 1)
        return Box(x0, y0, max(x0 + 1, x1), max(y0 + 1, y1))

    regions = tuple(put_elsewhere(region, box, lambda x, y: (x * across, y * down)) for region in sample.regions)
    return replace(sample, size=size, regions=regions)


def units_of(page: Page) -> Iterator[Unit]:
    """The page's lines, in order. A region whose lines don't say what its text says is one unit. Pictures and formulas give no
    units."""
    number = 0
    for region in page.sample.regions:
        if region.is_unread or region.label in PICTURES or region.format not in ("markdown", "html"):
            continue
        own = tuple(line for line in region.lines if line.text.strip())
        has_lines = bool(own) and (region.format == "html" or _say_the_same(region, own, page.sample.script))
        lines = own if has_lines else (Line(region.box, region.text),) if region.format == "markdown" else ()
        for line in lines:
            if line.text.strip():
                line = replace(line, text=closed_up(line.text, page.sample.script))
                yield Unit(page, region, line, number, has_lines)
                number += 1


def beside(label: Sample, pages: Sequence[Page]) -> Beside:
    """What `pages` have for each of the label's regions."""
    regions = label.regions
    laid = Beside([{} for _ in regions], [[] for _ in regions], [[] for _ in regions])
    for page in pages:
        for region in page.sample.regions:
            if region.format in ("html", "latex") and region.text.strip() and not region.is_unread:
                best = _most_of(region.box, regions, region.format)
                if best is not None:
                    laid.wholes[best].append((page, region))
        placed: list[list[Unit]] = [[] for _ in regions]
        wide: list[tuple[Unit, list[int]]] = []
        for unit in units_of(page):
            over = [i for i, r in enumerate(regions) if shared(r.box, unit.box) > _INSIDE * area(r.box)]
            best = _most_of(unit.box, regions)
            if not unit.is_line and len(over) > 1:
                wide.append((unit, over))
            elif best is not None:
                placed[best].append(unit)
            else:
                laid.extra.append(unit)
        parted = {i: (unit, part) for unit, over in wide for i, part in _parted(unit, over, regions, label.script).items()}
        for i, of in enumerate(placed):
            laid.units[i] += of
            if of:
                laid.texts[i][page.dataset] = _reading(page, of, label.script)
            elif i in parted:
                unit, part = parted[i]
                laid.texts[i][page.dataset] = Reading(page.voter_of(unit.region), (page.dataset,), part, unit.region.score)
    return laid


def text_of(region: Region, script: str) -> Text:
    """The region's text, with the region's lines if the lines say the same."""
    lines = [line for line in region.lines if line.text.strip()]
    whole = Text(region.text, words(region.text, script))
    if not lines or not _say_the_same(region, lines, script):
        return whole
    ends, letters = [], 0
    for word in whole.words:
        letters += len(word.about)
        ends.append(letters)
    placed, done = [], 0
    for line in lines:
        first = next((n for n, end in enumerate(ends) if end > done), None)
        if first is not None:
            placed.append((whole.words[first].start, line))
        done += len(about(line.text, script))
    return whole._replace(lines=tuple(placed))


def _say_the_same(region: Region, lines: Sequence[Line], script: str) -> bool:
    return about("\n".join(line.text for line in lines), script) == about(region.text, script)


def _most_of(box: Box, regions: Sequence[Region], form: str = "") -> int | None:
    """The number of the region that holds most of a box; None if no region holds half of it. `form` asks for regions of one
    format."""
    shares = [shared(box, r.box) / area(box) if form in ("", r.format) else 0.0 for r in regions]
    # Of regions that hold the whole box, the smallest fits best: a paragraph in a frame.
    best = max(range(len(shares)), key=lambda i: (round(shares[i], 1), -area(regions[i].box), -i), default=None)
    return best if best is not None and shares[best] >= _INSIDE else None


def _reading(page: Page, units: Sequence[Unit], script: str) -> Reading:
    units = _in_rows(units, script)
    text = of_lines([unit.line for unit in units], script)
    if not all(unit.is_line for unit in units):
        text = text._replace(lines=())
    scores = [unit.line.score if unit.is_line else unit.region.score for unit in units]
    known = [score for score in scores if score is not None]
    score = sum(known) / len(known) if known else None
    return Reading(page.voter_of(units[0].region), (page.dataset,), text, score)


def _in_rows(units: Sequence[Unit], script: str) -> Sequence[Unit]:
    """The units, with each piece of a line next to its line: some readers find such pieces apart. A piece that lies in its line
    and repeats the line's text is left out."""
    ordered = list(units)
    for piece in units:
        box, text = piece.box, about(piece.line.text, script)
        row = next((u for u in units if _is_piece(piece, u)), None)
        if row is None:
            continue
        ordered.remove(piece)
        if shared(box, row.box) < _WHOLE * area(box) or text not in about(row.line.text, script):
            is_behind = (box.x0 > row.box.x0) != (row.line.direction == "rtl")
            ordered.insert(ordered.index(row) + is_behind, piece)
    return ordered


def _is_piece(piece: Unit, row: Unit) -> bool:
    """Whether `piece` is a sign or two in the row of another unit, within that unit or next to it."""
    height = row.box.y1 - row.box.y0
    is_small = piece.box.x1 - piece.box.x0 <= min(_PIECE * height, (row.box.x1 - row.box.x0) / 3)
    is_in_row = overlap(piece.box, row.box, 1) >= _IN_ROW and distance(piece.box, row.box) <= _BESIDE * height
    return is_small and is_in_row and piece.is_line and row.is_line and row.line.direction != "ttb"


def _parted(unit: Unit, over: Sequence[int], regions: Sequence[Region], script: str) -> dict[int, Text]:
    """The part of a text that belongs to each of these regions; {} where the text says something else."""
    label = [(i, word) for i in over for word in words(regions[i].text, script)]
    unit_words = words(unit.line.text, script)
    owners = aligned_words([word for _, word in label], unit_words)
    if sum(owner is not None for owner in owners) < _FOUND * len(unit_words):
        return {}
    parts: dict[int, list[int]] = {}
    last = label[0][0] if label else -1
    for n, owner in enumerate(owners):
        last = label[owner][0] if owner is not None else last
        parts.setdefault(last, []).append(n)
    made = {}
    for i, numbers in parts.items():
        start, stop = unit_words[numbers[0]].start, unit_words[numbers[-1]].stop
        made[i] = Text(unit.line.text[start:stop], words(unit.line.text[start:stop], script))
    return made
