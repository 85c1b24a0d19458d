"""The comparison of an ablation's arms, by readings made by hand: differences and intervals that are known beforehand."""

import math

import numpy
import pytest
from scipy import stats

from recipes.ablate import Arm, Compare, HoldOut
from recipes.ablation.comparison import Drawn, better, compared, over_seeds, unlike

CHARS = [10] * 40
EACH_ITS_OWN = [f"d{n}" for n in range(40)]


def edits(*seeds: list[int]) -> numpy.ndarray:
    return numpy.array(seeds, float)


def test_rates_and_their_difference():
    a, b = [2] * 40, [1] * 40
    table = compared({"a": edits(a, a), "b": edits(b, b)}, CHARS, EACH_ITS_OWN)
    assert table["arms"]["a"]["error"] == pytest.approx(0.2) and table["arms"]["b"]["error"] == pytest.approx(0.1)
    (difference,) = table["differences"]
    assert (difference["a"], difference["b"], difference["verdict"]) == ("a", "b", "b")
    # Every sample differs by as much, in every seed: there is nothing that chance could have made otherwise.
    for interval in ("samples", "documents", "seeds"):
        assert difference[interval] == pytest.approx((-0.1, -0.1))
    assert (table["num"], table["num_characters"], table["num_documents"]) == (40, 400, 40)


def test_long_samples_count_by_their_characters():
    table = compared({"a": edits([9, 0]), "b": edits([0, 1])}, [90, 10], ["x", "y"])
    assert table["arms"]["a"]["error"] == pytest.approx(0.09) and table["arms"]["b"]["error"] == pytest.approx(0.01)


def test_the_bootstrap_has_the_width_that_theory_gives():
    """Of samples of equal length the rate is a mean, whose standard error is known."""
    random = numpy.random.default_rng(1)
    values = random.integers(0, 8, 400)
    low, high = Drawn(numpy.full(400, 10.0), range(400), 4000, 0).interval(values.astype(float))
    error = values.std() / math.sqrt(400) / 10
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.06)
    assert (high + low) / 2 == pytest.approx(values.mean() / 10, rel=0.01)


def test_samples_are_drawn_in_pairs():
    """Arms that are wrong in the same samples are told apart, although samples differ by far more than the arms."""
    hard = [0, 9] * 20
    table = compared({"a": edits(hard), "b": edits([max(0, n - 1) for n in hard])}, CHARS, EACH_ITS_OWN)
    (difference,) = table["differences"]
    a, b = (table["arms"][arm]["samples"] for arm in "ab")
    assert b[0] < a[0] < b[1] < a[1]  # the arms' own intervals overlap
    assert difference["samples"][1] < 0


def test_samples_of_one_document_tell_less_than_as_many_documents():
    """Each document's samples are all alike: there are ten facts, not a hundred."""
    apart = [(-1) ** n * 2 + 1 for n in range(10) for _ in range(10)]
    a, b = edits([5] * 100, [5] * 100), edits(*[[5 + n for n in apart]] * 2)
    documents = [f"d{n}" for n in range(10) for _ in range(10)]
    (difference,) = compared({"a": a, "b": b}, [10] * 100, documents)["differences"]
    wide, narrow = (high - low for low, high in (difference["documents"], difference["samples"]))
    assert wide / narrow == pytest.approx(math.sqrt(10), rel=0.15)
    assert difference["samples"][0] > 0 > difference["documents"][0]
    assert difference["verdict"] == ""
    few = compared({"a": a, "b": b}, [10] * 100, ["d"] * 50 + ["e"] * 50)
    assert few["differences"][0]["documents"] is None and few["differences"][0]["verdict"] == "a"


def test_seeds_that_disagree_leave_it_open():
    a, b = edits([2] * 40, [2] * 40, [2] * 40), edits([1] * 40, [1] * 40, [3] * 40)
    (difference,) = compared({"a": a, "b": b}, CHARS, EACH_ITS_OWN)["differences"]
    assert difference["by_seed"] == pytest.approx((-0.1, -0.1, 0.1))
    assert difference["samples"][1] < 0 < difference["seeds"][1] and difference["verdict"] == ""


