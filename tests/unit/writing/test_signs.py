"""Signs that end sentences and clauses, in the scripts of the world."""

import pytest

from datagen.writing import signs


@pytest.mark.parametrize(
    "text",
    [
        "It ends.",
        "(Is it?)",
        "Վերջ։",
        "ختم ہوا۔",
        "समाप्त।",
        "ပြီးပါပြီ။",
        "ᠳᠠᠭᠤᠰᠪᠠ᠃",
        "བོད་།",
        "终了。」",
        "and so on…",
        "as follows:",
    ],
)
def test_a_sentence_ends(text):
    assert signs.is_closed(text)


@pytest.mark.parametrize("text", ["one،", "a word", ""])
def test_a_clause_goes_on(text):
    assert not signs.is_closed(text)
