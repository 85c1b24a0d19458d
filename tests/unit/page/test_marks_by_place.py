"""Marks and spaces of right-to-left lines by their places, as MuPDF tells them."""

import pytest

from datagen.page import glyphs as pdf_glyphs


def read(*glyphs: tuple[str, float, float], size: float = 10.0) -> str:
    return pdf_glyphs.read_rtl(pdf_glyphs.clusters_by_place(glyphs, size), True)


def test_the_last_mark_of_a_word_stays_before_the_gap_that_mupdf_moves_it_over():
    beh = ("\u0628", 538.1, 540.0), ("\u0650", 538.1, 538.1)
    seen_meem = ("\u0633", 532.6, 538.1), ("\u0645", 528.6, 532.6)
    article = ("\u0627", 524.2, 525.8), ("\u0644", 522.4, 524.2)
    assert read(*beh, *seen_meem, ("\u0650", 525.8, 525.8), *article) == "\u0628\u0650\u0633\u0645\u0650 \u0627\u0644"


def test_an_alef_of_no_width_on_another_one_is_tanwin():
    """Word says of an alef and the sign on it alef twice."""
    beh, alef = ("\u0628", 20.0, 26.0), ("\u0627", 16.0, 20.0)
    assert read(beh, alef, ("\u0627", 15.5, 15.5)) == "\u0628\u0627\u064b"
    teh = ("\u0629", *alef[1:])
    assert read(beh, teh, ("\u0627", alef[1] - 0.1, alef[1] - 0.1)) == "\u0628\u0629\u064b"
    lam, ligature = ("\u0644", 14.0, 20.0), ("\u0627", 14.0, 14.0)  # of lam-alef, in front of another one
    assert read(beh, lam, ligature, ("\u0627", 10.0, 14.0)) == "\u0628\u0644\u0627\u0627"


def test_a_space_over_a_letter_is_none_where_other_words_have_room():
    mem, shin, lamed = ("\u05de", 40.0, 46.0), ("\u05e9", 34.0, 40.0), ("\u05dc", 26.0, 31.0)
    over, stop = (" ", 33.8, 37.0), (".", 23.0, 26.0)
    assert read(mem, over, shin, lamed, (" ", 25.8, 29.0), (" ", 26.1, 29.0), stop) == "\u05de\u05e9 \u05dc."
    assert read(mem, (" ", 39.0, 42.0), shin) == "\u05de \u05e9"  # no room between any words: the advances are wrong


def test_a_space_over_a_letter_may_be_a_half_space_in_persian():
    line = [("\u0645", 40.0, 46.0), ("\u06cc", 32.0, 40.0), (" ", 31.5, 34.0), ("\u062a", 26.0, 32.0), ("\u0648", 18.0, 22.0)]
    clusters = pdf_glyphs.clusters_by_place(line, 10.0, has_half_spaces=True)
    assert pdf_glyphs.read_rtl(clusters, True) == "\u0645\u06cc\u200c\u062a \u0648"


@pytest.mark.parametrize(
    ("word_gap", "letter_gap", "text"),
    [
        (1.2, 0.0, "שלום לכל אדם חכם"),  # a line set tightly, to fit its column
        (2.5, 0.8, "שלום לכל אדם חכם"),  # kerned letters
        (0.8, 0.0, "שלוםלכלאדםחכם"),  # no more than kerning
        (1.2, 1.2, "שלוםלכלאדםחכם"),  # a stroke draws all letters apart
    ],
)
def test_a_tight_line_has_spaces_where_its_gaps_stand_out(word_gap, letter_gap, text):
    line, x = [], 300.0
    for word in "שלום לכל אדם חכם".split():
        for letter in word:
            line.append((letter, x - 5.0, x))
            x -= 5.0 + letter_gap
        x -= word_gap - letter_gap
    assert read(*line) == text
