"""Rows with images of a Hugging Face dataset: columns of images, and texts in the layouts of `conversations`; beside an image a
`text` is its answer.

All rows are read once for what an index knows of them, which is kept beside the dataset. A row that can't be used is left out,
counted and named.
"""

import functools
import io
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import xxhash

from datagen.disk.storage import Folder
from datagen.inputs.chat_turns import LISTS
from datagen.record import SampleError
from model.data import lengths
from model.data.conversations import VERSION, Row, row
from model.data.hugging_face.opening import beside, image_columns, images, opened, undecoded
from model.data.images import ENDS, identity, upright_size
from model.data.rows import NO_ANSWER, Asked, Columns, Example, Several, tell_skipped
from model.data.split import group_hash, joined
from model.data.tokens import counted
from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

_AT_A_TIME = 64
_NAMED = 5
_MOST = 65535
_ANSWERS = ("output", "response", "answer")


class _Read(NamedTuple):
    row: Row
    images: tuple[bytes, ...]


@dataclass(frozen=True)
class PicturedReader:
    """Reads a row by its number. `column` is the text to learn, "" for that of the row's layout."""

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

    def row(self, values: dict[str, Any]) -> _Read:
        """Raises `SampleError` for a row that can't be used."""
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
        # Their places in the row stand for them.
        return _Read(row(texts | {"images": [f"{number}" for number in range(len(files))]}), files)


