"""The input of sources: an item is a container, or a range of its parts.

A container is a file or an archive's member. The source defines its parts: pages, rows, members or draws.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from datagen.record import Range

_FEW_SHARDS = 8


@dataclass(frozen=True, slots=True)
class Item:
    """One input. `uri` is a local path, an fsspec URL or a member's uri. `etag` changes when the content does.

    `count` is the container's number of parts, -1 until somebody looked inside (`deep`); until then `sha256` is "". A shard that
    reads a part of a large container has the range `first` to `stop` (exclusive, -1 for the end). `again` marks a range that was
    read before and lacked just these parts.
    """

    uri: str
    etag: str = ""
    num_bytes: int = 0
    lang: str = ""
    licence: str = ""
    count: int = -1
    sha256: str = ""
    first: int = 0
    stop: int = -1
    again: bool = False

    @property
    def part(self) -> Range:
        return Range(self.first, self.stop)

    @property
    def begins(self) -> bool:
        """Whether the shard that reads this item reports on the whole container."""
        return self.first == 0 and not self.again

    @property
    def is_part(self) -> bool:
        """Whether other items read other parts of the container."""
        return self.again or self.first > 0 or self.stop >= 0

    def has(self, part: int) -> bool:
        """Whether a part of the container belongs to the item."""
        return part in self.part


Inputs = tuple[Item, ...]
"""The items that one shard reads."""


def num_parts(item: Item, part_bytes: int, unknown: int = 1) -> int:
    """The number of an item's parts: known, or guessed from its bytes; `unknown` if its bytes aren't known either."""
    if item.stop >= 0 or item.count >= 0:
        return (item.stop if item.stop >= 0 else item.count) - item.first
    return max(1, round(item.num_bytes / part_bytes)) if item.num_bytes else unknown


def shards_of(
    items: Iterable[Item], expected_parts: Callable[[Item], int], shard_parts: int, cut: bool = True, least: int = 0
) -> Iterator[Inputs]:
    """The items in order, about `shard_parts` parts a shard; `expected_parts` tells an item's parts. With `cut`, an item of more
    known parts is cut into ranges. With `least`, few items make about eight shards of at least `least` parts each, so that
    several workers have work. The number of workers has no influence, and no item is cut for this."""
    parts = (part for item in items for part in (_ranges(item, shard_parts) if cut else [item]))
    size, first = shard_parts, list[Item]()
    if least:
        num = 0
        for part in parts:
            first.append(part)
            num += expected_parts(part)
            if num >= _FEW_SHARDS * shard_parts:  # these aren't few
                break
        size = min(shard_parts, max(least, math.ceil(num / _FEW_SHARDS)))
    shard: list[Item] = []
    room = size
    for part in itertools.chain(first, parts):
        num = expected_parts(part)
        if shard and num > room:
            yield tuple(shard)
            shard, room = [], size
        shard.append(part)
        room -= num
    if shard:
        yield tuple(shard)


def _ranges(item: Item, size: int) -> list[Item]:
    """Ranges of at most `size` parts. The last one goes to the container's end, whatever its real number of parts."""
    end = item.stop if item.stop >= 0 else item.count
    if item.again or end - item.first <= size:
        return [item]
    starts = range(item.first, end, size)
    return [replace(item, first=start, stop=start + size if start + size < end else item.stop) for start in starts]
