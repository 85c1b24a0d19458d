"""A user's JSONL file: a row a line, in the layouts of `conversations`. Images are files beside it, addresses, or data URLs.

The file is read through once to index it, with the heads of its images. A line that can't be used is left out, counted and named.
"""

import base64
import binascii
import io
import logging
import os
import posixpath
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.record import SampleError
from datagen.storage import Folder
from model.data import lengths
from model.data.conversations import VERSION, Row, row
from model.data.images import upright_size
from model.data.rows import NO_ANSWER, Asked, Columns, Example
from model.data.split import group_hash
from model.data.tokens import counted
from model.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

_CHUNK = 1 << 24
_AT_A_TIME = 4096
_NAMED = 5


class Place(NamedTuple):
    """A line, in bytes of the file."""

    offset: int
    num_bytes: int
    line: int


@dataclass(frozen=True)
class JsonlReader:
    """Reads a line by its place."""

    name: str
    folder: Folder
    file: str
    images: Folder

    def read(self, place: Place, prompt: int) -> Example:
        found = self.row(self.folder.read(self.file, place.offset, place.offset + place.num_bytes))
        images = tuple(read_image(self.images, image) for image in found.images)
        return Example(found.parts, images, found.key or f"{self.file}:{place.line}", self.name, found.lang)

    def row(self, line: bytes) -> Row:
        try:
            return row(msgspec.json.decode(line))
        except (ValueError, RecursionError) as error:
            raise SampleError("bad_row", f"it is no JSON: {error}") from error


