"""Joins of tables' rows with files. The process that plans a run joins them once, and each shard's task carries its slice.

The image of a list's row depends on all images and all lists together, which no worker holds. The planning process writes the
join to its disk, and reads a slice for each task. The next run makes the join anew.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

from datagen.inputs.items import Item
from datagen.inputs.stored_items import database
from datagen.record import Range, SampleError
from datagen.work.pipeline import ShardTask, Source

WHOLE = -1
"""A row's number that stands for all rows of the table."""


class JoinedRow(NamedTuple):
    """The join of row `number` of `table`: the file at `path`, and the source's own facts in `content`. A row that can't be read
    has a `reason` and a `detail`."""

    table: str
    number: int
    path: str = ""
    content: bytes = b""
    reason: str = ""
    detail: str = ""


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
    table = JoinedTable(source.join(items))
    for task in tasks():
        if not isinstance(task.pipeline.source, Joining):
            yield task
            continue
        rows = tuple(row for item in task.inputs for row in table.slice(item))
        joined = cast(Source, replace(cast(Any, source), joined=rows))
        yield replace(task, pipeline=replace(task.pipeline, source=joined))


class JoinedTable:
    """Joins of rows in a database of their own on this machine's disk."""

    def __init__(self, rows: Iterable[JoinedRow]):
        self._database = database()
        self._database.execute('CREATE TABLE row ("table", number, path, content, reason, detail)')
        self._database.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._database.execute('CREATE INDEX by_place ON row ("table", number)')

    def slice(self, item: Item) -> Iterator[JoinedRow]:
        """The joins of an item's rows by number, behind that of the whole table."""
        chosen = f'"table" = ? AND (number = {WHOLE} OR (number >= ? AND (? < 0 OR number < ?)))'
        values = item.uri, item.first, item.stop, item.stop
        return map(JoinedRow._make, self._database.execute(f"SELECT * FROM row WHERE {chosen} ORDER BY number", values))
