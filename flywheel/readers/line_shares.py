"""How often each line is learned."""

from collections import Counter
from collections.abc import Sequence

import numpy

from flywheel.lines.crops import Crop

_ENOUGH_LINES = 1_000  # of documents, so that they are half of what is learned of a language


def weights_of(crops: Sequence[Crop]) -> list[float]:
    """How often each line is learned, beside the others. A language's share grows by the square root of how many lines it has.
    Of a language that has text to typeset, lines of documents are at most half of what is learned, and less where they are
    few."""
    counts, images = Counter(c.lang for c in crops), Counter(c.lang for c in crops if c.image)
    weights = []
    for crop in crops:
        num, num_images = counts[crop.lang], images[crop.lang]
        weight = num**-0.5
        if 0 < num_images < num:
            share = min(0.5, num_images / _ENOUGH_LINES)
            weight *= num * (share / num_images if crop.image else (1 - share) / (num - num_images))
        weights.append(weight)
    return weights


def shares_of(crops: Sequence[Crop]) -> numpy.ndarray:
    """The probability of each line when one is drawn."""
    weights = numpy.array(weights_of(crops))
    return weights / weights.sum()
