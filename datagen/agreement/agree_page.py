"""Decide one page: its label is compared with what other datasets say of the page."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from datagen.agreement import formulas
from datagen.agreement.blocks import Beside, Page, Unit, beside, text_of
from datagen.agreement.decided import ALONE, DRAWN, FOR, KEPT, REPLACED, UNREAD, Decided, Edit, Vote
from datagen.agreement.families import order_voter
from datagen.agreement.ink import PageInk
from datagen.agreement.order import Ordered, ordered
from datagen.agreement.spans import Reading, Text, of_lines
from datagen.agreement.tables import TableReading, TableVoting
from datagen.agreement.texts import OFTEN_ALONE, Voting
from datagen.labels import PICTURES, RUNNING
from datagen.markdown import lacks_text, markdown
from datagen.page.boxes import area, around, shared
from datagen.page.paper import inked
from datagen.record import Box, Line, Region, Sample
from datagen.writing.vertical_lines import direction_of

BY, STAGE, DECISIONS, VERSION = "agreed", "agreed", "decisions", 6
NO_REGION = -1
"""In a decision, the number of a region that the result doesn't have. The decision on the regions' order has it, too."""
_VALUE = {KEPT: 0.0, ALONE: 0.0, DRAWN: 0.5, REPLACED: 0.5, UNREAD: 1.0}
_EDGE = 0.06  # of a page's height: text so near an edge may be a running head or foot, which labels may leave out
_OVERLOOKED = 0.004  # of a region's area: more ink that nobody read is text that somebody overlooked
_PAD = 0.3  # of a line's height: ink may reach this far beyond the line's box
_FEW_WORDS = 60  # added to the words of a page: a few words don't tell how often a reader errs
_OPEN_SHARE = 0.2  # of a page's letters: a page with more open letters is suspect
_OF_TEXT = frozenset(
    "unsure_reading unscored_reading readings_differ readers_disagree ink_disagrees text_differs few_unmapped unchecked".split()
)
"""Reasons to doubt a page's text. They fall when voters have settled the text."""


@dataclass
class Block:
    """A decision with its region. `region` is None where the result leaves the region out; `own` is the label's region."""

    region: Region | None
    decided: Decided
    own: Region | None = None


