"""Files of text alone, looked into in the sandboxed child: Parquet, Arrow, JSON Lines, plain text; the last two also compressed.

A row of a table is a document, and so is a file of plain text. Long ones come in pieces that end where a paragraph does, if they
can. A row's parts of the file are rows; those of a plain file are pieces. At most a batch of rows is in memory at a time.
"""

import contextlib
import gzip
import hashlib
import io
import itertools
import json
import os
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

import langcodes
import pyarrow as pa
import pyarrow.parquet as pq

from datagen.inputs.formats import HEAD_BYTES, UTF_16, format_of
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts

FORMATS = ("parquet", "arrow", "gzip", "zstd", "jsonl", "text")
COLUMNS = ("text", "content", "raw_content", "document", "body", "article", "markdown")
"""Names of the column that has the text, where nobody says which: the first one that there is."""
_LANGUAGES, _LICENCES = ("lang", "language"), ("license", "licence")
_BATCH = 64  # rows
_LOOKED_AT = 100  # rows of a file that tell which columns it has
_MOST_VALUES, _LONGEST_VALUE = 24, 500
_CHUNK = 1 << 16
_MAPPED = 1 << 30  # a larger file has no room in the child's address space, and is read batch by batch
_BEAT = 1 << 24  # bytes that are counted between two signs of life
_DAMAGE = (pa.ArrowException, OSError, EOFError, zlib.error, ValueError, OverflowError)
_LINES = {"jsonl": ("jsonl", "ndjson", "json"), "text": ("txt", "text", "md")}
# Where a text is cut, best first.
_BORDERS = tuple(map(re.compile, (r"\n[ \t]*\n\s*", r"\n", r"[.!?…。！？।॥۔።։။៕༎][\"'”’」』)]*\s*", r"\s")))


class Document(NamedTuple):
    """A row's text, or a piece of a plain file. `sha256` is that of the whole text in UTF-8, "" for a plain file's."""

    pieces: list[str]
    sha256: str
    lang: str
    licence: str
    metadata: dict[str, str]


Outcome = Document | SampleError


def count_rows(path: str, name: str, column: str, bounds: tuple[int, int]) -> Iterator[int]:
    """How many parts a file has, last; numbers before it say that there is more to count. Raises `SampleError`."""
    yield from _File(path, name, column, bounds).counted()


def read_texts(
    path: str, name: str, column: str, within: Range, bounds: tuple[int, int], numbers: list[int] | None = None
) -> Iterator[Parts | Part[Document] | Failed]:
    """The parts of a file that `numbers` name, or all `within` a range. `name` is what it is called where it comes from, `column`
    the text's, "" for the one that is named as such a column is. `bounds` are the most characters of a piece, and the most bytes
    of a row."""
    file = _File(path, name, column, bounds)
    file.find_column()
    if numbers is None:
        for num_parts in file.counted():  # there is one, at least
            if 0 <= within.stop <= num_parts:  # what lies behind the range isn't counted
                break
        numbers = [number for number in range(num_parts) if number in within]
        yield Parts(numbers)
    if not numbers:
        return
    outcomes = file.documents(numbers[0])
    for number, outcome in zip(range(numbers[0], numbers[-1] + 1), outcomes, strict=False):
        if isinstance(outcome, SampleError):
            yield Failed(Range(number, number + 1), outcome.reason, clean_text(outcome.detail))
        else:
            yield Part(number, outcome)