class Pictured:
    """The rows of a dataset. Those of one `group`, or with the same image, are on one side of the split; `held_out` names groups
    that are never trained on. Raises `ValueError` if it can't be opened, or has no column of images."""

    prompts = (Asked("", 1.0),)

    def __init__(self, where: str, name: str, column: str = "", split: str = "train", held_out: frozenset[str] = frozenset()):
        self.name, self.reader, self._held_out = name, PicturedReader(name, where, split, column), held_out
        self._rows = undecoded(where, split)
        if column and column not in self._rows.column_names:
            raise ValueError(f"{where} has no column {column!r}, but {', '.join(self._rows.column_names)}")
        if not image_columns(opened(where, split)):
            raise ValueError(
                f"{where} has no column of images, but {', '.join(self._rows.column_names)}; texts are of the group text, as in "
                f"text:{where}"
            )

    @functools.cached_property
    def digest(self) -> str:
        """Of what the rows say, wherever the library keeps them."""
        digest = xxhash.xxh3_128(self.reader.column.encode())
        for name in ("said", "image_keys", "reason"):
            digest.update(repr(self._facts[name].to_pylist()).encode())
        return digest.hexdigest()

    @functools.cached_property
    def _facts(self) -> pa.Table:
        kind = f"lengths/pictured-1-{VERSION}-{self.reader.column}"
        return lengths.kept(*self._kept(kind), self._rows._fingerprint, len(self._rows), self._look)

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` if none of the rows can be used."""
        facts, num = self._facts, len(self._rows)
        skipped = Counter(reason for reason in facts["reason"].to_pylist() if reason)
        if skipped.total() == num:
            kinds = ", ".join(f"{n} {reason}" for reason, n in skipped.most_common()) or "there are none"
            raise ValueError(f"{self.reader.where}: no row can be used ({kinds})")
        tell_skipped(self.name, skipped, num)
        name = lengths.name(tokenizer, self.prompts, f"pictured {VERSION} {self.reader.column}")
        table = lengths.kept(*self._kept(name), self.digest, num, lambda: self._count(tokenizer))
        sizes = facts["sizes"].to_pylist()
        firsts = np.array([of_row[:2] if of_row else (0, 0) for of_row in sizes], np.int64).reshape(num, 2).clip(max=_MOST)
        langs = facts["lang"].combine_chunks().dictionary_encode()
        return Columns(
            width_N=firsts[:, 0].astype(np.uint16),
            height_N=firsts[:, 1].astype(np.uint16),
            answer_NP=lengths.lengths(table, 1),
            lang_N=langs.indices.to_numpy().astype(np.int16),
            group_N=self._groups(facts),
            langs=tuple(langs.dictionary.to_pylist()),
            several=_several(sizes),
            skipped=dict(skipped),
        )

    def place(self, row: int) -> int:
        return row

    def _groups(self, facts: pa.Table) -> np.ndarray:
        keys = [
            [*([own] if own else []), *of_images]
            for own, of_images in zip(facts["key"].to_pylist(), facts["image_keys"].to_pylist(), strict=True)
        ]
        rows_E = np.repeat(np.arange(len(keys)), [len(one) for one in keys])
        return joined(len(keys), rows_E, np.array([key for one in keys for key in one], np.uint64), self._held_out)

    def _kept(self, name: str) -> tuple[Folder, str, str]:
        folder, part = beside(self.reader.where, self.reader.split)
        return folder, name, part

    def _look(self) -> pa.Table:
        """What the rows say, whatever tokens that is, and what their images are."""
        facts, num_told = [], 0
        for number, read in self._read():
            values = {"reason": "", "lang": "und", "key": 0, "said": 0, "sizes": [], "image_keys": []}
            if isinstance(read, SampleError):
                values["reason"] = read.reason
                if (num_told := num_told + 1) <= _NAMED:
                    log.warning("%s row %d can't be used: %s: %s", self.name, number, read.reason, read.detail)
            else:
                of_texts = xxhash.xxh3_64_intdigest(repr(read.row.parts).encode())
                key = group_hash(read.row.group) if read.row.group else 0 if read.images else of_texts or 1
                values |= {"lang": read.row.lang, "said": of_texts, "key": key}
                values["sizes"] = [side for file in read.images for side in upright_size(io.BytesIO(file), self.name)]
                values["image_keys"] = [identity(len(file), file[:ENDS], file[-ENDS:]) for file in read.images]
            facts.append(values)
        return pa.Table.from_pylist(facts, schema=_SCHEMA)

    def _count(self, tokenizer: TextTokenizer) -> pa.Table:
        answer_NP = np.full((len(self._rows), 1), NO_ANSWER, np.int32)
        is_good = [not reason for reason in self._facts["reason"].to_pylist()]
        good = [(number, read.row.parts) for number, read in self._read() if is_good[number] and isinstance(read, _Read)]
        answer_NP[[number for number, _ in good], 0] = list(counted([parts for _, parts in good], tokenizer))
        return pa.table(lengths.columns(answer_NP))

    def _read(self) -> Iterator[tuple[int, _Read | SampleError]]:
        for start in range(0, len(self._rows), _AT_A_TIME):
            batch = self._rows[start : start + _AT_A_TIME]
            for at in range(len(next(iter(batch.values())))):
                try:
                    read = self.reader.row({name: values[at] for name, values in batch.items()})
                    for file in read.images:
                        upright_size(io.BytesIO(file), f"row {start + at}")
                    yield start + at, read
                except SampleError as error:
                    yield start + at, error


def _several(sizes: list[list[int]]) -> Several:
    rows = [number for number, of_row in enumerate(sizes) if len(of_row) > 2]
    counts = [len(sizes[number]) // 2 for number in rows]
    sides = np.array([side for number in rows for side in sizes[number]], np.int32).reshape(-1, 2)
    return Several(np.array(rows, np.int64), np.r_[0, np.cumsum(counts)].astype(np.int64), sides)


_SCHEMA = pa.schema(
    [
        ("reason", pa.string()),
        ("lang", pa.string()),
        ("key", pa.uint64()),  # of what the row says of its group, or of a text without image; 0 if its images do
        ("said", pa.uint64()),
        ("sizes", pa.list_(pa.int32())),  # width and height of each image
        ("image_keys", pa.list_(pa.uint64())),
    ]
)