class Jsonl:
    """The rows of one file. `images` is the folder that paths of images begin in, by default the file's own.

    Raises `ValueError` if the file isn't there, or isn't a line a row.
    """

    prompts = (Asked("", 1.0),)

    def __init__(self, url: str, name: str = "", images: str = ""):
        parent, self.file = posixpath.split(url)
        self.folder = Folder(parent or ".")
        self.name = name or self.file
        self.reader = JsonlReader(self.name, self.folder, self.file, Folder(images or parent or "."))
        if not self.folder.exists(self.file):
            raise ValueError(f"{url}: there is no such file")
        self._ends, self.digest = self._lines()
        if self.folder.read(self.file, 0, 1) == b"[":
            raise ValueError(f"{url} begins with a list: a row must be an object, in a line of its own")

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` if none of the rows can be used."""
        name = lengths.name(tokenizer, self.prompts, f"jsonl {VERSION}")
        table = lengths.kept(self.folder, name, self.file, self.digest, len(self._ends), lambda: self._count(tokenizer))
        counts = pc.value_counts(table["reason"]).to_pylist()
        reasons = Counter({count["values"]: count["counts"] for count in counts if count["values"]})
        if reasons.total() == len(self._ends):
            kinds = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common()) or "there are none"
            raise ValueError(f"{self.folder.path(self.file)}: no row can be used ({kinds})")
        langs = table["lang"].combine_chunks().dictionary_encode()
        several = np.flatnonzero(pc.list_value_length(table["sizes"]).to_numpy())
        sizes = table["sizes"].take(several).to_pylist()
        return Columns(
            width_N=table["width"].to_numpy(),
            height_N=table["height"].to_numpy(),
            answer_NP=lengths.lengths(table, 1),
            lang_N=langs.indices.to_numpy().astype(np.int16),
            group_N=table["group"].to_numpy(),
            langs=tuple(langs.dictionary.to_pylist()),
            more={at: tuple(zip(s[::2], s[1::2], strict=True)) for at, s in zip(several.tolist(), sizes, strict=True)},
            skipped=dict(reasons),
        )

    def place(self, row: int) -> Place:
        start = int(self._ends[row - 1]) if row else 0
        return Place(start, int(self._ends[row]) - start, row + 1)

    def _lines(self) -> tuple[np.ndarray, str]:
        """Where each line ends, and a hash of the file."""
        ends, digest, at, last = [np.zeros(0, np.int64)], xxhash.xxh3_128(), 0, b"\n"
        with self.folder.open(self.file) as file:
            while chunk := file.read(_CHUNK):
                ends.append(np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + at + 1)
                digest.update(chunk)
                at, last = at + len(chunk), chunk[-1:]
        if last != b"\n":
            ends.append(np.array([at]))
        return np.concatenate(ends), digest.hexdigest()

    def _texts(self) -> Iterator[bytes]:
        with self.folder.open(self.file) as file:
            yield from file

    def _count(self, tokenizer: TextTokenizer) -> pa.Table:
        tables, named = [], 0
        lines = self._texts()
        with ThreadPoolExecutor(16) as pool:
            for start in range(0, len(self._ends), _AT_A_TIME):
                some = [next(lines) for _ in range(min(_AT_A_TIME, len(self._ends) - start))]
                looked = list(pool.map(self._looked_at, some))
                good = [seen.row.parts for seen in looked if seen.row is not None]
                found = iter(counted(good, tokenizer))
                rows = []
                for line, seen in enumerate(looked, start + 1):
                    rows.append(self._values(line, seen, next(found) if seen.row is not None else NO_ANSWER))
                    if seen.reason and seen.reason != "blank_line" and (named := named + 1) <= _NAMED:
                        log.warning("%s line %d can't be used: %s: %s", self.file, line, seen.reason, seen.detail)
                tables.append(pa.Table.from_pylist(rows, schema=_SCHEMA))
        return pa.concat_tables([_SCHEMA.empty_table(), *tables]).combine_chunks()

    def _looked_at(self, line: bytes) -> "_Seen":
        if not line.strip():
            return _Seen(None, (), "blank_line", "")
        try:
            found = self.reader.row(line)
            return _Seen(found, tuple(image_size(self.reader.images, image) for image in found.images), "", "")
        except SampleError as error:
            return _Seen(None, (), error.reason, error.detail)

    def _values(self, line: int, seen: "_Seen", length: int) -> dict:
        sizes = seen.sizes
        group = (seen.row and (seen.row.group or (seen.row.images[0] if seen.row.images else ""))) or f"{self.name} {line}"
        width, height = sizes[0] if len(sizes) else (0, 0)
        return {
            "prompt_0": length,
            "width": min(width, 65535),
            "height": min(height, 65535),
            "sizes": [side for size in sizes for side in size] if len(sizes) > 1 else [],
            "lang": seen.row.lang if seen.row else "und",
            "group": group_hash(group),
            "reason": seen.reason,
        }


class _Seen(NamedTuple):
    row: Row | None
    sizes: tuple[tuple[int, int], ...]
    reason: str
    detail: str


_SCHEMA = pa.schema(
    [
        ("prompt_0", pa.int32()),
        ("width", pa.uint16()),
        ("height", pa.uint16()),
        ("sizes", pa.list_(pa.int32())),
        ("lang", pa.string()),
        ("group", pa.uint64()),
        ("reason", pa.string()),
    ]
)


def read_image(folder: Folder, reference: str) -> bytes:
    """The encoded image that a row names. Raises `SampleError` if it isn't there."""
    try:
        if reference.startswith("data:"):
            return base64.b64decode(reference.partition(",")[2], validate=True)
        parent, name = _place(folder, reference)
        return parent.read(name)
    except (OSError, ValueError, binascii.Error) as error:
        raise SampleError("image_missing", f"{reference[:200]}: {type(error).__name__}") from error


def image_size(folder: Folder, reference: str) -> tuple[int, int]:
    """(width, height) of the image that a row names, upright. Of a file on this machine's disk only its head is read. Raises
    `SampleError` if it isn't there or can't be read."""
    parent, name = _place(folder, reference)
    local = None if reference.startswith("data:") else parent.local
    try:
        if local is not None:
            with open(local / name, "rb") as file:
                return upright_size(file, reference[:200])
    except OSError as error:
        raise SampleError("image_missing", f"{reference[:200]}: {type(error).__name__}") from error
    return upright_size(io.BytesIO(read_image(folder, reference)), reference[:200])


def _place(folder: Folder, reference: str) -> tuple[Folder, str]:
    if "://" in reference or os.path.isabs(reference):
        parent, name = posixpath.split(reference)
        return Folder(parent), name
    return folder, reference
