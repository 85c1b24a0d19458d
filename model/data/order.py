"""Order without a list: a keyed shuffle of n numbers, each of which can be computed alone. It takes no memory.

The shuffle is a Feistel network over the next power of four. Results outside of the range go through again ("cycle walking",
Black and Rogaway 2002). Numbers are mixed by splitmix64's last steps (Steele, Lea and Flood 2014).
"""

import hashlib
from itertools import pairwise
from typing import Any

import numpy as np

_ROUNDS = 6
_STEP = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, odd
_MASK = 2**64 - 1


def key(*parts: Any) -> int:
    """64 bits that depend on the words and numbers in `parts`."""
    return int.from_bytes(hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def mixed(x: np.ndarray) -> np.ndarray:
    """A pseudo-random uint64 for each number; different numbers give different ones."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(_STEP)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def noise(numbers: np.ndarray, seed: int) -> np.ndarray:
    """uint64 that depend on each of `numbers` and the seed."""
    return mixed(mixed(numbers.astype(np.uint64)) ^ np.uint64(seed & _MASK))


def uniform(numbers: np.ndarray, seed: int) -> np.ndarray:
    """Numbers from 0 to 1, exclusive, that depend on each of `numbers` and the seed."""
    return (noise(numbers, seed) >> np.uint64(11)) * 2.0**-53


def permuted(i: np.ndarray, n: int, keys: np.ndarray) -> np.ndarray:
    """The places of `i`, from 0 to `n` - 1, in the shuffle of each one's key: one to one for each key. int64."""
    half = max(1, ((n - 1).bit_length() + 1) // 2)
    low, shift = np.uint64(2**half - 1), np.uint64(half)
    at, keys = i.astype(np.uint64), np.broadcast_to(keys.astype(np.uint64), i.shape)
    outside = np.ones(len(at), bool)
    while outside.any():
        x, k = at[outside], keys[outside]
        left, right = x >> shift, x & low
        for number in range(_ROUNDS):
            left, right = right, left ^ (mixed(right ^ mixed(k + np.uint64(number))) & low)
        at[outside] = (left << shift) | right
        outside = at >= n
    return at.astype(np.int64)


class Deck:
    """Rows that are dealt out shuffled, epoch after epoch. With the rows' groups, a group of n rows has n ** `power` turns an
    epoch, rounded, so no large group can dominate. Its rows take turns and come equally often. A power of 1 deals every row once
    an epoch; 0 gives all groups the same number of turns."""

    def __init__(self, rows: np.ndarray, groups: np.ndarray | None = None, power: float = 1.0, in_order: bool = False):
        assert len(rows) and not (in_order and groups is not None)
        self._rows, self._in_order, self._starts = rows, in_order, None
        if groups is not None:
            order = np.lexsort((mixed(rows.astype(np.uint64)), groups))
            self._rows, ordered = rows[order], groups[order]
            self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
            self._sizes = np.diff(np.r_[self._starts, len(rows)])
            self._turns = np.maximum(1, np.rint(self._sizes**power)).astype(np.int64)
            self._ends = self._turns.cumsum()

    @property
    def num_turns(self) -> int:
        """The number of turns of an epoch."""
        return len(self._rows) if self._starts is None else int(self._ends[-1])

    def dealt(self, numbers: np.ndarray, seed: int) -> np.ndarray:
        """The row of each of the turns `numbers`, which count from 0 over all epochs."""
        epochs, places = np.divmod(numbers, self.num_turns)
        if not self._in_order:
            places = permuted(places, self.num_turns, mixed(epochs.astype(np.uint64) ^ np.uint64(seed)))
        if self._starts is None:
            return self._rows[places]
        of = np.searchsorted(self._ends, places, side="right")
        turns = epochs * self._turns[of] + places - (self._ends[of] - self._turns[of])
        return self._rows[self._starts[of] + turns % self._sizes[of]]


class Wheel:
    """Turns that are dealt out by weight: turn j goes to the share of the circle in which j times the golden ratio falls. Any run
    of turns is split by the weights, up to a few turns. The number of a share's turns among the first n is known in closed form,
    so turn n can be found without those before it."""

    def __init__(self, weights: list[float], seed: int):
        assert weights and all(weight > 0 for weight in weights)
        self._first = seed & _MASK
        total = sum(weights)
        ends = [round(sum(weights[: at + 1]) / total * 2**64) for at in range(len(weights) - 1)]
        self._ends = [0, *ends, 2**64]

    def shares(self, start: int, stop: int) -> np.ndarray:
        """The number of the share that gets each turn from `start` to `stop` - 1."""
        first = np.uint64((self._first + start * _STEP) & _MASK)
        with np.errstate(over="ignore"):
            at = first + np.arange(stop - start, dtype=np.uint64) * np.uint64(_STEP)
        return np.searchsorted(np.array(self._ends[1:-1], np.uint64), at, side="right")

    def before(self, n: int) -> list[int]:
        """The number of each share's turns among the first `n`."""
        below = [self._below(n, end) for end in self._ends]
        return [after - before for before, after in pairwise(below)]

    def _below(self, n: int, end: int) -> int:
        """The number of the first `n` turns that fall under `end`."""
        # x mod M < end, for 0 <= end <= M, is floor(x / M) - floor((x - end) / M).
        wrapped = _floor_sum(n, 2**64, _STEP, self._first)
        return wrapped - _floor_sum(n, 2**64, _STEP, self._first - end + 2**64) + n


def _floor_sum(n: int, m: int, a: int, b: int) -> int:
    """The sum of (a i + b) // m over i from 0 to n - 1, in the steps of Euclid's algorithm. a and b are not negative."""
    total = 0
    while n > 0:
        total += (n - 1) * n // 2 * (a // m) + n * (b // m)
        a, b = a % m, b % m
        last = a * n + b
        if last < m:
            break
        n, b = divmod(last, m)
        a, m = m, a
    return total
