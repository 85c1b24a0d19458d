"""The lasting assignment of items to shards.

Items that earlier runs haven't assigned become a new *generation* of shards. The generation is written to
`census/{generation:06d}.parquet` before its first shard is made. Shards of earlier generations keep their names and bytes. The
files are read as a stream, since they may be larger than memory.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.disk.storage import Folder
from datagen.inputs.census import Census
from datagen.inputs.items import Inputs, Item
from datagen.inputs.stored_items import COLUMNS, NAMES, StoredItems, database, item_of, marks, values_of
from datagen.record import Range, another_schema

_TYPES: dict[Any, pa.DataType] = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
_SCHEMA = pa.schema([("shard", pa.int64()), *((field.name, _TYPES[field.type]) for field in dataclasses.fields(Item))])
_ROWS = 10_000  # read and written together
_BUFFER = 1 << 20  # of a column when it is read


@dataclass(frozen=True)
class Assigned:
    """A shard and its inputs."""

    index: int
    generation: int
    inputs: Inputs


@dataclass(frozen=True)
class Known(Census):
    """The items of `census` for which the dataset in the folder `dataset` has shards. An archive that couldn't be listed before
    is known with all of its members."""

    census: Census
    dataset: str

    def items(self) -> StoredItems:
        """Sorted as the census is. Raises the census's errors."""
        known = StoredItems(item for shard in assigned(Folder(self.dataset)) for item in shard.inputs)
        items = self.census.items()
        return StoredItems(item for item in items if known.at(item.uri) or known.at(item.uri.partition("::")[2]))

    def pending(self) -> str:
        return self.census.pending()


def assigned(folder: Folder) -> Iterator[Assigned]:
    """All shards of the dataset in `folder`, of every generation, in order. Raises `ValueError` if the census is damaged or of
    another version."""
    for generation, name in enumerate(folder.sub("census").names(".parquet")):
        rows = (row for batch in _batches(folder, name, _SCHEMA.names) for row in zip(*batch.to_pydict().values(), strict=True))
        for index, of_shard in itertools.groupby(rows, key=itemgetter(0)):
            yield Assigned(index, generation, tuple(item_of(values) for _, *values in of_shard))


def num_shards(folder: Folder) -> int:
    """The number of `assigned` shards. Raises as `assigned` does."""
    last = -1
    for name in folder.sub("census").names(".parquet")[-1:]:
        for batch in _batches(folder, name, ["shard"]):
            last = batch["shard"][-1].as_py()
    return last + 1


def _batches(folder: Folder, name: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    census = folder.sub("census")
    with census.on_disk(name) as path:
        try:
            file = pq.ParquetFile(pa.OSFile(path), buffer_size=_BUFFER, pre_buffer=False)
            is_ours = set(file.schema_arrow.names) == set(_SCHEMA.names)
            batches = file.iter_batches(_ROWS, columns=columns, use_threads=False) if is_ours else iter(())
            while batch := next(batches, None):
                yield batch
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{census.path(name)} is damaged ({error}): start a new output, or replace this with overwrite=1"
            ) from None
        if not is_ours:
            raise ValueError(f"{folder.url}: {another_schema()}")


