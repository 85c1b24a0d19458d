"""Read the pages that several datasets have, and agree on their labels.

The planner of a run finds equal pages once: by the source's sha256 and page, else by the bytes of the image. Each shard's task
carries the places of its own pages. A page is in the output once, from the first dataset that has it.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy
import pyarrow as pa
import xxhash

from datagen.agreement.agree_page import VERSION, Agreement
from datagen.agreement.blocks import Page, scaled
from datagen.coarse.verdict import ink_shapes
from datagen.disk import manifest
from datagen.disk.shards import read_records, read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.formulas import drawing
from datagen.inputs.census import Census
from datagen.inputs.items import Item
from datagen.record import Drop, Range, Sample, SampleError, clean_text
from datagen.work.joined_rows import JoinedRow, rows_of
from datagen.work.samples_of import ShardsOf, ShardSource
from datagen.work.specification import PLACE

_COLUMNS = ["key", "task", "sha256", "page", "parent", "image_xxh64"]
_PLACE = ["shard", "record_offset", "record_bytes"]
_TOLD = "told_before"
_UNREADABLE = (ValueError, KeyError, TypeError, IndexError, OSError, msgspec.MsgspecError)
"""The exceptions of a damaged record and of a missing shard."""


@dataclass(frozen=True)
class PagesOf(Census):
    """The shards of all `datasets`, in their order."""

    datasets: tuple[str, ...]

    def items(self) -> list[Item]:
        """Raises `ValueError` for fewer than two datasets, and if a dataset isn't made yet."""
        if len(self.datasets) < 2:
            raise ValueError("agree needs data=A,B,…: two datasets or more that hold the same pages, the label's first")
        return [item for dataset in self.datasets for item in ShardsOf(dataset).items()]


@dataclass(frozen=True)
class AgreedPages(ShardSource):
    """The pages of `datasets`, folders or URLs. Each page is agreed with the other datasets' labels. `names` are the datasets'
    names, in the same order. `joined` says where the datasets have each page.

    - A page that only one dataset has has no other readings.
    - A page that an earlier dataset has comes from that dataset's shard only. A shard with no other pages is a drop,
      `told_before`.
    - A sample of another task is dropped, `not_a_page`. A page that can't be read is dropped, `unreadable`.
    - If only another dataset's record of a page can't be read, the record is left out, and the signal `num_unreadable` counts
      it."""

    version: ClassVar[int] = VERSION

    datasets: tuple[str, ...] = field(default=(), metadata=PLACE)
    names: tuple[str, ...] = ()
    joined: tuple[JoinedRow, ...] | None = field(default=None, repr=False, metadata={"secret": True})

    def engines(self) -> dict[str, str]:
        """The versions of the engines that draw and compare, and the state of each dataset, since changed labels agree
        otherwise."""
        states = {f"dataset {name}": state_of(where) for name, where in zip(self.names, self.datasets, strict=True)}
        return states | ink_shapes.engines() | drawing.versions()

    def join(self, items: Iterable[Item]) -> Iterator[JoinedRow]:
        """For each row of the shards `items`: where the other datasets have the page, or that an earlier dataset has it."""
        wanted = {item.uri for item in items}
        index = _Index(self.datasets)
        for number, dataset in enumerate(self.datasets):
            folder = Folder(dataset)
            for item in ShardsOf(dataset).items():
                if item.uri not in wanted:
                    continue
                part = manifest.read_part(folder, PurePosixPath(item.uri).stem)
                for row, (who, image) in enumerate(zip(*_identities(part), strict=True)):
                    yield _joined_row(item.uri, row, number, index.places(who, image))

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        folder = Folder(item.uri.rpartition("/")[0].rpartition("/")[0])
        rows = manifest.read_part(folder, PurePosixPath(item.uri).stem).to_pylist()
        joined = rows_of(self, item)
        num_given = 0
        for number, row in enumerate(rows):
            if row["task"] != "page":
                num_given += 1
                part = Range(row["page"], row["page"] + 1)
                yield Drop(row["key"], row["uri"], part, type(self).__name__, "not_a_page", f"a sample of the task {row['task']}")
            elif joined[number].reason != _TOLD:
                num_given += 1
                yield self._agreed(folder, row, json.loads(joined[number].content))
        if not num_given:
            yield Drop("", item.uri, None, type(self).__name__, "told_before", "an earlier dataset has all of its pages")

    def _agreed(self, folder: Folder, row: dict[str, Any], places: dict[str, Any]) -> Sample | Drop:
        part = Range(row["page"], row["page"] + 1)
        try:
            (sample,) = read_samples(folder, [row])
            pages, num_unreadable = [], 0
            for number, place in places["others"]:
                try:
                    (other,) = read_records(Folder(self.datasets[number]), [place])
                    pages.append(Page(self.names[number], scaled(other, sample.size)))
                except _UNREADABLE:
                    num_unreadable += 1
            agreed = Agreement(Page(self.names[places["own"]], sample), pages).sample()
        except SampleError as error:
            return Drop(row["key"], row["uri"], part, type(self).__name__, error.reason, error.detail)
        except _UNREADABLE as error:
            detail = f"{type(error).__name__}: {error}"[:500]
            return Drop(row["key"], row["uri"], part, type(self).__name__, "unreadable", clean_text(detail))
        signals = {"num_datasets": float(1 + len(pages))} | ({"num_unreadable": float(num_unreadable)} if num_unreadable else {})
        return agreed.with_quality(agreed.quality.verdict, agreed.quality.reasons, **signals)


