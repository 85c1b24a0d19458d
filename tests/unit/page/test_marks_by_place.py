"""Marks of right-to-left lines by their places, as MuPDF tells them."""

from datagen.page import glyphs as pdf_glyphs


def read(*glyphs: tuple[str, float, float], size: float = 10.0) -> str:
    return pdf_glyphs.read_rtl(pdf_glyphs.clusters_by_place(glyphs, size), True)


def test_the_last_mark_of_a_word_stays_before_the_gap_that_mupdf_moves_it_over():
    beh = ("\u0628", 538.1, 540.0), ("\u0650", 538.1, 538.1)
    seen_meem = ("\u0633", 532.6, 538.1), ("\u0645", 528.6, 532.6)
    article = ("\u0627", 524.2, 525.8), ("\u0644", 522.4, 524.2)
    assert read(*beh, *seen_meem, ("\u0650", 525.8, 525.8), *article) == "\u0628\u0650\u0633\u0645\u0650 \u0627\u0644"


def test_a_mark_over_a_letter_is_that_letters():
    assert read(("\u0645", 28.6, 32.6), ("\u0627", 22.0, 26.0), ("\u064e", 24.0, 24.0)) == "\u0645 \u0627\u064e"
