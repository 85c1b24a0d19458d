"""List an input of pictures: images, archives, tables with images, and lists of images."""

import contextlib
import functools
import glob
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

import fsspec

from datagen.disk.storage import is_local, resolve
from datagen.inputs import archive
from datagen.inputs.census import walk
from datagen.inputs.formats import suffixes
from datagen.inputs.local import archive_at
from datagen.pictures.image_files import FORMATS
from datagen.pictures.metadata import is_laion
from datagen.pictures.tables import FILE_COLUMNS, SUFFIXES, Listed, Looked
from datagen.record import Range, SampleError
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed, Part
from datagen.sandbox.process import ChildDied, Limits, sandbox

log = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK = "datagen.pictures.tables:look"
_COUNT = "datagen.pictures.image_files:count_images"
_NAMES = "datagen.pictures.image_files:first_names"
READ_LISTED = "datagen.pictures.tables:read_listed"
PACKED = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
"""Tars that can only be read from their beginning."""
_TELLING = frozenset({"url", "image_url", "img_url", "caption", "text", "key", "status", *FILE_COLUMNS})


@dataclass(frozen=True)
class Scanned:
    """`root` is the folder of `num_images` images. Each of `archives` comes with img2dataset's table beside it, "" where there is
    none. `embedded` are tables with images, `lists` are tables that list images. `broken` can't be read; folders and packed tars
    may be among them. `num_rows` counts the rows of the tables. `laion` are the columns of a table that looks like LAION's."""

    root: str
    archives: dict[str, str]
    embedded: tuple[str, ...]
    lists: tuple[str, ...]
    broken: tuple[str, ...]
    num_rows: dict[str, int]
    columns: dict[str, tuple[str, ...]]
    laion: tuple[str, ...]
    num_images: int


@functools.lru_cache(maxsize=1)
def scan(input: str, limits: Limits) -> Scanned:
    """Look at a folder, or at a table and the files around it. The result has no names of images, since there may be millions.
    Raises `ValueError` if there is nothing."""
    fs, path = resolve(input)
    if not fs.exists(path):
        raise ValueError(f"input={input}: no such file or folder")
    is_table = not fs.isdir(path)
    root = path.rpartition("/")[0] if is_table else path.rstrip("/")
    endings = suffixes(FORMATS)
    tables, archives, packed, broken, num_images = [], [], [], [], 0
    others: Counter[str] = Counter()
    for info in walk(fs, root):
        name = info["name"].lower()
        if info["type"] != "file":
            broken.append(_uri(fs, info["name"]))
        elif name.endswith(endings):
            num_images += 1
        elif name.endswith(".arrow") and PurePosixPath(name).name.startswith(("cache-", "indices")):
            continue  # caches that `datasets` made of the other files
        elif name.endswith(SUFFIXES):
            tables.append(_uri(fs, info["name"]))
        elif name.endswith(PACKED):
            packed.append(_uri(fs, info["name"]))
        elif archive.kind_of(name) in ("tar", "zip"):
            archives.append(_uri(fs, info["name"]))
        else:
            others[PurePosixPath(name).suffix] += 1
    if others:
        seen = ", ".join(f"{num} {suffix or 'without a suffix'}" for suffix, num in others.most_common(4))
        log.info("census: files that are no pictures left alone, or read beside one: %s", seen)
    if is_table:
        tables, archives, packed = [_uri(fs, path)], [], []
    known = set(tables)
    beside = {uri: table for uri in archives if (table := f"{uri.rpartition('.')[0]}.parquet") in known}
    num_rows, columns, embedded, lists = {}, {}, [], []
    for uri in sorted(known - set(beside.values())):
        try:
            looked = look(uri, limits)
        except SampleError as error:
            log.info("census: %s: %s", uri, error)
            broken.append(uri)
            continue
        num_rows[uri], columns[uri] = looked.num_rows, tuple(looked.columns)
        if looked.image:
            embedded.append(uri)
        elif {name.lower() for name in looked.columns} & _TELLING:
            lists.append(uri)
        else:
            log.info("census: %s tells of no pictures (its columns are %s): left alone", uri, ", ".join(looked.columns[:8]))
    laion = next((names for names in columns.values() if is_laion(list(names))), ())
    if not laion and archives:
        first = sorted(archives)[0]
        names = columns_at(beside.get(first, first), limits)
        laion = tuple(names) if is_laion(names) else ()
    return Scanned(
        root=_uri(fs, root),
        archives={uri: beside.get(uri, "") for uri in sorted(archives)},
        embedded=tuple(embedded),
        lists=tuple(lists),
        broken=(*broken, *packed),
        num_rows=num_rows,
        columns=columns,
        laion=laion,
        num_images=0 if is_table and embedded else num_images,  # they are the table's own
    )


def columns_at(uri: str, limits: Limits) -> list[str]:
    """The columns of a table, or the names in the first JSON file of an archive; [] for other files and unreadable ones."""
    kind = archive.kind_of(uri)
    try:
        if is_table(uri):
            return look(uri, limits).columns
        if kind not in ("tar", "zip"):
            return []
        with archive_at(uri) as path:
            return _answer(_NAMES, list[str], limits, path=path, kind=kind)
    except (SampleError, ChildDied):
        return []  # reading it will tell


def look(uri: str, limits: Limits) -> Looked:
    """A table's rows, columns and column of images. Raises `SampleError`: `broken_table`, as `archive_at` does, or the reason
    that ended the child."""
    try:
        with archive_at(uri) as path:
            return _answer(_LOOK, Looked, limits, path=path)
    except ChildDied as death:
        raise SampleError(death.reason, f"in the table: {death.detail}") from None


def _answer(function: str, answer_type: type[T], limits: Limits, **arguments: Any) -> T:
    """The one answer of a function in the child. The function runs to its end: to leave it in the middle costs the child."""
    (answer,) = [answer.value for answer in sandbox(limits).run(function, answer_type, **arguments)]
    return answer


def count_images(uri: str, limits: Limits) -> int:
    """The number of images in an archive, as far as it can be read; 1 for any other file and for an unreadable archive."""
    kind = archive.kind_of(uri)
    if not kind:
        return 1
    try:
        with archive_at(uri) as path:
            return _answer(_COUNT, int, limits, path=path, kind=kind)
    except (SampleError, ChildDied):
        return 1  # reading it will tell


def listed_rows(uri: str, within: Range, limits: Limits) -> Iterator[Part[Listed] | Failed]:
    """The rows of a list. Raises `SampleError` as `look` does."""
    with archive_at(uri) as path:
        yield from read_parts(READ_LISTED, Listed, limits, noun="rows", path=path, within=within)


@contextlib.contextmanager
def sidecar_of(uri: str) -> Iterator[str]:
    """A local path to the table that img2dataset wrote beside an archive; "" if there is none."""
    if archive.kind_of(uri) == "tar":
        table = f"{uri.rpartition('.')[0]}.parquet"
        fs, path = resolve(table)
        if fs.exists(path):
            with archive_at(table) as copy:
                yield copy
            return
    yield ""


def is_table(uri: str) -> bool:
    """Whether an item is a table, by its name."""
    return uri.lower().endswith(SUFFIXES)


def is_input(input: str) -> bool:
    """Whether `scan` can look at an input: a folder or a table, not a glob, a single image or a single archive."""
    fs, path = resolve(input)
    if glob.has_magic(input) and not fs.exists(path):
        return False
    return fs.isdir(path) or is_table(input) or not fs.exists(path)


def _uri(fs: fsspec.AbstractFileSystem, name: str) -> str:
    return name if is_local(fs) else str(fs.unstrip_protocol(name))
