"""The gate before labels: a reader's errors on held-out lines of known text, and the confidence that its readings need.

A character error rate is the edit distance between readings and truth, divided by the truth's characters. Both texts are
normalised first. The interval is the middle 95% of the rates of resampled lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.engines.compact import normalise

NOBODY = 2.0
"""A threshold that no confidence reaches."""


@dataclass(frozen=True)
class Errors:
    """A character error rate with its interval, over `num_chars` characters in `num_lines` lines, of which `num_exact` are
    right letter for letter."""

    cer: float
    cer_low: float
    cer_high: float
    num_chars: int
    num_lines: int
    num_exact: int


def errors(truths: Sequence[str], readings: Sequence[str], seed: int = 0, num_resamples: int = 1000) -> Errors:
    """Raises `ValueError` if there is nothing to compare."""
    truths, readings = [normalise(t) for t in truths], [normalise(r) for r in readings]
    distances = numpy.array([Levenshtein.distance(t, r) for t, r in zip(truths, readings, strict=True)])
    lengths = numpy.array([len(t) for t in truths])
    if not lengths.sum():
        raise ValueError("no characters to compare")
    drawn = numpy.random.default_rng(seed).integers(0, len(truths), (num_resamples, len(truths)))
    rates = distances[drawn].sum(1) / lengths[drawn].sum(1).clip(1)
    low, high = numpy.quantile(rates, (0.025, 0.975))
    rate = distances.sum() / lengths.sum()
    cer, cer_low, cer_high = (round(float(x), 5) for x in (rate, low, high))
    return Errors(cer, cer_low, cer_high, int(lengths.sum()), len(truths), int((distances == 0).sum()))


def threshold(scores: Sequence[float], right: Sequence[bool], precision: float, min_lines: int = 20) -> float:
    """The lowest confidence from which on at least `precision` of the lines are right; `NOBODY` if there is none.

    At least `min_lines` lines have that confidence or more. Lines of equal confidence are accepted or refused together. The
    precision is that of these lines. It is no bound for others: the lowest of many thresholds is the luckiest one.
    """
    order = sorted(zip(scores, right, strict=True), reverse=True)
    best, num_right = NOBODY, 0
    for i, (score, is_right) in enumerate(order):
        num_right += is_right
        last_of_its_score = i + 1 == len(order) or order[i + 1][0] < score
        if last_of_its_score and i + 1 >= min_lines and num_right / (i + 1) >= precision:
            best = score
    return best
