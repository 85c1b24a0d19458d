"""What a reader's confidence is worth: how often pieces of some confidence are right, so that scores of labels can be compared.

    worth = Worth.of([0.42, 0.97, …], [False, True, …])
    worth.share(0.97)        0.993: of pieces that are so sure, that share is right

A reader's confidence says which of its pieces are surer. How often they are right depends on the reader, and on who agrees with
it: of pieces on which two readers agree, 98% may be right where CTC says .6. The pieces that calibrate a gate show it. The gate
itself goes by confidence, and by no curve: it has to keep a promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from scipy.optimize import isotonic_regression

_FOLDS = 5
_BINS = 10


@dataclass(frozen=True)
class Worth:
    """The share of pieces that is right, by confidence: points (confidence, share) that both rise, with lines between. Without
    points nothing is known, and a confidence counts as it is."""

    points: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, scores: Sequence[float], right: Sequence[bool]) -> "Worth":
        """The rising curve nearest to what is `right` (isotonic regression). Pieces that it says are alike count as if one more
        of them were right, and one more wrong: a few without an error don't show that none ever is."""
        if not scores:
            return cls()
        confidence, which = numpy.unique(numpy.array(scores), return_inverse=True)
        count = numpy.bincount(which)
        num_right = numpy.bincount(which, numpy.array(right, dtype=float))
        blocks = isotonic_regression(num_right / count, weights=count).blocks[:-1]
        num_right, count = numpy.add.reduceat(num_right, blocks), numpy.add.reduceat(count, blocks)
        shares = isotonic_regression((num_right + 1) / (count + 2), weights=count).x  # a small part above may not fall
        points: dict[float, float] = {}
        for first, stop, share in zip(blocks, [*blocks[1:], len(confidence)], shares, strict=True):
            points |= {float(confidence[at]): round(float(share), 4) for at in (first, stop - 1)}
        return cls(tuple(points.items()))

    def share(self, confidence: float) -> float:
        if not self.points:
            return confidence
        return float(numpy.interp(confidence, [at for at, _ in self.points], [share for _, share in self.points]))


def crossed(scores: Sequence[float], right: Sequence[bool]) -> list[float]:
    """Each piece's share by the curve of others: every fifth piece by the other four fifths."""
    shares = [0.0] * len(scores)
    for fold in range(_FOLDS):
        others = [i for i in range(len(scores)) if i % _FOLDS != fold]
        worth = Worth.of([scores[i] for i in others], [right[i] for i in others])
        shares[fold::_FOLDS] = [worth.share(score) for score in scores[fold::_FOLDS]]
    return shares


def error(scores: Sequence[float], right: Sequence[bool]) -> float:
    """How far scores are from the shares that are right, on average: pieces are parted by their scores into ten parts, and of
    each the mean score is compared with the share (expected calibration error). 0.0 if there are none."""
    if not scores:
        return 0.0
    order = numpy.argsort(scores, kind="stable")
    score, is_right = numpy.array(scores), numpy.array(right, dtype=float)
    parts = [part for part in numpy.array_split(order, _BINS) if len(part)]
    return float(sum(len(part) * abs(score[part].mean() - is_right[part].mean()) for part in parts) / len(scores))