class Assignment:
    """The items that shards read: an index on disk, by uri."""

    def __init__(self, shards: Iterable[Assigned]):
        self.num_shards = self.num_generations = 0
        self._index = database()
        self._index.execute(f"CREATE TABLE item (generation, shard, {NAMES})")
        self.add(shards)
        self._index.execute("CREATE INDEX by_uri ON item (uri, generation)")

    def add(self, shards: Iterable[Assigned]) -> None:
        """Add shards that come after those in the index."""

        def rows() -> Iterator[tuple[Any, ...]]:
            for shard in shards:
                self.num_shards, self.num_generations = shard.index + 1, shard.generation + 1
                yield from ((shard.generation, shard.index, *values_of(item)) for item in shard.inputs)

        self._index.executemany(f"INSERT INTO item VALUES ({marks(2 + len(COLUMNS))})", rows())
        vars(self).pop("read_again", None)

    def at(self, uri: str) -> list[Item]:
        """The items of the container `uri` that shards read, in the shards' order."""
        return list(map(item_of, self._index.execute(f"SELECT {NAMES} FROM item WHERE uri = ? ORDER BY rowid", (uri,))))

    def by_uri(self) -> Iterator[Item]:
        """All items, by uri and by the first part; equal ones in the order of shards."""
        return map(item_of, self._index.execute(f"SELECT {NAMES} FROM item ORDER BY uri, first, rowid"))

    @functools.cached_property
    def read_again(self) -> frozenset[int]:
        """The numbers of the shards that share a container with a shard of a later generation."""
        later = "SELECT 1 FROM item newer WHERE newer.uri = item.uri AND newer.generation > item.generation"
        return frozenset(number for (number,) in self._index.execute(f"SELECT DISTINCT shard FROM item WHERE EXISTS ({later})"))

    def later(self, shard: Assigned) -> Inputs:
        """The items of the shard's containers that later generations read."""
        if shard.index not in self.read_again:
            return ()
        later = f"SELECT {NAMES} FROM item WHERE uri = ? AND generation > ? ORDER BY rowid"
        uris = dict.fromkeys(item.uri for item in shard.inputs)
        return tuple(item_of(row) for uri in uris for row in self._index.execute(later, (uri, shard.generation)))


def new_items(items: Iterable[Item], read: Assignment, emptied: Set[str] = frozenset()) -> Iterator[Item]:
    """The items that no shard reads yet. If shards read only the first parts of a container, as with a limit, the rest is new. At
    the uris `emptied`, where another file may come, changed items are new, too. Raises `ValueError` behind the last item if an
    item that a shard read has changed since."""
    num_changed, first_changed = 0, ""
    for item in items:
        before = read.at(item.uri)
        is_changed = bool(before) and before[-1].etag != item.etag
        if is_changed and item.uri in emptied:
            yield item
        elif is_changed:
            num_changed, first_changed = num_changed + 1, first_changed or item.uri
        else:
            yield from _unread(item, [other.part for other in before])
    if num_changed:
        raise ValueError(
            f"{num_changed} inputs have changed since they were read (first: {first_changed}): "
            "start a new output with out=…, or replace this one with overwrite=1"
        )


def _unread(item: Item, ranges: Sequence[Range]) -> Iterator[Item]:
    """The part of an item behind `ranges`, which begin at the item's beginning; the whole item if there are none."""
    first = item.first
    for part in sorted(ranges):
        if part.stop < 0:
            return
        first = max(first, part.stop)
    if item.stop < 0 or first < item.stop:
        yield dataclasses.replace(item, first=first) if ranges else item


def numbered(inputs: Iterable[Inputs], num_shards: int, generation: int) -> Iterator[Assigned]:
    return (Assigned(index, generation, items) for index, items in enumerate(inputs, num_shards))


def add_generation(folder: Folder, inputs: Iterable[Inputs]) -> None:
    """Give each of `inputs` a shard of its own, durably, behind all existing shards."""
    shards = numbered(inputs, num_shards(folder), len(folder.sub("census").names(".parquet")))
    first = next(shards, None)
    if first is None:
        return
    rows = ((shard.index, *values_of(item)) for shard in itertools.chain([first], shards) for item in shard.inputs)
    with (
        folder.create(f"census/{first.generation:06d}.parquet") as file,
        pq.ParquetWriter(file, _SCHEMA) as writer,
    ):
        while some := list(itertools.islice(rows, _ROWS)):
            columns = (pa.array(column, field.type) for column, field in zip(zip(*some, strict=True), _SCHEMA, strict=True))
            writer.write_table(pa.Table.from_arrays(list(columns), schema=_SCHEMA))