class _File:
    def __init__(self, path: str, name: str, column: str, bounds: tuple[int, int]):
        self.path, self.column = path, column
        self.max_chars, self.max_bytes = bounds
        with open(path, "rb") as file:
            format = format_of(file.read(HEAD_BYTES), FORMATS)
        assert format is not None  # who fetched it has looked
        self.kind, self.packed = format.name, ""
        if self.kind in ("gzip", "zstd"):
            self.packed = self.kind
            with _damage(), self._bytes() as stream:
                format = format_of(stream.read(HEAD_BYTES), ("jsonl", "text"))
            if format is None:
                raise SampleError("other_format", f"what is packed in it by {self.packed} is no JSON Lines and no plain text")
            self.kind = format.name
            name = name.rpartition(".")[0]
        if self.kind in _LINES:  # a plain text may begin as JSON does
            suffix = name.lower().rpartition(".")[2]
            self.kind = next((kind for kind, suffixes in _LINES.items() if suffix in suffixes), self.kind)

    def counted(self) -> Iterator[int]:
        """The number of parts so far, now and then, and at last that of all. Behind damage there is one more: the rest."""
        num = since = 0
        try:
            with _damage():
                if self.kind == "parquet":
                    with pq.ParquetFile(self.path) as parquet:
                        num = parquet.metadata.num_rows
                elif self.kind == "arrow":
                    for batch in self._record_batches():
                        num += batch.num_rows
                else:
                    for line in self._lines() if self.kind == "jsonl" else self._pieces():
                        num, since = num + 1, since + len(line)
                        if since > _BEAT:
                            yield num
                            since = 0
        except SampleError:
            if not num:
                raise
            num += 1
        yield num

    def documents(self, first: int) -> Iterator[Outcome]:
        """What the file has from the part `first` on. Damage is an error for each row that it costs, or one for the rest."""
        rows: Callable[[int], Iterator[dict[str, Any] | SampleError | Document]]
        rows = {
            "parquet": self._parquet_rows,
            "arrow": self._arrow_rows,
            "jsonl": self._jsonl_rows,
            "text": self._text_pieces,
        }[self.kind]
        try:
            for row in rows(first):
                yield self._document(row) if isinstance(row, dict) else row
        except SampleError as error:
            yield error

    def _text_pieces(self, first: int) -> Iterator[Document]:
        with _damage():
            for piece in itertools.islice(self._pieces(), first, None):
                yield Document([piece], "", "", "", {})

    def _document(self, row: Mapping[str, Any]) -> Outcome:
        text = row.get(self.column)
        if text is not None and not isinstance(text, str):
            return SampleError("no_text", f"{self.column} is no text, but {type(text).__name__}")
        if text is None or not text.strip():
            return SampleError("no_text", f"nothing in {self.column}")
        text = clean_text(text)
        encoded = text.encode()
        if len(encoded) > self.max_bytes:
            return SampleError("too_large", f"{len(encoded)} bytes of text, allowed are {self.max_bytes}")
        pieces = list(cut([text.replace("\r\n", "\n").replace("\r", "\n")], self.max_chars))
        values = {name: value for name, value in row.items() if name != self.column}
        lang = next((tag for name in _LANGUAGES if (tag := _tag(values.get(name)))), "")
        licence = next((value for name in _LICENCES if isinstance(value := values.get(name), str) and value), "")
        return Document(pieces, hashlib.sha256(encoded).hexdigest(), lang, clean_text(licence[:_LONGEST_VALUE]), _words(values))

    # Rows

    def _parquet_rows(self, first: int) -> Iterator[dict[str, Any] | SampleError]:
        with contextlib.ExitStack() as stack:
            with _damage():
                parquet = stack.enter_context(pq.ParquetFile(self.path))
            columns, start = self._columns(parquet.schema_arrow), 0
            for group in range(parquet.metadata.num_row_groups):
                stop = start + parquet.metadata.row_group(group).num_rows
                if stop > first:
                    batches = parquet.iter_batches(_BATCH, row_groups=[group], columns=columns, use_threads=False)
                    yield from _from(batches, start, first, stop)
                start = stop

    def _arrow_rows(self, first: int) -> Iterator[dict[str, Any] | SampleError]:
        start = 0
        with _damage():
            for batch in self._record_batches():
                columns = self._columns(batch.schema)
                if start + batch.num_rows > first:
                    small = (batch.select(columns).slice(at, _BATCH) for at in range(0, batch.num_rows, _BATCH))
                    yield from _from(small, start, first, start + batch.num_rows)
                start += batch.num_rows

    def _record_batches(self) -> Iterator[pa.RecordBatch]:
        is_mapped = os.path.getsize(self.path) < _MAPPED
        with pa.memory_map(self.path) if is_mapped else pa.OSFile(self.path) as source:
            is_file = source.read(6) == b"ARROW1"
            source.seek(0)
            if is_file:
                file = pa.ipc.open_file(source)
                yield from (file.get_batch(number) for number in range(file.num_record_batches))
            else:
                yield from pa.ipc.open_stream(source)

    def _jsonl_rows(self, first: int) -> Iterator[dict[str, Any] | SampleError]:
        with _damage():
            for line in itertools.islice(self._lines(), first, None):
                yield _row(line) if len(line) <= self.max_bytes else SampleError("too_large", f"a line of over {self.max_bytes}")

    def _columns(self, schema: pa.Schema) -> list[str]:
        """The columns to read: the text's, words and numbers. A time out of Python's range would cost its row's text."""
        plain = [field.name for field in schema if _is_text(field.type) or _is_number(field.type)]
        return [self.column, *[name for name in plain if name != self.column]]

    def find_column(self) -> None:
        """Make sure which column has the text. Raises `SampleError` (`no_text_column`, `broken_file`)."""
        if self.kind == "text":
            return
        with _damage():
            if self.kind == "parquet":
                with pq.ParquetFile(self.path) as parquet:
                    names, texts = parquet.schema_arrow.names, [f.name for f in parquet.schema_arrow if _is_text(f.type)]
            elif self.kind == "arrow":
                schema = next((batch.schema for batch in self._record_batches()), pa.schema([]))
                names, texts = schema.names, [field.name for field in schema if _is_text(field.type)]
            else:
                rows = self._first_rows()
                names = list(dict.fromkeys(name for row in rows for name in row))
                texts = [name for name in names if any(isinstance(row.get(name), str) for row in rows)]
        columns = ", ".join(names) or ('none: a line is an object, as {"text": "…"}' if self.kind == "jsonl" else "none")
        if self.column and self.column not in names:
            raise SampleError("no_text_column", f"there is no column {self.column}; columns are {columns}")
        self.column = self.column or next((name for name in COLUMNS if name in texts), texts[0] if len(texts) == 1 else "")
        if not self.column:
            why = "say column=NAME, since it isn't clear which has the text" if texts else "no column has text"
            raise SampleError("no_text_column", f"{why}; columns are {columns}")

    def _first_rows(self) -> list[dict[str, Any]]:
        """Those of the first lines that are rows, as far as they can be read. Raises `SampleError` where damage leaves none."""
        rows = []
        try:
            with _damage():
                for line in itertools.islice(self._lines(), _LOOKED_AT):
                    if len(line) <= self.max_bytes and isinstance(row := _row(line), dict):
                        rows.append(row)
        except SampleError:
            if not rows:
                raise
        return rows

    # Bytes, lines, pieces

    def _bytes(self) -> IO[bytes]:
        if self.packed == "gzip":
            return gzip.GzipFile(self.path)  # type: ignore[return-value]
        stream: IO[bytes] = pa.input_stream(self.path, compression=self.packed or None)
        return stream

    def _lines(self) -> Iterator[bytes]:
        """The lines that have more than white space; of one that is too long `max_bytes` and one more."""
        with self._bytes() as stream, io.BufferedReader(_Raw(stream), _CHUNK) as lines:
            is_start = True
            while line := lines.readline(self.max_bytes + 1):
                if is_start:
                    line, is_start = line.removeprefix(b"\xef\xbb\xbf"), False
                end = line
                while len(end) > self.max_bytes and not end.endswith(b"\n"):
                    end = lines.readline(self.max_bytes + 1)
                if line.strip():
                    yield line

    def _pieces(self) -> Iterator[str]:
        """The pieces of a plain file, in UTF-8, or UTF-16 that says so. Raises `SampleError` (`not_utf8`)."""
        with self._bytes() as stream, io.BufferedReader(_Raw(stream), _CHUNK) as raw:
            encoding = "utf-16" if raw.peek(2)[:2] in UTF_16 else "utf-8-sig"
            with io.TextIOWrapper(raw, encoding=encoding) as text:
                try:
                    yield from cut(iter(lambda: text.read(_CHUNK), ""), self.max_chars)
                except UnicodeDecodeError as error:
                    raise SampleError("not_utf8", f"{error.reason}: {error.object[error.start : error.end]!r}") from None


