"""How far a label is from the page's text: letters and digits, without formulas."""

import pytest

from datagen.record import Box, Region
from datagen.word.pages.page_check import letters_apart, text_distance


def region(text: str, label: str = "text", format: str = "markdown") -> Region:
    return Region(Box(0, 0, 1, 1), label, text, None, "word", format=format)


def test_markdown_and_spaces_are_no_difference() -> None:
    entries = [(region("## 1 The *first* part", "sub_title"), "1 The first  part"), (region("- an item", "list"), "• an item")]

    assert text_distance(entries, "") == (0.0, "")


def test_formulas_are_left_out() -> None:
    assert text_distance([(region(r"where \(x_1+\alpha\) holds"), "where  holds")], "")[0] == 0
    assert text_distance([(region(r"\frac{1}{2}", "equation", "latex"), "")], "")[0] == 0


def test_tags_of_a_table_are_left_out_and_its_signs_are_read() -> None:
    html = '<table><tr><td rowspan="2">a &lt; b1</td><td>c<br>d</td></tr></table>'

    assert text_distance([(region(html, "table", "html"), "a < b1 c d")], "")[0] == 0


def test_each_edit_counts_and_letters_in_no_region_do() -> None:
    distance, detail = text_distance([(region("abcdefgh"), "abcdXfgh")], "12")

    assert distance == pytest.approx(3 / 10)  # of the page's ten letters
    assert "2 letters in no region" in detail


def test_worst_region_is_named() -> None:
    assert "'left out'" in text_distance([(region("same"), "same"), (region("left out"), "")], "")[1]


def test_glyphs_that_stand_for_letters_are_these() -> None:
    assert text_distance([(region("office"), "o\ufb03ce")], "")[0] == 0


def test_order_of_points_over_letters_is_no_difference_but_their_number_is() -> None:
    assert text_distance([(region("חָכְמָה"), "חכָמְהָ")], "")[0] == 0
    assert text_distance([(region("חָכְמָה"), "חָכְמה")], "")[0] == pytest.approx(1 / 7)
    assert text_distance([(region("खिच"), "खचि")], "")[0] > 0  # marks of other scripts have one place


def test_letters_are_counted_once_against_the_whole_label() -> None:
    regions = [region("seven bridges"), region("<table><tr><td>Select...</td></tr></table>", "table", "html")]

    assert letters_apart(regions, "seven bridges Select...") == (0.0, "")
    apart, detail = letters_apart(regions, "seven bridges Select... and a footnote")
    assert apart == pytest.approx(12 / 30)
    assert "lacks 'aadefnnooott'" in detail
    assert letters_apart([*regions, region("bridges")], "seven bridges Select...")[0] == pytest.approx(7 / 25)


def test_letters_of_unread_regions_and_tags_are_no_difference() -> None:
    assert letters_apart([region("H<sub>2</sub>O")], "H2O where x holds", "where x holds") == (0.0, "")
    assert text_distance([(region("H<sub>2</sub>O"), "H2O")], "") == (0.0, "")


def test_symbols_that_nobody_owns_count_and_signs_do_not() -> None:
    apart, detail = letters_apart([region("2SO2O2")], "2SO2O2", unowned="⇌\uf0b7•…")

    assert apart == pytest.approx(2 / 6) and "⇌" in detail
