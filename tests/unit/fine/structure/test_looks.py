"""Headings told by the look of their lines, and what else looks tell."""

from dataclasses import replace

import pytest

from datagen.engines import OPEN
from datagen.fine.structure.document_structure import SettleStructure
from datagen.fine.structure.item_series import items_in_series
from datagen.fine.structure.looks import headings_as_furniture, headings_by_their_looks
from datagen.fine.structure.whole_regions import with_headings_in_place, with_heads_of_contents, with_whole_headings
from datagen.markdown import markdown
from datagen.record import Box, Line, Origin, Region, Sample
from tests.inputs.samples import sample

BODY, BLUE, BOLD, LINED = "12 #000000", "13 #2f5496", "12 #000000 bold", "12 #000000 bold underlined"
TEXT = "A text that goes on\nand on in two lines."


def region(text: str, y: int, look: str = BODY, label: str = "text", x: int = 100) -> Region:
    rows = text.split("\n")
    lines = tuple(Line(Box(x, y + 30 * i, x + 400, y + 30 * i + 25), row, "Sans", look=look) for i, row in enumerate(rows))
    box = Box(x, y, x + 400, lines[-1].box.y1)
    return Region(box, label, text.replace("\n", " ") if label != "toc" else text, None, "pymupdf", lines=lines)


def found(*regions: Region) -> list[str]:
    return [regions[i].text for _, i in sorted(headings_by_their_looks([regions]))]


@pytest.mark.parametrize("look", [BLUE, "15 #000000", BOLD, "12 #000000 highlighted"])
def test_lines_alone_in_a_look_that_no_text_has_are_headings(look: str):
    assert found(region("First", 100, look), region(TEXT, 140), region("Second", 300, look), region(TEXT, 340)) == [
        "First",
        "Second",
    ]


def test_one_such_line_is_a_heading_where_another_one_is():
    page = (region("First", 100, BLUE), region(TEXT, 140))
    assert found(*page) == []
    assert found(*page, region("## Second", 300, BLUE, "sub_title"), region(TEXT, 340)) == ["First"]


@pytest.mark.parametrize("look", ["12 #777777", "10 #000000 bold", "12 #000000 italic"])
def test_what_steps_back_is_no_heading(look: str):
    assert found(region("First", 100, look), region(TEXT, 140), region("Second", 300, look), region(TEXT, 340)) == []


def test_a_look_that_a_text_has_is_not_of_headings():
    page = (region("First", 100, BOLD), region(TEXT, 140), region("Second", 300, BOLD), region(TEXT, 340))
    assert found(*page, region(TEXT, 500, BOLD)) == []
    assert found(*page, region("A name", 500, BOLD, x=100), region("a value", 500, x=600)) == []


def test_bold_words_with_a_colon_may_begin_what_is_below_and_underlined_ones_may_not():
    for look, headings in ((BOLD, []), (LINED, ["First:", "Second:"])):
        assert found(region("First:", 100, look), region(TEXT, 140), region("Second:", 300, look), region(TEXT, 340)) == headings


def page(*regions: Region) -> Sample:
    return sample("a-000000", size=(1000, 1400), regions=regions, text=markdown(regions), origin=Origin("/in/a", "ab" * 32, 0))


def test_headings_of_one_look_are_as_deep_as_most_of_them():
    high = region("### Second", 300, BLUE, "sub_title")
    tall = replace(high, lines=(replace(high.lines[0], box=Box(100, 300, 500, 345)),))
    headings = (region("### First", 100, BLUE, "sub_title"), tall, region("## Third", 500, BLUE, "sub_title"))
    regions = [one for heading in headings for one in (heading, region(TEXT, heading.box.y1 + 20))]
    (made,) = SettleStructure()([page(*regions)], OPEN)
    assert isinstance(made, Sample)
    assert len({one.text.partition(" ")[0] for one in made.regions if one.label == "sub_title"}) == 1


def test_a_heading_that_is_read_behind_its_section_is_put_before_it():
    first, text, heading, below = (
        region(TEXT, 100),
        region(TEXT, 300),
        region("## Head", 250, BLUE, "sub_title"),
        region(TEXT, 400),
    )
    beside = region(TEXT, 300, x=550)
    assert with_headings_in_place([first, text, below, heading]) == [first, heading, text, below]
    assert with_headings_in_place([first, beside, heading, text]) == [first, beside, heading, text]


def test_the_head_of_a_table_of_contents_is_a_heading():
    toc = region("Contents\nOne ..... 1\nTwo ..... 2", 100, "11 #000000", "toc")
    large = replace(toc, lines=(replace(toc.lines[0], look="16 #2e74b5"), *toc.lines[1:]))
    assert [(one.label, one.text) for one in with_heads_of_contents([large])] == [
        ("sub_title", "## Contents"),
        ("toc", "One ..... 1\nTwo ..... 2"),
    ]
    assert with_heads_of_contents([toc]) == [toc]


