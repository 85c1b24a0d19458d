"""Tables about pictures, read in the sandboxed child: Parquet and Arrow by row groups and batches, CSV and JSON lines by lines.

A table either has the images in a column (`{bytes, path}`, as Hugging Face has them, or bytes), or tells where they lie.
"""

import bisect
import csv
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.pictures.descriptions import Detected
from datagen.pictures.join_keys import columns_of, keys_of
from datagen.pictures.metadata import about, why_missing
from datagen.pictures.objects import COLUMN, LOOKED_AT, Objects, class_names, looked_at, named, stored_size
from datagen.pictures.picture import Bounds, Picture, picture_of
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts

SUFFIXES = (".parquet", ".arrow", ".csv", ".tsv", ".jsonl", ".ndjson")
_IMAGE_COLUMNS = ("image", "img", "jpg", "jpeg", "png", "webp", "picture", "photo", "image_bytes", "bytes", "content")
_MAPPED = 1 << 30  # larger files than the child's address space has room for are read as streams
_FEW, _MANY = 16, 1024  # rows at a time, with and without images
_ROWS_A_BYTE = 8  # more than any table of addresses or images has, however it is packed
_KEYS = 5_000  # rows of keys in a message
T = TypeVar("T")
_ARROW = (pa.ArrowException, OSError, ValueError, UnicodeDecodeError, OverflowError)

Rows = Iterator[tuple[int, dict[str, Any] | SampleError]]
"""Rows by number, each a dict, or why it can't be read."""


class Looked(NamedTuple):
    """What a table has: its rows, its columns, and which of these holds images, "" if none does."""

    num_rows: int
    columns: list[str]
    image: str


class Listed(NamedTuple):
    """A row that tells where an image lies. `keys` are what its file may be called, each by the rule that says so."""

    caption: str
    metadata: dict[str, str]
    keys: list[tuple[str, str]]
    detected: Detected | None = None


def look(path: str) -> Iterator[Looked]:
    """Raises `SampleError` (`broken_table`)."""
    table = opened(path)
    num_rows, num_bytes = table.num_rows(), os.path.getsize(path)
    if num_rows > _ROWS_A_BYTE * num_bytes:  # who believed it would count them all
        raise SampleError("broken_table", f"it says that it has {num_rows} rows in {num_bytes} bytes")
    yield Looked(num_rows, [clean_text(name) for name in table.columns], table.image)


def read_pictures(
    path: str, within: Range, bounds: Bounds, root: str, numbers: list[int] | None = None
) -> Iterator[Parts | Part[Picture] | Failed]:
    """The images in a table's rows: those that `numbers` name, or all `within` a range. A row whose image has a path in place of
    bytes has it below the folder `root`, or beside the table."""
    table = opened(path)
    if numbers is None:
        yield Parts(numbers := _range(table, within))
    names, objects = class_names(table.notes), _objects(table)
    folders = [folder for folder in (os.path.dirname(path), root) if folder]
    for number, row in table.rows(numbers):
        try:
            if isinstance(row, dict):
                row |= {column: named(row[column], names[column]) for column in row.keys() & names.keys()}
            yield Part(number, _picture(row, table.image, folders, bounds, objects))
        except SampleError as error:
            yield Failed(Range(number, number + 1), error.reason, clean_text(error.detail))


def read_listed(path: str, within: Range, numbers: list[int] | None = None) -> Iterator[Parts | Part[Listed] | Failed]:
    """The rows of a table that tells where images lie. One that img2dataset has no image for is `Failed`."""
    table = opened(path)
    if numbers is None:
        yield Parts(numbers := _range(table, within))
    objects = _objects(table)
    for number, row in table.rows(numbers):
        if isinstance(row, SampleError):
            yield Failed(Range(number, number + 1), row.reason, clean_text(row.detail))
        elif row.get("status") not in (None, "success"):
            yield Failed(Range(number, number + 1), *why_missing(row))
        else:
            yield Part(number, Listed(*about(row), keys_of(row), objects.read(row) if objects else None))


