"""How true a labelled page is, by a layer that it never saw."""

from dataclasses import replace

import pytest

from datagen.record import Box, Line, Region, Sample
from flywheel.labels.score_pages import PageScore, distance_to_part, score
from tests.inputs.samples import page_sample

ROWS = ("первая строка", "вторая строка", "третья строка", "последняя")


def line(number: int, text: str, x1: int = 400) -> Line:
    return Line(Box(100, 100 + 50 * number, x1, 130 + 50 * number), text)


def of(*lines: Line) -> Sample:
    regions = tuple(Region(at.box, "text", at.text, None, "x", lines=(at,)) for at in lines)
    return page_sample("page", "\n\n".join(at.text for at in lines), "ru", "Cyrl", regions=regions, size=(600, 800))


LAYER = of(*(line(n, text) for n, text in enumerate(ROWS)))


@pytest.mark.parametrize(
    ("text", "row", "edits"),
    [
        ("строка", "первая строка", 0),
        ("перва строка", "первая строка и ещё", 1),
        ("б", "первая", 1),
        ("абв", "", 3),
        ("", "первая", 0),
        ("первая строка!", "первая строка", 1),
        ("кот", "рот крот", 1),
    ],
)
def test_the_fewest_edits_that_make_a_part_of_a_row(text, row, edits):
    assert distance_to_part(text, row) == edits


def test_a_page_that_says_what_its_layer_says_is_right():
    made = score(LAYER, LAYER, ())
    assert made == PageScore(1, 48, 0, 48, 0, 3, 3, 0.0)


def test_wrong_letters_and_what_nothing_covers_are_counted():
    label = of(line(0, "перная строка"), line(1, "вторая", 230))
    made = score(label, LAYER, [line(2, "").box])
    assert (made.num_chars, made.num_edits, made.worst) == (19, 1, pytest.approx(1 / 19))
    assert made.num_missing == pytest.approx(9 + 13 * 170 / 300)  # the last line, and what follows "вторая"
    assert made.layer_chars == 48


def test_the_order_is_that_of_the_layer_or_it_is_not():
    label = replace(LAYER, regions=(*LAYER.regions[2:], *LAYER.regions[:2]))
    made = score(label, LAYER, ())
    assert (made.num_pairs, made.num_ordered) == (3, 2)


def test_scores_add_up_and_nothing_measured_is_no_figure():
    one = score(LAYER, LAYER, ())
    both = (one + replace(one, num_edits=12, worst=0.25)).to_dict()
    assert (both["num_pages"], both["cer"], both["worst_cer"], both["order_share"]) == (2, 0.125, 0.25, 1.0)
    assert PageScore().to_dict() == {
        "num_pages": 0, "num_chars": 0, "cer": None, "worst_cer": None, "missing_share": None, "order_share": None,
    }  # fmt: skip
