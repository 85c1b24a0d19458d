"""Drawn lines follow from seed, number and the longest text; what a model is measured on is nowhere in what it learns."""

import io
import re
from dataclasses import replace

import numpy
import pytest
from PIL import Image

from datagen.drawing import typefaces
from datagen.drawing.endless_lines import HEIGHT, Lines, ScriptLines, prose


def ink(image: bytes) -> numpy.ndarray:
    return 255 - numpy.asarray(Image.open(io.BytesIO(image))).astype(int)


def test_a_line_follows_from_seed_number_and_length_in_any_order():
    lines = [Lines().line(number) for number in range(50)]
    assert lines[::-1] == [Lines().line(number) for number in reversed(range(50))]
    for others in ([Lines(seed=1).line(n) for n in range(50)], [Lines(longest=11).line(n) for n in range(50)]):
        assert sum(a.text != b.text for a, b in zip(lines, others, strict=True)) > 40


@pytest.mark.parametrize("longest", [1, 5, 12, 40])
def test_a_line_is_as_long_as_asked_and_fills_its_image(longest):
    lines = [Lines(longest=longest).line(number) for number in range(200)]
    assert max(len(line.text) for line in lines) in range(longest - 1, longest + 1)
    assert min(len(line.text) for line in lines) == 1
    for line in lines:
        assert re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", line.text), line.text
        picture = ink(line.image)
        assert picture.shape == (HEIGHT, line.size[0]) and line.size[1] == HEIGHT
        columns = numpy.flatnonzero(picture.max(0) > 40)
        assert columns[0] < 20 and line.size[0] - columns[-1] < 20, line.text


def test_unseen_lines_are_nowhere_in_the_training_text():
    unseen = Lines().unseen
    lines = unseen(300, 8, 12)
    assert lines == unseen(300, 8, 12) and len(set(lines)) == 300 and lines != unseen(300, 8, 12, seed=1)
    assert all(8 <= len(line) <= 12 and line in prose(held_out=True) and line not in prose(held_out=False) for line in lines)


def test_a_typeface_that_is_not_there_is_told():
    with pytest.raises(ValueError, match=r"no font file Nowhere\.ttf: apt-get install"):
        Lines(faces=("DejaVuSans.ttf", "Nowhere.ttf"), longest=5).line(0)


def test_accents_and_signs_of_print_are_those_that_the_typeface_draws():
    plain = Lines(longest=40, sizes=(20, 50))
    lines = replace(plain, accented=0.5, faces=("DejaVuSans.ttf", "DejaVuSerif.ttf"))
    made = [lines.line(number) for number in range(100)]
    others = {char for line in made for char in line.text if char > "~"}
    assert len(others) > 20 and 30 < sum(line.text.isascii() for line in made) < 80
    assert all(ord(char) in typefaces.characters(line.look.path) for line in made for char in line.text)
    assert all(lines.planned(number) == (line.text, line.size[0]) for number, line in enumerate(made))
    assert all(plain.line(number).text.isascii() for number in range(20))


GREEK = ScriptLines(
    faces=("DejaVuSans.ttf", "Norasi.ttf", "FreeSerif.ttf"),
    longest=30,
    script="Grek",
    text="όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα " * 4,
    other_text="καθένας που κατηγορείται για ποινικό αδίκημα πρέπει να θεωρείται αθώος ωσότου διαπιστωθεί " * 4,
)


def test_lines_in_another_script_say_the_text_that_is_given_in_typefaces_that_have_it():
    lines = [GREEK.line(number) for number in range(60)]
    of_prose = [line for line in lines if len(line.text) > 4 and line.text in GREEK.text]
    assert len(of_prose) > 30 and GREEK.lang == "und-Grek"
    drawn = {typefaces.characters(line.look.path) >= set(map(ord, line.text)) for line in lines}
    files = {line.look.path.rpartition("/")[2] for line in of_prose}
    assert drawn == {True} and files == {"DejaVuSans.ttf", "FreeSerif.ttf"}, "Norasi has no Greek"
    assert all(GREEK.planned(number) == (line.text, line.size[0]) for number, line in enumerate(lines))
    for line in of_prose:
        edges = [line.look.left, *line.ends()]
        assert edges == sorted(edges) and edges[-1] <= line.size[0]


def test_unseen_lines_in_another_script_are_of_the_other_text():
    lines = GREEK.unseen(20, 8, 12)
    assert all(8 <= len(line) <= 12 and line in GREEK.other_text and line not in GREEK.text for line in lines)
    assert GREEK.engines()["prose"] != replace(GREEK, text=GREEK.other_text).engines()["prose"]


def test_a_script_without_text_or_a_typeface_is_told():
    with pytest.raises(ValueError, match="lines in Grek have no text"):
        replace(GREEK, text="").line(0)
    with pytest.raises(ValueError, match=r"none of Norasi\.ttf has all characters"):
        [replace(GREEK, faces=("Norasi.ttf",)).line(number) for number in range(20)]
