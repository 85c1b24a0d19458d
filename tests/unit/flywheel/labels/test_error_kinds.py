"""Which kinds of errors readings have, and what is told of them."""

import pytest

from flywheel.labels import error_rates
from flywheel.labels.error_rates import cluster_rate, confusions, space_rate
from flywheel.rounds.card import measured
from recipes.verbs.rounds import other_rates


def test_a_letter_with_its_marks_is_one_unit():
    truth, reading = "कि", "की"
    assert cluster_rate([(truth, reading)]) == 1
    assert error_rates.errors([truth], [reading]).cer == 0.5
    assert cluster_rate([("абвг", "абвд")]) == 0.25


def test_spaces_are_counted_by_themselves():
    assert space_rate([("а б в", "аб в"), ("а б", "а б"), ("а б", "а б г"), ("а б", "а.б")]) == pytest.approx(3 / 5)
    assert space_rate([("аб", "ав")]) == 0


def test_the_commonest_wrong_characters_come_first():
    pairs = [("кот рот", "кат рот")] * 2 + [("кот рот", "котрот"), ("кот рот", "кот рот!"), ("кот рот", "кот рот")]
    assert confusions(pairs) == (("о", "а", 2), ("", "!", 1), (" ", "", 1))
    assert confusions(pairs, most=1) == (("о", "а", 2),)


def test_errors_have_all_rates_of_normalised_texts():
    found = error_rates.errors(["кот  рот\u00ad", "сок"], ["котрот", "сок"])
    assert (found.cer, found.cluster_rate, found.space_rate) == (0.1, 0.1, 1.0)
    assert found.confusions == ((" ", "", 1),)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"cer": 0.02, "cluster_rate": 0.021, "space_rate": 0.02}, {}),
        ({"cer": 0.02, "cluster_rate": 0.04, "space_rate": 0.0}, {"letters with their marks": 0.04}),
        ({"cer": 0.02, "cluster_rate": 0.02, "space_rate": 0.13}, {"spaces": 0.13}),
        ({"cer": None, "cluster_rate": None, "space_rate": None}, {}),
        ({"cer": 0.02}, {}),  # of a round that an earlier version made
    ],
)
def test_other_rates_are_told_where_they_say_more(row, told):
    assert other_rates(row) == told


def test_the_card_has_precision_and_errors_with_their_intervals():
    labels = {"num_accepted": 1_234, "num_right": 1_200, "precision": 0.9724, "precision_low": 0.9617, "precision_high": 0.9808}
    labels |= {"chars_read": 80_000, "chars_accepted": 36_000}
    none = {"num_accepted": 0, "num_right": 0, "precision": None, "precision_low": None, "precision_high": None}
    none |= {"chars_read": 0, "chars_accepted": 0}
    errors = {"cer": 0.0181, "cer_low": 0.014, "cer_high": 0.0224, "tested_on": "documents", "tesseract_cer": 0.024}
    typeset = {"cer": 0.05, "cer_low": 0.04, "cer_high": 0.06, "tested_on": "typeset", "tesseract_cer": None}
    rows = {"bg": errors | labels, "km": typeset | none, "de": {"cer": None} | none}
    text = measured({"round": 2, "labels": labels, "languages": rows})
    assert "| bg | 1.81% (1.40 to 2.24) | 2.40% | 1,234 | 97.2% (96.2 to 98.1) | 45% of 80,000 |" in text
    assert "| km | 5.00% (4.00 to 6.00) (typeset lines) |  | 0 |  |  |" in text
    assert "| all together |  |  | 1,234 | 97.2% (96.2 to 98.1) | 45% of 80,000 |" in text
    assert "| de |" not in text
