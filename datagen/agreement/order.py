"""Decide the reading order of a page by pairs of regions."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from datagen.agreement.decided import KEPT, REPLACED, UNREAD
from datagen.labels import PICTURES, RUNNING
from datagen.page.region_order import in_reading_order
from datagen.record import Region

GEOMETRY = "rules"
Places = Mapping[str, Sequence[float | None]]
"""For each voter, the place of each of the label's regions in the voter's order. None where the voter lacks the region."""


class Ordered(NamedTuple):
    """The decided order. `order` has the numbers of the label's regions in reading order. `outcome` and `why` say how the order
    was decided. `pairs` are the pairs that some voter reads the other way round and no other voter reads as the label does: the
    region that the label has first, the other region, and the voters against the label."""

    order: tuple[int, ...]
    outcome: str
    why: str
    pairs: tuple[tuple[int, int, tuple[str, ...]], ...] = ()


def ordered(regions: Sequence[Region], own: str, places: Places, direction: str, size: tuple[int, int]) -> Ordered:
    """Decides each pair. A pair stays in the label's order if another voter agrees. Two voters against the label turn the pair.
    One voter alone turns the pair if the order by the regions' places says the same, and the label's order isn't by places."""
    same = tuple(range(len(regions)))
    others = {voter: of for voter, of in places.items() if voter != own}
    placed = [i for i in same if regions[i].label not in PICTURES | RUNNING]
    turned: set[tuple[int, int]] = set()
    pairs: list[tuple[int, int, tuple[str, ...]]] = []
    by_place: dict[int, int] = {}
    is_open = False
    for i, j in itertools.combinations(placed, 2):
        against, agree = [], 0
        for voter, of in others.items():
            a, b = of[i], of[j]
            if a is not None and b is not None and a != b:
                against += [voter] if b < a else []
                agree += a < b
        if not against or agree:
            continue
        if not by_place:
            in_order = in_reading_order(list(regions), direction, size)
            numbers = {id(region): n for n, region in enumerate(in_order)}
            by_place = {n: numbers[id(region)] for n, region in enumerate(regions)}
        pairs.append((i, j, tuple(against)))
        say_so = {*against} | ({GEOMETRY} if by_place[j] < by_place[i] and own != GEOMETRY else set())
        if len(say_so) > 1:
            turned.add((i, j))
        elif by_place[j] < by_place[i] or own == GEOMETRY:
            is_open = True
    if not turned:
        return Ordered(same, UNREAD if is_open else KEPT, "order_in_doubt" if is_open else "another_agrees", tuple(pairs))
    sequence = _sorted(same, turned)
    if sequence is None:
        return Ordered(same, UNREAD, "order_in_a_ring", tuple(pairs))
    return Ordered(sequence, REPLACED, "two_read_it_in_another_order", tuple(pairs))


def _sorted(same: Sequence[int], turned: set[tuple[int, int]]) -> tuple[int, ...] | None:
    """The numbers in their old order, with the turned pairs turned. None if turned pairs contradict the other pairs."""
    before = {j: {i for i in same if (i < j and (i, j) not in turned) or (i > j and (j, i) in turned)} for j in same}
    done: list[int] = []
    while len(done) < len(same):
        free = next((j for j in same if j not in done and before[j] <= set(done)), None)
        if free is None:
            return None
        done.append(free)
    return tuple(done)
