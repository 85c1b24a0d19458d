"""WebDataset tars of others: an image and a text a sample, found by a mapping of their members' endings.

A tar's headers are read once, with the texts and the heads of the images; what they say is kept beside it. After that a sample is
read by its place. Damage in the middle of a tar costs the samples there, and is counted; what follows is found again.
"""

import contextlib
import functools
import glob
import io
import json
import logging
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import braceexpand
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from webdataset.tariterators import base_plus_ext

from datagen.record import SampleError
from datagen.storage import Folder
from datagen.target import neutralise
from model.data import lengths
from model.data.conversations import FREE
from model.data.jsonl import upright_size
from model.data.rows import NO_ANSWER, Asked, Columns, Example, Part
from model.data.split import group_hash
from model.data.tokens import counted
from model.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

_BLOCK = 512
_HEAD = 1 << 16
_AT_A_TIME = 2048


@dataclass(frozen=True)
class Members:
    """Which member of a sample is what.

    images    endings of the image's name
    answer    the ending of the text's name; or that of a JSON file and the names that lead to the text in it: `json:a.b`
    prompts   what is asked, by weight
    lang      the samples' language
    """

    images: tuple[str, ...] = ("jpg", "jpeg", "png", "webp")
    answer: str = "txt"
    prompts: tuple[Asked, ...] = (Asked(FREE, 1.0),)
    lang: str = "und"

    def text(self, data: bytes) -> str:
        """The answer in the member that holds it. Raises `SampleError`."""
        _, _, path = self.answer.partition(":")
        try:
            value: Any = msgspec.json.decode(data) if path else data.decode()
            for name in path.split(".") if path else ():
                value = value[name]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise SampleError("bad_answer", f"{self.answer}: {type(error).__name__}: {error}") from error
        if not isinstance(value, str) or not value.strip():
            raise SampleError("no_answer", f"{self.answer} holds no text")
        return neutralise(value)

    @property
    def ending(self) -> str:
        return self.answer.partition(":")[0]


class Place(NamedTuple):
    """Where a sample's image and text lie, in bytes of a tar."""

    tar: str
    image_offset: int
    image_bytes: int
    answer_offset: int
    answer_bytes: int


@dataclass(frozen=True)
class TarsReader:
    """Reads a sample by its place."""

    name: str
    members: Members

    def read(self, place: Place, prompt: int) -> Example:
        parent, name = posixpath.split(place.tar)
        spans = [(name, start, start + size) for start, size in (place[1:3], place[3:5])]
        image, answer = Folder(parent or ".").read_ranges(spans)
        parts = (Part(self.members.prompts[prompt].prompt, False), Part(self.members.text(answer), True))
        return Example(parts, (image,), f"{name}:{place.image_offset}", self.name, self.members.lang)


