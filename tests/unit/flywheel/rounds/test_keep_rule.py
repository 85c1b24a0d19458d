"""Which rounds are kept, by their errors line by line; and when there are enough of them."""

import json
import random

import pytest

from datagen.disk.storage import Folder
from flywheel.pools.lineage import RoundReader
from flywheel.rounds import set_aside
from flywheel.rounds.keep_rule import RISK, judge, verdict
from flywheel.rounds.loop import settle
from flywheel.rounds.set_aside import MOST, enough, num_to_read
from flywheel.step import AUTO, Flywheel, whole_rounds


def lines(share: float, count: int = 300, seed: int = 0, length: int = 40) -> dict[str, tuple[int, int]]:
    """Lines in which each character is wrong with that probability."""
    draw = random.Random(seed)
    return {f"l{i}": (sum(draw.random() < share for _ in range(length)), length) for i in range(count)}


def test_a_round_that_is_better_in_one_language_and_the_same_in_others_is_kept():
    made = verdict({"ru": lines(0.05, seed=1), "el": lines(0.2)}, {"ru": lines(0.05, seed=2), "el": lines(0.15, seed=3)})
    assert made.kept
    assert made.changes["el"].p_better < 0.001 < made.changes["ru"].p_better
    assert made.changes["el"].before == pytest.approx(0.2, abs=0.02)
    assert made.changes["el"].now == pytest.approx(0.15, abs=0.02)


def test_a_round_that_is_worse_in_one_language_is_not_kept_whatever_it_gains_in_others():
    made = verdict({"ru": lines(0.03), "el": lines(0.2)}, {"ru": lines(0.06, seed=2), "el": lines(0.02)})
    assert not made.kept
    assert made.reason.startswith("worse than the round that it comes from: ru 3.29% -> 6.02%")
    assert "el" not in made.reason


def test_no_gain_is_no_reason_to_keep_a_round_unless_somebody_says_so():
    same = {"ru": lines(0.05)}
    assert verdict(same, same).reason.startswith("no gain")
    assert verdict(same, same, needs_gain=False).kept
    assert not verdict(same, {"ru": lines(0.15, seed=5)}, needs_gain=False).kept


def test_each_reader_is_compared_with_the_one_that_it_started_from():
    """Of two readers of a script, the one that a language is measured by may be well, and the other one spoilt."""
    readers = [RoundReader(f"Cyrl-{fold}", "Cyrl", (fold,), "Cyrl", "", frozenset()) for fold in "ab"]
    before = {"Cyrl": {"ru": lines(0.05)}}
    now = {"Cyrl-a": {"ru": lines(0.02, seed=1)}, "Cyrl-b": {"ru": lines(0.3, seed=2)}}
    assert judge(readers, None, now).kept
    made = judge(readers, before, now)
    assert made.reason.startswith("worse than the round that it comes from: ru (Cyrl-b) ")
    assert made.changes.keys() == {"ru (Cyrl-a)", "ru (Cyrl-b)"}
    assert judge(readers, before, now | {"Cyrl-b": {"ru": lines(0.05)}}).kept
    assert judge(readers, before | {"Grek": {"el": lines(0.1)}}, now).reason.endswith("el is not read any more")
    new = RoundReader("Grek", "Grek", ("a",), "", "", frozenset())
    assert judge([new], {}, {"Grek": {"el": lines(0.1)}}).kept


def test_few_lines_say_nothing():
    before, now = {"ru": {"a": (9, 40), "b": (9, 40)}}, {"ru": {"a": (0, 40), "b": (0, 40)}}
    assert verdict(before, now).changes["ru"].p_better == pytest.approx(0.25, abs=0.02)
    assert not verdict(before, now).kept
    assert verdict(now, before, needs_gain=False).kept
    assert verdict({"ru": {}}, {"ru": {}}, needs_gain=False).changes == {}


def test_readers_that_are_as_good_are_rarely_called_worse_or_better():
    """Nine languages: by chance alone, under 5% of rounds are refused as worse, and under 5% kept as better."""
    num_worse = num_better = 0
    for turn in range(60):
        sides = [{f"l{n}": lines(0.05, 40, seed=1000 * turn + 10 * n + side, length=20) for n in range(9)} for side in (0, 1)]
        made = verdict(*sides)
        num_worse += "worse" in made.reason
        num_better += made.kept
    assert num_worse <= 60 * RISK * 2.5
    assert num_better <= 60 * RISK * 2.5


def write_round(out: Folder, number: int, comes_from: str = "", reason: str = "", **rejected: int) -> None:
    folder = out.sub(f"round-{number}")
    folder.write("round.json", b"{}")
    made = {
        "round": number,
        "from": comes_from,
        "verdict": {"kept": not reason, "reason": reason, "changes": {}},
        "languages": {"ru": {"rejected": rejected}},
    }
    folder.write("metrics.json", json.dumps(made).encode())


def test_a_round_that_is_not_kept_is_set_aside_and_counts_among_those_that_exist(tmp_path):
    out = Folder(str(tmp_path))
    write_round(out, 1, low_confidence=9)
    settle(out)
    assert (enough(Flywheel("coarse", rounds=2), out), enough(Flywheel("coarse", rounds=AUTO), out)) == ("", "")
    write_round(out, 2, "round-1", reason="no gain")
    settle(out)
    assert whole_rounds(out) == ["round-1"]
    assert [(a.number, a.by, a.reason) for a in set_aside.of(out)] == [(2, set_aside.RULE, "no gain")]
    assert enough(Flywheel("coarse", rounds=2), out) == "2 rounds are made, 1 of them set aside by the rule"
    assert enough(Flywheel("coarse", rounds=3), out) == ""
    assert enough(Flywheel("coarse", rounds=AUTO), out) == "round-2 brought nothing, so no other is tried: no gain"
    write_round(out, 3, "round-1", low_confidence=5)
    assert enough(Flywheel("coarse", rounds=AUTO), out) == ""
    assert enough(Flywheel("coarse", rounds=3), out).startswith("3 rounds are made")


def test_auto_ends_where_nothing_is_left_to_read_and_after_the_most_rounds(tmp_path):
    out = Folder(str(tmp_path))
    write_round(out, 1, too_small=3, turned=2)
    assert enough(Flywheel("coarse", rounds=AUTO), out) == "round-1 left nothing more to read"
    assert (
        num_to_read(
            {"languages": {"ru": {"rejected": {"too_small": 3, "look_alike": 2}}, "el": {"rejected": {"views_differ": 1}}}}
        )
        == 3
    )
    for number in range(1, MOST + 1):
        write_round(out, number, f"round-{number - 1}" if number > 1 else "", low_confidence=3)
    assert enough(Flywheel("coarse", rounds=AUTO), out) == f"{MOST} rounds are made"
