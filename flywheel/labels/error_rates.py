"""A reader's errors on lines of known text.

A character error rate is the edit distance between readings and truth, divided by the truth's characters. Both texts are
normalised first. A rate's interval is the middle 95% of the rates of resampled lines.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.asking.loops import is_loop
from datagen.writing.line_text import normalise
from flywheel.pools.text_lines import clusters

_MOST = 12  # confusions that `Errors` lists
_LARGEST_ERROR = 0.4  # of a line's characters: a line with more errors was hardly read, and its confusions mean little
_CUT = 2  # times as long as the truth: a reading that the reader's limit cut off


Confusion = tuple[str, str, int]
"""The true character ("" for none), the character that was read ("" for none), and how often."""


@dataclass(frozen=True)
class Errors:
    """A character error rate with its interval, over `num_chars` characters in `num_lines` lines. `num_exact` lines are right
    letter for letter. `cluster_rate` counts a letter and its marks as one unit. `space_rate` counts spaces alone. `confusions`
    are the commonest errors. `repetition_rate` is the share of readings that are loops."""

    cer: float
    cer_low: float
    cer_high: float
    num_chars: int
    num_lines: int
    num_exact: int
    cluster_rate: float
    space_rate: float
    confusions: tuple[Confusion, ...]
    repetition_rate: float = 0.0


def errors(truths: Sequence[str], readings: Sequence[str], seed: int = 0, num_resamples: int = 1000) -> Errors:
    """Raises `ValueError` if there is nothing to compare."""
    by_line = distances_of(truths, readings)
    distances, lengths = numpy.array([d for d, _ in by_line]), numpy.array([n for _, n in by_line])
    if not lengths.sum():
        raise ValueError("no characters to compare")
    drawn = numpy.random.default_rng(seed).integers(0, len(truths), (num_resamples, len(truths)))
    rates = distances[drawn].sum(1) / lengths[drawn].sum(1).clip(1)
    low, high = numpy.quantile(rates, (0.025, 0.975))
    rate = distances.sum() / lengths.sum()
    cer, cer_low, cer_high = (round(float(x), 5) for x in (rate, low, high))
    pairs = list(zip(map(normalise, truths), map(normalise, readings), strict=True))
    others = round(cluster_rate(pairs), 5), round(space_rate(pairs), 5), confusions(pairs)
    num_loops = sum(is_loop(reading, len(reading) > _CUT * len(truth)) for truth, reading in pairs)
    counts = int(lengths.sum()), len(truths), int((distances == 0).sum())
    return Errors(cer, cer_low, cer_high, *counts, *others, round(num_loops / len(truths), 5))


def distances_of(truths: Sequence[str], readings: Sequence[str]) -> list[tuple[int, int]]:
    """Each line's number of edits between reading and truth, and its truth's number of characters."""
    truths, readings = [normalise(t) for t in truths], [normalise(r) for r in readings]
    return [(Levenshtein.distance(t, r), len(t)) for t, r in zip(truths, readings, strict=True)]


def cluster_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """The error rate by clusters over pairs of a truth and its reading. A cluster is a letter with its marks, and with the
    letters that a virama joins to it."""
    num_edits = num_clusters = 0
    for truth, reading in pairs:
        units = clusters(truth)
        num_edits += Levenshtein.distance(units, clusters(reading))
        num_clusters += len(units)
    return num_edits / max(1, num_clusters)


def space_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """The error rate of spaces: missing spaces, extra spaces, and spaces read as another character, divided by true spaces."""
    num_wrong = num_spaces = 0
    for truth, reading in pairs:
        num_wrong += sum(" " in edit for edit in _edits(truth, reading))
        num_spaces += truth.count(" ")
    return num_wrong / max(1, num_spaces)


def confusions(pairs: Iterable[tuple[str, str]], most: int = _MOST) -> tuple[Confusion, ...]:
    """The commonest confusions in pairs of a truth and its reading."""
    counts: Counter[tuple[str, str]] = Counter()
    for truth, reading in pairs:
        edits = _edits(truth, reading)
        if len(edits) <= _LARGEST_ERROR * len(truth):
            counts.update(edits)
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return tuple((stands, read, n) for (stands, read), n in common)


def _edits(truth: str, reading: str) -> list[tuple[str, str]]:
    """The fewest edits that turn a truth into its reading, each as the true character and the read one."""
    edits = []
    for edit in Levenshtein.editops(truth, reading):
        stands = "" if edit.tag == "insert" else truth[edit.src_pos]
        edits.append((stands, "" if edit.tag == "delete" else reading[edit.dest_pos]))
    return edits
