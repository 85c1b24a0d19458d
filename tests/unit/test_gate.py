"""Error rates, thresholds and whether an accepted label is right."""

import random

import pytest

from datagen.record import Box, Line, Origin, Region
from flywheel.gate import NOBODY, errors, threshold
from flywheel.relabel import refusal
from flywheel.score import is_right, precision
from tests.samples import page_sample


def distance(a: str, b: str) -> int:
    """Wagner and Fischer's table, as it stands in every textbook."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, last = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
    return row[-1]


def test_error_rate_is_edit_distance_over_the_truths_length():
    random.seed(4)
    truths = ["".join(random.choices("абвг ", k=random.randint(1, 30))).strip() or "а" for _ in range(50)]
    readings = ["".join(c for c in t if random.random() < 0.9) for t in truths]
    truths, readings = [" ".join(t.split()) for t in truths], [" ".join(r.split()) for r in readings]
    measured = errors(truths, readings)
    assert measured.cer == pytest.approx(sum(map(distance, truths, readings)) / sum(map(len, truths)), abs=1e-5)
    assert measured.cer_low <= measured.cer <= measured.cer_high
    assert measured.num_exact == sum(t == r for t, r in zip(truths, readings, strict=True))
    assert measured == errors(truths, readings)


def test_perfect_readings_leave_no_interval_and_nothing_to_compare_is_an_error():
    assert errors(["ab", "c d"], ["ab", "c  d"]).cer_high == 0
    with pytest.raises(ValueError, match="no characters"):
        errors([], [])


def test_the_threshold_is_the_lowest_that_keeps_the_precision():
    scores = [i / 100 for i in range(100)]
    right = [s >= 0.5 for s in scores]
    limit = threshold(scores, right, precision=1.0)
    assert limit == 0.5
    accepted = [r for s, r in zip(scores, right, strict=True) if s >= threshold(scores, right, 0.9)]
    assert sum(accepted) / len(accepted) >= 0.9
    assert len(accepted) > 50


def test_where_no_threshold_keeps_it_nobody_passes():
    assert threshold([0.9] * 50, [False] * 50, 0.97) == NOBODY
    assert threshold([0.9] * 5, [True] * 5, 0.97) == NOBODY  # too few to tell
    assert threshold([], [], 0.97) == NOBODY


def test_lines_of_one_confidence_stand_or_fall_together():
    assert threshold([0.9] * 30 + [0.8] * 30, [True] * 30 + [True, False] * 15, 0.97) == 0.9


@pytest.mark.parametrize(
    ("box", "text", "other", "score", "reason"),
    [
        (Box(0, 0, 100, 20), "abc", "abc", 0.9, ""),
        (Box(0, 0, 100, 20), "abc", "abc", 0.4, "low_confidence"),
        (Box(0, 0, 100, 20), "abc", "abd", 0.9, "views_differ"),
        (Box(0, 0, 100, 20), "", "", 0.9, "nothing_read"),
        (Box(0, 0, 20, 100), "abc", "abc", 0.9, "turned"),
        (Box(0, 0, 100, 8), "abc", "abc", 0.9, "too_small"),
    ],
)
def test_why_a_reading_is_refused(box, text, other, score, reason):
    assert refusal(box, text, other, score, threshold=0.5) == reason


def layered(*lines: tuple[Box, str]):
    region = Region(Box(0, 0, 500, 500), "text", "", None, "pymupdf", lines=tuple(Line(box, text) for box, text in lines))
    return page_sample("p", "", regions=(region,), size=(500, 500), page=3, sha256="f" * 64)


def test_a_label_is_right_only_if_it_is_what_the_layer_has_there():
    page = layered(
        (Box(10, 100, 110, 120), "первая часть"), (Box(130, 100, 230, 120), "вторая часть"), (Box(10, 140, 230, 160), "ниже")
    )
    whole, first = Box(8, 98, 232, 122), Box(8, 98, 112, 122)
    assert is_right(page, whole, "первая часть вторая часть")
    assert is_right(page, first, "первая часть")
    assert not is_right(page, first, "первая част")  # not whole words
    assert not is_right(page, whole, "первая часть")  # half of what the box covers
    assert not is_right(page, first, "перваячасть")
    assert not is_right(page, Box(300, 300, 400, 320), "первая часть")  # nothing is there


def test_precision_counts_by_language():
    page = layered((Box(10, 100, 110, 120), "слово"))

    def crop(key, text, lang):
        origin = Origin("/in/f.pdf", "f" * 64, 3, parent=page.key, box=Box(8, 98, 112, 122))
        return page_sample(key, text, lang=lang, origin=origin)

    assert precision([page], [crop("a", "слово", "ru"), crop("b", "слава", "ru"), crop("c", "слово", "uk")]) == {
        "ru": (1, 2),
        "uk": (1, 1),
    }
