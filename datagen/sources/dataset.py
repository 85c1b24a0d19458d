"""The samples of another dataset, with their images: one step's output as the next one's input.

    coarse (CPUs: parses files) ──> a dataset of its own (GPUs: layout and reading of images)

Parsing and inference never share a task: each dataset has workers of its own kind, and stands alone with its images.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from datagen.census import Census
from datagen.items import Inputs, Item
from datagen.pipeline import Estimate
from datagen.record import Drop, Sample
from datagen.shards import read_reports
from datagen.sources.lines import ShardSource
from datagen.storage import Folder


@dataclass(frozen=True)
class AllShards(Census):
    """The committed shards of a dataset. Shards that it gains later are new input then.

    `dataset` is its folder or URL; in a recipe, where that isn't known yet, it may be the name of an earlier step.
    """

    dataset: str

    def within(self, out: Folder) -> "AllShards":
        """With the folder that a step's name stands for in the output `out`."""
        return self if "/" in self.dataset else replace(self, dataset=out.sub(self.dataset).url)

    def items(self) -> list[Item]:
        """In order. Raises `ValueError` if there is none."""
        folder = Folder(self.dataset)
        reports = read_reports(folder)
        if not reports:
            raise ValueError(f"{folder.url} has no shard yet: make that dataset first")
        return [Item(_uri(folder, r.shard), r.known_as, r.num_bytes, count=r.num_samples) for r in reports]

    def pending(self) -> str:
        return "" if read_reports(Folder(self.dataset)) else f"waits for {self.dataset}"


@dataclass(frozen=True)
class SamplesOf(ShardSource):
    """The samples of each shard as they are, for stages to work on: those in `languages` and with one of `verdicts` ("": all).

    They keep key, image and origin, and say that they come from `stage`. A shard in gives a shard out. A shard without such a
    sample is a drop, `nothing_chosen`.
    """

    version: ClassVar[int] = 1

    stage: str = ""
    languages: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()

    def engines(self) -> dict[str, str]:
        return {}

    def estimate(self, inputs: Inputs) -> Estimate:
        """Samples, and no time: what costs is what the stages do."""
        return Estimate(sum(max(0, item.count) for item in inputs), sum(item.num_bytes for item in inputs), 0.0)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        num_samples = 0
        for sample in self.pages(item, self._is_chosen, images=True):
            num_samples += 1
            yield replace(sample, stage=self.stage or sample.stage)
        if not num_samples:
            yield Drop("", item.uri, None, type(self).__name__, "nothing_chosen", "no sample in these languages and verdicts")

    def _is_chosen(self, row: dict[str, Any]) -> bool:
        chosen = (not self.languages or row["lang"] in self.languages, not self.verdicts or row["verdict"] in self.verdicts)
        return all(chosen)


def _uri(folder: Folder, shard: str) -> str:
    name = f"shards/{shard}.tar"
    return folder.path(name) if folder.local else posixpath.join(folder.url, name)
