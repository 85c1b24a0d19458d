"""Text alone, from Hugging Face datasets: one that was saved to disk, a local Parquet, JSON or text file, or one of the hub.

What is longer than a training's rows comes in pieces (`pieces.py`).
"""

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from datagen.record import SampleError
from datagen.target import neutralise
from model.data import lengths
from model.data.hugging_face.opening import beside, opened
from model.data.rows import NO_ANSWER, Asked, Columns, Example, Part
from model.data.tokens import counted
from model.net.tokenizer import TextTokenizer

_AT_A_TIME = 1000
_CHUNK = 1 << 24


@dataclass(frozen=True)
class TextsReader:
    """Reads a row by its number."""

    name: str
    where: str
    split: str
    column: str
    lang: str

    def read(self, place: int, prompt: int) -> Example:
        text = opened(self.where, self.split)[place][self.column]
        if not isinstance(text, str) or not text.strip():
            raise SampleError("no_text", f"row {place} of {self.where}")
        return Example((Part(neutralise(text), True),), (), f"{place}", self.name, self.lang)


class Texts:
    """The rows of a dataset of texts. Raises `ValueError` if it can't be opened, or has no such column."""

    prompts = (Asked("", 1.0),)

    def __init__(self, where: str, name: str, column: str = "text", split: str = "train", lang: str = "und"):
        self.name, self.lang = name, lang
        self.reader = TextsReader(name, where, split, column, lang)
        self._where, self._column, self._rows = where, column, opened(where, split)
        if column not in self._rows.column_names:
            raise ValueError(f"{where} has no column {column!r}, but {', '.join(self._rows.column_names)}")

    @functools.cached_property
    def digest(self) -> str:
        if not os.path.isfile(self._where):
            return f"{self._rows._fingerprint} {self._column}"
        digest = xxhash.xxh3_128(self._column.encode())
        with open(self._where, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` if there is no text."""
        folder, part = beside(self._where, self.reader.split)
        name = lengths.name(tokenizer, self.prompts, f"texts 2 {self._column}")
        num = len(self._rows)
        table = lengths.kept(folder, name, part, self.digest, num, lambda: self._count(tokenizer))
        answer_NP = lengths.lengths(table, 1)
        num_empty = int((answer_NP == NO_ANSWER).sum())
        if num_empty == num:
            raise ValueError(f"{self._where}: none of its {num} rows has a text in {self._column}")
        return Columns(
            width_N=np.zeros(num, np.uint16),
            height_N=np.zeros(num, np.uint16),
            answer_NP=answer_NP,
            lang_N=np.zeros(num, np.int16),
            group_N=table["group"].to_numpy(),
            langs=(self.lang,),
            skipped={"no_text": num_empty} if num_empty else {},
        )

    def place(self, row: int) -> int:
        return row

    def _count(self, tokenizer: TextTokenizer) -> pa.Table:
        """Of each row its tokens, and what a split goes by: rows of the same text are on one side."""
        found = np.full((len(self._rows), 1), NO_ANSWER, np.int32)
        group_N = np.ones(len(self._rows), np.uint64)
        for start, texts in self._texts():
            rows = [at for at, text in enumerate(texts, start) if isinstance(text, str) and text.strip()]
            parts = [(Part(neutralise(texts[at - start]), True),) for at in rows]
            found[rows, 0] = counted(parts, tokenizer)
            group_N[rows] = [xxhash.xxh3_64_intdigest(texts[at - start].encode("utf-8", "surrogatepass")) or 1 for at in rows]
        return pa.table(lengths.columns(found) | {"group": group_N})

    def _texts(self) -> Iterator[tuple[int, list[Any]]]:
        for start in range(0, len(self._rows), _AT_A_TIME):
            yield start, self._rows[start : start + _AT_A_TIME][self._column]
