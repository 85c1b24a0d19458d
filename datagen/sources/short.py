"""The short samples of another dataset, as they are: what a small model can learn to read in minutes."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

from datagen import manifest
from datagen.shards import read_reports
from datagen.sources.dataset import SamplesOf
from datagen.storage import Folder


@dataclass(frozen=True)
class ShortSamples(SamplesOf):
    """Those of `SamplesOf` that have `shortest` to `longest` characters; with `like` only those in languages that the dataset in
    this folder has. Marks don't come along: a sample that a later round read again is a sample here."""

    version: ClassVar[int] = 1

    shortest: int = 2
    longest: int = 24
    like: str = ""

    def _is_chosen(self, row: dict[str, Any]) -> bool:
        fits = self.shortest <= row["num_chars"] <= self.longest and (not self.like or row["lang"] in _languages(self.like))
        return fits and super()._is_chosen(row)


@functools.lru_cache(maxsize=4)
def _languages(dataset: str) -> frozenset[str]:
    folder = Folder(dataset)
    parts = manifest.parts(folder, [report.shard for report in read_reports(folder)], ["lang"])
    return frozenset(lang for part in parts for lang in part["lang"].unique().to_pylist())
