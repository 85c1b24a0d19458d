"""WebDataset tars of others: an image and a text a sample, found by a mapping of their members' endings.

A tar's headers are read once, with the texts and the heads of the images; what they say is kept beside it. After that a sample is
read by its place. Damage in the middle of a tar costs the samples there, and is counted; what follows is found again.
"""

import copy
import functools
import glob
import io
import json
import logging
import os
import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

import braceexpand
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.disk.storage import Folder
from datagen.record import SampleError, clean_text
from model.data import lengths
from model.data.archive import samples, span
from model.data.images import ENDS, identity, upright_size
from model.data.members import Members, ending
from model.data.rows import NO_ANSWER, Asked, Columns, Example, Part, tell_skipped
from model.data.split import NAMED, group_hash
from model.data.tokens import counted
from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

VERSION = 2  # goes up whenever a tar would give another table
_HEAD = 1 << 16
_AT_A_TIME = 2048
_NAMED = 5


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
    """The samples of tars. `url` may have braces, as `part-{000..127}.tar`, or be a pattern of local files. Where `members` says
    what a group is, `held_out` names groups that are held out whatever the split says.

    Raises `ValueError` if a tar isn't there, or is compressed: nothing in it could be read by its place.
    """

    url: str
    name: str
    members: Members = field(default_factory=Members)
    held_out: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.reader = TarsReader(self.name, self.members)
        self._num_told = 0
        self.tars = [tar for url in braceexpand.braceexpand(self.url) for tar in _matches(url)]
        known_as = [_known_as(tar) for tar in self.tars]
        if missing := [tar for tar, known in zip(self.tars, known_as, strict=True) if known is None]:
            names = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
            several = f" ({len(missing)} of {len(self.tars)} are missing)" if len(self.tars) > 1 else ""
            raise ValueError(f"{self.url}: there is no such tar: {names}{several}")
        self._known_as = [known for known in known_as if known is not None]

    def uncounted(self, tokenizer: TextTokenizer) -> "Iterator[Tars]":
        """Each tar whose lengths aren't kept, as a dataset."""
        name = lengths.name(tokenizer, self.prompts, f"tars {self._mapping}")
        for tar, known_as in zip(self.tars, self._known_as, strict=True):
            parent, file = posixpath.split(tar)
            if not lengths.is_kept(Folder(parent or "."), name, file):
                one = copy.copy(self)
                one.tars, one._known_as = [tar], [known_as]
                yield one

    @property
    def prompts(self) -> tuple[Asked, ...]:
        return self.members.prompts

    @property
    def digest(self) -> str:
        values = [self._mapping, [posixpath.basename(tar) for tar in self.tars], self._known_as]
        return xxhash.xxh3_128_hexdigest(json.dumps(values).encode())

    @property
    def _mapping(self) -> str:
        return json.dumps(
            [VERSION, self.members.images, self.members.answer, self.members.group, [asked.prompt for asked in self.prompts]]
        )

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
        num_good = skipped.pop("", 0)
        tell_skipped(self.name, skipped, num_good + skipped.total())
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
            group_N=np.where(np.isin(index["group"].to_numpy(), self._never), np.uint64(NAMED), index["group"].to_numpy()),
            langs=(self.members.lang,),
            skipped=dict(skipped),
        )

    @property
    def _never(self) -> np.ndarray:
        """The hashes of the groups that are held out by their names."""
        names = self.held_out if self.members.group else ()
        return np.array([group_hash(name) for name in names], np.uint64)

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
                waiting.append(self._row(file, key, found))
                if len(waiting) == _AT_A_TIME:
                    tables.append(self._table(waiting, tokenizer))
                    waiting = []
            tables.append(self._table(waiting, tokenizer))
        return pa.concat_tables(tables).combine_chunks()

    def _row(self, file: BinaryIO, key: str, found: "dict[str, tuple[int, int]] | None") -> tuple[dict, str]:
        row = {"width": 0, "height": 0, "group": 1, "reason": ""} | dict.fromkeys(Place._fields[1:], 0)
        name = clean_text(key)
        try:
            if found is None:
                raise SampleError("corrupt_tar", "")
            image = next((found[name] for name in self.members.images if name in found), None)
            answer = found.get(ending(self.members.answer))
            if image is None or answer is None:
                raise SampleError("member_missing", f"it has {clean_text(', '.join(found))}")
            row |= dict(zip(Place._fields[1:], (*image, *answer), strict=True))
            text = self.members.text(span(file, *answer))
            head = span(file, image[0], min(_HEAD, image[1]))
            try:
                width, height = upright_size(io.BytesIO(head), name)
            except SampleError:  # a long profile may stand before the size
                width, height = upright_size(io.BytesIO(span(file, *image)), name)
            if self.members.group:
                about = found.get(ending(self.members.group))
                group = group_hash(self.members.group_of(key, span(file, *about) if about else b""))
            else:
                group = identity(image[1], head, span(file, image[0] + max(0, image[1] - ENDS), min(ENDS, image[1])))
            return row | {"width": min(width, 65535), "height": min(height, 65535), "group": group}, text
        except SampleError as error:
            self._num_told += 1
            if self._num_told <= _NAMED:
                log.warning("%s: %s can't be used: %s: %s", self.name, name, error.reason, clean_text(error.detail))
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


def _matches(url: str) -> list[str]:
    """The files that a pattern matches. A name without a pattern stands for itself, whether it is there or not."""
    if "://" in url or not glob.has_magic(url) or os.path.exists(url):
        return [url]
    return sorted(glob.glob(url)) or [url]


def _known_as(tar: str) -> str | None:
    """What a tar's content is known by without reading it all: its size, and its first and last bytes. None if it isn't there."""
    parent, name = posixpath.split(tar)
    try:
        with Folder(parent or ".").open(name) as file:
            size = file.seek(0, io.SEEK_END)
            digest = xxhash.xxh3_128(span(file, 0, _HEAD) + span(file, max(0, size - _HEAD), _HEAD))
    except FileNotFoundError:
        return None
    return f"{size}-{digest.hexdigest()}"
