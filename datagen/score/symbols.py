"""Formulas as they look: our variant of CDM, Character Detection Matching (Wang et al., arXiv 2409.03643; the released code is
cdm/ of github.com/opendatalab/UniMERNet, of which nothing is here).

Both formulas are drawn, and their symbols go together by what they are, where they stand, and their order, with the weights of
the released code. A pair counts if both are the same symbol, and moved as other pairs did. The score is the F1 of such pairs.

It differs from the released one:
- ziamath draws them in STIX Two, without TeX, ImageMagick and Node: `drawn_formulas`. A symbol is a glyph or a rule there, and a
  token of the LaTeX in the original. What ziamath can't draw isn't scored, if it is the truth; if it is the prediction, it is 0.
- Both have one size, so that pairs move and don't grow. Who moves together is searched, not drawn by lot (RANSAC).
So its numbers are near the published ones, and no substitute for them.
"""

import unicodedata

import numpy
from scipy.optimize import linear_sum_assignment

from datagen.formulas.drawing import EM, Drawing, NotDrawn
from datagen.formulas.render import draw

_POSITION, _ORDER = 0.05, 0.15  # against 1 for another symbol
_TOGETHER = 0.6 * EM  # pixels that symbols which move together may be apart
_MOST_GROUPS = 5  # of symbols that moved: lines, and parts of lines
_MOST_SYMBOLS = 1500


def cdm(truth: str, predicted: str) -> float | None:
    """How alike two formulas look, from 0 to 1; None where the truth can't be drawn."""
    try:
        one = draw(truth)
    except NotDrawn:
        return None
    try:
        other = draw(predicted)
    except NotDrawn:
        return 0.0
    if max(len(one.symbols), len(other.symbols)) > _MOST_SYMBOLS:
        return None
    return 2.0 * _num_same(one, other) / (len(one.symbols) + len(other.symbols))


def _num_same(one: Drawing, other: Drawing) -> int:
    """Of how many pairs both are the same symbol in the same place."""
    names = [numpy.array([unicodedata.normalize("NFKC", symbol.name) for symbol in d.symbols]) for d in (one, other)]
    boxes = [numpy.array([symbol[1:] for symbol in d.symbols]) for d in (one, other)]
    in_shares = [box / (d.ink.shape[::-1] * 2) for box, d in zip(boxes, (one, other), strict=True)]
    orders = [numpy.arange(len(box)) / len(box) for box in boxes]
    differs = names[0][:, None] != names[1]
    apart = numpy.abs(in_shares[0][:, None] - in_shares[1]).mean(axis=2)
    cost = differs + _POSITION * apart + _ORDER * numpy.abs(orders[0][:, None] - orders[1])
    first, second = linear_sum_assignment(cost)
    centres = [(box[:, :2] + box[:, 2:]) / 2 for box in boxes]
    moves = centres[1][second] - centres[0][first]
    return int((_moves_with_others(moves) & ~differs[first, second]).sum())


def _moves_with_others(moves: numpy.ndarray) -> numpy.ndarray:
    """Which of the moves, (N, 2) pixels, are about those of others: of at most `_MOST_GROUPS` groups of two or more."""
    near = numpy.hypot(*(moves[:, None] - moves).transpose(2, 0, 1)) <= _TOGETHER
    free = numpy.ones(len(moves), bool)
    for _ in range(_MOST_GROUPS):
        sizes = (near & free).sum(axis=1) * free
        if not sizes.size or sizes.max() < min(2, len(moves)):
            break
        free &= ~near[int(sizes.argmax())]
    return ~free
