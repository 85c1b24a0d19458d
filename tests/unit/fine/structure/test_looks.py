"""Headings told by the look of their lines, and what else looks tell."""

from dataclasses import replace

import pytest

from datagen.engines import OPEN
from datagen.fine.structure.document_structure import SettleStructure
from datagen.fine.structure.item_series import items_in_series
from datagen.fine.structure.looks import headings_by_their_looks
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


@pytest.mark.parametrize("look", [BLUE, "12 #000000 highlighted"])
def test_lines_alone_in_a_look_that_no_text_has_are_headings(look: str):
    assert found(region("First", 100, look), region(TEXT, 140), region("Second", 300, look), region(TEXT, 340)) == [
        "First",
        "Second",
    ]


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


def test_a_sign_alone_between_other_text_is_no_item():
    sign = region("-", 200, label="list")
    assert settled(region("The guide", 100), sign, region(TEXT, 300))[1] == ("text", "-")
    assert settled(region("- One", 100, label="list"), sign, region(TEXT, 300))[1][0] == "list"


def test_numbers_right_before_their_words_make_items_of_three_texts_below_each_other():
    texts = [region(f"{n}.One goes on", 60 * n) for n in (1, 2, 3)]
    assert items_in_series(texts) == {0, 1, 2}
    assert items_in_series(texts[:2]) == set()
    assert items_in_series([texts[0], region(TEXT, 90), *texts[1:]]) == set()