@dataclass
class Tars:
    """The samples of tars. `url` may have braces, as `part-{000..127}.tar`, or be a pattern of local files.

    Raises `ValueError` if a tar isn't there, or is compressed: nothing in it could be read by its place.
    """

    url: str
    name: str
    members: Members = field(default_factory=Members)

    def __post_init__(self) -> None:
        self.reader = TarsReader(self.name, self.members)
        self.tars = [tar for url in braceexpand.braceexpand(self.url) for tar in _matches(url)]
        if not self.tars:
            raise ValueError(f"{self.url}: there is no such tar")
        self._known_as = [_known_as(tar) for tar in self.tars]

    @property
    def prompts(self) -> tuple[Asked, ...]:
        return self.members.prompts

    @property
    def digest(self) -> str:
        values = [self._mapping, [posixpath.basename(tar) for tar in self.tars], self._known_as]
        return xxhash.xxh3_128_hexdigest(json.dumps(values).encode())

    @property
    def _mapping(self) -> str:
        return json.dumps([self.members.images, self.members.answer, [asked.prompt for asked in self.prompts]])

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` if none of the samples can be used."""
        name = lengths.name(tokenizer, self.prompts, f"tars {self._mapping}")
        skipped: Counter[str] = Counter()
        tables, starts = [], [0]
        for tar, known_as in zip(self.tars, self._known_as, strict=True):
            parent, file = posixpath.split(tar)
            table = lengths.kept(Folder(parent or "."), name, file, known_as, -1, functools.partial(self._count, tar, tokenizer))
            for count in pc.value_counts(table["reason"]).to_pylist():
                skipped[count["values"]] += count["counts"]
            table = table.filter(pc.equal(table["reason"], "")).drop(["reason"])
            tables.append(table)
            starts.append(starts[-1] + table.num_rows)
        del skipped[""]
        index = pa.concat_tables(tables).combine_chunks()
        if not index.num_rows:
            kinds = ", ".join(f"{n} {reason}" for reason, n in skipped.most_common()) or "there are none"
            raise ValueError(f"{self.url}: no sample can be used ({kinds})")
        self._starts = np.array(starts)
        self._places = [index[column].to_numpy() for column in Place._fields[1:]]
        return Columns(
            width_N=index["width"].to_numpy(),
            height_N=index["height"].to_numpy(),
            answer_NP=lengths.lengths(index, len(self.prompts)),
            lang_N=np.zeros(index.num_rows, np.int16),
            group_N=index["group"].to_numpy(),
            langs=(self.members.lang,),
            skipped=dict(skipped),
        )

    def place(self, row: int) -> Place:
        tar = self.tars[int(np.searchsorted(self._starts, row, side="right")) - 1]
        return Place(tar, *(int(column[row]) for column in self._places))

    def _count(self, tar: str, tokenizer: TextTokenizer) -> pa.Table:
        """A row for each sample of a tar, and one for each damage; `reason` is "" where it can be used."""
        parent, name = posixpath.split(tar)
        tables = []
        with Folder(parent or ".").open(name) as file:
            waiting: list[tuple[dict, str]] = []
            for key, found in samples(file, tar):
                waiting.append(self._row(file, f"{name} {key}", found))
                if len(waiting) == _AT_A_TIME:
                    tables.append(self._table(waiting, tokenizer))
                    waiting = []
            tables.append(self._table(waiting, tokenizer))
        return pa.concat_tables(tables).combine_chunks()

    def _row(self, file: BinaryIO, key: str, found: "dict[str, tuple[int, int]] | None") -> tuple[dict, str]:
        row = {"width": 0, "height": 0, "group": group_hash(f"{self.name} {key}"), "reason": ""}
        row |= dict.fromkeys(Place._fields[1:], 0)
        try:
            if found is None:
                raise SampleError("corrupt_tar", key)
            image = next((found[ending] for ending in self.members.images if ending in found), None)
            answer = found.get(self.members.ending)
            if image is None or answer is None:
                raise SampleError("member_missing", f"{key} has {', '.join(found)}")
            row |= dict(zip(Place._fields[1:], (*image, *answer), strict=True))
            text = self.members.text(_read(file, *answer))
            try:
                width, height = upright_size(io.BytesIO(_read(file, image[0], min(_HEAD, image[1]))), key)
            except SampleError:  # a long profile may stand before the size
                width, height = upright_size(io.BytesIO(_read(file, *image)), key)
            return row | {"width": min(width, 65535), "height": min(height, 65535)}, text
        except SampleError as error:
            log.info("%s: %s: %s", key, error.reason, error.detail)
            return row | {"reason": error.reason}, ""

    def _table(self, rows: Sequence[tuple[dict, str]], tokenizer: TextTokenizer) -> pa.Table:
        asked = [
            (Part(prompt.prompt, False), Part(text, True)) for row, text in rows if not row["reason"] for prompt in self.prompts
        ]
        found = iter(counted(asked, tokenizer))
        for row, _ in rows:
            row |= {f"prompt_{n}": NO_ANSWER if row["reason"] else next(found) for n in range(len(self.prompts))}
        prompts = [(f"prompt_{number}", pa.int32()) for number in range(len(self.prompts))]
        return pa.Table.from_pylist([row for row, _ in rows], pa.schema([*_FIELDS, *prompts]))


_FIELDS = [
    ("width", pa.uint16()),
    ("height", pa.uint16()),
    ("group", pa.uint64()),
    ("reason", pa.string()),
    ("image_offset", pa.int64()),
    ("image_bytes", pa.int32()),
    ("answer_offset", pa.int64()),
    ("answer_bytes", pa.int32()),
]


def samples(file: BinaryIO, name: str) -> Iterator[tuple[str, dict[str, tuple[int, int]] | None]]:
    """(key, place in bytes of each member by its ending) of a tar's samples, in order; (what was damaged, None) where bytes are
    no members. Raises `ValueError` if it is no tar at all."""
    size, end, key = file.seek(0, io.SEEK_END), 0, ""
    found: dict[str, tuple[int, int]] = {}
    for member in _members(file):
        if not _is_blank(file, end, member.offset):
            yield f"{name} at {end}", None
        end = member.offset_data + member.size + -member.size % _BLOCK
        base, ending = base_plus_ext(member.name)
        if not member.isfile() or base is None:
            continue
        if found and base != key:
            yield key, found
            found = {}
        key = base
        if member.offset_data + member.size <= size:
            found[ending.lower()] = member.offset_data, member.size
    if found:
        yield key, found
    if not end and not _is_blank(file, 0, size):
        raise ValueError(f"{name} is no tar, or compressed: it has no member that can be read")
    if not _is_blank(file, end, size):
        yield f"{name} at {end}", None


def _members(file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    """The headers of a tar, those after damage too."""
    file.seek(0)
    with tarfile.TarFile(fileobj=file, ignore_zeros=True) as tar, contextlib.suppress(tarfile.ReadError):  # cut short
        while member := tar.next():
            tar.members = []  # type: ignore[attr-defined]  # it would keep them all
            yield member


def _is_blank(file: BinaryIO, start: int, end: int) -> bool:
    """Whether there is nothing but zeros from `start` to `end`, as between tars that were joined, and at their ends."""
    if start > end:
        return False
    return not any(any(_read(file, at, min(_HEAD, end - at))) for at in range(start, end, _HEAD))


def _read(file: BinaryIO, offset: int, num_bytes: int) -> bytes:
    before = file.tell()
    file.seek(offset)
    data = file.read(num_bytes)
    file.seek(before)
    return data


def _matches(url: str) -> list[str]:
    return [url] if "://" in url else sorted(glob.glob(url))


def _known_as(tar: str) -> str:
    """What a tar's content is known by without reading it all: its size, and its first and last bytes. Raises `ValueError`."""
    parent, name = posixpath.split(tar)
    try:
        with Folder(parent or ".").open(name) as file:
            size = file.seek(0, io.SEEK_END)
            digest = xxhash.xxh3_128(_read(file, 0, _HEAD) + _read(file, max(0, size - _HEAD), _HEAD))
    except FileNotFoundError as error:
        raise ValueError(f"{tar}: there is no such tar") from error
    return f"{size}-{digest.hexdigest()}"
