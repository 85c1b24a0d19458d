"""Joins of tables' rows with files. The process that plans a run joins them once, and each shard's task carries its slice.

The image of a list's row depends on all images and all lists together, which no worker holds. The planning process writes the
join into a temporary Parquet file, in the order of tables and rows, and reads a slice for each task. The file goes when the run
ends. The next run makes the join anew.
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
"""A row's number that stands for all rows of the table."""
_GROUP = 10_000  # rows


class JoinedRow(NamedTuple):
    """The join of row `number` of `table`: the file at `path`, and the source's own facts in `content`. A row that can't be read
    has a `reason` and a `detail`."""

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
    """A source whose rows are joined. Its field `joined` is secret, so that it isn't a setting."""

    @property
    def joined(self) -> tuple[JoinedRow, ...] | None:
        """The joins of a shard's rows; None before rows are joined."""
        ...

    def join(self, items: Iterable[Item]) -> Iterator[JoinedRow]:
        """The joins of these items' rows, table by table, each table's by number."""
        ...


def rows_of(source: Joining, item: Item) -> dict[int, JoinedRow]:
    """The joins of an item's rows, by number. They are made now if that wasn't done before. Raises `SampleError` if the whole
    table can't be read."""
    joined = source.join((item,)) if source.joined is None else source.joined
    rows = {row.number: row for row in joined if row.table == item.uri and (row.number == WHOLE or item.has(row.number))}
    if WHOLE in rows and rows[WHOLE].reason:
        raise SampleError(rows[WHOLE].reason, rows[WHOLE].detail)
    return rows


def extents(items: Iterable[Item]) -> dict[str, Range]:
    """The containers of the items, each with the range from its first to its last item."""
    within: dict[str, Range] = {}
    for item in items:
        first, stop = within.get(item.uri, item.part)
        within[item.uri] = Range(min(first, item.first), -1 if -1 in (stop, item.stop) else max(stop, item.stop))
    return within


def with_joined(source: Source, tasks: Callable[[], Iterable[ShardTask]]) -> Iterator[ShardTask]:
    """The tasks of a pipeline that reads `source`, in order, each with its slice of the source's join."""
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
    """Rows in a Parquet file, in groups of one table each. Joins of whole tables are in memory."""

    def __init__(self, path: str, rows: Iterator[JoinedRow]):
        self._wholes: dict[str, JoinedRow] = {}
        self._extents: list[tuple[str, int, int]] = []  # each group's table, first row and last row
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