@dataclass
class Agreement:
    """Decides a page. `label` is what the first dataset says of the page, with the image; `pages` are the other datasets'."""

    label: Page
    pages: Sequence[Page]
    ink: PageInk = field(init=False)

    def __post_init__(self) -> None:
        self.ink = PageInk(self.label.sample)

    def sample(self) -> Sample:
        """The page as agreed. Raises `SampleError` where the decision needs the ink and the image can't be read."""
        label = self.label.sample
        blocks = [self._block(i) for i in range(len(label.regions))]
        order = self._order()
        blocks = [blocks[i] for i in order.order]
        for at, block in self._lost(order.order):
            blocks.insert(at, block) if block.region is not None else blocks.append(block)
        shown = [block for block in blocks if block.region is not None]
        gone = [block for block in blocks if block.region is None]
        regions = tuple(block.region for block in shown if block.region is not None)
        entries = [_entry(n, block.decided) for n, block in enumerate(shown)]
        entries += [_entry(NO_REGION, block.decided) for block in gone]
        if order.pairs:
            entries.append(_order_entry(order, label.regions))
        is_changed = regions != label.regions
        text = self._text(regions) if is_changed else label.text
        engines = {name: version for page in (*self.pages, self.label) for name, version in page.sample.origin.engines.items()}
        agreed = replace(
            label,
            text=text,
            regions=regions,
            stage=STAGE,
            round=-1,
            origin=replace(label.origin, engines=engines | {"agreement": str(VERSION)}),
            metadata=label.metadata | {DECISIONS: json.dumps(entries, ensure_ascii=False, separators=(",", ":"))},
        )
        return _judged(agreed, shown, gone, order)

    @cached_property
    def beside(self) -> Beside:
        return beside(self.label.sample, self.pages)

    def _block(self, i: int) -> Block:
        region = self.label.sample.regions[i]
        own = self.label.voter_of(region)
        if region.label in PICTURES or region.format in ("smiles", "geometry"):
            return Block(region, Decided(region.text, ALONE, "picture", own), region)
        if region.format == "html":
            return self._made(region, self._table(i, region, own))
        if region.format == "latex" or (region.label == "equation" and not region.text.strip()):
            readings = [(page.voter_of(r), (page.dataset,), r.text) for page, r in self.beside.wholes[i] if r.format == "latex"]
            if lacks_text(region) and not readings:
                return Block(region, Decided("", UNREAD, "no_other_reader"), region)
            return self._made(region, formulas.decided(self.ink, region.box, (own, (self.label.dataset,), region.text), readings))
        return self._made(region, self._text_block(i, region))

    def _text_block(self, i: int, region: Region) -> Decided:
        voting = self._voting[i]
        if region.is_unread and not any(reading.text.words for reading in voting.readings):
            return Decided("", UNREAD, "unread_before", "", ())
        voting.is_covered = self._is_covered(i)
        voting.alone = self._alone
        return voting.decided()

    @cached_property
    def _voting(self) -> dict[int, Voting]:
        """The voting on each text region, by the region's number."""
        script, made = self.label.sample.script, {}
        for i, region in enumerate(self.label.sample.regions):
            if region.format == "markdown" and region.label not in PICTURES:
                readings = [self.beside.texts[i].get(page.dataset) or self._silent(page, region) for page in self.pages]
                spoken = _together([reading for reading in readings if reading is not None])
                label = Text("", ()) if region.is_unread else text_of(region, script)
                made[i] = Voting(self.ink, script, label, self.label.voter_of(region), (self.label.dataset,), spoken)
        return made

    @cached_property
    def _alone(self) -> dict[str, float]:
        """For each voter, the share of the page's words that only this voter reads so."""
        counts: Counter[tuple[str, bool]] = Counter()
        for voting in self._voting.values():
            voting.count_alone(counts)
        voters = {voter for voter, _ in counts}
        return {v: counts[v, True] / (_FEW_WORDS + counts[v, True] + counts[v, False]) for v in voters}

    def _silent(self, page: Page, region: Region) -> Reading | None:
        """An empty reading of a region in which the page should have text. None if the page has no text at all, or if labels may
        leave the region out."""
        if region.label in RUNNING or page.sample.origin.sha256 == "" or not page.main_voter:
            return None
        if not any(r.text.strip() and r.format == "markdown" and r.label not in PICTURES for r in page.sample.regions):
            return None
        return Reading(page.main_voter, (page.dataset,), Text("", ()))

    def _table(self, i: int, region: Region, own: str) -> Decided:
        readings = []
        for page in self.pages:
            table = next((r for p, r in self.beside.wholes[i] if p is page and r.format == "html"), None)
            lines = tuple(unit.line for unit in self.beside.units[i] if unit.page is page and unit.is_line)
            if table is not None or lines:
                by = table if table is not None else next(u.region for u in self.beside.units[i] if u.page is page)
                readings.append(TableReading(page.voter_of(by), page.dataset, table.text if table else "", lines))
        label = TableReading(own, self.label.dataset, region.text, region.lines)
        return TableVoting(self.ink, self.label.sample.script, label, readings, self._alone).decided()

    def _made(self, region: Region, decided: Decided) -> Block:
        """The region as decided."""
        if decided.outcome == UNREAD:
            return Block(replace(region, text="", lines=(), is_unread=True, by=BY, score=None), decided, region)
        if decided.outcome == ALONE or (decided.text == region.text and not decided.votes):
            return Block(region, decided, region)
        if not decided.text.strip():
            return Block(None, decided, region)
        lines = region.lines if decided.text == region.text else _lines(region, decided.edits)
        made = replace(region, text=decided.text, lines=lines, by=BY, is_unread=False, score=decided.score)
        return Block(made, decided, region)

    def _is_covered(self, i: int) -> bool:
        """Whether all ink in a region lies in lines that the others read, or in another region of the label."""
        regions = self.label.sample.regions
        box, gray = regions[i].box, self.ink.gray
        part = gray[box.y0 : box.y1, box.x0 : box.x1]
        if not part.size:
            return True
        ink = inked(part, 96, self.ink.paper)
        boxes = [unit.box for unit in self._units if unit.is_line] + [r.box for n, r in enumerate(regions) if n != i]
        for x0, y0, x1, y1 in boxes:
            if x1 > box.x0 and x0 < box.x1 and y1 > box.y0 and y0 < box.y1:
                pad = round(_PAD * min(y1 - y0, x1 - x0, 60))
                rows = slice(max(0, y0 - pad - box.y0), max(0, y1 + pad - box.y0))
                ink[rows, max(0, x0 - pad - box.x0) : max(0, x1 + pad - box.x0)] = False
        return float(ink.mean()) <= _OVERLOOKED

    @cached_property
    def _units(self) -> list[Unit]:
        return [*(unit for units in self.beside.units for unit in units), *self.beside.extra]

    # Regions that the label lacks

    def _lost(self, order: Sequence[int]) -> Iterator[tuple[int, Block]]:
        """The blocks that other datasets have where the label has nothing, each with its place in `order`."""
        width, height = self.label.sample.size
        hidden = [r.box for page in (self.label, *self.pages) for r in page.sample.regions if r.label in PICTURES]
        left = []
        for unit in self.beside.extra:
            middle = (unit.box.y0 + unit.box.y1) / 2
            is_hidden = any(shared(unit.box, box) > 0.5 * area(unit.box) for box in hidden)
            is_aside = unit.region.label in RUNNING or not _EDGE * height < middle < (1 - _EDGE) * height
            if not is_hidden and not is_aside and any(map(str.isalnum, unit.line.text)):
                left.append(unit)
        own, script = self.label.main_voter, self.label.sample.script
        left.sort(key=lambda u: -area(u.region.box))  # a paragraph takes its lines along
        while left:
            first = left[0]
            group = sorted((u for u in left if u.region is first.region), key=lambda u: u.number)
            box = around([unit.box for unit in group])
            near = [u for u in left if u not in group and shared(u.box, box) > 0.5 * min(area(u.box), area(box))]
            left = [u for u in left if u not in group and u not in near]
            readings = []
            for page in self.pages:
                units = sorted((u for u in (*group, *near) if u.page is page), key=lambda u: u.number)
                if units and (voter := page.voter_of(units[0].region)) != own:
                    readings.append(Reading(voter, (page.dataset,), of_lines([u.line for u in units], script)))
            if not readings:
                continue
            decided = self._lost_decided(readings, own, script)
            at = self._place_of(group[0], order)
            label = next((u.region.label for u in (*group, *near) if u.region.label != "text"), "text")
            x0, y0, x1, y1 = around([u.box for u in (*group, *near)])
            new = Region(Box(max(0, x0), max(0, y0), min(width, x1), min(height, y1)), label, decided.text, None, BY)
            yield at, Block(new if decided.text.strip() else None, decided)

    def _lost_decided(self, readings: Sequence[Reading], own: str, script: str) -> Decided:
        voting = Voting(self.ink, script, Text("", ()), own, (self.label.dataset,), readings, alone=self._alone)
        if len({reading.voter for reading in readings}) > 1:
            return voting.decided()
        shown = [self.ink.shows(line, script) for _, line in readings[0].text.lines]
        votes = tuple(Vote(r.voter, r.datasets, r.text.text, "against", 1.0) for r in readings)
        if shown and all(shown) and self._alone.get(readings[0].voter, 0.0) < OFTEN_ALONE:
            return Decided(readings[0].text.text, DRAWN, "ink_shows_more", readings[0].voter, votes)
        return Decided("", UNREAD, "one_has_more", "", votes)

    def _place_of(self, unit: Unit, order: Sequence[int]) -> int:
        """The place in `order` behind the region that the unit's own page reads last before the unit."""
        best, at = -1, 0
        for n, i in enumerate(order):
            numbers = [u.number for u in self.beside.units[i] if u.page is unit.page and u.number < unit.number]
            if numbers and max(numbers) > best:
                best, at = max(numbers), n + 1
        return at

    def _order(self) -> Ordered:
        regions = self.label.sample.regions
        places: dict[str, list[float | None]] = {}
        for page in self.pages:
            of: list[float | None] = []
            numbers = {id(region): float(n) for n, region in enumerate(page.sample.regions)}
            for i in range(len(regions)):
                found = [numbers[id(u.region)] + u.number * 1e-6 for u in self.beside.units[i] if u.page is page]
                found += [numbers[id(r)] for p, r in self.beside.wholes[i] if p is page]
                of.append(min(found) if found else None)
            places.setdefault(order_voter(page.sample), of)
        direction = direction_of(line for page in (self.label, *self.pages) for r in page.sample.regions for line in r.lines)
        return ordered(regions, order_voter(self.label.sample), places, direction, self.label.sample.size)

    def _text(self, regions: Sequence[Region]) -> str:
        label = self.label.sample
        if label.text == markdown(label.regions) or not label.text:
            return markdown(regions)
        return "\n\n".join(region.text for region in regions if region.text.strip() and not region.is_unread)


