"""Scores of what a model writes token by token."""

import math
from collections.abc import Sequence


def mean_probability(logp: Sequence[float]) -> float:
    """The geometric mean of the tokens' probabilities, of which `logp` are the logarithms, to 3 decimals: that of all of them
    together says little of a long answer."""
    return round(math.exp(sum(logp) / len(logp)), 3)
