"""Items on this machine's disk, since a census may have more documents than memory holds.

They lie in nameless temporary databases of SQLite, which go with their process, however it dies.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, overload

from datagen.inputs.items import Item

COLUMNS = tuple(field.name for field in fields(Item))
values_of: Callable[[Item], tuple[Any, ...]] = attrgetter(*COLUMNS)
"""An item as a row of `COLUMNS`, which `item_of` takes back."""
NAMES = ", ".join(COLUMNS)


def item_of(row: Sequence[Any]) -> Item:
    values = [*row[:-1], bool(row[-1])]  # SQLite has no type for truth
    return Item(*values)


def database() -> sqlite3.Connection:
    """A new database. What its 2 MB of cache don't hold goes to disk."""
    connection = sqlite3.connect("")
    connection.execute("PRAGMA journal_mode = OFF")
    return connection


def in_order(keyed: Iterable[tuple[tuple[Any, ...], Item]]) -> Iterator[Item]:
    """Items sorted by their keys, tuples of texts, bytes and numbers. Items of equal keys stay in their order."""
    rows = ((*key, *values_of(item)) for key, item in keyed)
    first = next(rows, None)
    if first is None:
        return
    keys = [f"key_{number}" for number in range(len(first) - len(COLUMNS))]
    connection = database()
    connection.execute(f"CREATE TABLE item ({', '.join([*keys, *COLUMNS])})")
    connection.executemany(f"INSERT INTO item VALUES ({marks(len(first))})", itertools.chain([first], rows))
    yield from map(item_of, connection.execute(f"SELECT {NAMES} FROM item ORDER BY {', '.join(keys)}, rowid"))


def last_of_each(items: Iterable[Item], *names: str) -> Iterator[Item]:
    """The last one of each run of neighbours that are equal in the fields `names`."""
    for _, alike in itertools.groupby(items, attrgetter(*names)):
        *_, last = alike
        yield last


def marks(num: int) -> str:
    """The placeholders for a row's values in a statement."""
    return ", ".join("?" * num)


class StoredItems(Sequence[Item]):
    """Items in the order in which they came. `at` finds them by uri."""

    def __init__(self, items: Iterable[Item]):
        self._database = database()
        self._database.execute(f"CREATE TABLE item ({NAMES})")
        self._database.executemany(f"INSERT INTO item VALUES ({marks(len(COLUMNS))})", map(values_of, items))
        self._is_indexed = False
        (self._num,) = self._database.execute("SELECT count(*) FROM item").fetchone()

    def __len__(self) -> int:
        return int(self._num)

    def __iter__(self) -> Iterator[Item]:
        return map(item_of, self._database.execute(f"SELECT {NAMES} FROM item ORDER BY rowid"))

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        numbers = range(self._num)[index]  # raises `IndexError`
        if isinstance(numbers, range):
            return [self[number] for number in numbers]
        return item_of(self._database.execute(f"SELECT {NAMES} FROM item WHERE rowid = ?", (numbers + 1,)).fetchone())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def at(self, uri: str) -> Item | None:
        """The last item of this uri."""
        if not self._is_indexed:
            self._database.execute("CREATE INDEX by_uri ON item (uri)")
            self._is_indexed = True
        row = self._database.execute(f"SELECT {NAMES} FROM item WHERE uri = ? ORDER BY rowid DESC LIMIT 1", (uri,)).fetchone()
        return item_of(row) if row else None