def _together(readings: Sequence[Reading]) -> list[Reading]:
    """The readings. Readings of one voter with the same text become one, which names all their datasets."""
    whole: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        key = reading.voter, reading.text.text
        before = whole.get(key)
        whole[key] = reading if before is None else replace(before, datasets=(*before.datasets, *reading.datasets))
    return list(whole.values())


def _lines(region: Region, edits: Sequence[Edit]) -> tuple[Line, ...]:
    """The region's lines that no edit touches. The text of these lines still holds."""
    placed = text_of(region, "").lines
    ends = [*(at for at, _ in placed[1:]), len(region.text)][: len(placed)]
    return tuple(
        line
        for (at, line), end in zip(placed, ends, strict=True)
        if not any((edit.start < end and edit.stop > at) or at < edit.start == edit.stop < end for edit in edits)
    )


def _entry(number: int, decided: Decided) -> dict[str, Any]:
    """A decision as an entry of the sample's `metadata`."""
    readings = []
    for vote in decided.votes:
        same = bool(decided.text) and vote.text == decided.text
        entry: dict[str, Any] = {"voter": vote.voter, "from": list(vote.datasets), "text": "" if same else vote.text}
        readings.append(entry | {"vote": vote.vote, "distance": vote.distance} | ({"same": True} if same else {}))
    head = {"region": number, "outcome": decided.outcome, "why": decided.why, "chosen": decided.chosen}
    return head | {"readings": readings}


