"""Lines as ink: cut out, laid flat, split into words and pieces, and covered."""

import numpy
import pytest

from datagen.coarse.verdict import ink_lines
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample


def test_a_vertical_line_is_laid_flat_side_by_side_or_turned():
    crop = numpy.full((61, 20), 255, numpy.uint8)
    for i in range(3):
        crop[20 * i + 4 : 20 * i + 8, 2 : 6 + 5 * i] = 0
    flat = ink_lines.laid_flat(crop, "一二三")
    assert flat.shape == (20, 60)
    assert [int((flat[:, 20 * i : 20 * i + 20] == 0).sum()) for i in range(3)] == [16, 36, 56]
    turned = ink_lines.laid_flat(crop, "ᠮᠣᠩ《")
    assert turned.shape == (20, 61)
    assert (turned[:, :20] == 0).sum() == 16


@pytest.mark.parametrize(
    ("text", "box", "direction", "holds"),
    [
        ("人人生而自由", Box(0, 0, 20, 120), "ttb", True),
        ("人人生而自由" * 6, Box(0, 0, 20, 30), "ttb", False),  # squeezed
        ("令和2024年", Box(0, 0, 20, 100), "ttb", False),  # a number in one cell
        ("ᠬᠦᠮᠦᠨ", Box(0, 0, 20, 120), "ttb", True),
        ("human beings", Box(0, 0, 20, 120), "ltr", False),
        ("\u3000\u3000 \u3000", Box(0, 0, 120, 20), "ltr", False),
        ("ཀླུ" * 90, Box(0, 0, 900, 20), "ltr", True),  # its marks don't count
        (". . . . . . . . 1", Box(0, 0, 300, 20), "ltr", False),
    ],
)
def test_lines_are_compared_that_lie_along_their_box_and_are_not_too_long(text, box, direction, holds):
    assert ink_lines.comparable(Line(box, text, direction=direction)) is holds


def test_words_that_were_cut_elsewhere_than_between_them_are_told_by_their_widths():
    def cut(*widths):
        return [(numpy.zeros((10, width), numpy.uint8), "word") for width in widths]

    assert ink_lines.cut_as_drawn(cut(60, 30, 40), [12.0, 6.0, 8.5])
    assert not ink_lines.cut_as_drawn(cut(20, 70, 40), [12.0, 6.0, 8.5])


def test_words_are_cut_at_gaps_and_only_where_these_stand_out():
    crop = numpy.full((20, 60), 255, numpy.uint8)
    for x in (0, 6, 12, 30, 36):
        crop[5:15, x : x + 4] = 0
    box = Box(0, 0, 60, 20)
    assert [(ink.shape[1], text) for ink, text in ink_lines.split_words(crop, Line(box, "abc de"))] == [(16, "abc"), (10, "de")]
    assert [text for _, text in ink_lines.split_words(crop, Line(box, "אב גדה", direction="rtl"))] == ["גדה", "אב"]
    assert ink_lines.split_words(crop, Line(box, "a b c")) == []


def test_a_line_is_covered_but_for_the_words_that_it_lacks():
    lines = tuple(Line(Box(x0, 0, x1, 20), "x") for x0, x1 in ((0, 100), (108, 200), (300, 400)))
    covered = sample(size=(400, 100), regions=(Region(Box(0, 0, 400, 20), "text", "x", None, "t", lines=lines),))
    assert ink_lines.covered_share([[(0, 0), (200, 0), (200, 24), (0, 24)]], covered) == 1.0
    assert 0.7 < ink_lines.covered_share([[(0, 0), (400, 0), (400, 20), (0, 20)]], covered) < 0.8
    assert ink_lines.covered_share([[(0, 60), (90, 60), (90, 80), (0, 80)]], covered) == 0.0
    assert ink_lines.covered_share([], covered) == 1.0


def test_the_ink_of_leaders_and_rules_is_left_out_and_letters_stay():
    crop = numpy.full((30, 400), 255, numpy.uint8)
    crop[6:24, 10:60] = 0  # a word
    crop[21:24, 64:67] = 0  # its full stop
    for x in range(100, 300, 10):
        crop[21:24, x : x + 3] = 0
    crop[6:24, 320:340] = 0
    bare = ink_lines.without_leader_ink(crop)
    assert (bare[:, 100:300] == 255).all()
    assert (bare[:, 320:340] == crop[:, 320:340]).all()
    assert (bare[:, :60] == crop[:, :60]).all()
    crop[21:24, 100:300] = 0
    assert (ink_lines.without_leader_ink(crop)[:, 100:300] == 255).all()
    assert (ink_lines.without_leader_ink(numpy.full((30, 40), 255, numpy.uint8)) == 255).all()
