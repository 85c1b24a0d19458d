"""The lasting assignment of items to shards.

What earlier runs haven't assigned becomes a new *generation* of shards. It is written to `census/{generation:06d}.parquet` before
its first shard is made. Shards of earlier generations keep their names and bytes.
"""

import dataclasses
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import pyarrow as pa

from datagen.disk.storage import Folder
from datagen.inputs.census import Census
from datagen.inputs.items import Inputs, Item
from datagen.record import Range, another_schema

_FIELDS = {"shard", *(field.name for field in dataclasses.fields(Item))}


@dataclass(frozen=True)
class Assigned:
    """A shard and its inputs."""

    index: int
    generation: int
    inputs: Inputs


@dataclass(frozen=True)
class Known(Census):
    """The items of `census` that the dataset in the folder `dataset` has shards for. An archive that couldn't be listed before is
    known with all of its members."""

    census: Census
    dataset: str

    def items(self) -> list[Item]:
        """Sorted as the census is, whose errors it raises."""
        known = {item.uri for shard in assigned(Folder(self.dataset)) for item in shard.inputs}
        return [item for item in self.census.items() if item.uri in known or item.uri.partition("::")[2] in known]

    def pending(self) -> str:
        return self.census.pending()


def assigned(folder: Folder) -> list[Assigned]:
    """All shards of the dataset in `folder`, of every generation. Raises `ValueError` if the census is damaged, or another
    version's."""
    census = folder.sub("census")
    shards: list[Assigned] = []
    for generation, name in enumerate(census.names(".parquet")):
        by_shard: dict[int, list[Item]] = {}
        try:
            table = census.read_table(name)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{census.path(name)} is damaged ({error}): start a new output, or replace this with overwrite=1"
            ) from None
        if set(table.column_names) != _FIELDS:
            raise ValueError(f"{folder.url}: {another_schema()}")
        for row in table.to_pylist():
            by_shard.setdefault(row.pop("shard"), []).append(Item(**row))
        shards.extend(Assigned(index, generation, tuple(inputs)) for index, inputs in by_shard.items())
    return shards


def new_items(items: Sequence[Item], shards: Sequence[Assigned], emptied: Set[str] = frozenset()) -> list[Item]:
    """The items that none of `shards` reads yet; of a container of which they read the first parts alone, as a limit may have it,
    the rest. At the uris `emptied`, where another file may come, also those that have changed.

    Raises `ValueError` if an item that a shard read has changed since.
    """
    etags = {item.uri: item.etag for shard in shards for item in shard.inputs}
    changed = [item for item in items if item.uri in etags and etags[item.uri] != item.etag]
    replaced = {item.uri for item in changed if item.uri in emptied}
    changed = [item for item in changed if item.uri not in replaced]
    if changed:
        raise ValueError(
            f"{len(changed)} inputs have changed since they were read (first: {changed[0].uri}): "
            "start a new output with out=…, or replace this one with overwrite=1"
        )
    ranges: dict[str, list[Range]] = {}
    for item in (item for shard in shards for item in shard.inputs):
        if item.uri not in replaced:
            ranges.setdefault(item.uri, []).append(item.part)
    return [rest for item in items for rest in _unread(item, ranges.get(item.uri, ()))]


def _unread(item: Item, ranges: Sequence[Range]) -> Iterator[Item]:
    """What of an item lies behind `ranges`, which begin where it does: all of it where there are none."""
    first = item.first
    for part in sorted(ranges):
        if part.stop < 0:
            return
        first = max(first, part.stop)
    if item.stop < 0 or first < item.stop:
        yield dataclasses.replace(item, first=first) if ranges else item


def numbered(inputs: Sequence[Inputs], shards: Sequence[Assigned]) -> list[Assigned]:
    """A shard for each of `inputs`, as the generation that comes after those of `shards`."""
    generation = max((s.generation for s in shards), default=-1) + 1
    start = max((s.index for s in shards), default=-1) + 1
    return [Assigned(start + i, generation, items) for i, items in enumerate(inputs)]


def add_generation(folder: Folder, inputs: Sequence[Inputs], shards: Sequence[Assigned]) -> list[Assigned]:
    """Give each of `inputs` a shard of its own, durably, after `shards`, which are all that there are."""
    added = numbered(inputs, shards)
    rows = [{"shard": s.index, **dataclasses.asdict(item)} for s in added for item in s.inputs]
    folder.write_table(f"census/{added[0].generation:06d}.parquet", pa.Table.from_pylist(rows))
    return added
