"""Texts from Hugging Face datasets: one saved to disk, a local Parquet, JSON or text file, or one of the hub. A text longer than
a training's rows comes in pieces (`text_pieces.py`)."""

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import xxhash

from datagen.record import SampleError
from datagen.target import neutralise
from model.data.hugging_face.opening import beside, opened
from model.data.indexed import NO_TEXT, Images, Indexed, RowRead, Source
from model.data.rows import Asked, Example, Part

_AT_A_TIME = 1000
_CHUNK = 1 << 24


@dataclass(frozen=True)
class TextsReader:
    name: str
    where: str
    split: str
    column: str
    lang: str

    def read(self, place: int, prompt: int) -> Example:
        text = opened(self.where, self.split)[place][self.column]
        if not isinstance(text, str) or not text.strip():
            raise SampleError(NO_TEXT, f"row {place} of {self.where}")
        return Example((Part(neutralise(text), True),), (), f"{place}", self.name, self.lang)


class Texts(Indexed):
    """The rows of a dataset of texts. Rows of the same text are on one side of the split. Raises `ValueError` if the dataset
    can't be opened, or lacks the column."""

    prompts = (Asked("", 1.0),)
    fields = (("key", pa.uint64()),)  # of the text

    def __init__(self, where: str, name: str, column: str = "text", split: str = "train", lang: str = "und"):
        self.name, self.where, self.lang, self.held_out = name, where, lang, frozenset()
        self.reader, self.kind = TextsReader(name, where, split, column, lang), f"texts 3 {column}"
        self._column, self._rows = column, opened(where, split)
        if column not in self._rows.column_names:
            raise ValueError(f"{where} has no column {column!r}, but {', '.join(self._rows.column_names)}")

    @functools.cached_property
    def digest(self) -> str:
        if not os.path.isfile(self.where):
            return f"{self._rows._fingerprint} {self._column}"
        digest = xxhash.xxh3_128(self._column.encode())
        with open(self.where, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    @functools.cached_property
    def sources(self) -> list[Source]:  # type: ignore[override]
        return [Source(*beside(self.where, self.reader.split), self.digest, len(self._rows))]

    def images(self, table: pa.Table) -> tuple[Images, pa.ChunkedArray]:
        return Images(np.zeros(0, np.int64), np.zeros((0, 2), np.int32), np.zeros(0, np.uint64)), table["reason"]

    def rows(self, source: Source) -> Iterator[RowRead]:
        for start in range(0, len(self._rows), _AT_A_TIME):
            for number, text in enumerate(self._rows[start : start + _AT_A_TIME][self._column], start):
                if not isinstance(text, str) or not text.strip():
                    yield RowRead(f"row {number}", {"key": 0}, error=SampleError(NO_TEXT, ""))
                    continue
                key = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) or 1
                yield RowRead(f"row {number}", {"key": key}, ((Part(neutralise(text), True),),))
