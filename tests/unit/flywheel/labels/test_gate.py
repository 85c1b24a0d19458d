"""Error rates, thresholds and whether an accepted label is right."""

import random

import pytest

from datagen.record import Box, Line, Origin, Region
from flywheel.labels.gate import NOBODY, cutoff, errors, interval, least_lines
from flywheel.labels.line_readings import refusal
from flywheel.labels.score_readings import is_right, precision
from tests.bench.flywheel import gate as bench
from tests.inputs.samples import page_sample


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


def test_of_a_thousand_calibrations_few_gates_break_their_promise():
    for reader in (bench.SHARP, bench.BLURRED):
        simulated = bench.simulated(reader, 600, 1000)
        assert simulated.num_open >= 300
        assert simulated.num_broken <= 0.05 * simulated.num_open


@pytest.mark.parametrize(
    ("box", "text", "other", "reason"),
    [
        (Box(0, 0, 100, 20), "слово", "слово", ""),
        (Box(0, 0, 100, 20), "слово", "слава", "views_differ"),
        (Box(0, 0, 100, 20), "", "", "nothing_read"),
        (Box(0, 0, 20, 100), "слово", "слово", "turned"),
        (Box(0, 0, 100, 8), "слово", "слово", "too_small"),
        (Box(0, 0, 100, 20), "ср", "ср", "look_alike"),
    ],
)
def test_why_a_reading_is_refused_whatever_its_confidence(box, text, other, reason):
    assert refusal(box, text, other, "Cyrl") == reason


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


def test_the_ends_of_a_contents_line_are_right_without_its_leader():
    page = layered((Box(10, 100, 400, 120), "1.1 Что это . . . . 12"))
    assert is_right(page, Box(8, 98, 402, 122), "1.1 Что это ......... 12")
    assert is_right(page, Box(8, 98, 130, 122), "1.1 Что это")
    assert is_right(page, Box(380, 98, 402, 122), "12")
    assert not is_right(page, Box(8, 98, 130, 122), "1.1 Что")
    assert not is_right(page, Box(380, 98, 402, 122), "2")
    assert is_right(page, Box(30, 98, 130, 122), "Что это")  # the number was found apart
    assert is_right(page, Box(30, 98, 402, 122), "Что это ...... 12")
    assert not is_right(page, Box(30, 98, 402, 122), "Что это ...... 13")
    assert not is_right(page, Box(30, 98, 402, 122), "Что ...... 12")
    assert not is_right(page, Box(30, 98, 402, 122), "......")


def test_a_letter_of_another_script_within_a_word_of_the_layer_is_its_authors_slip():
    page = layered((Box(10, 100, 110, 120), "c\u0432\u043e\u0456\u043cu"), (Box(10, 140, 110, 160), "cp"))
    assert not is_right(page, Box(8, 138, 112, 162), "\u0441\u0440")
    assert is_right(page, Box(8, 98, 112, 122), "\u0441\u0432\u043e\u0456\u043c\u0438")


def test_precision_counts_by_language():
    page = layered((Box(10, 100, 110, 120), "слово"))

    def crop(key, text, lang):
        origin = Origin("/in/f.pdf", "f" * 64, 3, parent=page.key, box=Box(8, 98, 112, 122))
        return page_sample(key, text, lang=lang, origin=origin)

    assert precision([page], [crop("a", "слово", "ru"), crop("b", "слава", "ru"), crop("c", "слово", "uk")]) == {
        "ru": (1, 2),
        "uk": (1, 1),
    }
