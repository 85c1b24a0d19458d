"""Lines of a text layer as labels have them."""

import pytest

from datagen.coarse.clean_line import cleaner


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("\u0639\u0644\u0649 \u0627\u0644\u0644\u0651 .", "\u0639\u0644\u0649 \u0627\u0644\u0644\u0651\u0647 ."),
        ("\u0627\u064e\u0644\u0644\u0651\u0651\u064f", "\u0627\u0644\u0644\u064e\u0651\u0647\u064f"),
        ("\u0627\u0644\u0644\u0647 \u0627\u0644\u0644\u063a\u0629", "\u0627\u0644\u0644\u0647 \u0627\u0644\u0644\u063a\u0629"),
    ],
)
def test_the_glyph_of_the_name_of_god_has_its_last_letter(line, clean):
    assert cleaner("".join(sorted(set(line))))(line) == clean


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("\u22a0Beleidsplan", "\u22a0 Beleidsplan"),
        ("\u2610 open", "\u2610 open"),
        ("a \u25a1b", "a \u25a1b"),
        ("\u25a1x", "\u25a1x"),
    ],
)
def test_a_box_to_tick_stands_apart_from_what_it_belongs_to(line, clean):
    assert cleaner("".join(sorted(set(line))))(line) == clean


def test_what_looks_like_a_colon_or_a_hyphen_is_one():
    line = "вправе\ua789 он\u2011лайн"
    assert cleaner("".join(sorted(set(line))))(line) == "вправе: он-лайн"
