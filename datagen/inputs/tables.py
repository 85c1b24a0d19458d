"""Files of rows, read in the sandboxed child: Parquet and Arrow batch by batch, CSV and JSON Lines line by line.

Rows are numbered from 0. An unreadable row is a `SampleError` in its place. Damage takes the rows of its batch, or all remaining
rows; if their number is unknown, one more row stands for them. A reader of some kind of data opens a file as a `Table` and passes
`read` a function from a row to its data.
"""

import bisect
import contextlib
import csv
import functools
import gzip
import io
import itertools
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.inputs.formats import HEAD_BYTES, format_of
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts

T = TypeVar("T")

Row = dict[str, Any] | SampleError
"""A row's values by column, or the error that replaces them."""

_DAMAGE = (pa.ArrowException, OSError, EOFError, zlib.error, csv.Error, ValueError, OverflowError)
_MAPPED = 1 << 30  # a larger file has no room in the child's address space, and is read batch by batch
_BUFFER = 1 << 20  # of a column of Parquet
_CHUNK = 1 << 16
_BEAT_S = 1.0  # the sandbox's deadline is between messages
_LONGEST_CELL = 1 << 24
_LONGEST_LINE = 1 << 40
_DETAIL = 300


class Table:
    """The rows of a file. Damage is a `SampleError` of this `reason`, which opening the file may raise, too."""

    schema: pa.Schema = pa.schema([])
    """Arrow's schema, if the file has one."""
    at_a_time = 64
    """The number of rows of Parquet and Arrow that are read at once, and lost with a damaged row."""
    errors = "strict"
    """The error handler of `bytes.decode` for text that isn't UTF-8: "strict" makes it damage."""

    def __init__(self, path: str, reason: str):
        self.path, self.reason = path, reason

    @functools.cached_property
    def columns(self) -> list[str]:
        return list(self.schema.names)

    def counts(self) -> Iterator[int]:
        """The number of rows, last; earlier numbers mean that counting goes on. Raises `SampleError` if damage comes before any
        row."""
        num_rows, said_s = 0, time.monotonic()
        try:
            with damage(self.reason):
                for batch in self._batches():
                    num_rows += len(batch)
                    if time.monotonic() - said_s > _BEAT_S:
                        yield num_rows
                        said_s = time.monotonic()
        except SampleError:
            if not num_rows:
                raise
            num_rows += 1
        yield num_rows

    def num_rows(self) -> int:
        *_, num_rows = self.counts()
        return num_rows

    def rows(self, numbers: Sequence[int], columns: Collection[str] | None = None) -> Iterator[tuple[int, Row]]:
        """The rows of these ascending `numbers`. Of Parquet and Arrow only `columns` are read, if given."""
        for start, stop, batches in self._groups(columns):
            wanted, done = numbers[bisect.bisect_left(numbers, start) : bisect.bisect_left(numbers, stop)], 0
            error = SampleError(self.reason, "fewer rows than it says")
            try:
                with damage(self.reason):
                    for batch in batches if wanted else ():
                        stop, first = start + len(batch), wanted[done]
                        if first < stop:
                            rows = self._rows(batch[first - start :])
                            while done < len(wanted) and wanted[done] < stop:
                                yield wanted[done], rows[wanted[done] - first]
                                done += 1
                        if done == len(wanted):
                            break
                        start = stop
            except SampleError as raised:
                error = raised
            yield from ((number, error) for number in wanted[done:])

    def _groups(self, columns: Collection[str] | None) -> Iterator[tuple[int, int, Iterable[Any]]]:
        """Groups of batches with their first row and their end. Damage stays in its group."""
        yield 0, sys.maxsize, self._batches(columns)

    def _batches(self, columns: Collection[str] | None = None) -> Iterator[Any]:
        raise NotImplementedError

    def _rows(self, batch: Any) -> Sequence[Row]:
        raise NotImplementedError


