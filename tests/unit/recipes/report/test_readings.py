"""What the report says of a round's readings: reliability, yield and confusions, as the round wrote them down; and audits."""

import json

import pytest

from datagen.disk.storage import Folder
from flywheel.step import CALIBRATION
from recipes.report import render
from recipes.report.readings import Piece, readings_sections, reliability

AUDIT = {
    "round": 1, "by": {"<i>Eva": 2}, "all": {"num_asked": 3, "num_judged": 2, "num_skipped": 1, "num_right": 1, "precision":
    0.5, "precision_low": 0.01, "precision_high": 0.99}, "languages": { "ru": {"num_asked": 3, "num_judged": 0, "num_skipped":
    0, "num_right": 0, "precision": None, "layer": "no layer"} },
}  # fmt: skip


def piece(score: float, is_right: bool = True, num_chars: int = 10, lang: str = "ru") -> Piece:
    return Piece(lang, "agreed", score, is_right, num_chars)


def test_reliability_is_by_as_many_pieces_each():
    surest = [piece(0.9 + i / 1000) for i in range(25)]
    doubtful = [piece(0.2 + i / 1000, is_right=i < 5) for i in range(25)]
    low, high = reliability([*surest, *doubtful])
    assert low[:2] == (pytest.approx(0.212), 0.2) and low[3] == 25
    assert low[2][0] < 0.2 < low[2][1] < 0.5
    assert high[:2] == (pytest.approx(0.912), 1.0) and high[2][1] == 1.0 and high[2][0] > 0.8
    assert reliability(surest[:19]) == []


def written(tmp_path, **readers: list[Piece]) -> Folder:
    folder = Folder(str(tmp_path / "round-1"))
    folder.write(CALIBRATION, json.dumps(readers).encode())
    return folder


ROW = {
    "cer": 0.02, "cluster_rate": 0.021, "space_rate": 0.13, "num_chars": 1_000,
    "confusions": [["о", "<", 3], ["", "ि", 2], [" ", "", 1]],
}  # fmt: skip


def metrics(**languages: dict) -> dict:
    gates = {"agreed": {"confidence": 0.905}, "alone": {"confidence": None}}
    return {"round": 1, "gates": {"Cyrl": gates}, "languages": languages}


def test_a_gate_is_shown_by_its_strata(tmp_path):
    agreed = [piece(0.9 + i / 1000, lang="<b>") for i in range(30)]
    alone = [piece(0.5, is_right=False)._replace(stratum="alone")] * 3
    folder = written(tmp_path, Cyrl=[*agreed, *alone], Grek=[])
    (section,) = readings_sections("flywheel", metrics(), folder, {}, 0.97)
    html = render("t", [], [section]).decode()
    assert html.count("<polyline") == 1 and html.count("<circle") == 2  # by confidence, and by score
    assert "confidence, 0 to 1; off by 8.5 points" in html  # all are right, and are .9145 sure on average
    assert "score, 0 to 1; off by 3.8 points" in html  # of 24 others all are right: 25/26
    assert 'opens at 0.905: 83% of the characters,</span><br><span class="num">25 of 25 pieces right' in html
    assert "97% right: 100% of the characters" in html
    assert "shut" in html and "too few pieces for a curve" in html
    assert "&lt;b&gt;" in html and "<b>" not in html.split("<main")[1].split("<table")[1]


def test_errors_are_shown_as_signs_with_the_rates_that_say_more(tmp_path):
    found = readings_sections("flywheel", metrics(hi=ROW, ru={"confusions": ()}), Folder(str(tmp_path)), {}, 0.97)
    (section,) = found
    html = render("t", [], found).decode()
    assert section.id == "flywheel-confusions"
    assert "<bdi>о</bdi> → <bdi>&lt;</bdi> <small>3</small>" in html
    assert "<bdi>∅</bdi> → <bdi>◌ि</bdi>" in html and "<bdi>␣</bdi> → <bdi>∅</bdi>" in html
    assert "spaces 13.00%" in html and "with their marks 2.10%" not in html


def test_audits_are_shown(tmp_path):
    found = readings_sections("flywheel", metrics(), Folder(str(tmp_path)), {"audit-1": AUDIT}, 0.97)
    html = render("t", [], found).decode()
    assert [section.id for section in found] == ["flywheel-audits"]
    assert "50.0%</span> <small>(1.0 to 99.0)" in html and "no layer" in html
    assert "<i>Eva" not in html and "&lt;i&gt;Eva" in html
