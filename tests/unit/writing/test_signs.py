"""Signs that end sentences and clauses, in the scripts of the world."""

import pytest

from datagen.writing import signs


@pytest.mark.parametrize(
    "text", ["It ends.", "(Is it?)", "Վերջ։", "ختم ہوا۔", "समाप्त।", "ပြီးပါပြီ။", "ᠳᠠᠭᠤᠰᠪᠠ᠃", "བོད་།", "终了。」", "and so on…"]
)
def test_a_sentence_ends(text):
    assert signs.ends_sentence(text) and signs.is_closed(text)


@pytest.mark.parametrize(
    ("text", "closed", "clause"),
    [
        ("as follows:", True, True),
        ("one،", False, True),
        ("a word", False, False),
        ("", False, False),
    ],
)
def test_a_clause_ends_in_more_than_a_sentence(text, closed, clause):
    assert (signs.ends_sentence(text), signs.is_closed(text), signs.ends_clause(text)) == (False, closed, clause)
