"""The comparison of an ablation's arms, by readings made by hand: differences and intervals that are known beforehand."""

import math

import numpy
import pytest
from scipy import stats

from recipes.ablate import Arm, Compare, HoldOut
from recipes.ablation.comparison import Drawn, compared, over_seeds, unlike

CHARS = [10] * 40
EACH_ITS_OWN = [f"d{n}" for n in range(40)]


def edits(*seeds: list[int]) -> numpy.ndarray:
    return numpy.array(seeds, float)


def test_the_bootstrap_has_the_width_that_theory_gives():
    """Of samples of equal length the rate is a mean, whose standard error is known."""
    random = numpy.random.default_rng(1)
    values = random.integers(0, 8, 400)
    low, high = Drawn(numpy.full(400, 10.0), range(400), 4000, 0).interval(values.astype(float))
    error = values.std() / math.sqrt(400) / 10
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.06)
    assert (high + low) / 2 == pytest.approx(values.mean() / 10, rel=0.01)


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


def test_the_interval_over_seeds_is_students():
    mean, reach = -0.02, stats.t.ppf(0.975, 2) * 0.01 / math.sqrt(3)
    assert over_seeds((-0.01, -0.02, -0.03)) == pytest.approx((mean - reach, mean + reach))
    assert over_seeds((-0.01,)) is None


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