def list_keys(path: str, rule: str) -> Iterator[list[list[str]]]:
    """What the images of all rows are called by `rule`, many rows at a time; nothing of a row that can't be read."""
    table = opened(path)
    some: list[list[str]] = []
    for _, row in table.rows(range(table.num_rows()), columns_of(rule)):
        some.append([] if isinstance(row, SampleError) else [key for _, key in keys_of(row, rule)])
        if len(some) == _KEYS:
            yield some
            some = []
    yield some


def failures(path: str, present: set[str]) -> list[tuple[str, str]]:
    """Why the rows of img2dataset's table beside an archive have no image in it, by `present`, the images' keys there. None of a
    table of something else. Raises `SampleError`."""
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


def _range(table: "Table", within: Range) -> list[int]:
    num_rows = table.num_rows()
    return list(range(within.first, num_rows if within.stop < 0 else min(within.stop, num_rows)))


def _objects(table: "Table") -> Objects | None:
    needed = (COLUMN, "width", "height", table.image.lower())
    rows = table.rows(range(LOOKED_AT), needed) if COLUMN in map(str.lower, table.columns) else None
    return Objects(class_names(table.notes), looked_at(rows, table.image)) if rows else None


def _picture(
    row: "dict[str, Any] | SampleError", column: str, folders: Sequence[str], bounds: Bounds, objects: Objects | None
) -> Picture:
    if isinstance(row, SampleError):
        raise row
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
    """A file that a table names, if it lies below one of `folders`. A hostile table may name any file."""
    for folder in folders:
        path = os.path.realpath(os.path.join(folder, name))
        if path.startswith(os.path.realpath(folder) + os.sep) and os.path.isfile(path):
            if os.path.getsize(path) > bounds[2]:
                raise SampleError("too_large", f"{name}: {os.path.getsize(path)} bytes, allowed are {bounds[2]}")
            with open(path, "rb") as file:
                return file.read()
    raise SampleError("no_image", f"no file {name} here")


class Table:
    """A table's `columns`, the one with images, and its rows."""

    columns: list[str]
    image = ""
    notes: Mapping[bytes, bytes] = {}

    def num_rows(self) -> int:
        raise NotImplementedError

    def rows(self, numbers: Sequence[int], columns: Sequence[str] = ()) -> Rows:
        """`numbers` ascend. `columns`, in small letters, are those that are needed of a large table: all, if none is named."""
        raise NotImplementedError


def opened(path: str) -> Table:
    """Raises `SampleError` (`broken_table`)."""
    with open(path, "rb") as file:
        if file.read(24) == b"version https://git-lfs.":
            raise SampleError("broken_table", "a pointer of Git LFS: git lfs pull fetches the table")
    suffix = os.path.splitext(path)[1].lower()
    kind = {".parquet": _Parquet, ".arrow": _Arrow, ".jsonl": _Json, ".ndjson": _Json}.get(suffix, _Csv)
    try:
        return kind(path)
    except _ARROW as error:
        raise SampleError("broken_table", f"{type(error).__name__}: {error}") from None


def _image_column(schema: pa.Schema) -> str:
    """The column with images: a struct that has bytes, or bytes under a name that says image; the first of these by name."""
    lists = (pa.ListType, pa.LargeListType)
    fields = [(field.name, field.type.value_type if isinstance(field.type, lists) else field.type) for field in schema]
    structs = [name for name, type in fields if pa.types.is_struct(type) and type.get_field_index("bytes") >= 0]
    plain = [(name, type.value_type if pa.types.is_dictionary(type) else type) for name, type in fields]
    binary = [name for name, type in plain if str(type).startswith(("binary", "large_binary", "fixed_size_binary"))]
    named = [name for wanted in _IMAGE_COLUMNS for name in (*structs, *binary) if name.lower() == wanted]
    return next(iter([*named, *structs]), "")


