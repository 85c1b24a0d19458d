"""The short samples of another dataset, as they are: what a small model can learn to read in minutes."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.work.samples_of import SamplesOf


@dataclass(frozen=True)
class ShortSamples(SamplesOf):
    """Those of `SamplesOf` that have `shortest` to `longest` characters; beside the datasets in the folders `beside` only those
    in languages that these have, and of documents that they lack. Marks don't come along: what a later round read again is a
    sample here."""

    version: ClassVar[int] = 1

    shortest: int = 2
    longest: int = 24
    beside: tuple[str, ...] = ()

    def is_chosen(self, row: dict[str, Any]) -> bool:
        if not self.shortest <= row["num_chars"] <= self.longest or not super().is_chosen(row):
            return False
        langs, documents = _of(self.beside)
        return not self.beside or (row["lang"] in langs and row["sha256"] not in documents)


@functools.lru_cache(maxsize=4)
def _of(datasets: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The languages and the documents of the datasets."""
    langs: set[str] = set()
    documents: set[str] = set()
    for folder in map(Folder, datasets):
        for part in manifest.parts(folder, [report.shard for report in read_reports(folder)], ["lang", "sha256"]):
            langs.update(part["lang"].unique().to_pylist())
            documents.update(part["sha256"].unique().to_pylist())
    return frozenset(langs), frozenset(documents)