def read(
    table: Table,
    adapter: Callable[[dict[str, Any]], T],
    within: Range,
    numbers: list[int] | None = None,
    columns: Collection[str] | None = None,
) -> Iterator[Parts | Part[T] | Failed]:
    """The results of `adapter` for the rows `numbers`, or for all rows `within` a range, whose numbers then come first. A row is
    `Failed` if it is a `SampleError` or if `adapter` raises one."""
    if numbers is None:
        for num_rows in table.counts():  # at least one
            if 0 <= within.stop <= num_rows:  # rows behind the range aren't counted
                break
        yield Parts(numbers := [number for number in range(num_rows) if number in within])
    for number, row in table.rows(numbers, columns):
        try:
            if isinstance(row, SampleError):
                raise row
            yield Part(number, adapter(row))
        except SampleError as error:
            yield Failed(Range(number, number + 1), error.reason, clean_text(error.detail))


class _Arrays(Table):
    def _rows(self, batch: pa.RecordBatch) -> Sequence[Row]:
        try:
            columns = [self._cells(column) for column in batch.columns]
            rows = [dict(zip(batch.schema.names, cells, strict=True)) for cells in zip(*columns, strict=True)]
            if len(rows) != batch.num_rows:
                raise ValueError(f"{len(rows)} rows in a batch of {batch.num_rows}")
            return rows
        except _DAMAGE as error:
            return [_broken(self.reason, error)] * batch.num_rows

    def _cells(self, column: pa.Array) -> list[Any]:
        """A column's values. Raises Arrow's errors. The column is checked first, since Arrow follows wrong offsets anywhere."""
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            as_bytes = column.cast(pa.binary() if pa.types.is_string(column.type) else pa.large_binary())
            as_bytes.validate(full=True)
            return [None if value is None else value.decode("utf-8", self.errors) for value in as_bytes.to_pylist()]
        column.validate(full=True)
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):  # Python has no type for some of them
            column = column.cast(pa.string())
        return list(column.to_pylist())


class Parquet(_Arrays):
    def __init__(self, path: str, reason: str):
        super().__init__(path, reason)
        with damage(reason):
            self._file = pq.ParquetFile(pa.OSFile(path), buffer_size=_BUFFER, pre_buffer=False)
            self.schema = self._file.schema_arrow

    def counts(self) -> Iterator[int]:
        yield self._file.metadata.num_rows

    def _groups(self, columns: Collection[str] | None) -> Iterator[tuple[int, int, Iterable[Any]]]:
        names, start = [name for name in self.columns if columns is None or name in columns], 0
        for group in range(self._file.num_row_groups):
            stop = start + self._file.metadata.row_group(group).num_rows
            yield start, stop, self._file.iter_batches(self.at_a_time, row_groups=[group], columns=names, use_threads=False)
            start = stop