class _Parquet(Table):
    def __init__(self, path: str):
        self._file = pq.ParquetFile(pa.OSFile(path), buffer_size=1 << 20, pre_buffer=False)
        self.columns = self._file.schema_arrow.names
        self.image = _image_column(self._file.schema_arrow)
        self.notes = self._file.schema_arrow.metadata or {}

    def num_rows(self) -> int:
        return int(self._file.metadata.num_rows)

    def rows(self, numbers: Sequence[int], columns: Sequence[str] = ()) -> Rows:
        start = 0
        for group in range(self._file.metadata.num_row_groups):
            stop = start + self._file.metadata.row_group(group).num_rows
            wanted = numbers[bisect.bisect_left(numbers, start) : bisect.bisect_left(numbers, stop)]
            if wanted:
                size = _FEW if self.image else _MANY
                names = [name for name in self.columns if name.lower() in columns] if columns else None
                batches = self._file.iter_batches(size, row_groups=[group], columns=names, use_threads=False)
                yield from _of_batches(batches, start, wanted)
            start = stop


class _Arrow(Table):
    """What `datasets` saves: a stream of batches, or a file of them."""

    def __init__(self, path: str):
        self._path = path
        reader = self._reader()
        self.columns = reader.schema.names
        self.image = _image_column(reader.schema)
        self.notes = reader.schema.metadata or {}

    def _reader(self) -> Any:
        source = pa.memory_map(self._path) if os.path.getsize(self._path) <= _MAPPED else pa.OSFile(self._path)
        magic = source.read(6)
        source.seek(0)
        return pa.ipc.open_file(source) if magic == b"ARROW1" else pa.ipc.open_stream(source)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        reader = self._reader()
        if isinstance(reader, pa.ipc.RecordBatchFileReader):
            return (reader.get_batch(number) for number in range(reader.num_record_batches))
        return iter(reader)

    def num_rows(self) -> int:
        """The rows up to damage, and behind that one more: the rest."""
        num_rows = 0
        try:
            for batch in self._batches():
                num_rows += batch.num_rows
        except _ARROW as error:
            if not num_rows:
                raise SampleError("broken_table", f"{type(error).__name__}: {error}") from None
            num_rows += 1
        return num_rows

    def rows(self, numbers: Sequence[int], columns: Sequence[str] = ()) -> Rows:
        return _of_batches(self._batches(), 0, numbers)


def _of_batches(batches: Iterator[pa.RecordBatch], start: int, wanted: Sequence[int]) -> Rows:
    """The `wanted` rows of batches that begin at the row `start`, in order; where a batch can't be read, all that are left."""
    left = list(reversed(wanted))
    try:
        for batch in batches:
            stop = start + batch.num_rows
            if left and left[-1] < stop:
                first = left[-1] - start
                rows = _rows(batch.slice(first))
                while left and left[-1] < stop:
                    number = left.pop()
                    yield number, rows[number - start - first]
            start = stop
            if not left:
                return
        error = SampleError("broken_table", "fewer rows than it says")
    except _ARROW as raised:
        error = SampleError("broken_table", f"{type(raised).__name__}: {raised}")
    while left:
        yield left.pop(), error


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any] | SampleError]:
    """All rows of a batch. What is no UTF-8 is replaced; where a column is damaged otherwise, none of them can be read."""
    try:
        columns = [_cells(column) for column in batch.columns]
        rows = [dict(zip(batch.schema.names, cells, strict=True)) for cells in zip(*columns, strict=True)]
        if len(rows) != batch.num_rows:
            raise ValueError(f"{len(rows)} rows in a batch of {batch.num_rows}")
    except _ARROW as error:
        return [SampleError("broken_table", f"{type(error).__name__}: {error}")] * batch.num_rows
    return [*rows]


