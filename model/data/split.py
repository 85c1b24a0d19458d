"""Which rows are trained on and which are held out, over all datasets of a training.

A group of rows is held out if a hash of its name says so, whatever the seed and the dataset. A group is a document unless its
source says otherwise, so all pages and crops of a document are on one side.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xxhash

from model.data.order import mixed
from model.data.rows import NO_ANSWER, Columns, Dataset
from model.tokenizer import TextTokenizer

NAMED = 0  # the hash of a group that is held out by its name


def group_hash(group: str) -> int:
    """64 bits that follow from the group's name; never `NAMED`."""
    return (
        int.from_bytes(hashlib.blake2b(f"held out {group}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1
    )


def is_held_out(group: str, share: float) -> bool:
    """Whether a hash of `group` holds it out, as it does with a `share` of all groups."""
    return group_hash(group) < share * 2**64


@dataclass(frozen=True)
class Corpus:
    """The datasets of a training, with the rows to train on and those held out, in order, as int32 or int64."""

    datasets: tuple[Dataset, ...]
    columns: tuple[Columns, ...]
    train: tuple[np.ndarray, ...]
    held_out: tuple[np.ndarray, ...]

    @functools.cached_property
    def digests(self) -> dict[str, str]:
        """What each dataset's steps follow from, by its name: its own digest, its rows' numbers, and which are trained on."""
        found = {}
        for dataset, columns, rows in zip(self.datasets, self.columns, self.train, strict=True):
            digest = xxhash.xxh3_128(dataset.digest.encode())
            for array in (columns.width_N, columns.height_N, columns.answer_NP, columns.lang_N, rows):
                digest.update(np.ascontiguousarray(array).data)
            found[dataset.name] = digest.hexdigest()
        return found

    @property
    def num_bytes(self) -> int:
        """The memory that rows take."""
        return sum(c.num_bytes for c in self.columns) + sum(rows.nbytes for rows in (*self.train, *self.held_out))

    @property
    def skipped(self) -> dict[str, dict[str, int]]:
        """How many rows of each dataset were left out, by the reason."""
        return {d.name: dict(sorted(c.skipped.items())) for d, c in zip(self.datasets, self.columns, strict=True)}


def opened(datasets: Sequence[Dataset], tokenizer: TextTokenizer, held_out_share: float) -> Corpus:
    """The datasets' columns, split. If the hashes hold no group out, or all of them, one is; and if there is only one, some of
    its rows are.

    Raises `ValueError` if two datasets have one name, or if a dataset can't be used.
    """
    names = [dataset.name for dataset in datasets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two datasets are named {', '.join(twice)}: each needs a name of its own")
    columns = tuple(dataset.columns(tokenizer) for dataset in datasets)
    sides = [_held_out(c, held_out_share) for c in columns]
    usable = [(c.answer_NP != NO_ANSWER).any(1) for c in columns]
    both = [(side & fit, fit & ~side) for side, fit in zip(sides, usable, strict=True)]
    if not all(any(rows.any() for rows in of_side) for of_side in zip(*both, strict=True)):
        sides = _some_held_out(columns, usable, held_out_share)
    return Corpus(
        tuple(datasets),
        columns,
        tuple(_places(fit & ~side) for side, fit in zip(sides, usable, strict=True)),
        tuple(_places(fit & side) for side, fit in zip(sides, usable, strict=True)),
    )


def chosen(rows: np.ndarray, columns: Columns, count: int) -> np.ndarray:
    """Up to `count` of `rows`, drawn by hashes of their groups: the same ones whatever the seed, and few others as a corpus
    grows."""
    at = columns.group_N[rows]
    nth = _nth_of_its_group(at)
    return np.sort(rows[np.argsort(mixed(mixed(at) + nth.astype(np.uint64)), kind="stable")[:count]])


def _nth_of_its_group(groups: np.ndarray) -> np.ndarray:
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, bool)
    at = np.arange(len(ordered))
    nth = np.empty(len(ordered), np.int64)
    nth[order] = at - np.maximum.accumulate(np.where(starts, at, 0)) if len(ordered) else 0
    return nth


def _held_out(columns: Columns, share: float) -> np.ndarray:
    return columns.group_N < np.uint64(min(max(int(share * 2**64), 1), 2**64 - 1))


def _some_held_out(columns: Sequence[Columns], usable: Sequence[np.ndarray], share: float) -> list[np.ndarray]:
    """What is held out where hashes leave one side empty. What is held out by name always is."""
    named = [c.group_N == NAMED for c in columns]
    found = [c.group_N[fit & ~name] for c, fit, name in zip(columns, usable, named, strict=True)]
    groups = np.unique(np.concatenate([np.zeros(0, np.uint64), *found]))
    if len(groups) > 1:
        return [name | (c.group_N == groups[0]) for c, name in zip(columns, named, strict=True)]
    if any((name & fit).any() for name, fit in zip(named, usable, strict=True)):
        return named
    sides = [np.zeros(len(c), bool) for c in columns]
    left = max(1, round(share * sum(int(fit.sum()) for fit in usable)))
    for c, fit, side in zip(columns, usable, sides, strict=True):
        rows = chosen(_places(fit), c, left)
        side[rows] = True
        left -= len(rows)
    return sides


def _places(marks: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(marks)
    return rows.astype(np.int32) if len(marks) < 2**31 else rows
