"""The split of rows into training and held-out rows, over all datasets of a training.

A hash of a group's name decides whether it is held out, whatever the seed and the dataset. A group is a document unless its
source names another one, so all pages and crops of a document are on one side.
"""

import functools
import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash

from model.data.order import mixed
from model.data.rows import NO_ANSWER, Columns, Dataset
from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

NAMED = 0  # the hash of a group that is held out by name


def group_hash(group: str) -> int:
    """64 bits that depend on the group's name; never `NAMED`."""
    return (
        int.from_bytes(hashlib.blake2b(f"held out {group}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1
    )


def joined(num_rows: int, rows_E: np.ndarray, keys_E: np.ndarray, never: Iterable[str] = ()) -> np.ndarray:
    """The group of each of `num_rows` rows, uint64. Rows with a common key are one group, also if other rows join them. Row
    `rows_E[e]`, in order, has the key `keys_E[e]`. A row without keys has group 1. A group with a key that is the hash of a name
    in `never` is `NAMED`."""
    group_N = np.ones(num_rows, np.uint64)
    is_first_E = np.r_[True, rows_E[1:] != rows_E[:-1]][: len(rows_E)]
    group_N[rows_E[is_first_E]] = keys_E[is_first_E]
    # Only rows with several keys join anything: most files have few.
    joins_E = ~is_first_E
    keys_K = np.unique(np.concatenate([group_N[rows_E[joins_E]], keys_E[joins_E]]))
    of_first, of_other = (np.searchsorted(keys_K, keys) for keys in (group_N[rows_E[joins_E]], keys_E[joins_E]))
    least_K = np.arange(len(keys_K))
    while ((first := least_K[of_first]) != (other := least_K[of_other])).any():
        np.minimum.at(least_K, np.maximum(first, other), np.minimum(first, other))
        while ((further := least_K[least_K]) != least_K).any():
            least_K = further
    hashes = np.array([group_hash(name) for name in never], np.uint64)
    is_never_K = np.zeros(len(keys_K), bool)
    is_never_K[least_K[np.isin(keys_K, hashes)]] = True
    if len(keys_K):
        at_N = np.searchsorted(keys_K, group_N).clip(max=len(keys_K) - 1)
        is_joined_N = keys_K[at_N] == group_N
        roots = least_K[at_N[is_joined_N]]
        group_N[is_joined_N] = np.where(is_never_K[roots], np.uint64(NAMED), keys_K[roots])
    group_N[np.isin(group_N, hashes)] = NAMED
    return group_N


def is_held_out(group: str, share: float) -> bool:
    """Whether a hash of `group` holds it out, as it does with a `share` of all groups."""
    return group_hash(group) < share * 2**64


@dataclass(frozen=True)
class Corpus:
    """The datasets of a training, with the rows to train on and the held-out ones, in order, as int32 or int64."""

    datasets: tuple[Dataset, ...]
    columns: tuple[Columns, ...]
    train: tuple[np.ndarray, ...]
    held_out: tuple[np.ndarray, ...]

    @functools.cached_property
    def digests(self) -> dict[str, str]:
        """A digest for each dataset's steps, by its name: of its own digest, its prompts with their weights, its rows' numbers,
        and its training rows."""
        digest_of = {}
        for dataset, columns, rows in zip(self.datasets, self.columns, self.train, strict=True):
            asked = [[asked.prompt, float(asked.weight)] for asked in dataset.prompts]
            digest = xxhash.xxh3_128(json.dumps([dataset.digest, asked]).encode())
            for array in (*columns.arrays, rows):
                digest.update(np.ascontiguousarray(array).data)
            digest_of[dataset.name] = digest.hexdigest()
        return digest_of

    @property
    def skipped(self) -> dict[str, dict[str, int]]:
        """The numbers of left-out rows of each dataset, by reason."""
        return {d.name: dict(sorted(c.skipped.items())) for d, c in zip(self.datasets, self.columns, strict=True)}


def opened(datasets: Sequence[Dataset], tokenizer: TextTokenizer, held_out_share: float, whole: Sequence[bool] = ()) -> Corpus:
    """The datasets' columns, split. If the hashes hold out no group, or all, one group is held out; with a single group, some of
    its rows. Datasets that are `whole` are held out altogether, with rows of their groups elsewhere. Raises `ValueError` if two
    datasets have one name, or if a dataset is unusable."""
    names = [dataset.name for dataset in datasets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two datasets are named {', '.join(twice)}: each needs a name of its own")
    columns = tuple(dataset.columns(tokenizer) for dataset in datasets)
    sides = [_held_out(c, held_out_share) for c in columns]
    if any(whole):
        sides = _with_whole(datasets, columns, sides, whole)
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
    """Up to `count` of `rows` in order, drawn by hashes of their groups: independent of the seed, and nearly the same while a
    corpus grows."""
    return np.sort(by_hash(rows, columns)[:count])


def by_hash(rows: np.ndarray, columns: Columns) -> np.ndarray:
    """`rows` in the order of their groups' hashes, independent of the seed: any number of the first ones is a sample of all."""
    at = columns.group_N[rows]
    nth = _nth_of_its_group(at)
    return rows[np.argsort(mixed(mixed(at) + nth.astype(np.uint64)), kind="stable")]


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


def _with_whole(
    datasets: Sequence[Dataset], columns: Sequence[Columns], sides: Sequence[np.ndarray], whole: Sequence[bool]
) -> list[np.ndarray]:
    theirs = np.unique(np.concatenate([c.group_N for c, is_whole in zip(columns, whole, strict=True) if is_whole]))
    held_out = []
    for dataset, c, side, is_whole in zip(datasets, columns, sides, whole, strict=True):
        is_alike = np.isin(c.group_N, theirs)
        if not is_whole and (num := int((is_alike & ~side).sum())):
            log.warning("%s: %d rows aren't learned from: held-out rows have the same image, text or group", dataset.name, num)
        held_out.append(side | is_alike | is_whole)
    return held_out


def _some_held_out(columns: Sequence[Columns], usable: Sequence[np.ndarray], share: float) -> list[np.ndarray]:
    """The held-out rows if hashes leave one side empty. Rows held out by name always are."""
    named = [c.group_N == NAMED for c in columns]
    by_dataset = [c.group_N[fit & ~name] for c, fit, name in zip(columns, usable, named, strict=True)]
    groups = np.unique(np.concatenate([np.zeros(0, np.uint64), *by_dataset]))
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
