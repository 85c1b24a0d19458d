"""Tables about pictures, read in the sandboxed child: Parquet and Arrow by row groups and batches, CSV and JSON lines by lines.

A table either has the images in a column (bytes, or Hugging Face's `{bytes, path}`), or it says where the images lie.
"""

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from datagen.inputs.tables import Arrow, Csv, JsonLines, Parquet, Table, read
from datagen.pictures.descriptions import Detected
from datagen.pictures.metadata import Bounds, Picture, about, picture_of, why_missing
from datagen.pictures.objects import COLUMN, LOOKED_AT, Objects, class_names, looked_at, named, stored_size
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts

SUFFIXES = (".parquet", ".arrow", ".csv", ".tsv", ".jsonl", ".ndjson")
FILE_COLUMNS = ("file_name", "filename", "file", "path", "dir", "image_path", "image_file", "image", "img_path", "filepath")
"""Columns that may name an image's file, the surest first."""
KEY_COLUMNS = ("key", "sample_id", "uid", "id", "image_id", "imagekey", "image_key", "hash", "md5", "sha1", "sha256")
"""Columns whose value may be an image's name without its suffix."""
DIGESTS = {f"{name} of the url": name for name in ("md5", "sha1", "sha256")}
IN_URL = "name in the url"
_URLS = ("url", "image_url", "img_url")
_IMAGE_COLUMNS = ("image", "img", "jpg", "jpeg", "png", "webp", "picture", "photo", "image_bytes", "bytes", "content")
_FEW, _MANY = 16, 1024  # rows at a time, with and without images
_ROWS_A_BYTE = 8  # no table of addresses or images has so many, however it is packed
_KEYS = 5_000  # rows of keys in a message


class Looked(NamedTuple):
    """A table's number of rows, its columns, and the column that holds images, "" if none does."""

    num_rows: int
    columns: list[str]
    image: str


class Listed(NamedTuple):
    """A row that says where an image lies. `keys` are possible names of the image's file, each behind the rule that gives it."""

    caption: str
    metadata: dict[str, str]
    keys: list[tuple[str, str]]
    detected: Detected | None = None


def look(path: str) -> Iterator[Looked]:
    """Raises `SampleError` (`broken_table`)."""
    table = opened(path)
    num_rows, num_bytes = table.num_rows(), os.path.getsize(path)
    if num_rows > _ROWS_A_BYTE * num_bytes:  # a hostile table may claim any number of rows
        raise SampleError("broken_table", f"it says that it has {num_rows} rows in {num_bytes} bytes")
    yield Looked(num_rows, [clean_text(name) for name in table.columns], image_column(table.schema))


def read_pictures(
    path: str, within: Range, bounds: Bounds, root: str, numbers: list[int] | None = None
) -> Iterator[Parts | Part[Picture] | Failed]:
    """The images in a table's rows: the rows `numbers`, or all rows `within` a range. An image with a path in place of bytes lies
    below the folder `root`, or beside the table."""
    table = opened(path)
    image, names, objects = image_column(table.schema), class_names(table.schema.metadata or {}), _objects(table)
    folders = [folder for folder in (os.path.dirname(path), root) if folder]

    def picture(row: dict[str, Any]) -> Picture:
        row |= {column: named(row[column], names[column]) for column in row.keys() & names.keys()}
        return _picture(row, image, folders, bounds, objects)

    yield from read(table, picture, within, numbers)


def read_listed(path: str, within: Range, numbers: list[int] | None = None) -> Iterator[Parts | Part[Listed] | Failed]:
    """The rows of a table that says where images lie. A row for which img2dataset has no image is `Failed`."""
    table = opened(path)
    objects = _objects(table)

    def listed(row: dict[str, Any]) -> Listed:
        if row.get("status") not in (None, "success"):
            raise SampleError(*why_missing(row))
        return Listed(*about(row), keys_of(row), objects.read(row) if objects else None)

    yield from read(table, listed, within, numbers)


def list_keys(path: str, rule: str) -> Iterator[list[list[str]]]:
    """The possible names of the images of all rows by `rule`, many rows at a time; [] for a row that can't be read."""
    table = opened(path)
    some: list[list[str]] = []
    for _, row in table.rows(range(table.num_rows()), _called(table, columns_of(rule))):
        some.append([] if isinstance(row, SampleError) else [key for _, key in keys_of(row, rule)])
        if len(some) == _KEYS:
            yield some
            some = []
    yield some


def keys_of(row: dict[str, Any], rule: str = "") -> list[tuple[str, str]]:
    """The possible names of a row's image, without suffix and in small letters, each behind the rule that gives it; with `rule`,
    only that rule's. A rule is a column's name, or a way to make names of the address. `folder/name` comes before `name`."""
    small = {name.lower(): value for name, value in row.items()}
    keys = []
    for column in FILE_COLUMNS if not rule else {rule}.intersection(FILE_COLUMNS):
        value = small.get(column)
        if isinstance(value, str) and value:
            keys += [(column, key) for key in stems(value)]
    for column in KEY_COLUMNS if not rule else {rule}.intersection(KEY_COLUMNS):
        value = small.get(column)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, (str, int)) and value != "":
            keys.append((column, str(value).lower()))
    url = next((small[name] for name in _URLS if isinstance(small.get(name), str)), "")
    if url:
        encoded = url.encode("utf-8", "replace")
        for name in DIGESTS if not rule else {rule}.intersection(DIGESTS):
            keys.append((name, hashlib.new(DIGESTS[name], encoded).hexdigest()))
        if rule in ("", IN_URL):
            with contextlib.suppress(ValueError):  # an address with half a bracket
                keys += [(IN_URL, key) for key in stems(unquote(urlsplit(url).path))[-1:]]
    return [(by, clean_text(key)) for by, key in keys]


