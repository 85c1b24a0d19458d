"""The order in which a page is read, decided by pairs of regions."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from datagen.agreement.decided import KEPT, REPLACED, UNREAD
from datagen.labels import PICTURES, RUNNING
from datagen.page.region_order import in_reading_order
from datagen.record import Region

GEOMETRY = "rules"
Places = Mapping[str, Sequence[float | None]]
"""Of each voter where it has each of the label's regions; None where it has none of it."""


class Ordered(NamedTuple):
    """The regions by their numbers, in the order that is right; how that came about; and the pairs that somebody reads the other
    way round, each the one that the label has first, the other, and those who do."""

    order: tuple[int, ...]
    outcome: str
    why: str
    pairs: tuple[tuple[int, int, tuple[str, ...]], ...] = ()


def ordered(regions: Sequence[Region], own: str, places: Places, direction: str, size: tuple[int, int]) -> Ordered:
    """A pair stays as the label has it if one of the other voters agrees; two against it turn it; one alone does if the places
    say the same, and nobody else has them."""
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
    """The numbers in the order that they were in, but for the pairs that are turned; None if these contradict the others."""
    before = {j: {i for i in same if (i < j and (i, j) not in turned) or (i > j and (j, i) in turned)} for j in same}
    done: list[int] = []
    while len(done) < len(same):
        free = next((j for j in same if j not in done and before[j] <= set(done)), None)
        if free is None:
            return None
        done.append(free)
    return tuple(done)
