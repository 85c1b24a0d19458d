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
