"""Marks of samples, made without touching them: rows in `marks/marks.parquet`, beside the manifest.

    key · mark (duplicate, near_duplicate, contaminated) · of (another sample's key, or a benchmark's page) · similarity

A marked sample stays in its shard, and out of what is trained on. A round of the flywheel has marks of lines of earlier rounds:
`read_again`, of the page that it read after them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa

from datagen.disk.storage import Folder

NAME = "marks/marks.parquet"
SCHEMA = pa.schema([("key", pa.string()), ("mark", pa.string()), ("of", pa.string()), ("similarity", pa.float32())])


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
    try:
        return folder.read_table(NAME)
    except FileNotFoundError:
        return SCHEMA.empty_table()


def excluded(folder: Folder) -> frozenset[str]:
    """The keys of samples that aren't to be trained on."""
    return frozenset(read(folder)["key"].to_pylist())


def digest(folders: Iterable[Folder]) -> str:
    """Of the keys that are `excluded` in any of the datasets: another where others are."""
    return hashlib.sha256(" ".join(sorted(frozenset().union(*map(excluded, folders)))).encode()).hexdigest()


def state(folder: Folder) -> str:
    """What the marks were made from, as `write` got it."""
    return ((read(folder).schema.metadata or {}).get(b"state") or b"").decode()
