"""A user's file of rows: a row a line, or a JSON list, in the layouts of `conversations`. Images are files beside it, addresses,
or data URLs, of which the heads are read, too."""

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.disk.storage import Folder
from datagen.record import SampleError
from model.data import lengths
from model.data.conversations import VERSION, Row, row
from model.data.images import Look, Unusable, is_inline, look, read_image, stamp
from model.data.indexed import BLANK, NAMED, Images, Indexed, RowRead, Source
from model.data.row_file import BETWEEN, row_file
from model.data.rows import Asked, Example
from model.data.split import group_hash

KEPT = "lengths/images-1"
_AT_A_TIME = 4096
_THREADS = 16
_INLINE = "\0"


class Looks:
    """The facts about different `references`, in arrays: `width_M`, `height_M`, `key_M`, and `bad_M`, 0 or the number of the
    fault, from 1, in `reasons`. `details` has more about the first bad images. Raises `ValueError` if a storage that they name
    can't be used.

    They are kept beside the rows: each image is read once, however many rows name it, and again if its file was written anew.
    Missing and broken images aren't kept, so they are found when they come.
    """

    def __init__(self, references: pa.Array, images: Folder, beside: Folder, part: str, made_of: str):
        self.references, self.images, num = references, images, len(references)
        self.width_M, self.height_M = (np.zeros(num, np.int32) for _ in range(2))
        self.key_M, self._stamp_M = (np.zeros(num, np.uint64) for _ in range(2))
        self.bad_M, self.reasons, self.details = np.zeros(num, np.int8), list[str](), dict[int, str]()
        is_inline_M = np.asarray(pc.starts_with(references, pattern=_INLINE))
        for at in np.flatnonzero(is_inline_M).tolist():
            key, width, height = references[at].as_py()[1:].split(" ")
            self._put(at, Look(int(width), int(height), int(key, 16), 0))
        table = lengths.found(beside, KEPT, part, made_of)
        is_known_M = is_inline_M | (self._fill(table) if table is not None else False)
        changed = self._changed(np.flatnonzero(is_known_M & (self._stamp_M != 0)))
        is_known_M[changed] = False
        unknown = np.flatnonzero(~is_known_M)
        self._look(unknown)
        if table is None or len(unknown):
            keeps_M = ~is_inline_M & (self.bad_M == 0)
            columns: dict[str, Any] = {"reference": references.filter(pa.array(keeps_M))}
            columns |= {name: array[keeps_M] for name, array in self._arrays.items()}
            lengths.keep(beside, KEPT, part, made_of, pa.table(columns))

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {"width": self.width_M, "height": self.height_M, "key": self.key_M, "stamp": self._stamp_M}

    def _fill(self, table: pa.Table) -> np.ndarray:
        """Take over the kept facts. (M,): whether an image had some."""
        at_M = pc.index_in(self.references, value_set=table["reference"])
        is_kept_M = np.asarray(at_M.is_valid())
        at = at_M.drop_null().to_numpy()
        for name, array in self._arrays.items():
            array[is_kept_M] = table[name].to_numpy()[at]
        return is_kept_M

    def _changed(self, at: np.ndarray) -> np.ndarray:
        """Which of the images have files that were written since, or are gone."""
        stamps = self._each(at, lambda reference: stamp(self.images, reference))
        return at[np.fromiter(stamps, np.uint64, len(at)) != self._stamp_M[at]]

    def _look(self, at: np.ndarray) -> None:
        for number, seen in zip(at.tolist(), self._each(at, self._seen), strict=True):
            if isinstance(seen, Look):
                self._put(number, seen)
                continue
            if seen.reason not in self.reasons:
                self.reasons.append(seen.reason)
            self.bad_M[number] = self.reasons.index(seen.reason) + 1
            if len(self.details) < NAMED:
                self.details[number] = seen.detail

    def _seen(self, reference: str) -> Look | SampleError:
        try:
            return look(self.images, reference)
        except SampleError as error:
            return error
        except Unusable as error:
            raise ValueError(str(error)) from error

    def _put(self, at: int, seen: Look) -> None:
        for array, value in zip(self._arrays.values(), seen, strict=True):
            array[at] = value

    def _each(self, at: np.ndarray, make: Any) -> Iterator[Any]:
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(at), _AT_A_TIME):
                some: Sequence[str] = self.references.take(pa.array(at[start : start + _AT_A_TIME])).to_pylist()
                made: Iterable[Any] = pool.map(make, some)
                yield from made


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


def inline(seen: Look) -> str:
    """The reference of an image that is in the row itself: its facts."""
    return f"{_INLINE}{seen.key:x} {seen.width} {seen.height}"
