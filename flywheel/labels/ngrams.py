"""How rare a text's characters are behind each other, by the runs of characters in other texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

ORDER = 4
"""The number of characters of a run: the last one, and those that it is judged by."""
WINDOW = 4
"""The number of characters whose rarity is summed up: a wrong letter makes those behind it rare, too."""
EDGE = " "
"""What stands before and behind a text."""


@dataclass(frozen=True)
class Ngrams:
    """The probability of a character after those before it, by Witten and Bell's interpolation (1991).

    `alphabet` are the code points in the texts, sorted. A run of characters is a number in base len(alphabet) + 1. For each
    length up to `ORDER`, `tables` have the sorted runs and their counts; and what they begin with, how often that stands there,
    and how many different characters follow it.
    """

    alphabet: numpy.ndarray
    tables: tuple[tuple[numpy.ndarray, ...], ...]

    @classmethod
    def of(cls, runs: str, counts: Sequence[int]) -> "Ngrams":
        """The model of what `count` gives."""
        points = _points(runs).reshape(-1, ORDER)
        alphabet = numpy.unique(points)
        base = len(alphabet) + 1
        codes, weights = numpy.searchsorted(alphabet, points), numpy.array(counts, numpy.int64)
        tables = []
        for length in range(1, ORDER + 1):
            numbers, places = numpy.unique(_numbers(codes[:, -length:], base), return_inverse=True)
            of_run = numpy.bincount(places, weights)
            begin, places = numpy.unique(numbers // base, return_inverse=True)
            tables.append((numbers, of_run, begin, numpy.bincount(places, of_run), numpy.bincount(places)))
        return cls(alphabet, tuple(tables))

    def bits(self, texts: Sequence[str]) -> list[numpy.ndarray]:
        """How rare each character of each text is, and the edge behind it, in bits."""
        if not texts:
            return []
        points = _points("".join(map(_framed, texts)))
        codes = numpy.searchsorted(self.alphabet, points)
        base = len(self.alphabet) + 1
        codes[self.alphabet[codes.clip(max=base - 2)] != points] = base - 1
        runs = numpy.lib.stride_tricks.sliding_window_view(codes, ORDER)
        share = numpy.full(len(runs), 1 / base)
        for length, (numbers, counts, begin, totals, kinds) in enumerate(self.tables, 1):
            asked = _numbers(runs[:, -length:], base)
            total, num_kinds = _of(begin, totals, asked // base), _of(begin, kinds, asked // base)
            share = numpy.where(total, (_of(numbers, counts, asked) + num_kinds * share) / (total + num_kinds).clip(1), share)
        starts = numpy.cumsum([len(text) + ORDER for text in texts])[:-1]
        own = numpy.split(-numpy.log2(share), starts)
        return [of_text[: len(text) + 1] for text, of_text in zip(texts, own, strict=True)]

    def rarest(self, texts: Sequence[str]) -> list[float]:
        """How rare the rarest window of each text is, in bits."""
        return [float(numpy.convolve(bits, numpy.ones(min(WINDOW, len(bits))), "valid").max()) for bits in self.bits(texts)]


def count(texts: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """The different runs of `ORDER` characters in the texts, sorted and joined, and how often each stands there. Those of fewer
    characters follow from them."""
    points = _points("".join(map(_framed, texts)))
    is_whole = numpy.ones(len(points) - ORDER + 1, bool)
    ends = numpy.cumsum([len(text) + ORDER for text in texts])[:-1]
    for back in range(1, ORDER):
        is_whole[ends - back] = False  # it reaches into the next text
    alphabet, codes = numpy.unique(points, return_inverse=True)
    base = len(alphabet) + 1
    numbers = _numbers(numpy.lib.stride_tricks.sliding_window_view(codes, ORDER)[is_whole], base)
    runs, counts = numpy.unique(numbers, return_counts=True)
    characters = numpy.stack([alphabet[runs // base ** (ORDER - 1 - place) % base] for place in range(ORDER)], axis=1)
    return characters.astype("<u4").tobytes().decode("utf-32-le"), tuple(counts.tolist())


def _framed(text: str) -> str:
    """The text between edges, so that each of its characters, and the edge behind it, ends a run."""
    return EDGE * (ORDER - 1) + text + EDGE


def _points(text: str) -> numpy.ndarray:
    return numpy.frombuffer(text.encode("utf-32-le"), "<u4").astype(numpy.int64)


def _numbers(codes: numpy.ndarray, base: int) -> numpy.ndarray:
    """Rows of codes as numbers in this base."""
    numbers = numpy.zeros(len(codes), numpy.int64)
    for place in range(codes.shape[1]):
        numbers = numbers * base + codes[:, place]
    return numbers


def _of(keys: numpy.ndarray, values: numpy.ndarray, asked: numpy.ndarray) -> numpy.ndarray:
    """The value of each key that is asked for; 0 of those that aren't there. `keys` are sorted."""
    places = numpy.searchsorted(keys, asked).clip(max=len(keys) - 1)
    return numpy.where(keys[places] == asked, values[places], 0)
