"""Spaces that a text layer lacks, seen in the gaps between its glyphs."""

import numpy
import pymupdf
import pytest
from rapidfuzz.distance import Levenshtein

from datagen.coarse.page import OpenPage
from datagen.page import glyphs as pdf_glyphs
from tests.inputs.damage import damage
from tests.inputs.typeset import typeset
from tests.inputs.udhr import UDHR
from tests.pipeline.page.test_right_to_left import WRONG, plain, texts


@pytest.mark.parametrize("script", ["Cyrl", "Deva", "Ethi", "Kore", "Knda", "Mymr", "Telu", "Thai"])
def test_spaces_that_the_layer_lacks_are_seen_in_the_gaps(script):
    lang, text = UDHR[script]
    document = typeset([text.replace("\u1361", " ")], lang)
    truth = "\n".join(plain(line.text) for line in document.pages[0].lines)
    found = "\n".join(map(plain, texts(damage(document.pdf, "spaces_dropped"))))
    num_known = 1.6 if script in WRONG else 0
    # Signs below the line that hang over into a gap close one or two; Devanagari has its other faults, a few signs (`WRONG`).
    assert Levenshtein.distance(found, truth) <= 0.015 * len(truth) + num_known
    assert truth.count(" ") - 2 <= found.count(" ") <= truth.count(" ")
    assert found.count(" ") > 1


# As in a listing that is set in a proportional typeface: a cell of 5 points holds a sign of 2.
CELLS = [
    (char, 5.0 * n + (1.7 if char in ".;’" else 0.2), 5.0 * n + (3.3 if char in ".;’" else 4.8))
    for n, char in enumerate("echo bob.cfg; a")
    if char != " "
]
VAI = [(c, 10.0 * i - 2.5 * (i % 3 == 2), 10.0 * i + 7.5 - 2.5 * (i % 3 == 2)) for i, c in enumerate("\ua5de\ua530\ua58a" * 4)]


@pytest.mark.parametrize(
    ("glyphs", "size", "text"),
    [
        (CELLS, 9.0, "echo bob.cfg; a"),
        ([("a", 0.0, 5.0), (",", 5.0, 7.0), ("b", 9.5, 14.0), ("c", 17.0, 22.0)], 9.0, "a, b c"),
        # No space goes behind what stacks, and words of one letter are not letterspaced.
        ([("\u1787", 0.0, 6.0), ("\u17d2", 6.0, 6.0), ("\u179a", 9.0, 15.0)], 10.0, "\u1787\u17d2\u179a"),
        (VAI, 10.0, "\ua5de \ua530\ua58a " * 3 + "\ua5de \ua530\ua58a"),
        ([(c, 8.0 * i, 8.0 * i + 5.0) for i, c in enumerate("ABCDEFGH")], 10.0, "ABCDEFGH"),
        # A space over which the next glyph is drawn is none.
        (
            [("資", 0.0, 10.0), (" ", 10.0, 15.0), ("料", 10.0, 20.0), (" ", 20.0, 25.0), ("a", 25.0, 30.0)],
            10.0,
            "資料 a",
        ),
        # Nor is a soft hyphen over which the next letter is drawn, as a browser prints it; one with its own place is drawn.
        ([("u", 0.0, 5.0), ("\u00ad", 5.0, 8.0), ("t", 5.0, 8.0), ("\u00ad", 8.0, 11.0), ("h", 11.0, 16.0)], 10.0, "ut-h"),
        # A letter without width behind a virama is its cluster's.
        ([("\u0930", 0.0, 7.0), ("\u094d", 7.0, 7.0), ("\u0925", 11.0, 11.0)], 10.0, "\u0930\u094d\u0925"),
        ([("\u0930", 0.0, 7.0), ("\u094d", 7.0, 7.0), ("\u0925", 11.0, 16.0)], 10.0, "\u0930\u094d \u0925"),
    ],
)
def test_spaces_are_where_gaps_show_them(glyphs, size, text):
    added = text.count(" ") - sum(char == " " for char, *_ in glyphs)
    assert pdf_glyphs.spaced(glyphs, size) == (text, max(0, added))


