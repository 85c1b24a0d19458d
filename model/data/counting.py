"""Lengths counted by workers before a training, so that its ranks needn't wait for the counts.

    uncounted(datasets, …)      datasets that workers may count one by one: a shard, a tar, a file
    count(task)                 on a worker

Counts are kept (`model.data.lengths`): a second call counts nothing.
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
    """A part of a dataset to count, with the tokenizer in a folder. `known_as` identifies the tokenizer by its content."""

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
    """The number of rows of the part. Raises `ValueError` as its dataset does, also for a part without usable rows, which the
    training handles."""
    columns = task.dataset.columns(_tokenizer(task.tokenizer, task.known_as))
    return len(columns.group_N)


@functools.lru_cache(maxsize=1)
def _tokenizer(folder: str, known_as: str) -> TextTokenizer:
    return TextTokenizer.from_json(Folder(folder).read(TOKENIZER))
