"""Classes of characters: what is in them, and what isn't."""

import re

import pytest

from datagen.writing import scripts

EXAMPLES = {  # inside, outside
    "HAN": ("漢字かなカナㄅ々。「！Ａｱ\U00020000", "aé한ก"),
    "IDEOGRAPHS": ("漢\uf900\U00020000\U0002f800", "かカ々。"),
    "PHRASED": ("กລཀကកᨠ฿", "कа漢"),
    "SPACED": ("कአ가ᏣⵣꔀꙀ", "aаကก漢ꦏ—→"),
    "CLUSTERED": ("कকཀကꦏ\U00011005", "aก漢가"),
    "RIGHT_TO_LEFT": ("אب،٣\ufb22\ufdfa\U0001e900", "a漢\ufb01"),
    "GLYPHS": ("\ufb01\ufb13\ufb2c\ufefc\ufe12\ufe41", "\u0627\ufdfd\ufdfaf。"),
    "INVISIBLE": ("\u200b\u00ad\ufeff\u202b", "\u200c\u200d "),
    "NOT_LETTERS": (" 1.,—→。\ufffd", "aéक\u094d"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_class_holds_what_its_name_says(name):
    characters, (inside, outside) = getattr(scripts, name), EXAMPLES[name]
    assert re.fullmatch(f"[{characters}]+", inside)
    assert not re.search(f"[{characters}]", outside)


def test_scripts_have_codes_and_names():
    assert [scripts.script(char) for char in "aб漢,"] == ["Latn", "Cyrl", "Hani", "Zyyy"]
    assert scripts.script(",") in scripts.NO_SCRIPT
    assert (scripts.name("Cyrl"), scripts.name("Jpan")) == ("Cyrillic", "")