def _order_entry(order: Ordered, regions: Sequence[Region]) -> dict[str, Any]:
    against = {"vote": "against", "distance": 1.0}
    pairs = [
        {"voter": voter, "from": [], "text": f"{regions[j].text[:40]} | {regions[i].text[:40]}"} | against
        for i, j, voters in order.pairs
        for voter in voters
    ]
    chosen = order.pairs[0][2][0] if order.outcome == REPLACED else ""
    head = {"region": NO_REGION, "outcome": order.outcome, "why": order.why, "chosen": chosen}
    return head | {"readings": pairs[:20]}


def _judged(agreed: Sample, kept: Sequence[Block], gone: Sequence[Block], order: Ordered) -> Sample:
    """The page with its verdict, difficulty and signals."""
    weights = {id(block): max(1, len(_own_text(block))) for block in (*kept, *gone)}
    judged = [block for block in (*kept, *gone) if block.decided.why != "picture"]
    total = max(1, sum(weights[id(block)] for block in judged))
    difficulty = sum(weights[id(block)] * _VALUE[block.decided.outcome] for block in judged) / total
    opened = [block for block in judged if block.decided.outcome == UNREAD]
    spoken = [b for b in judged if b.decided.outcome in (REPLACED, DRAWN) or any(v.vote == FOR for v in b.decided.votes[1:])]
    changed = [block for block in judged if block.decided.outcome in (REPLACED, DRAWN)]
    is_hard = bool(opened) or order.outcome == UNREAD
    level = 2.0 if is_hard else float(bool(changed) or order.outcome == REPLACED)
    signals = {f"num_{outcome}": float(sum(b.decided.outcome == outcome for b in judged)) for outcome in _VALUE}
    signals |= {"agreed_share": sum(weights[id(b)] for b in spoken) / total, "level": level}
    reasons = agreed.quality.reasons
    if all(block in spoken or block.decided.outcome == UNREAD for block in judged):
        reasons = tuple(reason for reason in reasons if reason not in _OF_TEXT)
    if sum(weights[id(block)] for block in opened) > _OPEN_SHARE * total:
        reasons = (*reasons, "readers_disagree")
    if order.outcome == UNREAD:
        reasons = (*reasons, "order_in_doubt")
    reasons = tuple(dict.fromkeys(reasons))
    verdict = "none" if not agreed.text.strip() else "suspect" if reasons else agreed.quality.verdict
    if verdict == "suspect" and not reasons and spoken:
        verdict = "trusted"
    agreed = replace(agreed, difficulty=round(difficulty, 3))
    return agreed.with_quality(verdict, reasons, **{n: round(v, 3) for n, v in signals.items()})


def _own_text(block: Block) -> str:
    texts = [block.own.text if block.own else "", block.decided.text, *(vote.text for vote in block.decided.votes)]
    return max(texts, key=len)
