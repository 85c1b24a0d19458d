"""The order of right-to-left text against python-bidi, which goes forwards only, from what is read to what is drawn."""

import itertools
import textwrap

import pytest
from bidi import get_display

from datagen.sources.pdf_bidi import levels, logical_order, mirror, visual_order
from tests.udhr import UDHR

RIGHT_TO_LEFT = [script for script in ("Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Mand", "Samr") if script in UDHR]
SENTENCES = (
    "صدر الإصدار 18 من Debian Linux (12.5) في عام 2024، والإصدار ١٩ بعده.",
    "גרסה 18 של Debian Linux (12.5) יצאה בשנת 2024, ב-10:30 (שעון ישראל) [א].",
    "می‌خواهم ۵۰٪ از آن را «به‌زودی» بخوانم، یا -12.5% و 3/4 (Linux) [۵].",
    "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔",
    "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ׃",
)
LINES = [line for script in RIGHT_TO_LEFT for line in textwrap.wrap(UDHR[script][1], 60)] + list(SENTENCES)


@pytest.mark.parametrize("base", "LR")
def test_the_algorithm_agrees_with_a_library_on_lines_of_many_scripts(base):
    assert len(RIGHT_TO_LEFT) > 3
    for text in LINES:
        assert "".join(text[i] for i in visual_order(levels(text, base == "R"))) == get_display(text, base_dir=base), text


@pytest.mark.parametrize("base", "LR")
def test_the_algorithm_agrees_with_a_library_on_numbers_and_brackets_between_directions(base):
    words = ("שלום", "abc", "18", "(א)", "كتاب", "١٢", "[x", "-3%", "y]")
    for chosen in itertools.permutations(words, 4):
        text = " ".join(chosen)
        assert "".join(text[i] for i in visual_order(levels(text, base == "R"))) == get_display(text, base_dir=base), text


def test_lines_come_back_as_they_were_read():
    for text in LINES:
        forward = levels(text, True)
        drawn = [mirror(text[i]) if forward[i] % 2 else text[i] for i in visual_order(forward)]
        read = "".join(mirror(drawn[i]) if is_rtl else drawn[i] for i, is_rtl in logical_order(drawn, True))
        assert read == text
