"""Hangul syllables as letters, and readers that learn these."""

import unicodedata

from datagen.engines.compact import Alphabet
from datagen.writing.hangul import put_together, take_apart

SYLLABLES = [chr(code) for code in range(0xAC00, 0xD7A4)]


def test_all_syllables_come_back_from_67_letters():
    parts = [take_apart(syllable) for syllable in SYLLABLES]
    assert len(set("".join(parts))) == 19 + 21 + 27
    assert {len(letters) for letters in parts} == {2, 3}
    assert [put_together(letters) for letters in parts] == SYLLABLES


def test_what_is_no_syllable_stays():
    assert take_apart("Cafés naïfs, йод, が, ㄱ, ế") == "Cafés naïfs, йод, が, ㄱ, ế"
    lone = unicodedata.normalize("NFD", "각")[1:]
    assert put_together(f"{lone}a{lone}") == f"{lone}a{lone}"


def test_an_alphabet_reads_syllables_that_it_never_saw():
    alphabet = Alphabet.of("Hang", ["가나 각 OK"])
    assert alphabet.decode(alphabet.encode("낙 나가")) == "낙 나가"
    assert len(alphabet.symbols) == len("ᄀ낙 OK")
