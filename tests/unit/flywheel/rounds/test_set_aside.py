"""Rounds that are set aside: where they lie, which numbers are taken, and a kill on the way."""

import json
import shutil

import pytest

from datagen.disk.storage import Folder
from flywheel.rounds import set_aside
from flywheel.step import next_number, numbers, numbers_aside, page_folders, round_folders, round_metrics, whole_rounds
from recipes.__main__ import main
from recipes.verbs import rounds as verb
from tests.commits import at_every_commit, killed_before

LANGUAGE = {
    "script": "Cyrl", "not_served": "", "cer": 0.05, "tesseract_cer": 0.01,
    "existing_is_better": True, "num_accepted": 30, "rejected": {"views_differ": 10}, "chars_read": 400, "chars_accepted": 300,
}  # fmt: skip
LABELS = {"num_accepted": 30, "num_right": 29, "precision": 0.9667, "precision_low": 0.8, "precision_high": 0.99}


def write_round(out: Folder, number: int, comes_from: str = "", whole: bool = True, cer: float = 0.05) -> None:
    """The files that say what a round is, a reader among them."""
    folder = out.sub(f"round-{number}")
    folder.write("round.json", b"{}")
    folder.write("learned_from.json", json.dumps({"Cyrl": ["d" * 64]}).encode())
    folder.write("reader/Cyrl/config.json", b"{}")
    if whole:
        languages = {"ru": LANGUAGE | {"cer": cer}, "am": LANGUAGE | {"not_served": "no line", "cer": None}}
        gates = {"Cyrl": {"agreed": {"confidence": 0.981 if number > 1 else None}}}
        verdict = {"kept": True, "reason": "", "changes": {}}
        made = {"round": number, "verdict": verdict, "from": comes_from, "languages": languages, "labels": LABELS, "gates": gates}
        folder.write("metrics.json", json.dumps(made).encode())


@pytest.fixture
def out(tmp_path) -> Folder:
    """Four rounds; the third one was set aside."""
    out = Folder(str(tmp_path / "out"))
    for number, comes_from in ((1, ""), (2, "round-1"), (3, "round-2")):
        write_round(out, number, comes_from, cer=0.05 / number)
    set_aside.set_aside(out, 3, set_aside.RULE, "ru got worse")
    write_round(out, 4, "round-2")
    return out


def test_a_number_is_never_used_again_and_gaps_are_no_end(out):
    assert (numbers(out), numbers_aside(out), next_number(out)) == ([1, 2, 4], [3], 5)
    assert round_folders(out) == whole_rounds(out) == ["round-1", "round-2", "round-4"]
    assert [metrics["round"] for metrics in round_metrics(out)] == [1, 2, 4]
    set_aside.set_aside(out, 4, set_aside.RULE, "no gain")
    assert next_number(out) == 5
    write_round(out, 5, "round-2", whole=False)
    assert next_number(out) == 5
    write_round(out, 10, "round-5")
    assert numbers(out) == [1, 2, 5, 10]


def test_rounds_are_set_aside_whole_and_say_why(out):
    before = sorted(p.relative_to(out.local / "round-2") for p in (out.local / "round-2").rglob("*"))
    assert set_aside.roll_back(out, 1) == [2, 4]
    moved = out.local / "aside-round-2"
    assert sorted(p.relative_to(moved) for p in moved.rglob("*") if p.name != "aside.json") == before
    assert [(a.number, a.by) for a in set_aside.of(out)] == [(2, "rollback"), (3, "rule"), (4, "rollback")]
    assert set_aside.of(out)[0].reason == "rolled back to round-1"
    assert set_aside.metrics(out, 2)["from"] == "round-1"
    assert (whole_rounds(out), next_number(out)) == (["round-1"], 5)
    assert set_aside.roll_back(out, 1) == []
    assert set_aside.roll_back(out, 0) == [1]
    assert (whole_rounds(out), next_number(out)) == ([], 5)


def test_a_round_that_is_not_whole_begins_anew_under_its_number(out):
    write_round(out, 5, "round-4", whole=False)
    assert set_aside.roll_back(out, 4) == [5]
    assert (numbers(out), numbers_aside(out), next_number(out)) == ([1, 2, 4], [3], 5)
    assert not list((out.local / "round-5").rglob("*.json"))


