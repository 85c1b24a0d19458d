"""Orders of reading that somebody gives: the file's, where it is one, and a layout engine's, with what that engine didn't see."""

from collections.abc import Sequence
from dataclasses import replace

import numpy

from datagen.page.boxes import distance
from datagen.page.region_order import in_reading_order
from datagen.record import Box, Region
from datagen.writing.vertical_lines import direction_of

_LAST = frozenset(("footnote", "footer", "page_number"))
# Of 98 pages of real files the least shares were .56 and .86, but for one whose frames were in no order (.68, .53).
_LEAST_STEPS, _LEAST_PAIRS = 0.45, 0.75


def in_files_order(regions: Sequence[Region]) -> list[Region]:
    """The regions in the file's order, with footnotes behind the text, if that is an order of reading; else in the order of
    their places. It is one if enough neighbours follow each other in both orders, and enough pairs stand alike in both.

    Programs that place frames write them into a file in any order.
    """
    placed = in_reading_order(regions, direction_of(line for region in regions for line in region.lines))
    came = {id(region): number for number, region in enumerate(regions)}
    ranks = numpy.array([came[id(region)] for region in placed])
    follows = ranks[1:] == ranks[:-1] + 1
    num_pairs = len(ranks) * (len(ranks) - 1) / 2
    num_swapped = numpy.triu(ranks[:, None] > ranks).sum()
    if follows.sum() >= _LEAST_STEPS * len(follows) and num_swapped <= (1 - _LEAST_PAIRS) * num_pairs:
        return _notes_last(regions)
    goes_on = [*follows.tolist(), False]
    return [replace(region, continues=region.continues and on) for region, on in zip(placed, goes_on, strict=True)]


def _notes_last(regions: Sequence[Region]) -> list[Region]:
    """The regions with footnotes behind the last one that is neither a footnote nor a running foot."""
    end = max((n for n, region in enumerate(regions) if region.label not in _LAST), default=-1) + 1
    notes = [region for region in regions[:end] if region.label == "footnote"]
    return [*(region for region in regions[:end] if region.label != "footnote"), *notes, *regions[end:]]


def in_order_of(own: Sequence[Region], regions: Sequence[Region]) -> list[Region]:
    """`regions`, those of `own` among them in its order, and each other one behind the nearest of these, or before it if it lies
    above. It is for engines that know the order of what they find, and not that of the rest."""
    if not own:
        return list(regions)
    among = {id(region) for region in own}
    before: list[list[Region]] = [[] for _ in own]
    behind: list[list[Region]] = [[] for _ in own]
    for region in regions:
        if id(region) not in among:
            place = min(range(len(own)), key=lambda n: _apart(region.box, own[n].box))
            is_above = region.box.y0 + region.box.y1 < own[place].box.y0 + own[place].box.y1
            (before if is_above else behind)[place].append(region)
    return [one for place, region in enumerate(own) for one in (*before[place], region, *behind[place])]


def _apart(a: Box, b: Box) -> tuple[float, float]:
    """How far two boxes are apart, and the way from the middle of one to that of the other, twice, along both axes."""
    return distance(a, b), abs(a.x0 + a.x1 - b.x0 - b.x1) + abs(a.y0 + a.y1 - b.y0 - b.y1)
