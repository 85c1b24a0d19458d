"""What tables' rows are joined with. The process that plans a run joins them once; each shard's task carries its slice.

Which image a list's row names only all images and all lists together can say, and no worker holds them. The planning process
writes the join into a temporary Parquet file, in the order of tables and rows, and reads slices of the file as tasks go out. The
file goes when the run ends; the next run joins what lies there then.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.disk.temporary import temporary_folder
from datagen.inputs.items import Item
from datagen.record import Range, SampleError
from datagen.work.pipeline import ShardTask, Source

WHOLE = -1
"""In place of a row's number: what is said of all rows of the table."""
_GROUP = 10_000  # rows


class JoinedRow(NamedTuple):
    """What belongs to row `number` of `table`: the file at `path`, and what else the source says of it, in bytes of its own.
    Where `reason` isn't "", it and `detail` say why the row can't be read."""

    table: str
    number: int
    path: str = ""
    content: bytes = b""
    reason: str = ""
    detail: str = ""


_SCHEMA = pa.schema(
    [
        *(("table", pa.string()), ("number", pa.int64()), ("path", pa.string())),
        *(("content", pa.binary()), ("reason", pa.string()), ("detail", pa.string())),
    ]
)


@runtime_checkable
class Joining(Source, Protocol):
    """A source with rows that are joined. Its field `joined` is secret, so that it doesn't count as a setting."""

    @property
    def joined(self) -> tuple[JoinedRow, ...] | None:
        """What the rows of a shard are joined with; None where nobody joined them yet."""
        ...

    def join(self, items: Iterable[Item]) -> Iterator[JoinedRow]:
        """What the rows of these items are joined with, table by table, and in each by number."""
        ...


def rows_of(source: Joining, item: Item) -> dict[int, JoinedRow]:
    """What the rows of an item are joined with, by number, which is done here and now where it wasn't before. Raises
    `SampleError` where the whole table can't be read."""
    joined = source.join((item,)) if source.joined is None else source.joined
    rows = {row.number: row for row in joined if row.table == item.uri and (row.number == WHOLE or item.has(row.number))}
    if WHOLE in rows and rows[WHOLE].reason:
        raise SampleError(rows[WHOLE].reason, rows[WHOLE].detail)
    return rows


def extents(items: Iterable[Item]) -> dict[str, Range]:
    """The containers of the items, and of each from which part to which these are read."""
    within: dict[str, Range] = {}
    for item in items:
        first, stop = within.get(item.uri, item.part)
        within[item.uri] = Range(min(first, item.first), -1 if -1 in (stop, item.stop) else max(stop, item.stop))
    return within


def with_joined(source: Source, tasks: Callable[[], Iterable[ShardTask]]) -> Iterator[ShardTask]:
    """The tasks of a pipeline that reads `source`, in order, each with its own slice of what this joins."""
    if not isinstance(source, Joining):
        yield from tasks()
        return
    # A patch's shards join nothing.
    items = (item for task in tasks() if isinstance(task.pipeline.source, Joining) for item in task.inputs)
    with temporary_folder() as folder:
        table = JoinedTable(f"{folder}/joined.parquet", source.join(items))
        for task in tasks():
            if not isinstance(task.pipeline.source, Joining):
                yield task
                continue
            rows = tuple(row for item in task.inputs for row in table.slice(item))
            joined = cast(Source, replace(cast(Any, source), joined=rows))
            yield replace(task, pipeline=replace(task.pipeline, source=joined))


class JoinedTable:
    """Rows in a Parquet file, in groups of one table each. What is said of whole tables is in memory."""

    def __init__(self, path: str, rows: Iterator[JoinedRow]):
        self._wholes: dict[str, JoinedRow] = {}
        self._extents: list[tuple[str, int, int]] = []  # of each group its table, its first and its last row
        with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
            for table, of_table in itertools.groupby(self._without_wholes(rows), key=lambda row: row.table):
                while group := list(itertools.islice(of_table, _GROUP)):
                    columns = zip(*group, strict=True)
                    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
                    writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
                    self._extents.append((table, group[0].number, group[-1].number))
        self._file = pq.ParquetFile(path)
        self._group = lru_cache(maxsize=1)(self._read)

    def _without_wholes(self, rows: Iterator[JoinedRow]) -> Iterator[JoinedRow]:
        for row in rows:
            if row.number == WHOLE:
                self._wholes[row.table] = row
            else:
                yield row

    def _read(self, group: int) -> list[JoinedRow]:
        columns = self._file.read_row_group(group, use_threads=False).columns
        return list(map(JoinedRow, *(column.to_pylist() for column in columns)))

    def slice(self, item: Item) -> Iterator[JoinedRow]:
        if item.uri in self._wholes:
            yield self._wholes[item.uri]
        for number, (table, first, last) in enumerate(self._extents):
            if table == item.uri and last >= item.first and (item.stop < 0 or first < item.stop):
                yield from (row for row in self._group(number) if item.has(row.number))
