"""Rewards: each part by hand, and that no trick gains more than an honest reading."""

import random

import pytest

from datagen.rewards.reward import Wanted, parses, reward
from datagen.score.facts import fact
from datagen.target import Prompt

TABLE = "<table><tr><td>Name</td><td>Sum</td></tr><tr><td>Ada</td><td>12</td></tr></table>"
TRUTH = (
    "# Report\n\nAll human beings are born free and equal in dignity and rights. They are endowed with reason and conscience.\n\n"
    rf"{TABLE}" + "\n\nThe energy is \\(E = mc^2\\), or\n\n\\[\\frac{a}{b} + 1\\]\n\nEveryone has the right to life."
)
TESTS = tuple(
    fact({"id": str(n), "pdf": "a.pdf", "page": 1, "max_diffs": 0, **values})
    for n, values in enumerate(
        [
            {"type": "present", "text": "They are endowed with reason and conscience."},
            {"type": "present", "text": "Everyone has the right to life."},
            {"type": "absent", "text": "Confidential draft"},
            {"type": "order", "before": "All human beings", "after": "Everyone has the right"},
            {"type": "table", "cell": "Ada", "right": "12"},
            {"type": "math", "math": r"\frac{a}{b} + 1"},
            {"type": "baseline"},
        ]
    )
)
NUM_LETTERS = sum(map(str.isalnum, TRUTH))
JUDGES = {"truth": Wanted(TRUTH), "tests": Wanted(None, TESTS, NUM_LETTERS), "both": Wanted(TRUTH, TESTS)}


SHARES = {"truth": 0.3, "tests": 0.05, "both": 0.3}
"""How many letters of an honest reading are wrong, by what it is judged by: no sentence of one with three in ten holds whole."""


def honest(share: float, seed: int) -> str:
    """The truth with this share of its letters read wrong, outside of what is markup."""
    source, letters = random.Random(seed), list(TRUTH)
    places = [n for n, char in enumerate(letters) if char.isalpha() and TRUTH[n - 1] not in "<\\/"]
    for place in source.sample(places, round(share * len(places))):
        letters[place] = source.choice("eaiou")
    return "".join(letters)


def test_a_grounded_answer_is_judged_by_its_blocks_and_a_blank_page_answered_by_nothing():
    block = "<|ref|>text<|/ref|><|det|>[[1, 2, 30, 40]]<|/det|>\n{}\n\n<|ref|>header<|/ref|><|det|>[[1, 0, 9, 1]]<|/det|>\nPage 3"
    assert reward(block.format("Born free."), Wanted("Born free.")).total == pytest.approx(1.0)
    assert (
        [reward(answer, Wanted("")).total for answer in ("", "Invented words.")] == [1, 0] == [1, reward("", Wanted("a")).total]
    )


def test_parts_are_what_they_say():
    wrong = TRUTH.replace("12", "13").replace("mc^2", "mc^3")
    parts = reward(wrong, JUDGES["both"])
    assert parts.tests == pytest.approx(4 / 5)  # of present, order, table, math; the other two hold
    assert parts.edit == pytest.approx(1 - 2 / len(" ".join(TRUTH.split())))
    assert parts.teds is not None and 0.8 < parts.teds < 1
    assert parts.formula == pytest.approx((1 + 1 - 1 / len("E=mc^{3}")) / 2)
    assert (parts.parses, parts.repetition, parts.length) == (1, 1, 1)
    mean = (parts.tests + parts.edit + parts.teds + parts.formula) / 4
    assert parts.total == pytest.approx(mean)


def test_weights_choose_what_counts():
    wrong = TRUTH.replace("12", "13")
    assert reward(wrong, Wanted(TRUTH), weights={"formula": 1}).total == pytest.approx(1.0)
    assert reward(wrong, Wanted(TRUTH), weights={"teds": 1}).total < 0.95
    with pytest.raises(ValueError, match="weight over 0"):
        reward("a", Wanted("a"), weights={"teds": 1.0})
    with pytest.raises(ValueError, match="a truth, or tests"):
        Wanted()


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        (TABLE, 1),
        (TABLE.replace("</table>", ""), 0),
        (TABLE.replace("</tr><tr>", "<tr>"), 0),
        (r"\[a\] and \[b", 0.5),
        ("<|ref|>text<|/ref|><|det|>[[1,2", 0.5),
    ],
)
def test_what_is_broken_off_is_not_whole(answer, share):
    assert parses(answer) == pytest.approx(share)


WORDS = "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you"
HACKS = {
    "nothing": "",
    "the prompt": Prompt.MARKDOWN.value * 20,
    "one sentence again and again": "Everyone has the right to life. " * 60,
    "the page three times": "\n\n".join(["{page}"] * 3),
    "everything at once": "{page}\n\n" + " ".join(WORDS.split() * 40) + TABLE * 5,
    "all that a table may hold": "<table>" + "<tr><td>Ada</td><td>12</td></tr>" * 60 + "</table>",
    "formulas alone": "\\[\\frac{a}{b} + 1\\]" * 30,
    "what is asked for, in comments": f"<!-- {' '.join(WORDS.split() * 30)} --> Everyone has the right to life.",
}


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("hack", HACKS)
def test_no_trick_beats_an_honest_reading(hack, judge):
    """The worst of five readings beats a trick without the page's reading in it; each of them beats what is made of it."""
    readings = [honest(SHARES[judge], seed) for seed in range(5)]
    gains = [reward(reading, JUDGES[judge]).total for reading in readings]
    for reading, gain in zip(readings, gains, strict=True):
        trick = HACKS[hack].replace("{page}", reading)
        assert reward(trick, JUDGES[judge]).total < (gain if reading in trick else min(gains))


def test_hostile_answers_have_a_reward():
    hostile = ["\x00", "\ud800", "<table>" * 3000, "$" * 5000, "\\[" * 5000, "<|ref|>" * 2000, "|" * 4000 + "\n|-|\n", "{" * 9000]
    for answer in hostile:
        assert 0 <= reward(answer, JUDGES["both"]).total < 0.2
