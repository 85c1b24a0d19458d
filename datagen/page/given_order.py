"""Puts regions that have no place in an order of reading beside those that have one."""

from collections.abc import Sequence

from datagen.page.boxes import distance
from datagen.record import Box, Region


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
