"""Read the pages that several datasets have, and agree on their labels.

The planner of a run finds equal pages once: by the source's sha256 and page, else by the bytes of the image. Each shard's task
carries the places of its own pages. A page is in the output once, from the first dataset that has it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, ClassVar

import msgspec
import pyarrow as pa

from datagen.agreement.agree_page import VERSION, Agreement
from datagen.agreement.blocks import Page, scaled
from datagen.coarse.verdict import ink_shapes
from datagen.disk import manifest
from datagen.disk.shards import read_records, read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.formulas import drawing
from datagen.inputs.census import Census
from datagen.inputs.items import Item
from datagen.inputs.stored_items import database
from datagen.record import Drop, Range, Sample, SampleError, clean_text
from datagen.work.joined_rows import JoinedRow, rows_of
from datagen.work.samples_of import ShardsOf, ShardSource
from datagen.work.specification import PLACE

_PLACE = ("shard", "record_offset", "record_bytes")
_COLUMNS = ("key", "task", "sha256", "page", "parent", "image_xxh64", *_PLACE)
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
                for row, (source, image) in enumerate(_identities(part)):
                    yield _joined_row(item.uri, row, number, index.places(source, image) if source else {})

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


class _Index:
    """The place of each page in each dataset, by its source and by its image, in a database on this machine's disk."""

    def __init__(self, datasets: Sequence[str]):
        self._database = database()
        self._database.execute(f"CREATE TABLE page (dataset, source, image, {', '.join(_PLACE)})")
        for number, folder in enumerate(map(Folder, datasets)):
            for part in manifest.parts(folder, [report.shard for report in read_reports(folder)], _COLUMNS):
                places = zip(*(part[name].to_pylist() for name in _PLACE), strict=True)
                pages = ((number, *known, *place) for known, place in zip(_identities(part), places, strict=True) if known[0])
                self._database.executemany("INSERT INTO page VALUES (?, ?, ?, ?, ?, ?)", pages)
        for name in ("source", "image"):
            self._database.execute(f"CREATE INDEX by_{name} ON page ({name}, dataset)")

    def places(self, source: str, image: str) -> dict[int, dict[str, Any]]:
        """The page's place in each dataset that has the page, by the dataset's number, in order. The source says it before the
        image, and of equal pages the first counts."""
        place_of: dict[int, dict[str, Any]] = {}
        for name, value in (("image", image), ("source", source)):
            query = f"SELECT dataset, {', '.join(_PLACE)}, min(rowid) FROM page WHERE {name} = ? GROUP BY dataset"
            for dataset, *place, _ in self._database.execute(query, (value,)):
                place_of[dataset] = dict(zip(_PLACE, place, strict=True))
        return dict(sorted(place_of.items()))


def _identities(part: pa.Table) -> Iterator[tuple[str, str]]:
    """What tells each row's page: its source and page, or the key of a sample without a source or cut from another one; "" if the
    sample isn't a page. And the digest of its image."""
    columns = (part[name].to_pylist() for name in ("task", "sha256", "page", "key", "parent", "image_xxh64"))
    for task, sha256, page, key, parent, image in zip(*columns, strict=True):
        source = f"{sha256}\n{page}" if sha256 and not parent else f"key {key}"
        yield source if task == "page" else "", str(image)


def _joined_row(uri: str, row: int, own: int, places: dict[int, dict[str, Any]]) -> JoinedRow:
    if any(dataset < own for dataset in places):
        return JoinedRow(uri, row, reason=_TOLD)
    others = [(dataset, place) for dataset, place in places.items() if dataset != own]
    return JoinedRow(uri, row, content=json.dumps({"own": own, "others": others}).encode())