def test_a_heading_goes_on_where_its_bracket_is_closed():
    parts = [region("## A law 《on this", 100, BLUE, "sub_title"), region("## and that》", 130, BLUE, "sub_title")]
    assert len(with_whole_headings(parts, ["a", "a"])) == 1
    assert len(with_whole_headings([parts[0], region("## And That", 130, BLUE, "sub_title")], ["a", "a"])) == 2


def test_a_circled_number_before_the_next_ones_item_is_an_item():
    first, second = region("①一つ目の項目です。", 100), region("②二つ目の項目です。", 140, label="list")
    assert items_in_series([first, second]) == {0}
    assert items_in_series([first, region("④四つ目の項目です。", 140, label="list")]) == set()


@pytest.mark.parametrize(("look", "label"), [("15 #000000", "sub_title"), (BODY, "header")])
def test_a_head_right_above_a_heading_in_its_look_is_its_first_line(look: str, label: str):
    head, heading = region("Data Structures", 40, look, "header"), region("## First Exercise", 70, "15 #000000", "sub_title")
    (made,) = SettleStructure()([page(head, heading, region(TEXT, 140))], OPEN)
    assert isinstance(made, Sample)
    assert made.regions[0].label == label


def settled(*regions: Region) -> list[tuple[str, str]]:
    (made,) = SettleStructure()([page(*regions)], OPEN)
    assert isinstance(made, Sample)
    return [(one.label, one.text) for one in made.regions]


def test_a_head_a_little_larger_than_the_text_right_above_it_is_a_heading():
    head = region("A guide", 60, "14 #000000", "header")
    assert settled(head, region(TEXT, 120))[0] == ("sub_title", "## A guide")
    assert settled(head, region(TEXT, 400))[0][0] == "header"  # far above the text
    assert settled(region("and goes on here.", 60, "14 #000000", "header"), region(TEXT, 120))[0][0] == "header"
    assert settled(region("A guide", 60, BODY, "header"), region(TEXT, 120))[0][0] == "header"


def test_a_title_in_the_look_of_headings_below_a_larger_one_is_a_heading_as_deep_as_they_are():
    large, small = "22 #000000 bold", "16 #000000 bold"
    regions = (
        region("# The guide", 100, large, "title"),
        region("## First", 200, small, "sub_title"),
        region(TEXT, 240),
        region("# Second", 400, small, "title"),
        region(TEXT, 440),
    )
    assert [settled(*regions)[i] for i in (0, 1, 3)] == [
        ("title", "# The guide"),
        ("sub_title", "## First"),
        ("sub_title", "## Second"),
    ]
    assert settled(*regions[1:])[2] == ("title", "# Second")  # nothing is larger


def test_a_sign_alone_between_other_text_is_no_item():
    sign = region("-", 200, label="list")
    assert settled(region("The guide", 100), sign, region(TEXT, 300))[1] == ("text", "-")
    assert settled(region("- One", 100, label="list"), sign, region(TEXT, 300))[1][0] == "list"


def test_items_whose_bracket_stands_apart_are_in_the_series_of_others():
    items = [region("a ) one", 100), region("b) two", 140, label="list"), region("c) three", 180), region("d ) four", 220)]
    assert items_in_series(items) == {0, 2, 3}


def test_numbers_right_before_their_words_make_items_of_three_texts_below_each_other():
    texts = [region(f"{n}.One goes on", 60 * n) for n in (1, 2, 3)]
    assert items_in_series(texts) == {0, 1, 2}
    assert items_in_series(texts[:2]) == set()
    assert items_in_series([texts[0], region(TEXT, 90), *texts[1:]]) == set()


def test_a_heading_that_ends_in_an_address_is_text():
    page = [
        region("## One", 100, BLUE, "sub_title"),
        region(TEXT, 140),
        region("## See: https://a.org/b", 300, BLUE, "sub_title"),
    ]
    page[2] = replace(page[2], lines=(replace(page[2].lines[0], text="See: https://a.org/b"),))
    assert settled(*page, region(TEXT, 340))[2] == ("text", "See: https://a.org/b")


def test_furniture_in_the_look_of_headings_is_a_heading_if_no_other_page_has_any_in_it():
    head, foot = region("1- One", 40, LINED, "header"), region("3- Three", 900, LINED, "footer")
    first = (head, region(TEXT, 140), region("## 2- Two", 300, LINED, "sub_title"), region(TEXT, 340), foot)
    assert headings_as_furniture([first], ()) == {(0, 0), (0, 4)}
    assert headings_as_furniture([(head, region(TEXT, 140), region("2- Two", 300, LINED))], [(0, 2)]) == {(0, 0)}
    assert headings_as_furniture([(*first[:4], region("See the back", 900, LINED, "footer"))], ()) == {(0, 0)}
    assert headings_as_furniture([first, (head, region(TEXT, 140))], ()) == set()
