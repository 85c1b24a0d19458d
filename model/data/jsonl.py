"""A user's file of rows: a row a line, or a JSON list, in the layouts of `conversations`. Images are files beside it, addresses,
or data URLs.

The file is read through once to index it, with the heads of its images. A row that can't be used is left out, counted and named.
"""

import functools
import logging
import posixpath
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.disk.storage import Folder
from datagen.record import SampleError
from model.data import lengths
from model.data.conversations import VERSION, Row, row
from model.data.image_facts import NAMED, Looks, inline
from model.data.images import is_inline, look, read_image
from model.data.row_file import BETWEEN, row_file
from model.data.rows import NO_ANSWER, Asked, Columns, Example, Several, tell_skipped
from model.data.split import group_hash, joined
from model.data.tokens import counted
from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

_AT_A_TIME = 4096
_BYTES_AT_A_TIME = 1 << 26
_MOST = 65535
BLANK = "blank_line"


class Place(NamedTuple):
    """A row, in bytes of the file, and its number from 1."""

    offset: int
    num_bytes: int
    number: int


@dataclass(frozen=True)
class JsonlReader:
    """Reads a row by its place."""

    name: str
    folder: Folder
    file: str
    images: Folder

    def read(self, place: Place, prompt: int) -> Example:
        found = self.row(self.folder.read(self.file, place.offset, place.offset + place.num_bytes))
        images = tuple(read_image(self.images, image) for image in found.images)
        return Example(found.parts, images, found.key or f"{self.file}:{place.number}", self.name, found.lang)

    def row(self, data: bytes) -> Row:
        try:
            return row(msgspec.json.decode(data.lstrip(BETWEEN)))
        except (ValueError, RecursionError) as error:
            raise SampleError("bad_row", f"it is no JSON: {error}") from error


