"""WebDataset tars of others: an image and a text a sample, found by a mapping of their members' endings.

A tar's headers are read once, with the texts and the heads of the images, and the index is kept beside it. After that a sample is
read by its place. Damage in the middle of a tar costs the samples there, and is counted; the samples behind it are found.
"""

import glob
import io
import json
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import braceexpand
import numpy as np
import pyarrow as pa
import xxhash
from webdataset.tariterators import base_plus_ext

from datagen.disk.shards import BLOCK_BYTES, members_despite_damage
from datagen.disk.storage import Folder
from datagen.record import SampleError, clean_text
from model.data.images import ENDS, identity, upright_size
from model.data.indexed import NAMED, Images, Indexed, RowRead, Source
from model.data.members import Members, ending
from model.data.rows import Example, Part
from model.data.split import group_hash

VERSION = 2  # goes up whenever a tar would give another table
_HEAD = _AT_A_TIME = 1 << 16
_MEMBERS = Members()


class Place(NamedTuple):
    """The places of a sample's image and text, in bytes of a tar."""

    tar: str
    image_offset: int
    image_bytes: int
    answer_offset: int
    answer_bytes: int


@dataclass(frozen=True)
class TarsReader:
    name: str
    members: Members

    def read(self, place: Place, prompt: int) -> Example:
        folder, name = _split(place.tar)
        image, answer = folder.read_ranges((name, start, start + size) for start, size in (place[1:3], place[3:5]))
        parts = (Part(self.members.prompts[prompt].prompt, False), Part(self.members.text(answer), True))
        return Example(parts, (image,), f"{name}:{place.image_offset}", self.name, self.members.lang)


class Tars(Indexed):
    """The samples of tars. `where` may have braces, as `part-{000..127}.tar`, or be a pattern of local files. Groups can be held
    out by name if `members` defines groups. Raises `ValueError` if a tar isn't there, or is compressed: then nothing could be
    read by its place."""

    fields = (
        ("width", pa.uint16()),
        ("height", pa.uint16()),
        ("group", pa.uint64()),
        *((name, pa.int32() if name.endswith("_bytes") else pa.int64()) for name in Place._fields[1:]),
    )
    numbers_bad_rows = False

    def __init__(self, where: str, name: str, members: Members = _MEMBERS, held_out: frozenset[str] = frozenset()):
        self.where, self.name, self.members, self.prompts = where, name, members, members.prompts
        self.lang = members.lang
        self.reader, self.held_out = TarsReader(name, members), held_out if members.group else frozenset()
        self.tars = [tar for url in braceexpand.braceexpand(where) for tar in _matches(url)]
        known_as = {tar: _known_as(tar) for tar in self.tars}
        if missing := [tar for tar in self.tars if known_as[tar] is None]:
            names = ", ".join(missing[:NAMED]) + (", …" if len(missing) > NAMED else "")
            several = f" ({len(missing)} of {len(self.tars)} are missing)" if len(self.tars) > 1 else ""
            raise ValueError(f"{where}: there is no such tar: {names}{several}")
        self.sources = [Source(*_split(tar), known_as[tar] or "") for tar in self.tars]
        self._mapping = json.dumps([VERSION, members.images, members.answer, members.group, [p.prompt for p in self.prompts]])
        self.kind = f"tars {self._mapping}"

    @property
    def digest(self) -> str:
        values = [self._mapping, [source.file for source in self.sources], [source.known_as for source in self.sources]]
        return xxhash.xxh3_128_hexdigest(json.dumps(values).encode())

    def note(self, tables: list[pa.Table]) -> None:
        self._starts = np.cumsum([0, *map(len, tables)])
        self._places = [np.concatenate([table[name].to_numpy() for table in tables]) for name in Place._fields[1:]]

    def place(self, row: int) -> Place:
        tar = self.tars[int(np.searchsorted(self._starts, row, side="right")) - 1]
        return Place(tar, *(int(column[row]) for column in self._places))

    def images(self, table: pa.Table) -> tuple[Images, pa.ChunkedArray]:
        sizes_N2 = np.stack([table["width"].to_numpy(), table["height"].to_numpy()], axis=1)
        return Images(np.arange(len(table)), sizes_N2, table["group"].to_numpy()), table["reason"]

    def rows(self, source: Source) -> Iterator[RowRead]:
        """A row for each sample of a tar, and one for each damage."""
        with source.folder.open(source.file) as file:
            for key, members in _samples(file, source.folder.path(source.file)):
                values, called = dict.fromkeys((name for name, _ in self.fields), 0), clean_text(key)
                try:
                    text, own = self._read(file, key, called, members)
                except SampleError as error:
                    yield RowRead(called, values, error=SampleError(error.reason, clean_text(error.detail)))
                else:
                    texts = tuple((Part(asked.prompt, False), Part(text, True)) for asked in self.prompts)
                    yield RowRead(called, values | own, texts)

    def _read(
        self, file: BinaryIO, key: str, called: str, members: "dict[str, tuple[int, int]] | None"
    ) -> tuple[str, dict[str, int]]:
        """(the text, the row's values). Raises `SampleError`."""
        if members is None:
            raise SampleError("corrupt_tar", "")
        image = next((members[name] for name in self.members.images if name in members), None)
        answer = members.get(ending(self.members.answer))
        if image is None or answer is None:
            raise SampleError("member_missing", f"it has {', '.join(members)}")
        text = self.members.text(_span(file, *answer))
        head = _span(file, image[0], min(_HEAD, image[1]))
        try:
            width, height = upright_size(io.BytesIO(head), called)
        except SampleError:  # a long profile may stand before the size
            width, height = upright_size(io.BytesIO(_span(file, *image)), called)
        if self.members.group:
            about = members.get(ending(self.members.group))
            group = group_hash(self.members.group_of(key, _span(file, *about) if about else b""))
        else:
            group = identity(image[1], head, _span(file, image[0] + max(0, image[1] - ENDS), min(ENDS, image[1])))
        values = {"width": min(width, 65535), "height": min(height, 65535), "group": group}
        return text, values | dict(zip(Place._fields[1:], (*image, *answer), strict=True))


