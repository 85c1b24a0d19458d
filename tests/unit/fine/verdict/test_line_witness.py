"""What a second reading and the ink say of lines that are drawn here: of what they show, and of what they are said to show."""

import numpy
import pytest

from datagen.coarse.verdict.ink_fonts import cut_out
from datagen.drawing import line_by_pillow
from datagen.drawing.typefaces import reference_faces
from datagen.fine.verdict.line_witness import Faces, spoken
from datagen.record import Box, Line


def ink(text: str, script: str = "Latn") -> numpy.ndarray:
    """The text as a gray line, dark on white."""
    image, _ = line_by_pillow.line(reference_faces(script)[0], 32, text, 8)
    return 255 - image


def cut(shows: str, says: str, script: str = "Latn"):
    image = ink(shows, script)
    return cut_out(numpy.ascontiguousarray(image), Line(Box(0, 0, image.shape[1], image.shape[0]), says), "en")


def said(shows: str, says: str, reads: str, script: str = "Latn"):
    return spoken(cut(shows, says, script), reads, script, Faces())


def test_where_they_differ_in_a_word_its_ink_decides():
    wrong = said("Do you remember the house", "Do vou remember the house", "Do you remember the house")
    assert wrong.differing == 1 and wrong.kept == 0 and wrong.agreement < 1.0
    kept = said("Do you remember the house", "Do you remember the house", "Do vou remember the house")
    assert kept.differing == kept.kept == 1 and kept.agreement == 1.0
    assert kept.is_alike and not wrong.is_alike


def test_letters_that_no_ink_tells_apart_are_one():
    assert said("the lvm disk", "the lvm disk", "the 1vm disk").agreement == 1.0


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
