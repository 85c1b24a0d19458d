"""Which share of a paragraph's text each page has, by the letters that it shows of it."""

from datagen.word.pages.text_shares import shares


def texts(text: str, *groups: str) -> list[str]:
    return [text[start:stop] for start, stop in shares(text, groups).of_groups]


def test_one_page_has_all_of_it() -> None:
    assert texts("one two three", "onetwothree") == ["one two three"]


def test_page_break_divides_by_the_number_of_letters() -> None:
    assert texts("one two (three), four", "onetwo(three),", "four") == ["one two (three), ", "four"]


def test_what_is_not_drawn_goes_with_the_letter_before() -> None:
    assert texts("ab\u00adcd\u200b ef", "ab", "cdef") == ["ab\u00ad", "cd\u200b ef"]


def test_page_without_letters_has_none_of_the_text() -> None:
    assert texts("hidden", "", "") == ["", ""]
    assert texts("one two", "", "onetwo") == ["", "one two"]


def test_repeated_head_is_whole_on_each_page() -> None:
    assert texts("Year and sum", "Yearandsum", "Yearandsum") == ["Year and sum", "Year and sum"]


def test_letters_too_many_divide_where_they_fit_best() -> None:
    # a hyphen at the end of a line, and leaders, which the text doesn't have
    assert texts("international law holds", "inter-nationallaw....", "holds") == ["international law ", "holds"]


def test_letters_too_few_divide_where_they_fit_best() -> None:
    # a ligature that the page's text layer has as one sign
    assert texts("first office, second office", "firsto\ufb03ce,", "secondoffice") == ["first office, ", "second office"]


def test_head_is_repeated_though_each_page_has_a_letter_more() -> None:
    assert texts("Implementation Notes", "Implementation_Notes", "Implementation_Notes") == ["Implementation Notes"] * 2


def test_repetition_of_which_a_page_has_a_part_is_that_part() -> None:
    assert texts("Implementation Notes", "ImplementationNotes", "Notes", "Implementation_Notes") == [
        "Implementation Notes",
        "Notes",
        "Implementation Notes",
    ]
