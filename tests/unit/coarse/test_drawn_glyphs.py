"""Marks of right-to-left lines where they are drawn, and half-spaces by the forms of letters."""

from types import SimpleNamespace

import pytest

from datagen.coarse.drawn_glyphs import correct, half_spaces
from datagen.page.line_pieces import Piece

YEH, ALEF, WAW, TANWIN, SHADDA, FATHA = "\u06cc", "\u0627", "\u0648", "\u064b", "\u0651", "\u064e"
FINAL, MEDIAL = ("Nazanin", 202), ("Nazanin", 203)
BETWEEN = [(YEH, 24.0, 30.0), (TANWIN, 24.0, 24.0), (ALEF, 20.0, 24.0)]


def placed(drawn, glyphs):
    """The places of marks, of which MuPDF says `glyphs` and draws `drawn`: (character, number, start, end)."""
    chars = [(ord(char), number, (x0, 50.0), (x0, 40.0, x1, 52.0)) for char, number, x0, x1 in drawn]
    page = SimpleNamespace(rotation=0, get_texttrace=lambda: [{"font": "F", "size": 10.0, "chars": chars}])
    piece = Piece((0.0, 40.0, 100.0, 52.0), "", "F", 10.0, glyphs=list(glyphs), baseline=50.0)
    correct(SimpleNamespace(page=page), [piece])
    return {char: x for char, x, x1 in piece.glyphs if x == x1}


@pytest.mark.parametrize(
    ("drawn", "glyphs", "places"),
    [
        # MuPDF moved it.
        (
            [(ALEF, 1, 20.0, 24.0), (YEH, 3, 24.0, 30.0), (TANWIN, 2, 20.2, 20.2)],
            [(YEH, 24.0, 30.0), (ALEF, 20.0, 24.0), (TANWIN, 30.0, 30.0)],
            {TANWIN: 22.0},
        ),
        # Between two letters it goes with the order of drawing, from the left and from the right.
        ([(ALEF, 1, 20.0, 24.0), (TANWIN, 2, 24.0, 24.0), (YEH, 3, 24.0, 30.0)], BETWEEN, {TANWIN: 27.0}),
        ([(YEH, 3, 24.0, 30.0), (TANWIN, 2, 23.5, 23.5), (ALEF, 1, 20.0, 24.0)], BETWEEN, {TANWIN: 27.0}),
        # Marks of one glyph stay together.
        (
            [(ALEF, 1, 20.0, 24.0), (SHADDA, 2, 24.0, 24.0), (FATHA, -1, 24.0, 24.0), (YEH, 3, 24.0, 30.0)],
            [(YEH, 24.0, 30.0), (FATHA, 20.0, 20.0), (SHADDA, 20.0, 20.0), (ALEF, 20.0, 24.0)],
            {SHADDA: 27.0, FATHA: 27.0},
        ),
        # They stay where their numbers differ.
        ([(YEH, 3, 24.0, 30.0)], [(YEH, 24.0, 30.0), (FATHA, 20.0, 20.0)], {FATHA: 20.0}),
    ],
)
def test_a_mark_is_over_the_letter_where_it_is_drawn(drawn, glyphs, places):
    assert placed(drawn, glyphs) == places


def read(*clusters):
    """The text of clusters from left to right, each with its form."""
    glyphs = [(text, 10.0 * i, 10.0 * i + 9) for i, (text, _) in enumerate(clusters)]
    forms = {(glyph[1], 50): form for glyph, (_, form) in zip(glyphs, clusters, strict=True) if form}
    (result,) = half_spaces([(glyphs, 50.0)], forms)
    return "".join(text for text, *_ in result)


def test_a_letter_within_a_word_in_the_form_of_an_end_has_a_half_space_behind_it():
    ends, middles = [(" ", None), (YEH, FINAL)] * 2, [(ALEF, None), (YEH, MEDIAL)] * 8
    assert read(*ends, *middles, (WAW, None), (YEH, FINAL)) == f" {YEH}" * 2 + f"{ALEF}{YEH}" * 8 + f"{WAW}{YEH}\u200c"
    assert "\u200c" not in read(*middles, (WAW, None), (YEH, FINAL))  # nothing says that this is an end's form


def test_a_half_space_behind_a_letter_that_is_joined_goes():
    middles = [(ALEF, None), (YEH, MEDIAL)] * 8
    assert "\u200c" not in read((" ", None), (YEH, FINAL), *middles, (ALEF, None), ("\u200c", None), (YEH, MEDIAL))


def digits(*numbers, font="ArialMT", text=""):
    """What is written for "28" of glyphs of these numbers, on a page with a `text`."""
    chars = [
        (ord(char), number, (10.0 * i, 50.0), (10.0 * i, 40.0, 10.0 * i + 9, 52.0))
        for i, (char, number) in enumerate(zip("28", numbers, strict=True))
    ]
    page = SimpleNamespace(rotation=0, get_texttrace=lambda: [{"font": font, "size": 10.0, "chars": chars}])
    glyphs = [(char, 10.0 * i, 10.0 * i + 9) for i, char in enumerate("28")]
    piece = Piece((0.0, 40.0, 100.0, 52.0), text, "F", 10.0, glyphs=glyphs, baseline=50.0)
    correct(SimpleNamespace(page=page), [piece])
    return "".join(char for char, *_ in piece.glyphs)


def test_digits_are_those_that_the_glyphs_numbers_say():
    assert digits(763, 769) == "\u0662\u0668"
    assert digits(763, 769, text=YEH) == "\u06f2\u06f8"
    assert digits(779, 761) == "\u0665\u0660"  # whatever Word says
    assert digits(21, 27) == "28"
    assert digits(1006, 1012, font="Calibri") == "28"  # whose order nobody knows
