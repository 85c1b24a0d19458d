"""What the report says of a round's readings: reliability, yield and confusions, by a layer that the readers never saw."""

from dataclasses import replace

import pytest

from datagen.record import Box, Drop, Line, Origin, Quality, Range, Reading, Region, Sample
from datagen.shards import read_reports
from datagen.storage import Folder
from recipes.report import render
from recipes.report.readings import Judged, confusions, judged, readings_sections, reliability, yields
from tests.outputs import write_dataset
from tests.unit.test_gold import page

RIGHT = Judged("ru", "кот рот", "кот рот", 0.99, True, True, True)


def test_the_commonest_wrong_characters_come_first():
    wrong = replace(RIGHT, is_right=False, text="кат рот")
    lines = [wrong, wrong, replace(wrong, text="котрот"), replace(wrong, text="кот рот!"), RIGHT]
    assert confusions(lines) == [("о", "а", 2), ("∅", "!", 1), ("␣", "∅", 1)]


def test_a_part_of_a_row_another_line_and_leaders_confuse_nothing():
    wrong = replace(RIGHT, is_right=False)
    parts = [replace(wrong, text="кот"), replace(wrong, text="сон сын"), replace(wrong, truth="")]
    assert confusions([*parts, replace(wrong, text="рот ......... 7", truth="кот ......... 7")]) == []


def test_a_mark_is_shown_on_a_circle():
    assert confusions([replace(RIGHT, is_right=False, truth="कि कि", text="की कि")]) == [("◌ि", "◌ी", 1)]


def test_reliability_is_by_steps_of_confidence():
    lines = [
        replace(RIGHT, score=0.91),
        replace(RIGHT, score=0.95, is_right=False),
        replace(RIGHT, score=1.0),
        replace(RIGHT, score=0.05),
    ]
    assert reliability(lines) == [(0.05, 1.0, 1), (pytest.approx(0.9533, abs=1e-3), pytest.approx(2 / 3), 3)]


def test_yield_grows_as_the_threshold_falls():
    sure = [replace(RIGHT, score=0.9 - i / 1000) for i in range(20)]
    doubtful = [replace(RIGHT, score=0.1, is_right=False, text="к" * 14)] * 10
    points = yields([*doubtful, *sure])
    assert points[0] == (0.5, 1.0)
    assert points[-1] == (1.0, pytest.approx(20 / 30))
    assert yields(sure[:5]) == []


@pytest.fixture
def round_of_two(tmp_path):
    """A dataset with a page of two lines, and a round that accepted one of them and refused the other."""
    boxes = (Box(10, 10, 200, 40), Box(10, 60, 200, 90))
    lines = tuple(Line(box, text) for box, text in zip(boxes, ("кот рот ток", "корова сок"), strict=True))
    region = Region(Box(10, 10, 200, 90), "text", "кот рот ток корова сок", None, "pymupdf", lines=lines)
    whole = replace(page(), regions=(region,))
    write_dataset(tmp_path / "coarse", [whole])
    box, by = Box(0, 0, 190, 30), "flywheel/round-1"
    origin = Origin(whole.origin.uri, whole.origin.sha256, 3, parent=whole.key, box=boxes[0])
    crop = Sample(
        f"{whole.key}-r1-0000", "crop", whole.image, (400, 300), "ru", "Cyrl", "кот рот ток",
        (Region(box, "text", "кот рот ток", 0.98, by),), Quality("trusted"), origin, by, 1,
    )  # fmt: skip
    write_dataset(tmp_path / "round-1", [crop], "round-1")
    labels = Folder(str(tmp_path / "round-1"))
    (report,) = read_reports(labels)
    refused = Reading("ru", boxes[1], "<b>карова", 0.5)
    drop = Drop(f"{whole.key}-r1-0001", whole.origin.uri, Range(3, 4), "ReadPages", "low_confidence", readings=(refused,))
    labels.write(f"shards/{report.shard}.json", replace(report, drops=(drop,)).to_json())
    return labels, Folder(str(tmp_path / "coarse"))


def test_accepted_and_refused_lines_are_judged_by_the_layer(round_of_two):
    accepted, refused = judged(*round_of_two, seed=0)
    assert accepted == Judged("ru", "кот рот ток", "кот рот ток", 0.98, True, True, True)
    assert refused == Judged("ru", "<b>карова", "корова сок", 0.5, False, False, True)


AUDIT = {
    "round": 1, "by": {"<i>Eva": 2}, "all": {"num_asked": 3, "num_judged": 2, "num_skipped": 1, "num_right": 1, "precision":
    0.5, "precision_low": 0.01, "precision_high": 0.99}, "languages": { "ru": {"num_asked": 3, "num_judged": 0, "num_skipped":
    0, "num_right": 0, "precision": None, "layer": "no layer"} },
}  # fmt: skip


def test_the_sections_show_curves_confusions_and_audits(round_of_two):
    sections = readings_sections("flywheel", 1, *round_of_two, {"audit-1": AUDIT}, 0.97)
    assert [section.id for section in sections] == ["flywheel-readings", "flywheel-audits"]
    html = render("t", [], sections).decode()
    assert "50.0% <small>(1.0 to 99.0)" in html and "no layer" in html
    assert "<i>Eva" not in html and "&lt;i&gt;Eva" in html
    assert "<polyline" in html and html.count("<circle") == 2


def test_a_round_without_lines_and_audits_has_no_section(tmp_path, round_of_two):
    write_dataset(tmp_path / "round-2", [], "round-2")
    assert readings_sections("flywheel", 2, Folder(str(tmp_path / "round-2")), round_of_two[1], {}, 0.97) == []
