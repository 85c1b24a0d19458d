"""Lengths counted before a training, by workers. What it finds beside its datasets it needn't count while all ranks wait.

    uncounted(datasets, …)      datasets of which each may be counted by another worker: a shard, a tar, a file
    count(task)                 on a worker

What is counted is kept as `model.data.lengths` says: a second time nothing is counted.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from datagen.disk.storage import Folder
from model.data.indexed import Indexed
from model.data.ours import Ours
from model.data.rows import Dataset
from model.files.network_folder import TOKENIZER
from model.net.tokenizer import TextTokenizer


@dataclass(frozen=True)
class CountTask:
    """A part of a dataset, to be counted by the tokenizer in a folder, which is known by its content."""

    dataset: Dataset
    tokenizer: str
    known_as: str


def uncounted(datasets: Iterable[Dataset], tokenizer: TextTokenizer) -> Iterator[Dataset]:
    for dataset in datasets:
        if isinstance(dataset, Ours | Indexed):
            yield from dataset.uncounted(tokenizer)
        else:
            yield dataset


def count(task: CountTask) -> int:
    """How many rows the part has. Raises `ValueError` as its dataset does, for one that can't be used, too: the training says
    what becomes of it."""
    columns = task.dataset.columns(_tokenizer(task.tokenizer, task.known_as))
    return len(columns.group_N)


@functools.lru_cache(maxsize=1)
def _tokenizer(folder: str, known_as: str) -> TextTokenizer:
    return TextTokenizer.from_json(Folder(folder).read(TOKENIZER))