def dataset_folder(place: str) -> str:
    """The dataset at `place`, or the dataset within the output `place`, a local folder. If there is none, `place` itself, since
    the dataset may not be made yet. Raises `ValueError` if the output has several datasets."""
    folder = Folder(place)
    if folder.local is None or folder.exists("shards"):
        return folder.url
    inside = [name for name in folder.folders() if folder.exists(f"{name}/shards")]
    named = [name for name in inside if name == PurePosixPath(folder.url).name]
    if len(inside) == 1 or named:
        return folder.sub((named or inside)[0]).url
    if inside:
        raise ValueError(
            f"data={place}: it holds {len(inside)} datasets: name one of {', '.join(f'{place}/{n}' for n in inside)}"
        )
    return folder.url


def names_of(datasets: Sequence[str]) -> tuple[str, ...]:
    """A name for each dataset: as many last parts of its folder as tell all datasets apart. Raises `ValueError` if a dataset is
    named twice."""
    parts = [PurePosixPath(dataset.rstrip("/")).parts for dataset in datasets]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = tuple("/".join(of[-length:]).lstrip("/") for of in parts)
        if len(set(names)) == len(names):
            return names
    if not datasets:
        return ()
    raise ValueError("a dataset is named twice: each of data=A,B,… is another one")


def state_of(dataset: str) -> str:
    """A short digest of a dataset's shards. It stays the same after samples are forgotten."""
    shards = [(report.shard, report.known_as) for report in read_reports(Folder(dataset))]
    return hashlib.sha256(json.dumps(shards).encode()).hexdigest()[:16]


class _Digests(NamedTuple):
    """Digests in order, with the place of each. Of equal digests the first counts."""

    digests: numpy.ndarray
    places: numpy.ndarray

    @classmethod
    def of(cls, digests: numpy.ndarray, places: numpy.ndarray) -> "_Digests":
        order = numpy.argsort(digests, kind="stable")
        return cls(digests[order], places[order])

    def place(self, digest: int) -> int | None:
        at = int(numpy.searchsorted(self.digests, numpy.uint64(digest)))
        return int(self.places[at]) if at < len(self.digests) and int(self.digests[at]) == digest else None


class _Index:
    """The place of each page in each dataset, by two digests of 8 bytes: of the source and page, and of the image. The index
    takes 32 bytes a page."""

    def __init__(self, datasets: Sequence[str]):
        self._folders = [Folder(dataset) for dataset in datasets]
        self._shards = [[report.shard for report in read_reports(folder)] for folder in self._folders]
        self._pages = [self._digests(folder, shards) for folder, shards in zip(self._folders, self._shards, strict=True)]
        self._part = functools.lru_cache(maxsize=64)(self._read)

    def _digests(self, folder: Folder, shards: Sequence[str]) -> tuple[_Digests, _Digests]:
        who: list[numpy.ndarray] = []
        images: list[numpy.ndarray] = []
        places: list[numpy.ndarray] = []
        for n, part in enumerate(manifest.parts(folder, shards, _COLUMNS)):
            named, seen = _identities(part)
            pages = [row for row, digest in enumerate(named) if digest is not None]
            who.append(numpy.array([named[row] for row in pages], numpy.uint64))
            images.append(numpy.array([seen[row] for row in pages], numpy.uint64))
            places.append(numpy.array([n << 32 | row for row in pages], numpy.int64))
        at = numpy.concatenate([numpy.zeros(0, numpy.int64), *places])
        by_source, by_image = (numpy.concatenate([numpy.zeros(0, numpy.uint64), *of]) for of in (who, images))
        return _Digests.of(by_source, at), _Digests.of(by_image, at)

    def _read(self, dataset: int, shard: int) -> list[dict[str, Any]]:
        folder = self._folders[dataset]
        return list(manifest.read_part(folder, self._shards[dataset][shard]).select(_PLACE).to_pylist())

    def places(self, who: int | None, image: int) -> dict[int, dict[str, Any]]:
        """The page's place in each dataset that has the page, by the dataset's number. {} for a sample that isn't a page."""
        place_of = {}
        for dataset, (by_source, by_image) in enumerate(self._pages if who is not None else ()):
            at = by_source.place(who or 0)
            at = by_image.place(image) if at is None else at
            if at is not None:
                place_of[dataset] = self._part(dataset, at >> 32)[at & 0xFFFFFFFF]
        return place_of


def _identities(part: pa.Table) -> tuple[list[int | None], list[int]]:
    """For each row, the two digests that identify its page: of the source's sha256 and page, and of the image. The first is of
    the sample's key if the sample has no source or is a part of another one, and None if the sample isn't a page."""
    who: list[int | None] = []
    for task, sha256, page, key, parent in zip(
        *(part[name].to_pylist() for name in ("task", "sha256", "page", "key", "parent")), strict=True
    ):
        known = f"{sha256}\n{page}" if sha256 and not parent else f"key {key}"
        who.append(xxhash.xxh3_64_intdigest(known.encode()) if task == "page" else None)
    return who, part["image_xxh64"].to_pylist()


def _joined_row(uri: str, row: int, own: int, places: dict[int, dict[str, Any]]) -> JoinedRow:
    if any(dataset < own for dataset in places):
        return JoinedRow(uri, row, reason=_TOLD)
    others = [(dataset, place) for dataset, place in places.items() if dataset != own]
    return JoinedRow(uri, row, content=json.dumps({"own": own, "others": others}).encode())