def columns_of(rule: str) -> tuple[str, ...]:
    """The columns, in small letters, from which a rule makes names."""
    return _URLS if rule == IN_URL or rule in DIGESTS else (rule,)


def stems(path: str) -> list[str]:
    """`folder/name`, if the path has a folder, and `name`, without the suffix and in small letters."""
    folders, _, file = path.replace("\\", "/").lower().rpartition("/")
    stem, folder = file.rpartition(".")[0] or file, folders.rpartition("/")[2]
    if not stem:
        return []
    return [f"{folder}/{stem}", stem] if folder else [stem]


def failures(path: str, present: set[str]) -> list[tuple[str, str]]:
    """The reasons and details for the rows of img2dataset's table that have no image in the archive beside it. `present` has the
    keys of the archive's images. [] for a table of another kind. Raises `SampleError`."""
    table = opened(path)
    if not {"status", "key"} <= set(table.columns):
        return []
    gone = []
    for _, row in table.rows(range(table.num_rows())):
        if isinstance(row, SampleError):
            gone.append((row.reason, row.detail))
        elif str(row.get("key")) not in present:
            gone.append(why_missing(row))
    return gone


def _called(table: Table, names: Collection[str]) -> set[str]:
    """The columns whose names in small letters are among `names`."""
    return {column for column in table.columns if column.lower() in names}


def _objects(table: Table) -> Objects | None:
    image = image_column(table.schema)
    if not _called(table, [COLUMN]):
        return None
    some = table.rows(range(LOOKED_AT), _called(table, (COLUMN, "width", "height", image.lower())))
    return Objects(class_names(table.schema.metadata or {}), looked_at(some, image))


def _picture(row: dict[str, Any], column: str, folders: Sequence[str], bounds: Bounds, objects: Objects | None) -> Picture:
    value = row.pop(column, None)
    if isinstance(value, list):
        if len(value) > 1:
            raise SampleError("several_images", f"{len(value)} in one row: this reads one")
        value = value[0] if value else None
    encoded, name = (value.get("bytes"), value.get("path") or "") if isinstance(value, dict) else (value, "")
    if not encoded and name:
        encoded = _beside(name, folders, bounds)
    if not encoded:
        raise SampleError(*why_missing(row))
    caption, metadata = about(row)
    metadata = ({"name": clean_text(PurePosixPath(name).name)} if name else {}) | metadata
    picture = picture_of(encoded, 0, bounds, caption, metadata)
    return picture._replace(detected=objects.read(row, stored_size(encoded))) if objects else picture


def _beside(name: str, folders: Sequence[str], bounds: Bounds) -> bytes:
    """The content of a file that a table names. The file must lie below one of `folders`, since a hostile table may name any
    file."""
    for folder in folders:
        path = os.path.realpath(os.path.join(folder, name))
        if path.startswith(os.path.realpath(folder) + os.sep) and os.path.isfile(path):
            if os.path.getsize(path) > bounds[2]:
                raise SampleError("too_large", f"{name}: {os.path.getsize(path)} bytes, allowed are {bounds[2]}")
            with open(path, "rb") as file:
                return file.read()
    raise SampleError("no_image", f"no file {name} here")


def opened(path: str) -> Table:
    """Raises `SampleError` (`broken_table`)."""
    with open(path, "rb") as file:
        if file.read(24) == b"version https://git-lfs.":
            raise SampleError("broken_table", "a pointer of Git LFS: git lfs pull fetches the table")
    suffix = os.path.splitext(path)[1].lower()
    kinds = {".parquet": Parquet, ".arrow": Arrow, ".jsonl": JsonLines, ".ndjson": JsonLines}
    table: Table = kinds.get(suffix, Csv)(path, "broken_table")
    table.errors, table.at_a_time = "replace", _FEW if image_column(table.schema) else _MANY
    return table


def image_column(schema: pa.Schema) -> str:
    """The column with images, "" if there is none: a struct with `bytes`, or bytes in a column of `_IMAGE_COLUMNS`, the first by
    that list."""
    lists = (pa.ListType, pa.LargeListType)
    fields = [(field.name, field.type.value_type if isinstance(field.type, lists) else field.type) for field in schema]
    structs = [name for name, type in fields if pa.types.is_struct(type) and type.get_field_index("bytes") >= 0]
    plain = [(name, type.value_type if pa.types.is_dictionary(type) else type) for name, type in fields]
    binary = [name for name, type in plain if str(type).startswith(("binary", "large_binary", "fixed_size_binary"))]
    named = [name for wanted in _IMAGE_COLUMNS for name in (*structs, *binary) if name.lower() == wanted]
    return next(iter([*named, *structs]), "")