def _cells(column: pa.Array) -> list[Any]:
    """Raises Arrow's errors. Nothing is looked at that isn't checked: Arrow follows wrong offsets to wherever they lead."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        as_bytes = column.cast(pa.binary() if pa.types.is_string(column.type) else pa.large_binary())
        as_bytes.validate(full=True)
        return [None if value is None else value.decode("utf-8", "replace") for value in as_bytes.to_pylist()]
    column.validate(full=True)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):  # there are some that Python has no type for
        column = column.cast(pa.string())
    return list(column.to_pylist())


def _wanted(lines: Iterator[T], numbers: Sequence[int]) -> Iterator[tuple[int, T]]:
    """Those of the lines that `numbers` name."""
    wanted = set(numbers)
    return ((n, line) for n, line in enumerate(itertools.islice(lines, max(wanted, default=-1) + 1)) if n in wanted)


class _Csv(Table):
    """CSV or TSV with a line of names, or, as Conceptual Captions has it, a TSV of captions and addresses without one."""

    def __init__(self, path: str):
        self._path = path
        self._quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
        self._separator = "\t" if path.lower().endswith(".tsv") else ","
        if self._separator == "," and len(line := next(self._lines(), [])) == 1:  # it may be another sign
            self._separator = max(",;\t|", key=line[0].count)
        csv.field_size_limit(1 << 24)
        first = next(self._lines(), [])
        self._is_named = not any(cell.startswith(("http://", "https://")) for cell in first)
        if not self._is_named and self._separator == "\t":  # quotation marks are captions' own there
            self._quoting = csv.QUOTE_NONE
            first = next(self._lines(), [])
        self.columns = first if self._is_named else _names_of(first)
        if not self.columns:
            raise SampleError("broken_table", "no line of names")

    def _lines(self) -> Iterator[list[str]]:
        with open(self._path, encoding="utf-8-sig", errors="replace", newline="") as file:
            try:
                yield from csv.reader((line.replace("\0", "") for line in file), delimiter=self._separator, quoting=self._quoting)
            except csv.Error as error:
                raise SampleError("broken_table", f"{error}") from None

    def _cells(self) -> Iterator[list[str]]:
        return (cells for cells in itertools.islice(self._lines(), int(self._is_named), None) if cells)

    def num_rows(self) -> int:
        return sum(1 for _ in self._cells())

    def rows(self, numbers: Sequence[int], columns: Sequence[str] = ()) -> Rows:
        return ((number, self._row(cells)) for number, cells in _wanted(self._cells(), numbers))

    def _row(self, cells: list[str]) -> dict[str, Any] | SampleError:
        if len(cells) != len(self.columns):
            return SampleError("bad_row", f"{len(cells)} cells where the first line has {len(self.columns)}")
        return {name: cell for name, cell in zip(self.columns, cells, strict=True) if cell}


def _names_of(cells: list[str]) -> list[str]:
    """Names for columns without any: an address, and the first other one as the caption."""
    names = ["url" if cell.startswith("http") else "" for cell in cells]
    caption = names.index("") if "" in names else -1
    return ["caption" if i == caption else name or f"column_{i}" for i, name in enumerate(names)]


class _Json(Table):
    """JSON lines. The columns are those of the first line."""

    def __init__(self, path: str):
        self._path = path
        first = next(self.rows([0]), (0, {}))[1]
        if isinstance(first, SampleError):
            raise first
        self.columns = list(first)

    def _lines(self) -> Iterator[bytes]:
        with open(self._path, "rb") as file:
            yield from (line for line in file if line.strip())

    def num_rows(self) -> int:
        return sum(1 for _ in self._lines())

    def rows(self, numbers: Sequence[int], columns: Sequence[str] = ()) -> Rows:
        return ((number, _json_row(line)) for number, line in _wanted(self._lines(), numbers))


def _json_row(line: bytes) -> dict[str, Any] | SampleError:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return SampleError("bad_row", f"{error}")
    return row if isinstance(row, dict) else SampleError("bad_row", "no object of names and values")