class _Raw(io.RawIOBase):
    """An Arrow stream as Python's own."""

    def __init__(self, stream: IO[bytes]):
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def cut(chunks: Iterable[str], max_chars: int) -> Iterator[str]:
    """A text that comes in chunks, in pieces of at most `max_chars` characters: cut where a paragraph ends in the second half of
    a piece, else behind a line, a sentence or a word, and never before a mark that belongs to a letter."""
    left = ""
    for chunk in chunks:
        left, start = left + chunk, 0
        while len(left) - start > max_chars:
            at = _border(left[start : start + max_chars])
            if (piece := left[start : start + at].strip("\n")).strip():
                yield piece
            start += at
        left = left[start:]
    if left.strip():
        yield left.strip("\n")


def _border(text: str) -> int:
    half = len(text) // 2
    for border in _BORDERS:
        places = [match.end() for match in border.finditer(text, half)]
        if places:
            return places[-1]
    at = len(text) - 1  # a mark may come behind the last letter
    while at > half and unicodedata.category(text[at])[0] == "M":
        at -= 1
    return at


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _from(batches: Iterable[pa.RecordBatch], start: int, first: int, stop: int) -> Iterator[dict[str, Any] | SampleError]:
    """The rows of batches that have the file's rows from `start` to `stop`, from row `first` on."""
    at = start
    try:
        for batch in batches:
            if at + batch.num_rows > first:
                yield from _checked(batch.slice(max(0, first - at)))
            at += batch.num_rows
    except MemoryError:
        raise
    except _DAMAGE as error:
        for _ in range(max(at, first), stop):
            yield SampleError("broken_file", f"{type(error).__name__}: {error}"[:300])


