"""The samples of another dataset, with their images: one step's output as the next one's input.

    coarse (CPUs: parses files) ──> a dataset of its own (GPUs: layout and reading of images)

Parsing and inference never share a task: each dataset has workers of its own kind, and stands alone with its images.
"""

import functools
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from datagen.disk import manifest
from datagen.disk.shards import each_report, read_records, read_samples
from datagen.disk.storage import Folder
from datagen.inputs.census import Census
from datagen.inputs.items import Inputs, Item
from datagen.record import Drop, Sample
from datagen.work.pipeline import Source


@dataclass(frozen=True)
class ShardsOf(Census):
    """The `shards` of a dataset as items; None: all committed shards. An item's etag is the shard's content, so later shards are
    new items. `dataset` is a folder or URL, or, in a recipe, the name of an earlier step."""

    dataset: str
    shards: tuple[str, ...] | None = None

    def within(self, out: Folder) -> "ShardsOf":
        """The census in the output `out`, where a step's name becomes its folder."""
        return self if "/" in self.dataset else replace(self, dataset=out.sub(self.dataset).url)

    def items(self) -> list[Item]:
        """The shards in order. Raises `ValueError` if there is none, or one of `shards` isn't committed."""
        folder = Folder(self.dataset)
        items = {r.shard: Item(_uri(folder, r.shard), r.known_as, r.num_bytes, count=r.num_samples) for r in each_report(folder)}
        missing = [shard for shard in self.shards or () if shard not in items]
        if missing or not items:
            raise ValueError(f"{folder.path(missing[0]) if missing else folder.url} is not made yet: make that dataset first")
        return [items[shard] for shard in (items if self.shards is None else self.shards)]

    def pending(self) -> str:
        return "" if any(each_report(Folder(self.dataset))) else f"waits for {self.dataset}"


class ShardSource(Source):
    """The common part of sources that read a dataset's shards: a shard in gives a shard out."""

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return ((item,) for item in items)

    def samples(self, item: Item, wanted: Callable[[dict[str, Any]], bool], images: bool = False) -> Iterator[Sample]:
        """The samples of the item's shard whose rows of the manifest are `wanted`, with their images if `images`."""
        url, _, name = item.uri.rpartition("/")
        folder = Folder(url.rpartition("/")[0])
        rows = (row for row in manifest.read_part(folder, name.removesuffix(".tar")).to_pylist() if wanted(row))
        return read_samples(folder, rows) if images else read_records(folder, rows)


@dataclass(frozen=True)
class SamplesOf(ShardSource):
    """The unchanged samples of each shard, for stages: those in `languages` and with one of `verdicts` ("": all), and suspect
    ones whose reasons are all among `despite`. Samples keep key, image and origin, and get `stage`. A shard in gives a shard out.
    A shard without a chosen sample is a drop, `nothing_chosen`."""

    stage: str = ""
    languages: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    despite: tuple[str, ...] = ()

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        num_samples = 0
        for sample in self.samples(item, self.is_chosen, images=True):
            num_samples += 1
            yield self.given(sample)
        if not num_samples:
            yield Drop("", item.uri, None, type(self).__name__, "nothing_chosen", "no sample of the shard is asked for")

    def given(self, sample: Sample) -> Sample:
        """A chosen sample as stages get it."""
        return replace(sample, stage=self.stage or sample.stage)

    def is_chosen(self, row: dict[str, Any]) -> bool:
        """Whether the sample of this row of the manifest is chosen."""
        is_despite = bool(row["reasons"]) and {*row["reasons"]} <= {*self.despite}
        is_taken = not self.verdicts or row["verdict"] in self.verdicts or is_despite
        return is_taken and (not self.languages or row["lang"] in self.languages)


@dataclass(frozen=True)
class ShortSamples(SamplesOf):
    """The samples of `SamplesOf` with `shortest` to `longest` characters, which a small model can learn to read in minutes. With
    datasets in the folders `beside`, only samples in their languages and of documents that they lack. Marks don't count: a sample
    that a later round read again is a sample here."""

    version: ClassVar[int] = 1

    shortest: int = 2
    longest: int = 24
    beside: tuple[str, ...] = ()

    def is_chosen(self, row: dict[str, Any]) -> bool:
        if not self.shortest <= row["num_chars"] <= self.longest or not super().is_chosen(row):
            return False
        langs, documents = _langs_and_documents(self.beside)
        return not self.beside or (row["lang"] in langs and row["sha256"] not in documents)


@functools.lru_cache(maxsize=4)
def _langs_and_documents(datasets: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    langs: set[str] = set()
    documents: set[str] = set()
    for folder in map(Folder, datasets):
        for part in manifest.parts(folder, [report.shard for report in each_report(folder)], ["lang", "sha256"]):
            langs.update(part["lang"].unique().to_pylist())
            documents.update(part["sha256"].unique().to_pylist())
    return frozenset(langs), frozenset(documents)


def _uri(folder: Folder, shard: str) -> str:
    name = f"shards/{shard}.tar"
    return folder.path(name) if folder.local else posixpath.join(folder.url, name)
