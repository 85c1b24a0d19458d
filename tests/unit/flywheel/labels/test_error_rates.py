"""Error rates, and whether an accepted label is right."""

import random

import pytest

from datagen.record import Box, Line, Origin, Region
from flywheel.labels.error_rates import errors
from flywheel.labels.line_readings import refusal
from flywheel.labels.score_readings import is_right, precision
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


def test_marks_take_no_width_when_a_label_is_compared_with_what_a_box_covers():
    plain, marked = "كتب الولد درسه", "كَتَبَ ٱلْوَلَدُ دَرْسَهُ فِي ٱلْبَيْتِ"
    page = layered((Box(10, 100, 410, 120), f"{marked} {plain}"))
    assert is_right(page, Box(10, 98, 158, 122), plain)
    assert is_right(page, Box(158, 98, 410, 122), marked)
    assert not is_right(page, Box(158, 98, 410, 122), "فِي ٱلْبَيْتِ")  # a half of what the box covers


def test_a_tsheg_that_forbids_a_break_is_read_as_the_one_that_looks_the_same():
    assert is_right(layered((Box(10, 100, 110, 120), "དང༌བོད་ཡིག")), Box(8, 98, 112, 122), "དང་བོད་ཡིག")


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
