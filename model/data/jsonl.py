"""A user's file of rows: a row a line, or a JSON list, in the layouts of `conversations`. Images are files beside it, addresses,
or data URLs, of which the heads are read, too."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.disk.storage import Folder
from datagen.record import SampleError
from model.data.conversations import VERSION, Row, row
from model.data.image_facts import Looks, inline
from model.data.images import is_inline, look, read_image
from model.data.indexed import BLANK, NAMED, Images, Indexed, RowRead, Source
from model.data.row_file import BETWEEN, row_file
from model.data.rows import Asked, Example
from model.data.split import group_hash


class Place(NamedTuple):
    """A row's bytes in the file, and its number from 1."""

    offset: int
    num_bytes: int
    number: int


@dataclass(frozen=True)
class JsonlReader:
    name: str
    folder: Folder
    file: str
    images: Folder

    def read(self, place: Place, prompt: int) -> Example:
        row = self.row(self.folder.read(self.file, place.offset, place.offset + place.num_bytes))
        images = tuple(read_image(self.images, image) for image in row.images)
        return Example(row.parts, images, row.key or f"{self.file}:{place.number}", self.name, row.lang)

    def row(self, data: bytes) -> Row:
        try:
            return row(msgspec.json.decode(data.lstrip(BETWEEN)))
        except (ValueError, RecursionError) as error:
            raise SampleError("bad_row", f"it is no JSON: {error}") from error


class Jsonl(Indexed):
    """The rows of one file. `images` is the folder of images' paths, by default the file's own. Rows of one `group`, rows that
    share an image, and equal rows are on one side of the split. The groups `held_out` never train. Raises `ValueError` if the
    file isn't there or has no rows."""

    kind = f"jsonl {VERSION}"
    prompts = (Asked("", 1.0),)
    fields = (
        ("lang", pa.string()),
        ("key", pa.uint64()),  # of the row's group; 0 if its images decide
        ("images", pa.list_(pa.large_string())),
    )

    def __init__(self, url: str, name: str = "", images: str = "", held_out: frozenset[str] = frozenset()):
        parent, file = posixpath.split(url)
        folder = Folder(parent or ".")
        self.name, self.where, self.held_out, self._images = name or file, folder.path(file), held_out, images
        self.reader = JsonlReader(self.name, folder, file, Folder(images or parent or "."))
        self._rows = row_file(folder, file)
        self.sources = [Source(folder, file, self._rows.digest, len(self._rows))]

    @property
    def digest(self) -> str:
        return self._rows.digest

    def place(self, row: int) -> Place:
        return Place(*self._rows.place(row), row + 1)

    def images(self, table: pa.Table) -> tuple[Images, pa.ChunkedArray]:
        """Images are read here, not with the rows, since they come and go independently."""
        references, (source,) = table["images"].combine_chunks(), self.sources
        encoded = pc.list_flatten(references).dictionary_encode()
        looks = Looks(encoded.dictionary, self.reader.images, source.folder, source.file, self._images)
        codes_I = encoded.indices.to_numpy()
        rows_I = np.repeat(np.arange(len(table)), pc.list_value_length(references).to_numpy())
        for at in np.flatnonzero(looks.bad_M[codes_I])[:NAMED].tolist():
            code = int(codes_I[at])
            error = SampleError(looks.reasons[looks.bad_M[code] - 1], looks.details.get(code, ""))
            self.tell(f"line {rows_I[at] + 1}", error)
        bad_N = np.zeros(len(table), np.int8)
        np.maximum.at(bad_N, rows_I, looks.bad_M[codes_I])
        sizes_I2 = np.stack([looks.width_M[codes_I], looks.height_M[codes_I]], axis=1)
        of_images = pa.array(["", *looks.reasons]).take(pa.array(bad_N))
        reasons = pc.if_else(pc.equal(of_images, ""), table["reason"], of_images)
        return Images(rows_I, sizes_I2, looks.key_M[codes_I]), reasons

    def rows(self, source: Source) -> Iterator[RowRead]:
        """The rows, independent of their images."""
        for number, data in enumerate(self._rows.each(), 1):
            called, values = f"line {number}", {"lang": "und", "key": 0, "images": []}
            if not data.strip():
                yield RowRead(called, values, error=SampleError(BLANK, ""))
                continue
            try:
                row = self.reader.row(data)
                images = [self._reference(image) for image in row.images]
            except SampleError as error:
                yield RowRead(called, values, error=error)
                continue
            key = 0
            if row.group:
                key = group_hash(row.group)
            elif not images:
                key = xxhash.xxh3_64_intdigest(repr(row.parts).encode()) or 1
            yield RowRead(called, {"lang": row.lang, "key": key, "images": images}, (row.parts,))

    def _reference(self, image: str) -> str:
        """The table's entry for an image: its place, or its facts if the image is in the row."""
        if "\0" in image:
            raise SampleError("image_missing", f"{image[:200]!r} is no path")
        return inline(look(self.reader.images, image)) if is_inline(image) else image