class Arrow(_Arrays):
    """A file that `datasets` saves: a stream of batches, or a file of them."""

    def __init__(self, path: str, reason: str):
        super().__init__(path, reason)
        with damage(reason):
            self.schema = self._reader().schema

    def _batches(self, columns: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        reader = self._reader()
        is_file = isinstance(reader, pa.ipc.RecordBatchFileReader)
        places = [place for place, name in enumerate(self.columns) if columns is None or name in columns]
        for batch in map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader:
            whole = batch.select(places)
            yield from (whole.slice(at, self.at_a_time) for at in range(0, len(whole), self.at_a_time))

    def _reader(self) -> Any:
        source = pa.memory_map(self.path) if os.path.getsize(self.path) <= _MAPPED else pa.OSFile(self.path)
        magic = source.read(6)
        source.seek(0)
        return pa.ipc.open_file(source) if magic == b"ARROW1" else pa.ipc.open_stream(source)


class Lines(Table):
    """Rows that come one after another, such as lines."""

    def _batches(self, columns: Collection[str] | None = None) -> Iterator[list[Any]]:
        return ([line] for line in self._lines())

    def _rows(self, batch: list[Any]) -> list[Row]:
        return list(map(self._row, batch))

    def _lines(self) -> Iterator[Any]:
        raise NotImplementedError

    def _row(self, line: Any) -> Row:
        raise NotImplementedError


class JsonLines(Lines):
    """JSON Lines, also compressed. The columns are those of the first line. A line has at most `max_bytes`."""

    def __init__(self, path: str, reason: str, max_bytes: int = _LONGEST_LINE):
        super().__init__(path, reason)
        self._max_bytes = max_bytes

    @functools.cached_property
    def columns(self) -> list[str]:
        with damage(self.reason):
            row = next(map(self._row, self._lines()), {})
        if isinstance(row, SampleError):
            raise row
        return list(row)

    def _lines(self) -> Iterator[bytes]:
        """The lines that aren't blank; the beginning of a line that is too long."""
        most = self._max_bytes
        with unpacked(self.path) as lines:
            is_start = True
            while line := lines.readline(most + 1):
                if is_start:
                    line, is_start = line.removeprefix(b"\xef\xbb\xbf"), False
                end = line
                while len(end) > most and not end.endswith(b"\n"):
                    end = lines.readline(most + 1)
                if line.strip():
                    yield line

    def _row(self, line: bytes) -> Row:
        if len(line) > self._max_bytes:
            return SampleError("too_large", f"a line of over {self._max_bytes}")
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            return SampleError("bad_row", f"no JSON: {error}"[:_DETAIL])
        return row if isinstance(row, dict) else SampleError("bad_row", f"no object with names, but {type(row).__name__}")


class Csv(Lines):
    """CSV or TSV with a line of names. A TSV may lack the names and have captions and addresses, as Conceptual Captions has."""

    def __init__(self, path: str, reason: str):
        super().__init__(path, reason)
        self._quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
        self._separator = "\t" if path.lower().endswith(".tsv") else ","
        if self._separator == "," and len(line := next(self._read(), [])) == 1:  # there may be another separator
            self._separator = max(",;\t|", key=line[0].count)
        first = next(self._read(), [])
        self._is_named = not any(cell.startswith(("http://", "https://")) for cell in first)
        if not self._is_named and self._separator == "\t":  # there, quotation marks belong to the captions
            self._quoting = csv.QUOTE_NONE
            first = next(self._read(), [])
        self.columns = first if self._is_named else _names_of(first)
        if not self.columns:
            raise SampleError(reason, "no line of names")

    def _read(self) -> Iterator[list[str]]:
        csv.field_size_limit(_LONGEST_CELL)
        with damage(self.reason), open(self.path, encoding="utf-8-sig", errors="replace", newline="") as file:
            yield from csv.reader((line.replace("\0", "") for line in file), delimiter=self._separator, quoting=self._quoting)

    def _lines(self) -> Iterator[list[str]]:
        return (cells for cells in itertools.islice(self._read(), int(self._is_named), None) if cells)

    def _row(self, line: list[str]) -> Row:
        if len(line) != len(self.columns):
            return SampleError("bad_row", f"{len(line)} cells where the first line has {len(self.columns)}")
        return {name: cell for name, cell in zip(self.columns, line, strict=True) if cell}


def _names_of(cells: list[str]) -> list[str]:
    """Names for unnamed columns: the address, and the first other column as the caption."""
    names = ["url" if cell.startswith("http") else "" for cell in cells]
    caption = names.index("") if "" in names else -1
    return ["caption" if i == caption else name or f"column_{i}" for i, name in enumerate(names)]


def unpacked(path: str) -> io.BufferedReader:
    """The bytes of a file, decompressed if it is gzip or Zstandard. Reading raises the libraries' errors on damage."""
    with open(path, "rb") as file:
        format = format_of(file.read(HEAD_BYTES), ("gzip", "zstd"))
    if format is None:
        return open(path, "rb")
    stream: Any = gzip.GzipFile(path) if format.name == "gzip" else pa.input_stream(path, compression="zstd")
    return io.BufferedReader(stream, _CHUNK)


@contextlib.contextmanager
def damage(reason: str) -> Iterator[None]:
    """Raises a library's errors on a damaged file as a `SampleError`."""
    try:
        yield
    except _DAMAGE as error:
        raise _broken(reason, error) from None


def _broken(reason: str, error: Exception) -> SampleError:
    return SampleError(reason, f"{type(error).__name__}: {error}"[:_DETAIL])
