"""How far a label is from the page's text: letters and digits, without formulas."""

import pytest

from datagen.record import Box, Region
from datagen.word.pages.page_check import letters_apart, text_distance


def region(text: str, label: str = "text", format: str = "markdown") -> Region:
    return Region(Box(0, 0, 1, 1), label, text, None, "word", format=format)


TABLE = '<table><tr><td rowspan="2">a &lt; b1</td><td>c<br>d</td></tr></table>'


@pytest.mark.parametrize(
    ("entry", "page"),
    [
        (region("## 1 The *first* part", "sub_title"), "1 The first  part"),
        (region("- an item", "list"), "• an item"),
        (region(r"where \(x_1+\alpha\) holds"), "where  holds"),
        (region(r"\frac{1}{2}", "equation", "latex"), ""),
        (region(TABLE, "table", "html"), "a < b1 c d"),
        (region("office"), "o\ufb03ce"),
        (region("H<sub>2</sub>O"), "H2O"),
        (region("חָכְמָה"), "חכָמְהָ"),  # points stand over their letters, in whatever order
    ],
)
def test_what_is_no_letter_makes_no_difference(entry: Region, page: str) -> None:
    assert text_distance([(entry, page)], "") == (0.0, "")


def test_each_edit_counts_and_letters_in_no_region_do() -> None:
    distance, detail = text_distance([(region("abcdefgh"), "abcdXfgh")], "12")

    assert distance == pytest.approx(3 / 10)  # of the page's ten letters
    assert "2 letters in no region" in detail


def test_points_are_counted_and_marks_of_other_scripts_have_one_place() -> None:
    assert text_distance([(region("חָכְמָה"), "חָכְמה")], "")[0] == pytest.approx(1 / 7)
    assert text_distance([(region("खिच"), "खचि")], "")[0] > 0


def test_letters_are_counted_once_against_the_whole_label() -> None:
    regions = [region("seven bridges"), region("<table><tr><td>Select...</td></tr></table>", "table", "html")]

    assert letters_apart(regions, "seven bridges Select...") == (0.0, "")
    apart, detail = letters_apart(regions, "seven bridges Select... and a footnote")
    assert apart == pytest.approx(12 / 30)
    assert "lacks 'aadefnnooott'" in detail
    assert letters_apart([*regions, region("bridges")], "seven bridges Select...")[0] == pytest.approx(7 / 25)


def test_symbols_that_nobody_owns_count_and_signs_do_not() -> None:
    apart, detail = letters_apart([region("2SO2O2")], "2SO2O2", unowned="⇌\uf0b7•…")

    assert apart == pytest.approx(2 / 6) and "⇌" in detail
