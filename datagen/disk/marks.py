"""Marks of samples, made without touching them: rows in `marks/marks.parquet`, beside the manifest.

    key · mark (duplicate, near_duplicate, contaminated) · of (another sample's key, or a benchmark's page) · similarity

A marked sample stays in its shard, and out of what is trained on. A round of the flywheel has marks of lines of earlier rounds:
`read_again`, of the page that it read after them. What people say of samples (`datagen.patching`) are the same rows in
`marks/people.parquet`, since the other file is made anew: `corrected`, of the key of the record that stands for it now;
`rejected`; and `restored`, of one that was rejected and counts again.
"""

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa

from datagen.disk.storage import Folder

NAME, OF_PEOPLE = "marks/marks.parquet", "marks/people.parquet"
CORRECTED, REJECTED, RESTORED = "corrected", "rejected", "restored"
SCHEMA = pa.schema([("key", pa.string()), ("mark", pa.string()), ("of", pa.string()), ("similarity", pa.float32())])


_OF_CORRECTED = re.compile("p[0-9a-f]{8}")
_REPLACED = "="  # stands in no key


class Mark(NamedTuple):
    """The sample `key` is like `of`: a benchmark's page, or another sample, which stays; but the first of an image, which its
    `duplicate`s name, may be a `near_duplicate` itself. `similarity` is Jaccard's, of their n-grams, as MinHash estimates it; 1.0
    of one image, 0.0 where only a copy of the image has a text to compare."""

    key: str
    mark: str
    of: str
    similarity: float


def write(folder: Folder, marks: Sequence[Mark], state: str) -> None:
    table = pa.Table.from_pylist([mark._asdict() for mark in marks], SCHEMA)
    folder.write_table(NAME, table.replace_schema_metadata({b"state": state.encode()}))


def read(folder: Folder) -> pa.Table:
    """All marks of a dataset; none if nobody has looked."""
    table = _table(folder, NAME)
    table_of_marks = SCHEMA.empty_table() if table is None else table.replace_schema_metadata(None)
    return pa.concat_tables([table_of_marks, pa.Table.from_pylist([mark._asdict() for mark in of_people(folder)], SCHEMA)])


def of_people(folder: Folder) -> list[Mark]:
    """What people said of samples and holds, in the order of their keys."""
    back = restored(folder)
    return [mark for mark in _said(folder) if mark.mark != RESTORED and (mark.mark != REJECTED or mark.key not in back)]


def restored(folder: Folder) -> frozenset[str]:
    """The keys of samples that were rejected and count again."""
    return frozenset(mark.key for mark in _said(folder) if mark.mark == RESTORED)


def _said(folder: Folder) -> list[Mark]:
    table = _table(folder, OF_PEOPLE)
    return [] if table is None else [Mark(**row) for row in table.to_pylist()]


def add_of_people(folder: Folder, marks: Iterable[Mark]) -> None:
    """Add to what people said of samples. What is there already comes once."""
    _keep(folder, sorted({*_said(folder), *marks}))


def forget_of_people(folder: Folder, is_forgotten: Callable[[str], bool]) -> None:
    """Take marks of samples out whose keys are those of forgotten sources."""
    _keep(folder, [mark for mark in _said(folder) if not is_forgotten(mark.key)])


def _keep(folder: Folder, marks: list[Mark]) -> None:
    if marks != _said(folder):
        folder.write_table(OF_PEOPLE, pa.Table.from_pylist([mark._asdict() for mark in marks], SCHEMA))


def set_aside(folder: Folder) -> frozenset[str]:
    """As `excluded`, of what people said alone."""
    return frozenset(mark.key + _REPLACED * (mark.mark == CORRECTED) for mark in of_people(folder))


def excluded(folder: Folder) -> frozenset[str]:
    """The keys of samples that aren't to be trained on, for `is_marked` to look in. One that a person corrected has a sign behind
    it, since the record that stands for it now has a key that begins with its own."""
    table = _table(folder, NAME)
    keys = frozenset() if table is None else frozenset(table["key"].to_pylist())
    return keys | set_aside(folder)


def is_marked(key: str, marked: frozenset[str]) -> bool:
    """Whether a sample is `excluded`, or the page that it was cut from, whose key a crop's begins with, in whatever dataset."""
    parts = key.split("-")
    for number, part in enumerate(itertools.accumulate(parts, "{}-{}".format), 1):
        is_corrected = number < len(parts) and _OF_CORRECTED.fullmatch(parts[number])
        if part in marked or (not is_corrected and part + _REPLACED in marked):
            return True
    return False


def digest(folders: Iterable[Folder]) -> str:
    """Of the keys that are `excluded` in any of the datasets: another where others are."""
    return hashlib.sha256(" ".join(sorted(frozenset().union(*map(excluded, folders)))).encode()).hexdigest()


def state(folder: Folder) -> str:
    """What the marks were made from, as `write` got it."""
    table = _table(folder, NAME)
    return "" if table is None else ((table.schema.metadata or {}).get(b"state") or b"").decode()


def _table(folder: Folder, name: str) -> pa.Table | None:
    try:
        return folder.read_table(name)
    except FileNotFoundError:
        return None
