"""Vowels that are drawn left of their letters: in front of them for a reader, behind them in text."""

import pytest

from datagen.samples import declarations
from datagen.writing.left_marks import as_drawn, as_written
from datagen.writing.line_text import normalise


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("कि", "िक"),
        ("स्थिति", "िस्थित"),  # a joined letter goes along
        ("ज़िंदगी", "िज़ंदगी"),  # a dot below belongs to its letter, the one above stays behind
        ("দেশ", "েদশ"),
        ("அச்சே", "அச்ேச"),  # Tamil's pulli joins nothing
        ("ខ្មែរ", "ែខ្មរ"),
    ],
)
def test_a_vowel_stands_in_front_of_its_letters_as_it_is_drawn(written, drawn):
    assert as_drawn(written) == drawn
    assert as_written(drawn) == written


def test_what_has_no_such_vowels_stays_as_it_is():
    for text in ("Все люди", "ภาษาไทย เป็น", "e\u0301", "אבג"):
        assert as_drawn(text) == as_written(text) == text


@pytest.mark.parametrize("lang", ["hi", "bn", "km"])
def test_whole_texts_come_back(lang):
    text = declarations.paragraphs(lang)
    assert text and all(as_written(as_drawn(paragraph)) == paragraph for paragraph in map(normalise, text))
