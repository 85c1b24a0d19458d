"""What a second reading and the ink say of lines that are drawn here: of what they show, and of what they are said to show."""

import numpy
import pytest

from datagen.coarse.verdict.ink_fonts import cut_out
from datagen.drawing import line_by_pillow
from datagen.drawing.typefaces import reference_faces
from datagen.fine.verdict.line_ink import spaces_hold
from datagen.fine.verdict.line_witness import Faces, spoken
from datagen.record import Box, Line


def ink(text: str, script: str = "Latn") -> numpy.ndarray:
    """The text as a gray line, dark on white."""
    image, _ = line_by_pillow.line(reference_faces(script)[0], 32, text, 8)
    return 255 - image


def cut(shows: str, says: str, script: str = "Latn", flip: bool = False):
    image = ink(shows, script)[::-1] if flip else ink(shows, script)
    return cut_out(numpy.ascontiguousarray(image), Line(Box(0, 0, image.shape[1], image.shape[0]), says), "en")


def said(shows: str, says: str, reads: str, script: str = "Latn"):
    return spoken(cut(shows, says, script), reads, script, Faces())


def test_where_they_differ_in_a_word_its_ink_decides():
    wrong = said("Do you remember the house", "Do vou remember the house", "Do you remember the house")
    assert wrong.misread == 1 and wrong.wrong == 1 and wrong.kept == 0
    kept = said("Do you remember the house", "Do you remember the house", "Do vou remember the house")
    assert kept.misread == 0 and kept.kept == 1 and kept.agreement == 1.0
    assert kept.is_alike and not wrong.is_alike


def test_letters_that_no_ink_tells_apart_are_one_and_a_digit_alone_is_no_letter():
    assert said("the lvm disk", "the lvm disk", "the 1vm disk").agreement == 1.0
    assert said("6.2 O que", "6.2 0 que", "6.2 O que").misread == 1 and said("o que", "o que", "0 que").misread == 0


@pytest.mark.parametrize(
    ("shows", "says"),
    [
        ("the history of the Church", "the historyof theChurch"),
        ("a kind and persistent man", "a kind andpersis tent man"),
    ],
)
def test_the_gaps_of_the_ink_tell_spaces_that_readers_leave_out_or_see(shows, says):
    assert said(shows, says, shows).spaces and not said(shows, shows, says).spaces
    assert not said(shows, shows, shows).spaces
    assert spaces_hold(cut(shows, says), "Latn") is not True and spaces_hold(cut(shows, shows), "Latn") is not False


def test_a_hyphen_that_was_lost_and_names_run_together():
    assert said("of develop-", "of develop", "of develop-").spaces
    assert said("のAdvanced options", "のAdvancedoptions", "の Advanced options", "Jpan").spaces


def test_small_kana_that_a_reader_took_for_large_ones_count_unless_the_ink_keeps_them():
    assert said("こういったこと", "こういつたこと", "こういったこと", "Jpan").misread == 1


@pytest.mark.parametrize(
    ("says", "reads", "is_alike"),
    [
        ("the “old” house – here", 'the "old" house - here', True),
        ("the house (here)", "the house (here", True),  # its ink shows the bracket
        ("• an item of a list", "* an item of a list", True),
    ],
)
def test_readings_are_alike_if_they_have_the_same_signs(says, reads, is_alike):
    assert said(says, says, reads).is_alike is is_alike
