"""The datasets of a training, opened: those of the recipe's output, and those that lie elsewhere."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from datagen.storage import Folder
from model.data.drawn import Drawn
from model.data.jsonl import Jsonl
from model.data.ours import Ours, find_datasets, open_ours
from model.data.rows import Dataset
from model.train.step import Data, Train


@dataclass(frozen=True)
class Opened:
    """Each `Data` of a step with the datasets that it stands for. `folders` are those of the output, by their names."""

    places: tuple[tuple[Data, tuple[Dataset, ...]], ...]
    folders: tuple[str, ...]

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        return tuple(dataset for _, datasets in self.places for dataset in datasets)


def open_all(step: Train, out: Folder, held_out: frozenset[str] = frozenset()) -> Opened:
    """All datasets of `step`. A dataset that several names fit is that of the first.

    A sample that is marked in one dataset of the output is left out of all. Raises `ValueError` for a dataset that isn't there or
    can't be used, naming it.
    """
    names = [one.where for one in step.data if one.drawn is None and not _is_elsewhere(one.where)]
    folders = find_datasets(out, names) if names else []
    waiting = open_ours(out, names, held_out) if names else []
    places: list[tuple[Data, tuple[Dataset, ...]]] = []
    for one in step.data:
        if (lines := one.drawn) is not None:
            drawn = Drawn(lines.curriculum, lines.count, lines.held_out, lines.shortest, lines.longest, one.where)
            places.append((one, (drawn,)))
            continue
        if _is_elsewhere(one.where):
            places.append((one, tuple(_elsewhere(one.where, held_out))))
            continue
        own = set(find_datasets(out, [one.where]))
        places.append((one, tuple(dataset for dataset in waiting if _name(dataset) in own)))
        waiting = [dataset for dataset in waiting if _name(dataset) not in own]
    return Opened(tuple(places), tuple(folders))


def _is_elsewhere(where: str) -> bool:
    return "/" in where or where.endswith(".jsonl")


def _name(dataset: Ours) -> str:
    return posixpath.basename(dataset.folder.url.rstrip("/"))


def _elsewhere(where: str, held_out: frozenset[str]) -> Sequence[Dataset]:
    if where.endswith(".jsonl"):
        return [Jsonl(where)]
    folder = Folder(where.rstrip("/"))
    if not folder.exists("shards"):
        raise ValueError(f"data has {where}: it is neither a .jsonl file nor a dataset, which has a folder `shards`")
    parent, name = posixpath.split(folder.url)
    return open_ours(Folder(parent), [name], held_out)