def _checked(batch: pa.RecordBatch) -> list[dict[str, Any]] | list[SampleError]:
    """The batch's rows, once it was checked: Arrow believes a file's offsets, wherever they point."""
    try:
        batch.validate(full=True)
        rows: list[dict[str, Any]] = batch.to_pylist()
        return rows
    except MemoryError:
        raise
    except _DAMAGE as error:
        return [SampleError("broken_file", f"{type(error).__name__}: {error}"[:300])] * batch.num_rows


def _row(line: bytes) -> dict[str, Any] | SampleError:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return SampleError("bad_row", f"no JSON: {error}"[:300])
    return row if isinstance(row, dict) else SampleError("bad_row", f"a row is an object with names, not {type(row).__name__}")


def _words(values: Mapping[str, Any]) -> dict[str, str]:
    """The plain values of a row, as words, but the long ones."""
    pairs = ((name, str(value)) for name, value in values.items() if isinstance(value, (str, int, float)) and value != "")
    short = ((clean_text(str(name)), clean_text(value)) for name, value in pairs if len(value) <= _LONGEST_VALUE)
    return dict(itertools.islice(short, _MOST_VALUES))


def _tag(value: object) -> str:
    """The language that a row declares, as BCP-47; "" of what is no tag."""
    if not isinstance(value, str) or not langcodes.tag_is_valid(value):
        return ""
    return langcodes.standardize_tag(value)


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """What the libraries raise on damaged files, as a `SampleError`."""
    try:
        yield
    except (SampleError, MemoryError):
        raise
    except _DAMAGE as error:
        raise SampleError("broken_file", f"{type(error).__name__}: {error}"[:300]) from None


def licence_of(cards: Sequence[tuple[str, str]]) -> str:
    """The licence that a dataset's card names: of files (name, content) beside it the first one that has one."""
    for name, content in cards:
        if name.endswith(".json"):
            with contextlib.suppress(ValueError, AttributeError, RecursionError):
                if isinstance(licence := json.loads(content).get("license"), str) and licence:
                    return licence[:_LONGEST_VALUE]
        elif match := re.match(r"---\n(?:.*\n)*?license: *([\w.+-]+) *\n(?:.*\n)*?---\n", content):
            return match[1]
    return ""