def test_only_rounds_that_are_there_can_be_gone_back_to(out):
    with pytest.raises(ValueError, match=r"rollback=3: round 3 is set aside already; .* 0 \(from nothing\), 1, 2, 4"):
        set_aside.roll_back(out, 3)
    with pytest.raises(ValueError, match="rollback=9: round 9 isn't there"):
        set_aside.roll_back(out, 9)


def test_killed_anywhere_every_state_is_one_gone_back_to_and_the_same_command_finishes(out, tmp_path):
    write_round(out, 5, "round-4", whole=False)

    def end(number: int) -> None:
        verb.roll_back(str(shutil.copytree(out.local, tmp_path / f"out{number}")), 1)

    def goes_on(number: int, name: str) -> None:
        killed = Folder(str(tmp_path / f"out{number}"))
        assert numbers(killed) == [1, 2, 4, 5][: len(numbers(killed))], name
        assert numbers_aside(killed)[:1] == [3] or numbers(killed) == [1]
        verb.roll_back(killed.url, 1)
        assert sorted(p.name for p in killed.local.glob("*round-*/metrics.json") or ()) == ["metrics.json"] * 4
        assert sorted(killed.folders()) == ["aside-round-2", "aside-round-3", "aside-round-4", "round-1", "round-5"]
        assert (numbers(killed), numbers_aside(killed)) == ([1], [2, 3, 4])

    names = at_every_commit(end, goes_on)
    assert {"aside.json", "round-4", "round-2", "round.json"} <= set(names)


def test_the_pages_of_a_round_go_where_it_goes(out):
    for number in (2, 4):
        out.write(f"pages-round-{number}/census/a", b"")
    out.write("pages-round-5/census/a", b"")
    write_round(out, 5, "round-4", whole=False)
    assert page_folders(out) == ["pages-round-2", "pages-round-4", "pages-round-5"]
    with killed_before(2):  # the mark is written, and the pages are moved
        set_aside.set_aside(out, 4, set_aside.RULE, "no gain")
    assert [out.exists(name) for name in ("pages-round-4", "aside-pages-round-4", "round-4")] == [False, True, True]
    assert page_folders(out) == ["pages-round-2", "pages-round-5"]
    set_aside.roll_back(out, 1)
    assert not out.exists("pages-round-5/census")
    assert out.exists("aside-pages-round-2/census/a") and out.exists("aside-pages-round-4/census/a")
    assert set_aside.folders(out)[:2] == ["aside-pages-round-2", "aside-round-2"]
    set_aside.clear(out)
    assert [name for name in out.folders() if "aside" in name] == []


def test_the_state_is_a_table_that_says_what_each_round_came_from(out, capsys):
    assert main(["flywheel", f"out={out.url}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 rounds, 1 set aside; the next is round-5, from round-4"
    words = [" ".join(line.split()) for line in lines]
    assert "round-1 nothing kept 30 96.7% (80.0% to 99.0%) Cyrl shut" in words
    assert "round-3 round-2 set aside 30 96.7% (80.0% to 99.0%) Cyrl 0.981" in words
    assert any(line.startswith("round-3 was set aside on ") and line.endswith(": ru got worse") for line in lines)
    assert "language script Tesseract round-1 round-2 round-3* round-4 labelled" in words
    assert "ru Cyrl 1.00% 5.00% 2.50% 1.67% 5.00% 75% of 400" in words
    assert "am isn't served: no line" in words
    assert "Tesseract still reads better, beyond the interval of ours: ru" in words


def test_the_verb_goes_back_and_refuses_what_is_no_flywheel(out, tmp_path, capsys):
    assert main(["flywheel", f"out={out.url}", "rollback=2"]) == 0
    assert capsys.readouterr().out == "set aside: round-4; the next round is round-5, from round-2\n"
    assert main(["flywheel", f"out={tmp_path / 'nothing'}"]) == 2
    assert "no round of a flywheel is there" in capsys.readouterr().err
    assert main(["flywheel", f"out={tmp_path / 'nothing'}", "rollback=1"]) == 2
    assert not (tmp_path / "nothing").exists()
