"""Lines of text over several cells, cut at the gaps in their ink."""

import numpy
import pytest

from datagen.record import Box, Line
from datagen.tables.line_cuts import parted

BOX = Box(10, 20, 310, 50)


def image(*inked: tuple[int, int]) -> numpy.ndarray:
    """White paper with ink from and to, at the height of `BOX`."""
    paper = numpy.full((80, 320, 3), 255, numpy.uint8)
    for first, stop in inked:
        paper[28:42, first:stop] = 0
    return paper


def texts(paper: numpy.ndarray, text: str, **values) -> list[tuple[str, int, int]]:
    return [(line.text, line.box.x0, line.box.x1) for line in parted(paper, [Line(BOX, text, **values)])]


def test_a_line_is_cut_at_a_gap_wider_than_a_space() -> None:
    assert texts(image((12, 100), (200, 300)), "Range query") == [("Range", 12, 100), ("query", 200, 300)]


def test_a_space_between_words_cuts_nothing() -> None:
    assert texts(image((12, 150), (158, 300)), "Range query") == [("Range query", 10, 310)]


def test_letters_that_stand_apart_without_a_space_are_told_by_their_widths() -> None:
    assert texts(image((12, 92), (150, 230)), "参数人口") == [("参数", 12, 92), ("人口", 150, 230)]
    assert texts(image((12, 112), (200, 240)), "参数量12") == [("参数量", 12, 112), ("12", 200, 240)]


def test_a_rule_through_the_line_is_a_gap_but_a_tall_letter_is_not() -> None:
    paper = image((12, 148), (152, 300))
    paper[22:48, 149:151] = 0
    assert len(texts(paper, "bill sum")) == 1
    paper[:, 135:165] = 255
    paper[:, 149:151] = 0
    assert [text for text, *_ in texts(paper, "bills sum")] == ["bills", "sum"]


@pytest.mark.parametrize(
    "values", [{"direction": "ttb"}, {"polygon": ((10.0, 20.0), (310.0, 30.0), (310.0, 50.0), (10.0, 40.0))}]
)
def test_lines_that_are_not_level_stay(values) -> None:
    assert len(texts(image((12, 100), (200, 300)), "Range query", **values)) == 1
