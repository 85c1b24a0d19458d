"""Lines as ink: cut out, laid flat, split into words and pieces, and covered."""

import numpy
import pytest

from datagen.coarse.verdict import ink_lines, ink_shapes
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample


def test_a_long_word_is_cut_at_the_gaps_where_its_clusters_end():
    text = "abcdefghijklmnopqrst"
    crop = numpy.full((20, 200), 255, numpy.uint8)
    for i in range(20):
        crop[5:15, 10 * i + 1 : 10 * i + 8] = 0
    clusters = [(i, i / 20) for i in range(1, 20)]
    pieces = ink_lines.split_long(crop, text, clusters)
    assert "".join(piece for _, piece in pieces) == text
    assert len(pieces) == 3
    for ink, piece in pieces:
        assert abs(ink.shape[1] - 10 * len(piece)) < 8
    assert ink_lines.split_long(crop, text, clusters[:5]) == [(crop, text)]
    assert ink_lines.split_long(numpy.where(crop < 999, 0, 0).astype(numpy.uint8), text, clusters)[0][1] == text  # no gaps


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
        ("모든 사람은", Box(0, 0, 20, 120), "ttb", True),
        ("ᠬᠦᠮᠦᠨ", Box(0, 0, 20, 120), "ttb", True),
        ("human beings", Box(0, 0, 20, 120), "ltr", False),
        ("human beings", Box(0, 0, 120, 20), "ltr", True),
        ("\u3000\u3000 \u3000", Box(0, 0, 120, 20), "ltr", False),
        ("ཀླུ" * 90, Box(0, 0, 900, 20), "ltr", True),  # its marks don't count
        ("a" * 141, Box(0, 0, 900, 20), "ltr", False),
        (". . . . . . . . 1", Box(0, 0, 300, 20), "ltr", False),
        ("Debian . . . . . . . . 1", Box(0, 0, 300, 20), "ltr", True),
    ],
)
def test_lines_are_compared_that_lie_along_their_box_and_are_not_too_long(text, box, direction, holds):
    assert ink_lines.comparable(Line(box, text, direction=direction)) is holds


def test_letters_without_width_neither_end_clusters_nor_break_the_cutting():
    text = "m" * 9 + "l" + "\u200c" * 20
    clusters = ink_shapes.clusters(text, "Latn")
    assert [end for end, _ in clusters] == list(range(1, 10))
    crop = numpy.full((20, 200), 255, numpy.uint8)
    crop[5:15, :180] = crop[5:15, 190:] = 0
    assert "".join(piece for _, piece in ink_lines.split_long(crop, text, [(i, i / 40) for i in range(1, 30)])) == text


def test_a_line_that_cuts_its_ink_is_taken_higher_as_far_as_the_ink_goes():
    page_ = numpy.full((200, 300), 255, numpy.uint8)
    page_[50:106, 20:60] = 0  # six rows beyond the box, above and below
    page_[118:150, 20:60] = 0  # the next line
    assert ink_lines.whole(page_, Box(10, 56, 290, 100)) == Box(10, 49, 290, 107)
    assert ink_lines.whole(page_, Box(10, 40, 290, 110)) == Box(10, 40, 290, 110)
    page_[20:180, 100:110] = 0  # a rule through all of them
    assert ink_lines.whole(page_, Box(10, 56, 290, 100)) == Box(10, 56, 290, 100)


def test_words_that_were_cut_elsewhere_than_between_them_are_told_by_their_widths():
    def cut(*widths):
        return [(numpy.zeros((10, width), numpy.uint8), "word") for width in widths]

    assert ink_lines.cut_as_drawn(cut(60, 30, 40), [12.0, 6.0, 8.5])
    assert not ink_lines.cut_as_drawn(cut(20, 70, 40), [12.0, 6.0, 8.5])


def test_white_on_black_is_turned_over():
    pixels = numpy.zeros((40, 100), numpy.uint8)
    pixels[10:30, 20:30] = 255
    crop = ink_lines.dark_on_white(pixels, Box(0, 0, 100, 40))
    assert crop[0, 0] == 255
    assert crop[20, 25] < 5


def test_words_are_cut_at_gaps_and_only_where_these_stand_out():
    crop = numpy.full((20, 60), 255, numpy.uint8)
    for x in (0, 6, 12, 30, 36):
        crop[5:15, x : x + 4] = 0
    box = Box(0, 0, 60, 20)
    assert [(ink.shape[1], text) for ink, text in ink_lines.split_words(crop, Line(box, "abc de"))] == [(16, "abc"), (10, "de")]
    assert [text for _, text in ink_lines.split_words(crop, Line(box, "אב גדה", direction="rtl"))] == ["גדה", "אב"]
    assert ink_lines.split_words(crop, Line(box, "a b c")) == []


def test_a_reading_is_cut_as_the_text_is():
    assert ink_lines.aligned(["Déclara", "tion", "universelle"], "Declaration universelle") == ["Declara", "tion", "universelle"]
    assert ink_lines.aligned(["Déclaration", "universelle"], "Déclara ion univer elle") == ["Déclara ion", "univer elle"]
    assert ink_lines.aligned(["ab", "cd"], "") == ["", ""]
    assert ink_lines.aligned([], "read") == []
    assert ink_lines.aligned(["人人有权", "工作的人"], "人人的有工作权人") == ["人人的有", "工作权人"]


def test_case_spaces_and_width_do_not_count_as_errors():
    assert ink_lines.text_error(["Ab ｃ"], ["a B C"]) == 0.0
    assert ink_lines.text_error(["abcd"], ["abxd"]) == 0.25


def test_a_line_is_covered_but_for_the_words_that_it_lacks():
    lines = tuple(Line(Box(x0, 0, x1, 20), "x") for x0, x1 in ((0, 100), (108, 200), (300, 400)))
    covered = sample(size=(400, 100), regions=(Region(Box(0, 0, 400, 20), "text", "x", None, "t", lines=lines),))
    assert ink_lines.covered_share([[(0, 0), (200, 0), (200, 24), (0, 24)]], covered) == 1.0
    assert 0.7 < ink_lines.covered_share([[(0, 0), (400, 0), (400, 20), (0, 20)]], covered) < 0.8
    assert ink_lines.covered_share([[(0, 60), (90, 60), (90, 80), (0, 80)]], covered) == 0.0
    assert ink_lines.covered_share([], covered) == 1.0


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("1.1 What is Debian? . . . . . 1", "1.1 What is Debian? 1"),
        ("Name: ______ Date: ____", "Name: Date:"),
        ("第5章 ･･･", "第5章 ･･･"),
        ("用語······12", "用語 12"),
        ("e.g. this, i.e. that.", "e.g. this, i.e. that."),
        ("file_name and so on. . .", "file_name and so on"),
    ],
)
def test_leaders_say_nothing(text, without):
    assert ink_lines.without_leaders(text) == without
    assert ink_lines.text_error([text], [without]) == 0.0


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