def _split(tar: str) -> tuple[Folder, str]:
    parent, file = posixpath.split(tar)
    return Folder(parent or "."), file


def _matches(url: str) -> list[str]:
    """The files that a pattern matches. A name without a pattern stands for itself, whether it exists or not."""
    if "://" in url or not glob.has_magic(url) or os.path.exists(url):
        return [url]
    return sorted(glob.glob(url)) or [url]


def _known_as(tar: str) -> str | None:
    """An identity of a tar's content without reading it all: its size, and its first and last bytes. None if it isn't there."""
    folder, name = _split(tar)
    try:
        with folder.open(name) as file:
            size = file.seek(0, io.SEEK_END)
            digest = xxhash.xxh3_128(_span(file, 0, _HEAD) + _span(file, max(0, size - _HEAD), _HEAD))
    except FileNotFoundError:
        return None
    return f"{size}-{digest.hexdigest()}"


def _samples(file: BinaryIO, name: str) -> Iterator[tuple[str, dict[str, tuple[int, int]] | None]]:
    """(key, each member's place in bytes by its ending) of a tar's samples, in order; (the damage, None) where bytes aren't
    members. Raises `ValueError` if it isn't a tar."""
    size, end, key = file.seek(0, io.SEEK_END), 0, ""
    members: dict[str, tuple[int, int]] = {}
    for member in members_despite_damage(file):
        if not _is_blank(file, end, member.offset):
            yield f"{name} at {end}", None
        end = member.offset_data + member.size + -member.size % BLOCK_BYTES
        base, suffix = base_plus_ext(member.name)
        if not member.isfile() or base is None:
            continue
        if members and base != key:
            yield key, members
            members = {}
        key = base
        if member.offset_data + member.size <= size:
            members[suffix.lower()] = member.offset_data, member.size
    if members:
        yield key, members
    if not size:
        raise ValueError(f"{name} is empty, not even a tar without members")
    if not end and not _is_blank(file, 0, size):
        raise ValueError(f"{name} is no tar, or compressed: it has no member that can be read")
    if not _is_blank(file, end, size):
        yield f"{name} at {end}", None


def _span(file: BinaryIO, offset: int, num_bytes: int) -> bytes:
    """These bytes of `file`, whose position stays."""
    before = file.tell()
    file.seek(offset)
    data = file.read(num_bytes)
    file.seek(before)
    return data


def _is_blank(file: BinaryIO, start: int, end: int) -> bool:
    """Whether all bytes from `start` to `end` are zeros, as between joined tars and at their ends."""
    if start > end:
        return False
    return not any(any(_span(file, at, min(_AT_A_TIME, end - at))) for at in range(start, end, _AT_A_TIME))
