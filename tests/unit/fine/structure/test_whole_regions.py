"""What is torn on a page, as one: notes, items and their signs, the ends of references, captions and the text below them."""

from dataclasses import replace

import pytest

from datagen.engines import OPEN
from datagen.fine.floats import with_floats_in_place
from datagen.fine.structure.document_structure import SettleStructure
from datagen.fine.structure.item_series import tails_of_references
from datagen.fine.structure.whole_regions import with_labels_by_neighbours, with_whole_items, with_whole_notes
from datagen.fine.wording import FIGURE, TABLE
from datagen.record import Box, Region
from tests.unit.fine.structure.test_looks import BODY, BOLD, TEXT, page, region


def note(text: str, y: int, markdown: str = "") -> Region:
    return replace(region(text, y, label="footnote"), text=markdown or text)


def test_a_footnotes_full_line_goes_on_with_the_one_right_below_that_has_no_mark():
    first = note("20 A rule of Part 30, the year", 1000, "<sup>20</sup>A rule of Part 30, the year")
    (made,) = with_whole_notes([first, note("2024, a city", 1028)])
    assert made.text == "<sup>20</sup>A rule of Part 30, the year 2024, a city"
    assert len(made.lines) == 2 and made.box.y1 == 1053
    for other in (note("21 Another", 1028), note("1. Another", 1028), note("Far below", 1100)):
        assert with_whole_notes([first, other]) == [first, other]
    short = replace(first, lines=(replace(first.lines[0], box=Box(100, 1000, 200, 1025)),))
    long = note("22 A longer note", 900)
    assert len(with_whole_notes([long, short, note("Of nobody", 1028)])) == 3


@pytest.mark.parametrize("x", [60, 540])
def test_a_sign_alone_and_the_text_on_its_line_are_an_item(x: int):
    sign = replace(region("-", 100, label="list"), box=Box(x, 100, x + 10, 125))
    assert [(r.label, r.text) for r in with_whole_items([sign, region("13GB RAM", 100)])] == [("list", "- 13GB RAM")]
    assert len(with_whole_items([sign, region("13GB RAM", 140)])) == 2


def test_the_end_of_an_entry_from_the_page_before_is_a_reference():
    def hanging(text: str, y: int, label: str = "reference") -> Region:
        made = region(text, y, label=label)
        lines = (made.lines[0], *(replace(one, box=one.box._replace(x0=140)) for one in made.lines[1:]))
        return replace(made, lines=lines)

    entries = (hanging("[1] A book\nof somebody", 200), hanging("[2] A paper\nof others", 300))
    assert tails_of_references([region("in Proc. of it, 2022.", 100, x=140), *entries]) == {0}
    assert tails_of_references([region("We thank all.", 100), *entries]) == set()
    assert tails_of_references([region("in Proc. of it, 2022.", 100, x=140), region(TEXT, 150), *entries]) == set()


def test_a_paragraph_behind_a_caption_is_no_second_caption():
    caption, body = region("Fig. 2: A map", 400, label="image_caption"), region(TEXT, 460, label="image_caption")
    (made,) = SettleStructure()([page(region(TEXT, 100), caption, body)], OPEN)
    assert [one.label for one in made.regions] == ["text", "image_caption", "text"]
    (made,) = SettleStructure()([page(region(TEXT, 100), body)], OPEN)
    assert [one.label for one in made.regions] == ["text", "image_caption"]


@pytest.mark.parametrize("text", ["obr. č 13 (Formulár)", "4.2 pav. Laikai", "Fig. no. 2"])
def test_captions_of_figures_begin_with_a_word_and_a_number_in_either_order(text: str):
    assert FIGURE.match(text) and not TABLE.match(text)


def test_the_second_of_two_pictures_in_a_row_is_read_before_the_text_below_both():
    pictures = [Region(Box(x, 100, x + 200, 300), "image", "", None, "pymupdf") for x in (100, 350)]
    above, below = region("A title of it", 50, BODY), [region("Below", 320), region("And more below", 360)]
    below[0] = replace(below[0], box=below[0].box._replace(x1=250))
    assert with_floats_in_place([above, pictures[0], below[0], pictures[1], below[1]], "ltr") == [above, *pictures, *below]


def test_a_table_that_a_file_draws_last_stands_where_it_is_and_a_foot_parts_no_row():
    table = replace(region("a b", 20, BODY), label="table")
    body = [region(f"Text {y}", y, BODY) for y in (60, 120, 200)]
    assert with_floats_in_place([*body, table], "ltr") == [table, *body]
    assert with_floats_in_place([body[0], table, *body[1:]], "ltr") == [body[0], table, *body[1:]], "only where it comes last"
    right = replace(body[0], box=body[0].box._replace(x0=body[0].box.x0 + 400, x1=body[0].box.x1 + 400))
    foot, number = region("about:blank", 900, BODY), replace(region("2/2", 950, BODY), label="page_number")
    assert with_floats_in_place([body[0], foot, right, body[1], number], "ltr") == [body[0], right, body[1], foot, number]
    assert with_floats_in_place([body[0], foot, body[1], number], "ltr") == [body[0], foot, body[1], number]


def test_what_begins_as_a_tables_name_right_above_one_is_its_caption():
    heading, table = (
        region("## \u0531\u0572\u0575\u0578\u0582\u057d\u0561\u056f\u2024 of splines", 100, BOLD, "sub_title"),
        region("", 140, label="table"),
    )
    heading = replace(heading, lines=tuple(replace(line, text=line.text.removeprefix("## ")) for line in heading.lines))
    (made, _) = with_labels_by_neighbours([heading, table])
    assert (made.label, made.text) == ("table_caption", heading.text.removeprefix("## "))
    assert with_labels_by_neighbours([heading, region(TEXT, 140)])[0].label == "sub_title"


def test_a_line_in_brackets_below_a_blank_is_no_footnote():
    blank = region("..... .....", 100)
    assert [one.label for one in with_labels_by_neighbours([blank, note("(a place and a date)", 140)])] == ["text", "text"]
    assert with_labels_by_neighbours([blank, note("1 (a place)", 140)])[1].label == "footnote"
    assert with_labels_by_neighbours([region(TEXT, 100), note("(a place and a date)", 160)])[1].label == "footnote"
