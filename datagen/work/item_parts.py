"""The parts of a container that belong to an outcome, and whether others cover them."""

from collections.abc import Iterable

from datagen.inputs.items import Item
from datagen.record import Drop, Range, Sample


def part_of(outcome: Sample | Drop, item: Item) -> Range:
    """The parts of the item's container to which a sample or drop belongs."""
    if isinstance(outcome, Sample):
        return Range(outcome.origin.page, outcome.origin.page + 1)
    return item.part if outcome.part is None else outcome.part


def covered(part: Range, by: Iterable[Range]) -> bool:
    """Whether the ranges `by` together have all of `part`."""
    first = part.first
    for other in sorted(by):
        if other.first > first:
            break
        if other.stop < 0:
            return True
        first = max(first, other.stop)
    return 0 <= part.stop <= first
