"""Rows with images of a Hugging Face dataset: columns of images, and texts in the layouts of `conversations`. Beside an image, a
`text` is its answer."""

import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import xxhash

from datagen.inputs.chat_turns import LISTS
from datagen.record import SampleError
from model.data import lengths
from model.data.conversations import VERSION, Row, row
from model.data.hugging_face.opening import beside, image_columns, images, opened, undecoded
from model.data.images import ENDS, identity, upright_size
from model.data.indexed import Indexed, RowRead, Source
from model.data.rows import Asked, Example
from model.data.split import group_hash

_AT_A_TIME = 64
_ANSWERS = ("output", "response", "answer")


@dataclass(frozen=True)
class PicturedReader:
    """Reads a row by its number. `column` is the text to learn, "" for the row's layout."""

    name: str
    where: str
    split: str
    column: str

    def read(self, place: int, prompt: int) -> Example:
        one, files = self.row(undecoded(self.where, self.split)[place])
        return Example(one.parts, files, one.key or f"{place}", self.name, one.lang)

    @functools.cached_property
    def _image_columns(self) -> list[str]:
        return image_columns(opened(self.where, self.split))

    def row(self, values: dict[str, Any]) -> tuple[Row, tuple[bytes, ...]]:
        """The row, and its images' files. Raises `SampleError` for an unusable row."""
        columns = self._image_columns
        try:
            files = tuple(file for name in columns for file in images(values[name], self.where))
        except OSError as error:
            raise SampleError("image_missing", f"{type(error).__name__}: {error}") from error
        texts = {name: value for name, value in values.items() if name not in columns and value is not None}
        if self.column:
            texts = {name: value for name, value in texts.items() if name in ("prompt", "lang", "group", "id")} | {
                "answer": values[self.column] or ""
            }
        elif files and "text" in values and not any(name in texts for name in (*LISTS, *_ANSWERS)):
            texts["answer"] = texts.pop("text", "")
        # Images are named by their places in the row.
        return row(texts | {"images": [f"{number}" for number in range(len(files))]}), files


class Pictured(Indexed):
    """The rows of a dataset. Rows of one `group`, or with the same image, are on one side of the split; the groups `held_out`
    never train. Raises `ValueError` if the dataset can't be opened, or has no column of images."""

    prompts = (Asked("", 1.0),)
    fields = (
        ("lang", pa.string()),
        ("key", pa.uint64()),  # of the row's group, or of a text without image; 0 if its images decide
        ("said", pa.uint64()),
        ("sizes", pa.list_(pa.int32())),  # width and height of each image
        ("image_keys", pa.list_(pa.uint64())),
    )

    def __init__(self, where: str, name: str, column: str = "", split: str = "train", held_out: frozenset[str] = frozenset()):
        self.name, self.where, self.held_out = name, where, held_out
        self.reader, self.kind = PicturedReader(name, where, split, column), f"pictured 2 {VERSION} {column}"
        self._rows = undecoded(where, split)
        names = ", ".join(self._rows.column_names)
        if column and column not in self._rows.column_names:
            raise ValueError(f"{where} has no column {column!r}, but {names}")
        if not image_columns(opened(where, split)):
            raise ValueError(f"{where} has no column of images, but {names}; texts are of the group text, as in text:{where}")

    @functools.cached_property
    def digest(self) -> str:
        """A digest of the rows, wherever the library keeps them."""
        folder, part = beside(self.where, self.reader.split)
        kind, known_as = f"lengths/pictured-1-{VERSION}-{self.reader.column}", self._rows._fingerprint
        source = Source(folder, part, known_as, len(self._rows))
        facts = lengths.kept(folder, kind, part, known_as, len(self._rows), lambda: self.made(source, None))
        digest = xxhash.xxh3_128(self.reader.column.encode())
        for name in ("said", "image_keys", "reason"):
            digest.update(repr(facts[name].to_pylist()).encode())
        return digest.hexdigest()

    @functools.cached_property
    def sources(self) -> list[Source]:  # type: ignore[override]
        return [Source(*beside(self.where, self.reader.split), self.digest, len(self._rows))]

    def rows(self, source: Source) -> Iterator[RowRead]:
        for start in range(0, len(self._rows), _AT_A_TIME):
            batch = self._rows[start : start + _AT_A_TIME]
            for at in range(len(next(iter(batch.values())))):
                yield self._read(f"row {start + at}", {name: values[at] for name, values in batch.items()})

    def _read(self, called: str, of_row: dict[str, Any]) -> RowRead:
        try:
            one, files = self.reader.row(of_row)
            sizes = [side for file in files for side in upright_size(io.BytesIO(file), called)]
        except SampleError as error:
            return RowRead(called, {"lang": "und", "key": 0, "said": 0, "sizes": [], "image_keys": []}, error=error)
        parts_hash = xxhash.xxh3_64_intdigest(repr(one.parts).encode())
        key = group_hash(one.group) if one.group else 0 if files else parts_hash or 1
        keys = [identity(len(file), file[:ENDS], file[-ENDS:]) for file in files]
        values = {"lang": one.lang, "key": key, "said": parts_hash, "sizes": sizes, "image_keys": keys}
        return RowRead(called, values, (one.parts,))