class Jsonl:
    """The rows of one file. `images` is the folder that paths of images begin in, by default the file's own.

    Rows of one `group` are on one side of the split, rows that share an image, and rows that are the same; `held_out` names
    groups that are never trained on. Raises `ValueError` if the file isn't there, or holds no rows.
    """

    prompts = (Asked("", 1.0),)

    def __init__(self, url: str, name: str = "", images: str = "", held_out: frozenset[str] = frozenset()):
        parent, self.file = posixpath.split(url)
        self.folder = Folder(parent or ".")
        self.name = name or self.file
        self.reader = JsonlReader(self.name, self.folder, self.file, Folder(images or parent or "."))
        self._rows, self._held_out, self._images = row_file(self.folder, self.file), held_out, images

    @property
    def digest(self) -> str:
        return self._rows.digest

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` if none of the rows can be used, or if an address names a storage that can't be used."""
        name, num = lengths.name(tokenizer, self.prompts, f"jsonl {VERSION}"), len(self._rows)
        table = lengths.kept(self.folder, name, self.file, self.digest, num, lambda: self._count(tokenizer))
        images = table["images"].combine_chunks()
        encoded = pc.list_flatten(images).dictionary_encode()
        looks = Looks(encoded.dictionary, self.reader.images, self.folder, self.file, self._images)
        rows_I = np.repeat(np.arange(num), pc.list_value_length(images).to_numpy())
        seen = _Seen(num, rows_I, encoded.indices.to_numpy(), looks)
        for at in np.flatnonzero(looks.bad_M[seen.codes_I])[:NAMED].tolist():
            code = int(seen.codes_I[at])
            self._tell(int(rows_I[at]) + 1, looks.reasons[looks.bad_M[code] - 1], looks.details.get(code, ""))
        skipped = self._skipped(table, seen.bad_N, looks.reasons)
        is_good_N = (seen.bad_N == 0) & np.asarray(pc.equal(table["reason"], ""))
        seen = seen.only(is_good_N)
        langs = table["lang"].combine_chunks().dictionary_encode()
        return Columns(
            width_N=seen.first(looks.width_M),
            height_N=seen.first(looks.height_M),
            answer_NP=np.where(is_good_N[:, None], lengths.lengths(table, 1), np.int32(NO_ANSWER)),
            lang_N=langs.indices.to_numpy().astype(np.int16),
            group_N=joined(num, *seen.keys(np.where(is_good_N, table["key"].to_numpy(), 0)), self._held_out),
            langs=tuple(langs.dictionary.to_pylist()),
            several=seen.several(),
            skipped=skipped,
        )

    def place(self, row: int) -> Place:
        return Place(*self._rows.place(row), row + 1)

    def _tell(self, number: int, reason: str, detail: str) -> None:
        log.warning("%s line %d can't be used: %s: %s", self.file, number, reason, detail)

    def _skipped(self, table: pa.Table, bad_N: np.ndarray, reasons: list[str]) -> dict[str, int]:
        """How many rows can't be used, by the reason. Raises `ValueError` if that is all of them."""
        counts = pc.value_counts(table["reason"]).to_pylist()
        skipped = Counter({count["values"]: count["counts"] for count in counts if count["values"]})
        skipped += Counter({reason: int((bad_N == number).sum()) for number, reason in enumerate(reasons, 1)})
        if skipped.total() == len(bad_N):
            kinds = ", ".join(f"{n} {reason}" for reason, n in skipped.most_common()) or "there are none"
            raise ValueError(f"{self.folder.path(self.file)}: no row can be used ({kinds})")
        tell_skipped(self.name, {reason: n for reason, n in skipped.items() if reason != BLANK}, len(bad_N))
        return dict(skipped)

    def _count(self, tokenizer: TextTokenizer) -> pa.Table:
        """What the rows say, whatever has become of their images."""
        tables, number, num_told = [_SCHEMA.empty_table()], 0, 0
        for some in self._rows.chunks(_AT_A_TIME, _BYTES_AT_A_TIME):
            read = [self._read(data) for data in some]
            found = iter(counted([one.parts for one in read if one.parts], tokenizer))
            values = []
            for one in read:
                number += 1
                values.append(one.values | {"prompt_0": next(found) if one.parts else NO_ANSWER})
                if (reason := one.values["reason"]) and reason != BLANK and (num_told := num_told + 1) <= NAMED:
                    self._tell(number, reason, one.detail)
            tables.append(pa.Table.from_pylist(values, schema=_SCHEMA))
        return pa.concat_tables(tables).combine_chunks()

    def _read(self, data: bytes) -> "_Read":
        values = {"lang": "und", "key": 0, "reason": "", "images": []}
        if not data.strip():
            return _Read(values | {"reason": BLANK}, (), "")
        try:
            found = self.reader.row(data)
            values["images"] = [self._reference(image) for image in found.images]
        except SampleError as error:
            return _Read(values | {"reason": error.reason, "images": []}, (), error.detail)
        if found.group:
            values["key"] = group_hash(found.group)
        elif not found.images:
            values["key"] = xxhash.xxh3_64_intdigest(repr(found.parts).encode()) or 1
        return _Read(values | {"lang": found.lang}, found.parts, "")

    def _reference(self, image: str) -> str:
        """What the table has for an image: where it lies, or what was seen of it, if it is in the row."""
        if "\0" in image:
            raise SampleError("image_missing", f"{image[:200]!r} is no path")
        return inline(look(self.reader.images, image)) if is_inline(image) else image


class _Read(NamedTuple):
    values: dict
    parts: tuple
    detail: str


@dataclass(frozen=True)
class _Seen:
    """The images of `num` rows, row by row: image i is of row `rows_I[i]`, and is the one of that number in `looks`."""

    num: int
    rows_I: np.ndarray
    codes_I: np.ndarray
    looks: Looks

    @functools.cached_property
    def bad_N(self) -> np.ndarray:
        """What is wrong with an image of each row, as `Looks` numbers it; 0 if nothing is."""
        bad_N = np.zeros(self.num, np.int8)
        np.maximum.at(bad_N, self.rows_I, self.looks.bad_M[self.codes_I])
        return bad_N

    def only(self, wanted_N: np.ndarray) -> "_Seen":
        wanted_I = wanted_N[self.rows_I]
        return _Seen(self.num, self.rows_I[wanted_I], self.codes_I[wanted_I], self.looks)

    def first(self, of_M: np.ndarray) -> np.ndarray:
        """(N,) in uint16: the value of each row's first image, 0 for rows without one."""
        found_N = np.zeros(self.num, np.uint16)
        rows, at = np.unique(self.rows_I, return_index=True)
        found_N[rows] = of_M[self.codes_I[at]].clip(max=_MOST)
        return found_N

    def several(self) -> Several:
        counts_N = np.bincount(self.rows_I, minlength=self.num)
        codes = self.codes_I[counts_N[self.rows_I] > 1]
        rows_S = np.flatnonzero(counts_N > 1)
        sizes_I2 = np.stack([self.looks.width_M[codes], self.looks.height_M[codes]], axis=1)
        return Several(rows_S, np.r_[0, counts_N[rows_S].cumsum()], sizes_I2)

    def keys(self, own_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(rows, keys) of what rows may have in common: what they say of their group, if it isn't 0, and their images."""
        has_own = np.flatnonzero(own_N)
        rows = np.concatenate([has_own, self.rows_I])
        order = np.argsort(rows, kind="stable")
        return rows[order], np.concatenate([own_N[has_own], self.looks.key_M[self.codes_I]])[order]


_SCHEMA = pa.schema(
    [
        ("prompt_0", pa.int32()),
        ("lang", pa.string()),
        ("key", pa.uint64()),  # of what the row says of its group; 0 if its images do
        ("reason", pa.string()),
        ("images", pa.list_(pa.large_string())),
    ]
)