def test_the_interval_over_seeds_is_students():
    mean, reach = -0.02, stats.t.ppf(0.975, 2) * 0.01 / math.sqrt(3)
    assert over_seeds((-0.01, -0.02, -0.03)) == pytest.approx((mean - reach, mean + reach))
    assert over_seeds((-0.01,)) is None


def test_three_arms_are_compared_two_by_two():
    found = compared({arm: edits([n] * 40, [n] * 40) for n, arm in enumerate("abc")}, CHARS, EACH_ITS_OWN)["differences"]
    assert [(one["a"], one["b"], one["verdict"]) for one in found] == [("a", "b", "a"), ("a", "c", "a"), ("b", "c", "b")]


def test_one_interval_that_holds_zero_is_enough_against_a_verdict():
    assert better("a", "b", [(-2, -1), None, (-3, -0.1)]) == "b"
    assert better("a", "b", [(-2, -1), (-3, 0.1)]) == ""
    assert better("a", "b", [(1, 2), (0.1, 3)]) == "a"
    assert better("a", "b", [(0, 0)]) == ""


def test_there_is_no_verdict_on_what_can_not_be_judged():
    a, b = [2] * 40, [1] * 40
    assert compared({"a": edits(a), "b": edits(b)}, CHARS, EACH_ITS_OWN)["differences"][0]["verdict"] == ""  # one seed
    seeds = {"a": edits(a, a), "b": edits(b, b)}
    assert compared(seeds, CHARS, EACH_ITS_OWN)["differences"][0]["verdict"] == "b"
    assert compared(seeds, CHARS, EACH_ITS_OWN, blind={"a"})["differences"][0]["verdict"] == ""
    wrong = {"a": edits([20] * 40, [20] * 40), "b": edits([9] * 40, [9] * 40)}
    assert compared(wrong, CHARS, EACH_ITS_OWN)["differences"][0]["verdict"] == ""  # neither reads
    reads = wrong | {"b": edits([8] * 40, [8] * 40)}
    assert compared(reads, CHARS, EACH_ITS_OWN)["differences"][0]["verdict"] == "b"


def test_without_text_there_is_nothing_to_compare():
    with pytest.raises(ValueError, match="a truth with text is needed"):
        compared({"a": edits([])}, [], [])
    with pytest.raises(ValueError, match="a truth with text is needed"):
        compared({"a": edits([1])}, [0], ["d"])


ALIKE = {"num_train": 1000, "num_seen": 3000, "num_tokens": 9000, "num_left_out": 0, "looks": [True, True]}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, []),
        ({"num_train": 600}, []),
        ({"num_train": 500}, ["a has 1,000 samples and b has 500 samples: in equal steps those of b come more often"]),
        (
            {"num_train": 100},
            [
                "a has 1,000 samples and b has 100 samples: in equal steps those of b come more often",
                "b has too few samples: each of its 100 was learned from 30 times",
            ],
        ),
        ({"num_tokens": 5000}, ["in equal steps arms learned from unequal amounts of text, in tokens: a 9,000 and b 5,000"]),
        ({"num_left_out": 500}, ["of b 500 samples were left out, beside 1,000 learned from"]),
        ({"looks": [True, False]}, ["b doesn't look at the images with seed 1: its errors say nothing of its labels"]),
    ],
)
def test_arms_that_are_unlike_are_named(other, said):
    assert unlike({"a": ALIKE, "b": ALIKE | other}) == said


def test_what_can_not_be_compared_is_refused():
    with pytest.raises(ValueError, match="1 arms can't be compared: two at least"):
        Compare((Arm("a", ("a-0",)),), ("truth",))
    with pytest.raises(ValueError, match="as many seeds each"):
        Compare((Arm("a", ("a-0",)), Arm("b", ("b-0", "b-1"))), ("truth",))
    with pytest.raises(ValueError, match="share is 0: it must be above 0"):
        HoldOut(("a",), 0)
