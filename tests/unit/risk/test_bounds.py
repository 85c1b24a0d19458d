"""Thresholds, and how often they promise too much."""

import random

import pytest

from datagen.risk.bounds import NOBODY, cutoff, design_effect, interval, least_lines
from tests.bench.flywheel import gate as bench


def test_intervals_are_clopper_and_pearsons():
    assert interval(0, 10) == pytest.approx((0, 0.30850), abs=1e-5)  # 1 - 0.025^(1/10)
    assert interval(10, 10) == pytest.approx((0.69150, 1), abs=1e-5)
    assert interval(81, 263) == pytest.approx((0.2527, 0.3676), abs=1e-4)  # Newcombe 1998, table I
    assert interval(0, 0) == (0, 1)


def test_the_gate_opens_where_a_lower_bound_reaches_the_precision():
    scores = [i / 1000 for i in range(1000)]
    gate = cutoff(scores, [score >= 0.5 for score in scores], precision=0.97)
    assert 0.5 <= gate.confidence < 0.6
    assert (gate.num_lines, gate.num_above) == (1000, sum(score >= gate.confidence for score in scores))
    assert gate.num_right == gate.num_above
    assert gate.bound == pytest.approx((0.05 / 3) ** (1 / gate.num_above), abs=1e-4)  # a third of the risk for each search
    assert gate.bound >= 0.97


def test_few_lines_show_nothing_even_without_an_error():
    assert least_lines(0.97) == 135
    assert 0.97**135 < 0.05 / 3 < 0.97**134
    assert cutoff([0.9] * 135, [True] * 135, 0.97).num_above == 135
    gate = cutoff([0.9] * 134, [True] * 134, 0.97)
    assert gate.confidence == NOBODY
    assert gate.reason == "the bound can't be reached with 134 calibration pieces: at least 135 without an error are needed"
    assert cutoff([], [], 0.97).confidence == NOBODY


def test_lines_that_are_right_or_wrong_alike_count_as_fewer():
    right = [True, True, False, True] * 50
    assert design_effect([str(n) for n in range(200)], right) == pytest.approx(200 / 199)  # independent lines
    assert design_effect([str(n // 10) for n in range(200)], [n // 10 % 4 != 2 for n in range(200)]) == pytest.approx(
        10 * 20 / 19
    )
    assert design_effect(["a"] * 20, [True] * 19 + [False]) == design_effect(["a", "b"], [True, True]) == 1.0
    scores = [i / 1000 for i in range(1000)]
    sure, unsure = (cutoff(scores, [score >= 0.5 for score in scores], 0.97, effect=effect) for effect in (1.0, 2.0))
    assert unsure.num_above >= sure.num_above and unsure.bound < sure.bound
    assert (
        cutoff([0.9] * 269, [True] * 269, 0.97, effect=2.0).confidence
        == NOBODY
        != cutoff([0.9] * 270, [True] * 270, 0.97, effect=2.0)
    )


def test_an_error_among_few_lines_shuts_the_gate():
    gate = cutoff([0.9] * 135 + [0.1] * 25, [False] + [True] * 134 + [False] * 2 + [True] * 23, 0.97)
    assert gate.confidence == NOBODY
    assert gate.reason == "the bound can't be reached: of the most confident calibration pieces 1 of 135 and 3 of 160 are wrong"


def test_where_confidence_tells_little_all_lines_together_can_open_the_gate():
    right = [i % 100 != 0 for i in range(1000)]  # the surest line is wrong, and every hundredth one
    gate = cutoff([1 - i / 1000 for i in range(1000)], right, 0.97)
    assert (gate.num_above, gate.num_right, gate.reason) == (1000, 990, "")
    half = [*right[:500], *[i % 2 == 0 for i in range(500)]]
    gate = cutoff([1 - i / 1000 for i in range(1000)], half, 0.97)
    assert 500 <= gate.num_above < 650


def test_lines_of_one_confidence_stand_or_fall_together():
    gate = cutoff([0.9] * 150 + [0.8] * 100, [True] * 150 + [True, False] * 50, 0.97)
    assert (gate.confidence, gate.num_above) == (0.9, 150)


def test_real_lines_must_not_contradict_what_other_lines_show():
    """Typeset lines would open the gate for all. Of thirty real lines four are wrong, more than chance makes of 3%."""
    scores = [1 - i / 1000 for i in range(600)]
    real = [i >= 300 and i % 10 == 0 for i in range(600)]
    right = [not (is_real and i % 80 == 0) for i, is_real in enumerate(real)]
    assert cutoff(scores, right, 0.97).num_above == 600
    assert 135 <= cutoff(scores, right, 0.97, real=real).num_above <= 500
    few = cutoff(scores[:140], [False, *right[:139]], 0.97, real=[True] * 140)
    assert few.confidence == NOBODY and "1 of 140 (1 of 140 real ones) are wrong" in few.reason


def test_of_a_thousand_calibrations_few_gates_break_their_promise():
    for reader in (bench.SHARP, bench.BLURRED):
        simulated = bench.simulated(reader, 600, 1000)
        assert simulated.num_open >= 300
        assert simulated.num_broken <= 0.05 * simulated.num_open


def test_lines_of_one_document_count_as_few():
    """Of 2,000 lines 2.5% are wrong: spread over all documents they show 95%; in two of forty documents they don't."""
    documents = [str(i % 40) for i in range(2000)]
    spread = [i % 41 != 0 for i in range(2000)]
    together = [i % 80 > 1 for i in range(2000)]
    assert cutoff([0.9] * 2000, spread, 0.95, documents=documents).num_above == 2000
    assert cutoff([0.9] * 2000, together, 0.95).num_above == 2000
    assert cutoff([0.9] * 2000, together, 0.95, documents=documents).confidence == NOBODY


def test_the_risk_holds_on_other_documents_in_nearly_all_resamplings():
    """Regions of which the score is the chance to be right, in documents of which some are worse than their scores."""
    rng = random.Random(2)

    def regions(num_documents: int) -> list[tuple[float, bool, str]]:
        made = []
        for number in range(num_documents):
            power = 0.3 if rng.random() < 0.8 else 1.0
            scores = [rng.random() ** 0.3 for _ in range(rng.randint(5, 60))]
            made += [(score, rng.random() < score**power, str(number)) for score in scores]
        return made

    num_open = num_broken = 0
    for _ in range(100):
        scores, right, documents = zip(*regions(80), strict=True)
        gate = cutoff(scores, right, 0.9, documents=documents)
        if gate.confidence == NOBODY:
            continue
        num_open += 1
        above = [is_right for score, is_right, _ in regions(300) if score >= gate.confidence]
        num_broken += sum(above) < 0.9 * len(above)
    assert num_open >= 90
    assert num_broken <= 0.1 * num_open
