"""Files of text alone, looked into in the sandboxed child: Parquet, Arrow, JSON Lines, plain text; the last two also compressed.

A row of a table is a document, and so is a file of plain text. Long ones come in pieces that end where a paragraph does, if they
can. A row's parts of the file are rows; those of a plain file are pieces. At most a batch of rows is in memory at a time.
"""

import contextlib
import hashlib
import io
import itertools
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import langcodes
import pyarrow as pa
import regex

from datagen.inputs.formats import HEAD_BYTES, UTF_16, format_of
from datagen.inputs.tables import Arrow, JsonLines, Lines, Parquet, Row, Table, damage, read, unpacked
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts
from datagen.writing import signs

FORMATS = ("parquet", "arrow", "gzip", "zstd", "jsonl", "text")
COLUMNS = ("text", "content", "raw_content", "document", "body", "article", "markdown")
"""Names of the column that has the text, where nobody says which: the first one that there is."""
_LANGUAGES, _LICENCES = ("lang", "language"), ("license", "licence")
_BROKEN = "broken_file"
_PIECE = "piece"
_LOOKED_AT = 100  # rows of a file that tell which columns it has
_MOST_VALUES, _LONGEST_VALUE = 24, 500
_CHUNK = 1 << 16
_SUFFIXES = {"jsonl": ("jsonl", "ndjson", "json"), "text": ("txt", "text", "md")}
# Where a text is cut, best first.
_BORDERS = tuple(map(regex.compile, (r"\n[ \t]*\n\s*", r"\n", rf"[{signs.STOPS}][\"'”’」』)]*\s*", r"\s")))


class Document(NamedTuple):
    """A row's text, or a piece of a plain file. `sha256` is that of the whole text in UTF-8, "" for a plain file's."""

    pieces: list[str]
    sha256: str
    lang: str
    licence: str
    metadata: dict[str, str]


def count_rows(path: str, name: str, column: str, bounds: tuple[int, int]) -> Iterator[int]:
    """How many parts a file has, last; numbers before it say that there is more to count. Raises `SampleError`."""
    yield from _opened(path, name, bounds).counts()


def read_texts(
    path: str, name: str, column: str, within: Range, bounds: tuple[int, int], numbers: list[int] | None = None
) -> Iterator[Parts | Part[Document] | Failed]:
    """The parts of a file that `numbers` name, or all `within` a range. `name` is what it is called where it comes from, `column`
    the text's, "" for the one that is named as such a column is. `bounds` are the most characters of a piece, and the most bytes
    of a row."""
    table = _opened(path, name, bounds)
    column = _text_column(table, column)
    # Words and numbers: a time out of Python's range would cost its row's text.
    columns = {column, *(field.name for field in table.schema if _is_text(field.type) or _is_number(field.type))}

    def document(row: dict[str, Any]) -> Document:
        return Document([row[_PIECE]], "", "", "", {}) if isinstance(table, _Pieces) else _document(row, column, *bounds)

    yield from read(table, document, within, numbers, columns)


class _Pieces(Lines):
    """The pieces of a plain file, in UTF-8, or UTF-16 that says so."""

    def __init__(self, path: str, max_chars: int):
        super().__init__(path, _BROKEN)
        self._max_chars = max_chars

    def _lines(self) -> Iterator[str]:
        """Raises `SampleError`: `not_utf8`, too."""
        with unpacked(self.path) as raw:
            encoding = "utf-16" if raw.peek(2)[:2] in UTF_16 else "utf-8-sig"
            with io.TextIOWrapper(raw, encoding=encoding) as text:
                try:
                    yield from cut(iter(lambda: text.read(_CHUNK), ""), self._max_chars)
                except UnicodeDecodeError as error:
                    raise SampleError("not_utf8", f"{error.reason}: {error.object[error.start : error.end]!r}") from None

    def _row(self, line: str) -> Row:
        return {_PIECE: line}


def _opened(path: str, name: str, bounds: tuple[int, int]) -> Table:
    with open(path, "rb") as file:
        format = format_of(file.read(HEAD_BYTES), FORMATS)
    assert format is not None  # who fetched it has looked
    if format.name == "parquet":
        return Parquet(path, _BROKEN)
    if format.name == "arrow":
        return Arrow(path, _BROKEN)
    kind = format.name
    if kind in ("gzip", "zstd"):
        with damage(_BROKEN), unpacked(path) as stream:
            format = format_of(stream.read(HEAD_BYTES), tuple(_SUFFIXES))
        if format is None:
            raise SampleError("other_format", f"what is packed in it by {kind} is no JSON Lines and no plain text")
        kind, name = format.name, name.rpartition(".")[0]
    suffix = name.lower().rpartition(".")[2]  # a plain text may begin as JSON does
    kind = next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes), kind)
    max_chars, max_bytes = bounds
    return JsonLines(path, _BROKEN, max_bytes) if kind == "jsonl" else _Pieces(path, max_chars)


def _text_column(table: Table, column: str) -> str:
    """Which column has the text. Raises `SampleError` (`no_text_column`, `broken_file`)."""
    if isinstance(table, _Pieces):
        return _PIECE
    names, texts = table.schema.names, [field.name for field in table.schema if _is_text(field.type)]
    if isinstance(table, JsonLines):
        rows = [row for _, row in table.rows(range(_LOOKED_AT)) if isinstance(row, dict)]
        if not rows:
            table.num_rows()  # which raises at damage before the first of them
        names = list(dict.fromkeys(name for row in rows for name in row))
        texts = [name for name in names if any(isinstance(row.get(name), str) for row in rows)]
    columns = ", ".join(names) or ('none: a line is an object, as {"text": "…"}' if isinstance(table, JsonLines) else "none")
    if column and column not in names:
        raise SampleError("no_text_column", f"there is no column {column}; columns are {columns}")
    column = column or next((name for name in COLUMNS if name in texts), texts[0] if len(texts) == 1 else "")
    if not column:
        why = "say column=NAME, since it isn't clear which has the text" if texts else "no column has text"
        raise SampleError("no_text_column", f"{why}; columns are {columns}")
    return column


def _document(row: Mapping[str, Any], column: str, max_chars: int, max_bytes: int) -> Document:
    """Raises `SampleError`: `no_text`, `too_large`."""
    text = row.get(column)
    if text is not None and not isinstance(text, str):
        raise SampleError("no_text", f"{column} is no text, but {type(text).__name__}")
    if text is None or not text.strip():
        raise SampleError("no_text", f"nothing in {column}")
    text = clean_text(text)
    encoded = text.encode()
    if len(encoded) > max_bytes:
        raise SampleError("too_large", f"{len(encoded)} bytes of text, allowed are {max_bytes}")
    pieces = list(cut([text.replace("\r\n", "\n").replace("\r", "\n")], max_chars))
    values = {name: value for name, value in row.items() if name != column}
    lang = next((tag for name in _LANGUAGES if (tag := _tag(values.get(name)))), "")
    licence = next((value for name in _LICENCES if isinstance(value := values.get(name), str) and value), "")
    return Document(pieces, hashlib.sha256(encoded).hexdigest(), lang, clean_text(licence[:_LONGEST_VALUE]), _words(values))


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
