"""Where a page break cuts a text: at the letters that both pages have around it."""

from datagen.word.pages.text_shares import shares

_ARABIC = "وَلَا تَقْرَبُوا مَالَ الْيَتِيمِ إِلَّا بِالَّتِي هِيَ أَحْسَنُ"


def cut(text: str, *groups: str) -> tuple[list[str], bool]:
    spans, are_found = shares(text, groups)
    return [text[start:stop].strip() for start, stop in spans], are_found


def test_vocalised_text_is_cut_between_words_though_a_page_has_fewer_points_in_another_order() -> None:
    words = _ARABIC.split()
    bare = ["".join(char for char in word if not "\u064b" <= char <= "\u0652") for word in words]
    shuffled = [word[::-1] for word in bare[:5]]

    assert cut(_ARABIC, " ".join(shuffled), " ".join(bare[5:])) == ([" ".join(words[:5]), " ".join(words[5:])], True)


def test_text_is_cut_at_its_letters_though_a_page_has_more_signs() -> None:
    text = "The old map shows a river, and the river has seven bridges."

    assert cut(text, "The ..... old map shows a river, and the river", "has seven bridges.") == (
        ["The old map shows a river, and the river", "has seven bridges."],
        True,
    )
    assert cut(text, "Theoldmapshowsariver,andtheri-", "verhassevenbridges.")[0] == [
        "The old map shows a river, and the ri",
        "ver has seven bridges.",
    ]


def test_signs_go_with_the_letters_before_them() -> None:
    assert cut("He said: (see below), then left", "He said_: (see below),", "then left")[0] == [
        "He said: (see below),",
        "then left",
    ]


def test_spaces_within_words_of_a_page_and_letters_that_it_has_twice_are_passed_over() -> None:
    text = "אני הולך לבית הספר הגדול של העיר הזאת"

    assert cut(text, "אני הו לך לב ית הספפר", "הגד ול של העיר הזאת") == (["אני הולך לבית הספר", "הגדול של העיר הזאת"], True)


def test_cut_that_the_text_does_not_have_is_not_found() -> None:
    assert not cut("one two three four five", "one two thrxx", "youu fivee")[1]
    assert not cut("אחת שתים שלוש ארבע", "אחת שתים שלו", "ש ארבעה")[1]
    assert cut("one two three four five", "one two", "three four five")[1]
