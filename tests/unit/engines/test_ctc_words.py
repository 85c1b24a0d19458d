"""Where symbols stand, and how probable words are, on log-probabilities written by hand."""

import itertools
import math

import numpy
import pytest
import torch

from datagen.engines.ctc_words import Spelling, probabilities, spell

SPACE = 3  # classes: 0 blank, 1 а, 2 б, 3 the space


def frames(*rows: tuple[float, float, float, float]) -> torch.Tensor:
    """(T, A) log-probabilities of these shares, a frame a row."""
    return torch.tensor(rows, dtype=torch.float32).clamp_min(1e-6).log()


def spelled(logp_TA: torch.Tensor) -> Spelling:
    (line,) = spell(logp_TA[None], torch.tensor([len(logp_TA)]), SPACE)
    return line


def by_hand(shares: numpy.ndarray, text: tuple[int, ...]) -> float:
    """The probability of `text` as the sum over all paths."""
    total = 0.0
    for path in itertools.product(range(shares.shape[1]), repeat=len(shares)):
        collapsed = tuple(c for c, _ in itertools.groupby(path) if c)
        if collapsed == text:
            total += math.prod(float(shares[t, c]) for t, c in enumerate(path))
    return total


TWO_WORDS = (
    (0.2, 0.7, 0.1, 0.0),  # а
    (0.8, 0.1, 0.1, 0.0),
    (0.3, 0.0, 0.1, 0.6),  # the space
    (0.1, 0.1, 0.8, 0.0),  # б
    (0.6, 0.3, 0.1, 0.0),
)


def test_symbols_and_words_lie_on_their_frames():
    line = spelled(frames(*TWO_WORDS))
    assert (line.classes, line.first, line.stop) == ((1, 3, 2), (0, 2, 3), (1, 3, 4))
    assert line.words == ((0, 1), (2, 3)) and line.columns == (0, 1, 2, 3)
    assert [line.of_words(*at) for at in ((0, 1), (1, 2), (0, 2), (1, 1))] == [(1,), (2,), (1, 3, 2), ()]
    assert [line.gap(word) for word in range(3)] == [(0, 0), (1, 3), (4, 5)]
    assert line.num_frames == 5


def test_a_line_is_as_probable_as_all_of_its_alignments_together():
    (found,) = probabilities([(spelled(frames(*TWO_WORDS)), 0, 2)])
    assert found == pytest.approx(by_hand(numpy.array(TWO_WORDS), (1, 3, 2)), rel=1e-4)


def test_a_word_has_its_own_frames_and_the_space_beside_it():
    shares = numpy.array(TWO_WORDS)
    first, second = probabilities([(spelled(frames(*TWO_WORDS)), word, word + 1) for word in range(2)])
    left = shares[:3].copy()
    left[1:, 0] += left[1:, 2]  # б, which follows, may begin in the gap
    assert first == pytest.approx(by_hand(left, (1, 3)), rel=1e-4)
    right = shares[1:].copy()
    right[:2, 0] += right[:2, 1]  # а, which goes before, may last into it
    assert second == pytest.approx(by_hand(right, (3, 2)), rel=1e-4)


def test_lines_without_a_space_are_one_word_and_empty_ones_have_none():
    rows = ((0.1, 0.8, 0.1, 0.0), (0.9, 0.0, 0.1, 0.0), (0.1, 0.1, 0.8, 0.0))
    (line,) = spell(frames(*rows)[None], torch.tensor([3]), -1)
    assert line.words == ((0, 2),)
    assert spelled(frames((0.9, 0.1, 0.0, 0.0))).words == ()
    spaces = spelled(frames((0.1, 0.0, 0.0, 0.9), (0.1, 0.9, 0.0, 0.0), (0.1, 0.0, 0.0, 0.9)))
    assert spaces.words == ((1, 2),)
    assert probabilities([]) == []
    (found,) = probabilities([(spaces, 0, 1)])
    assert 0 < found <= 1
