"""Which share of a paragraph's text each page has, by the letters that it shows of it, and where a page break cuts the text."""

import pytest

from datagen.word.pages.text_shares import shares

_ARABIC = "وَلَا تَقْرَبُوا مَالَ الْيَتِيمِ إِلَّا بِالَّتِي هِيَ أَحْسَنُ"
_WORDS = _ARABIC.split()
_BARE = ["".join(char for char in word if not "\u064b" <= char <= "\u0652") for word in _WORDS]
_RIVER = "The old map shows a river, and the river has seven bridges."


@pytest.mark.parametrize(
    ("text", "groups", "of_groups"),
    [
        ("one two (three), four", ["onetwo(three),", "four"], ["one two (three), ", "four"]),
        # What isn't drawn goes with the letter before it.
        ("ab\u00adcd\u200b ef", ["ab", "cdef"], ["ab\u00ad", "cd\u200b ef"]),
        # A head that each page repeats, with a letter more, or a part of it.
        ("Year and sum", ["Yearandsum", "Yearandsum"], ["Year and sum", "Year and sum"]),
        ("Implementation Notes", ["Implementation_Notes"] * 2, ["Implementation Notes"] * 2),
        (
            "Implementation Notes",
            ["ImplementationNotes", "Notes", "Implementation_Notes"],
            ["Implementation Notes", "Notes", "Implementation Notes"],
        ),
        # A page has hyphens, leaders and ligatures, which the text hasn't.
        ("international law holds", ["inter-nationallaw....", "holds"], ["international law ", "holds"]),
        (
            _RIVER,
            ["The ..... old map shows a river, and the river", "has seven bridges."],
            ["The old map shows a river, and the river ", "has seven bridges."],
        ),
        (
            _RIVER,
            ["Theoldmapshowsariver,andtheri-", "verhassevenbridges."],
            ["The old map shows a river, and the ri", "ver has seven bridges."],
        ),
        (
            "He said: (see below), then left",
            ["He said_: (see below),", "then left"],
            ["He said: (see below), ", "then left"],
        ),
        # Points over letters are fewer, and in another order; words have spaces within, and some letters twice.
        (
            _ARABIC,
            [" ".join(word[::-1] for word in _BARE[:5]), " ".join(_BARE[5:])],
            [" ".join(_WORDS[:5]) + " ", " ".join(_WORDS[5:])],
        ),
        (
            "אני הולך לבית הספר הגדול של העיר הזאת",
            ["אני הו לך לב ית הספפר", "הגד ול של העיר הזאת"],
            ["אני הולך לבית הספר ", "הגדול של העיר הזאת"],
        ),
    ],
)
def test_each_page_has_the_text_of_its_letters(text: str, groups: list[str], of_groups: list[str]) -> None:
    spans, are_found = shares(text, groups)

    assert [text[start:stop] for start, stop in spans] == of_groups
    assert are_found


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("one two three four five", ["one two thrxx", "youu fivee"]),
        ("אחת שתים שלוש ארבע", ["אחת שתים שלו", "ש ארבעה"]),
    ],
)
def test_cut_that_the_text_does_not_have_is_not_found(text: str, groups: list[str]) -> None:
    assert not shares(text, groups).are_found
