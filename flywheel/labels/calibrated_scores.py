"""The meaning of a reader's confidence: the share of right pieces at some confidence. It makes scores of labels comparable.

    worth = Worth.of([0.42, 0.97, …], [False, True, …])
    worth.share(0.97)        0.993: the share of right pieces among those of confidence 0.97

A reader's confidence orders its pieces. Their share of right ones depends on the reader, and on agreement: where two readers
agree, 98% may be right at CTC's .6. The pieces that calibrate a gate show it. The gate itself goes by confidence and by no curve,
since it has to keep a promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from scipy.optimize import isotonic_regression

_FOLDS = 5
_BINS = 10


@dataclass(frozen=True)
class Worth:
    """The share of right pieces by confidence: points (confidence, share) that both rise, with lines between. Without points
    nothing is known, and a confidence is its own share."""

    points: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, scores: Sequence[float], right: Sequence[bool]) -> "Worth":
        """The rising curve nearest to `right` (isotonic regression). Each group of pieces with one share counts one more right
        and one more wrong piece: a few pieces without an error don't prove that there is none."""
        if not scores:
            return cls()
        confidence, which = numpy.unique(numpy.array(scores), return_inverse=True)
        count = numpy.bincount(which)
        num_right = numpy.bincount(which, numpy.array(right, dtype=float))
        blocks = isotonic_regression(num_right / count, weights=count).blocks[:-1]
        num_right, count = numpy.add.reduceat(num_right, blocks), numpy.add.reduceat(count, blocks)
        shares = isotonic_regression((num_right + 1) / (count + 2), weights=count).x  # small groups may have broken the rise
        points: dict[float, float] = {}
        for first, stop, share in zip(blocks, [*blocks[1:], len(confidence)], shares, strict=True):
            points |= {float(confidence[at]): round(float(share), 4) for at in (first, stop - 1)}
        return cls(tuple(points.items()))

    def share(self, confidence: float) -> float:
        if not self.points:
            return confidence
        return float(numpy.interp(confidence, [at for at, _ in self.points], [share for _, share in self.points]))


def crossed(scores: Sequence[float], right: Sequence[bool]) -> list[float]:
    """Each piece's share by the curve of other pieces: for each fifth the curve of the other four fifths."""
    shares = [0.0] * len(scores)
    for fold in range(_FOLDS):
        others = [i for i in range(len(scores)) if i % _FOLDS != fold]
        worth = Worth.of([scores[i] for i in others], [right[i] for i in others])
        shares[fold::_FOLDS] = [worth.share(score) for score in scores[fold::_FOLDS]]
    return shares


def error(scores: Sequence[float], right: Sequence[bool]) -> float:
    """The expected calibration error: pieces are divided by score into ten parts, and it is the mean difference between a part's
    mean score and its share of right pieces. 0.0 without pieces."""
    if not scores:
        return 0.0
    order = numpy.argsort(scores, kind="stable")
    score, is_right = numpy.array(scores), numpy.array(right, dtype=float)
    parts = [part for part in numpy.array_split(order, _BINS) if len(part)]
    return float(sum(len(part) * abs(score[part].mean() - is_right[part].mean()) for part in parts) / len(scores))
