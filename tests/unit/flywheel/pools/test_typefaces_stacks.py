"""Typefaces whose second mark can't be seen teach readers to see what isn't there."""

import pytest

from datagen.drawing.typefaces import installed
from flywheel.pools.typefaces import families_of, stacks

LINES = ["ที่นี่ชื่อ", "ตั้งที่ยู่"]


def test_a_typeface_that_draws_a_tone_on_its_vowel_is_left_out():
    if "Noto Looped Thai" not in installed():
        pytest.skip("Noto Looped Thai isn't there (fonts-noto-core)")
    assert not stacks("Noto Looped Thai", LINES, "th")
    assert stacks("FreeSerif", LINES, "th")
    families = families_of(LINES, "th")
    assert families and "Noto Looped Thai" not in (*families.train, *families.test)


def test_where_no_letter_has_two_marks_all_typefaces_stack():
    assert stacks("FreeSerif", ["ab", "αβ"], "el")
