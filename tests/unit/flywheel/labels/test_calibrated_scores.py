"""What a confidence is worth, by pieces whose truth is known."""

import random

import pytest

from flywheel.labels.calibrated_scores import Worth, crossed, error


def test_the_curve_rises_and_says_how_many_are_right():
    # Of the surest twenty all are right, of the others half are, whatever their confidence.
    scores = [0.2] * 20 + [0.4] * 20 + [0.9] * 20
    right = [i % 2 == 0 for i in range(40)] + [True] * 20
    worth = Worth.of(scores, right)
    assert worth.share(0.2) == worth.share(0.3) == worth.share(0.4) == pytest.approx(0.5, abs=0.01)
    assert worth.share(0.9) == pytest.approx(21 / 22, abs=1e-4)  # twenty without an error don't show that none is wrong
    assert worth.share(0.4) < worth.share(0.6) < worth.share(0.9)
    assert worth.share(0.0) == worth.share(0.2) and worth.share(1.0) == worth.share(0.9)


def test_nobody_who_was_tested_leaves_the_confidence_as_it_is():
    assert Worth.of([], []).share(0.3) == Worth().share(0.3) == 0.3
    assert crossed([], []) == [] and error([], []) == 0.0


def test_scores_of_readers_that_are_too_bold_or_too_shy_come_near_the_truth():
    draw = random.Random(0)
    truth = [draw.random() for _ in range(2000)]
    right = [draw.random() < share for share in truth]
    for scores in ([share**0.3 for share in truth], [share**3 for share in truth]):
        assert error(scores, right) > 0.15
        assert error(crossed(scores, right), right) < 0.05


def test_a_piece_has_no_part_in_the_curve_that_judges_it():
    scores = [0.5] * 10
    shares = crossed(scores, [False] * 5 + [True] * 5)  # every fifth piece: one of the first five, one of the last
    assert shares == pytest.approx([0.5] * 10, abs=1e-4)
    shares = crossed(scores, [True] * 9 + [False])
    assert shares[4] == shares[9] == pytest.approx(9 / 10) and shares[0] == pytest.approx(8 / 10)
