"""Marks of samples, made without touching the samples: rows in `marks/marks.parquet`, beside the manifest.

    key · mark (duplicate, near_duplicate, contaminated) · of (another sample's key, or a benchmark's page) · similarity

A marked sample stays in its shard, and no training sees it. Lines of earlier rounds of the flywheel get the mark `read_again`,
`of` the page that was read later. People's marks (`datagen.patching`) are in `marks/people.parquet`, since the other file is made
anew: `corrected`, `of` the key of the record that replaces the sample; `rejected`; and `restored`, for a rejected sample that
counts again.
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
_REPLACED = "="  # no key has this sign


class Mark(NamedTuple):
    """The sample `key` is like `of`: a benchmark's page or another sample, which stays. But the first sample of an image, which
    is the `of` of its `duplicate`s, may be a `near_duplicate` itself. `similarity` is Jaccard's, of the texts' n-grams, estimated
    by MinHash. It is 1.0 for the same image, and 0.0 if only a copy of the image has a text to compare."""

    key: str
    mark: str
    of: str
    similarity: float


def write(folder: Folder, marks: Sequence[Mark], state: str) -> None:
    table = pa.Table.from_pylist([mark._asdict() for mark in marks], SCHEMA)
    folder.write_table(NAME, table.replace_schema_metadata({b"state": state.encode()}))


def read(folder: Folder) -> pa.Table:
    """All marks of a dataset; an empty table if nobody has marked anything."""
    table = _table(folder, NAME)
    table_of_marks = SCHEMA.empty_table() if table is None else table.replace_schema_metadata(None)
    return pa.concat_tables([table_of_marks, pa.Table.from_pylist([mark._asdict() for mark in of_people(folder)], SCHEMA)])


def of_people(folder: Folder) -> list[Mark]:
    """People's marks that hold, in the order of their keys."""
    back = restored(folder)
    return [mark for mark in _people_marks(folder) if mark.mark != RESTORED and (mark.mark != REJECTED or mark.key not in back)]


def restored(folder: Folder) -> frozenset[str]:
    """The keys of rejected samples that count again."""
    return frozenset(mark.key for mark in _people_marks(folder) if mark.mark == RESTORED)


def _people_marks(folder: Folder) -> list[Mark]:
    table = _table(folder, OF_PEOPLE)
    return [] if table is None else [Mark(**row) for row in table.to_pylist()]


def add_of_people(folder: Folder, marks: Iterable[Mark]) -> None:
    """Add to people's marks. A mark that is there already isn't doubled."""
    _keep(folder, sorted({*_people_marks(folder), *marks}))


def forget_of_people(folder: Folder, is_forgotten: Callable[[str], bool]) -> None:
    """Remove people's marks of samples whose keys belong to forgotten sources."""
    _keep(folder, [mark for mark in _people_marks(folder) if not is_forgotten(mark.key)])


def _keep(folder: Folder, marks: list[Mark]) -> None:
    if marks != _people_marks(folder):
        folder.write_table(OF_PEOPLE, pa.Table.from_pylist([mark._asdict() for mark in marks], SCHEMA))


def set_aside(folder: Folder) -> frozenset[str]:
    """As `excluded`, by people's marks alone."""
    return frozenset(mark.key + _REPLACED * (mark.mark == CORRECTED) for mark in of_people(folder))


def excluded(folder: Folder) -> frozenset[str]:
    """The keys of samples that no training sees, for `is_marked`. A corrected sample's key has a sign behind it, since the key of
    the record that replaces the sample begins with it."""
    table = _table(folder, NAME)
    keys = frozenset() if table is None else frozenset(table["key"].to_pylist())
    return keys | set_aside(folder)


def is_marked(key: str, marked: frozenset[str]) -> bool:
    """Whether a sample is `excluded`, or the page from which it was cut, in any dataset. A crop's key begins with its page's."""
    parts = key.split("-")
    for number, part in enumerate(itertools.accumulate(parts, "{}-{}".format), 1):
        is_corrected = number < len(parts) and _OF_CORRECTED.fullmatch(parts[number])
        if part in marked or (not is_corrected and part + _REPLACED in marked):
            return True
    return False


def digest(folders: Iterable[Folder]) -> str:
    """A digest of all keys that are `excluded` in any of the datasets."""
    return hashlib.sha256(" ".join(sorted(frozenset().union(*map(excluded, folders)))).encode()).hexdigest()


def state(folder: Folder) -> str:
    """The state that `write` got: what the marks were made from."""
    table = _table(folder, NAME)
    return "" if table is None else ((table.schema.metadata or {}).get(b"state") or b"").decode()


def _table(folder: Folder, name: str) -> pa.Table | None:
    try:
        return folder.read_table(name)
    except FileNotFoundError:
        return None