def test_an_underline_closes_no_gap():
    def view(draw) -> OpenPage:
        image = numpy.full((100, 100, 3), 255, numpy.uint8)
        draw(image)
        return OpenPage(None, None, 1.0, (100, 100), image)

    def letters(image):
        image[30:70, 10:20] = image[30:70, 40:50] = 0

    def underlined(image):
        letters(image)
        image[72:74] = 0

    def filled(image):
        letters(image)
        image[40:60, 20:40] = 0

    assert view(letters).has_gap((20, 20, 40, 80), 15)
    assert view(underlined).has_gap((20, 20, 40, 80), 15)
    assert not view(filled).has_gap((20, 20, 40, 80), 3)
    assert not view(letters).has_gap((200, 20, 240, 80), 3)


@pytest.mark.parametrize(
    ("glyphs", "text"),
    [
        # Word: a space that carries the mark of the letter below it, and one that lies over the last letter and follows it.
        ([(" ", 0.0, 4.5), ("ً", 4.5, 4.5), ("د", 7.0, 11.8), ("ق", 3.3, 7.0), ("ا", 0.0, 3.2)], "دقاً"),
        ([(" ", 3.4, 6.8), ("ٌ", 5.0, 5.0), ("ئ", 7.0, 11.8), ("م", 3.3, 7.0), (")", 0.0, 3.2)], "ئمٌ("),
        ([("ن", 3.1, 6.3), ("ا", 0.0, 3.0), (" ", 0.2, 3.8), ("ب", -8.0, -4.0)], "نا ب"),
        ([("ب", 4.0, 8.0), (" ", 2.0, 4.0), ("ن", -1.0, 2.0)], "ب ن"),
        # Word's Hebrew: the end of a word drawn apart, and a space over its middle. One that stands where the file has it stays.
        ([("ם", -4.0, 0.1), ("א", 8.0, 12.0), ("ב", 4.0, 8.0), ("י", 0.1, 4.0), (" ", 0.2, 4.0), ("ת", -12.0, -8.0)], "אבים ת"),
        ([("ב", 4.0, 8.0), (" ", 2.0, 6.0), ("ן", -0.1, 4.1)], "ב ן"),
        # A half-space drawn as a space without room, and a stop that stands right behind its word.
        ([("ژ", 4.0, 8.0), ("ه", 0.1, 4.0), (" ", 0.0, 3.0), ("ه", -4.0, 0.0), ("و", -12.0, -8.0)], "ژه\u200cه و"),
        ([("ש", 4.0, 8.0), ("ם", 0.1, 4.0), (" ", -2.0, 1.0), (".", -2.1, 0.1)], "שם."),
    ],
)
def test_spaces_that_lie_over_a_letter_part_no_word(glyphs, text):
    read_text = pdf_glyphs.read_rtl(pdf_glyphs.clusters_by_place(glyphs, 10.0, has_half_spaces=True), True)
    assert " ".join(read_text.split()) == text


def test_text_in_the_colour_of_the_paper_is_left_out_and_light_text_on_dark_ground_stays():
    with pymupdf.open() as doc:
        sheet = doc.new_page(width=595, height=842)
        sheet.insert_text((72, 100), "4)", fontsize=12)
        sheet.insert_text((90, 100), "**", fontsize=12, color=(1, 1, 1))
        sheet.insert_text((110, 100), "seen", fontsize=12)
        sheet.draw_rect((70, 280, 300, 310), fill=(0.1, 0.1, 0.4))
        sheet.insert_text((80, 300), "light", fontsize=12, color=(1, 1, 1))
        assert texts(doc.tobytes()) == ["4) seen", "light"]
