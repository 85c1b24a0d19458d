"""The cuts between a table's columns and rows: at rules, and at gaps that go through nearly all of the table."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy

from datagen.record import Line
from datagen.tables.rules import Rule

CROSSES_EM = 0.3  # a block that reaches farther into a column or row also lies in it
FRAME_SHARE = 0.8  # of the table's side: a rule through the whole table covers more
RULED_SHARE = 0.5  # of the table's side: the gaps of a rule that covers less mean nothing
_GAP_EM = (0.3, 0.05)  # between columns, between rows; the latter is small because boxes are as high as the font
_CROSSING_SHARE, _CROSSING_SHARE_OF_ONE = 0.6, 0.35  # of a gap's blocks: those across it, at most; if it divides one pair
_WHOLE_SHARE = 0.5  # of the areas between rules: if so many are one row, only rules divide rows
_LEVEL_EM, _MANY_LEVELS, _UNEVEN = 0.25, 10, 0.75
_DOUBLE_EM = 0.8
_LEAST_RULE_EM, _LEAST_BOXED_EM = 3.0, 1.2
_TIGHT_EM = 0.15  # boxes are cut by so much above and below, because boxes of close lines touch
_FEW_LANES, _MANY_LANES = 2, 4

Span = tuple[int, int]


class Block(NamedTuple):
    """Lines that are one text in one cell. `spans` are their extents: (left, right) and (top, bottom)."""

    spans: tuple[Span, Span]
    lines: tuple[Line, ...]

    @property
    def is_number(self) -> bool:
        chars = [char for line in self.lines for char in line.text if not char.isspace()]
        return 2 * sum(map(str.isdigit, chars)) >= len(chars)


@dataclass
class Axis:
    """The columns or rows of a table: the places of the cuts between them, and for each cut its rule or None."""

    cuts: list[float]
    rules: list[Rule | None]

    def reach(self, span: Span, slack: float) -> tuple[int, int]:
        """The first and last column, or row, in which a span lies."""
        sides = zip((-numpy.inf, *self.cuts), (*self.cuts, numpy.inf), strict=True)
        overlaps = [min(span[1], stop) - max(span[0], first) for first, stop in sides]
        most = int(numpy.argmax(overlaps))
        inside = [i for i, overlap in enumerate(overlaps) if overlap > slack or i == most]
        return inside[0], inside[-1]


@dataclass(frozen=True)
class Field:
    """A table's area. `ends` are the extents of its text, across and down. `rules` are its vertical and horizontal rules.
    `is_boxed`: the table has a frame."""

    em: float
    ends: tuple[Span, Span]
    rules: tuple[Sequence[Rule], Sequence[Rule]]
    is_boxed: bool

    @property
    def slack(self) -> float:
        return CROSSES_EM * self.em


@dataclass(frozen=True)
class Cutter:
    """Finds the cuts between columns (`way` 0) or rows (`way` 1) among `blocks`. `lanes` are runs of blocks across these cuts:
    the rows of text for columns, and the columns for rows. `lanes_of` has the indices of each block's lanes."""

    field: Field
    way: int
    blocks: Sequence[Block]
    lanes: Sequence[Sequence[Block]]
    lanes_of: Sequence[Sequence[int]]

    def axis(self) -> Axis:
        field, way = self.field, self.way
        middles = [sum(block.spans[way]) / 2 for block in self.blocks]
        rules = self._apart([rule for rule in field.rules[way] if min(middles) < rule.at < max(middles) and self._is_long(rule)])
        gaps = self._gaps()
        if way == 1:
            gaps = self._between_rules(gaps, [rule.at for rule in rules])
        elif any(rule.covered(*field.ends[1]) > FRAME_SHARE for rule in rules):
            gaps = [gap for gap in gaps if gap.num_parting >= max(3, 0.6 * len(self.lanes)) and not gap.num_crossing]
        near = field.em / 2 if way == 0 else 0.0
        cuts = [_Cut(rule.at, rule) for rule in rules]
        least = _FEW_LANES if len(self.lanes) > _MANY_LANES and way == 0 else 1
        for gap in gaps:
            if not any(gap.first - near <= cut.at <= gap.stop + near for cut in cuts):
                is_clear = gap.stop - gap.first >= field.em or not gap.num_crossing
                cuts.append(_Cut(gap.middle, None, 1 if is_clear else least))
        return self._without_idle(sorted(cuts, key=lambda cut: cut.at))

    def _is_long(self, rule: Rule) -> bool:
        """Whether a rule is long enough to divide columns or rows. A short rule may be part of a character."""
        first, stop = self.field.ends[1 - self.way]
        length = sum(max(0, min(stop, b) - max(first, a)) for a, b in rule.parts)
        least_em = _LEAST_BOXED_EM if self.field.is_boxed else _LEAST_RULE_EM
        return length >= min(RULED_SHARE * (stop - first), least_em * self.field.em)

    def _apart(self, rules: Sequence[Rule]) -> list[Rule]:
        """The rules, with close rules joined if no text stands between them: double rules, and the edges of a shade."""
        apart: list[Rule] = []
        for rule in rules:
            last = apart[-1] if apart else None
            is_close = last is not None and rule.at - last.at < _DOUBLE_EM * self.field.em
            if last and is_close and not any(last.at < sum(block.spans[self.way]) / 2 < rule.at for block in self.blocks):
                apart[-1] = last.joined(rule)
            else:
                apart.append(rule)
        return apart

    def _between_rules(self, gaps: list["_Gap"], rules: Sequence[float]) -> list["_Gap"]:
        """The gaps between rows that count: no gap if rules already divide most rows."""
        slack = self.field.slack
        free = [gap for gap in gaps if not any(gap.first - slack <= at <= gap.stop + slack for at in rules)]
        bands = zip((-numpy.inf, *rules), (*rules, numpy.inf), strict=True)
        middles = [sum(block.spans[self.way]) / 2 for block in self.blocks]
        filled = [band for band in bands if any(band[0] < middle < band[1] for middle in middles)]
        num_whole = sum(
            not any(first < gap.middle < stop for gap in free) or self._is_uneven(first, stop) for first, stop in filled
        )
        num_rules = sum(map(self._is_long, self.field.rules[self.way]))  # the frame's rules count, too
        is_ruled = num_rules > 2 and len(rules) > 0 and num_whole >= _WHOLE_SHARE * len(filled)
        return [] if is_ruled and not any(self._parts_numbers(gap, rules) for gap in free) else gaps

    def _is_uneven(self, first: float, stop: float) -> bool:
        """Whether lines between two rules mostly have no lines beside them. Then they are the lines of tall cells, and not
        rows."""
        lines = [
            ((line.box.y0 + line.box.y1) / 2, lane)
            for block, lanes in zip(self.blocks, self.lanes_of, strict=True)
            if first < sum(block.spans[self.way]) / 2 < stop
            for line in block.lines
            for lane in lanes
        ]
        levels: list[float] = []
        for middle, _ in sorted(lines):
            if not levels or middle - levels[-1] > _LEVEL_EM * self.field.em:
                levels.append(middle)
        return len(levels) <= _MANY_LEVELS and len(lines) <= _UNEVEN * len(levels) * len({lane for _, lane in lines})

    def _parts_numbers(self, gap: "_Gap", rules: Sequence[float]) -> bool:
        """Whether numbers stand on both sides of a gap, in one lane, without a rule between. Then the gap divides two cells."""
        for lane in self.lanes:
            for a, b in itertools.pairwise(lane):
                first, stop = sum(a.spans[self.way]) / 2, sum(b.spans[self.way]) / 2
                is_ruled = any(first < at < stop for at in rules)
                if first < gap.middle < stop and a.is_number and b.is_number and not is_ruled:
                    return True
        return False

    def _gaps(self) -> list["_Gap"]:
        """The gaps that divide blocks in some lanes and are crossed by few blocks."""
        way, (start, stop) = self.way, self.field.ends[self.way]
        inset = round(_TIGHT_EM * self.field.em) if way == 1 else 0
        crossing, parting = (numpy.zeros(stop - start, numpy.int32) for _ in range(2))
        for block in self.blocks:
            first, last = block.spans[way]
            crossing[first + inset - start : last - inset - start] += 1
        for lane in self.lanes:
            reach = lane[0].spans[way][1] - inset if lane else 0
            for block in lane[1:]:
                first = block.spans[way][0] + inset
                if first > reach:
                    parting[reach - start : first - start] += 1
                reach = max(reach, block.spans[way][1] - inset)
        gaps, least = [], _GAP_EM[way] * self.field.em
        for first, last in _valleys(crossing):
            num_parting, num_crossing = int(parting[first:last].max()), int(crossing[first])
            share = _CROSSING_SHARE if num_parting > 1 else _CROSSING_SHARE_OF_ONE
            if not num_parting or num_crossing > share * (num_parting + num_crossing):
                continue
            if last - first < least:  # a block or two that reach into a gap don't count
                few = num_crossing + max(1, num_parting // 8)
                while first > 0 and crossing[first - 1] <= few and parting[first - 1]:
                    first -= 1
                while last < len(crossing) and crossing[last] <= few and parting[last]:
                    last += 1
            if last - first >= least:
                gaps.append(_Gap(start + first, start + last, num_parting, num_crossing))
        return gaps

    def _without_idle(self, cuts: list["_Cut"]) -> Axis:
        """The axis without idle cuts: cuts without a rule that have text on both sides in too few lanes. Two idle cuts around a
        lone text become one cut in the text's middle, so that the text spans both sides."""
        way = self.way
        while True:
            axis = Axis([cut.at for cut in cuts], [cut.rule for cut in cuts])
            lanes: list[set[int]] = [set() for _ in range(len(cuts) + 1)]
            middles: list[list[float]] = [[] for _ in range(len(cuts) + 1)]
            for block, of_block in zip(self.blocks, self.lanes_of, strict=True):
                first, last = axis.reach(block.spans[way], self.field.slack)
                if first == last:
                    lanes[first].update(of_block)
                    middles[first].append(sum(block.spans[way]) / 2)
            idle = [i for i, cut in enumerate(cuts) if cut.rule is None and len(lanes[i] & lanes[i + 1]) < cut.least]
            if not idle:
                return axis
            crossed = [sum(block.spans[way][0] < cut.at < block.spans[way][1] for block in self.blocks) for cut in cuts]
            pairs = [i for i in idle if i + 1 in idle and middles[i + 1] and not crossed[i] + crossed[i + 1]]
            pair = next((i for i in pairs if lanes[i] & lanes[i + 2]), None)
            if pair is not None:
                cuts[pair : pair + 2] = [_Cut(float(numpy.mean(middles[pair + 1])), None)]
            else:
                del cuts[max(idle, key=lambda i: crossed[i])]


class _Cut(NamedTuple):
    """A cut with its rule, and the least number of lanes with text on both sides for the cut to stay."""

    at: float
    rule: Rule | None
    least: int = 1


class _Gap(NamedTuple):
    first: int
    stop: int
    num_parting: int
    num_crossing: int

    @property
    def middle(self) -> float:
        return (self.first + self.stop) / 2


def _valleys(crossing: numpy.ndarray) -> list[tuple[int, int]]:
    """The (start, end) of each stretch where a profile is lower than on both sides."""
    edges = numpy.flatnonzero(numpy.diff(crossing)) + 1
    starts = [0, *edges.tolist(), len(crossing)]
    levels = [int(crossing[start]) for start in starts[:-1]]
    inner = range(1, len(levels) - 1)
    return [(starts[i], starts[i + 1]) for i in inner if levels[i] < levels[i - 1] and levels[i] < levels[i + 1]]
