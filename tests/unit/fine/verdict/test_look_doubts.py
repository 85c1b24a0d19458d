"""What contradicts labels by look and place."""

from dataclasses import replace

import pytest

from datagen.fine.verdict import look_doubts
from datagen.record import Box, Region
from tests.unit.fine.structure.test_looks import BLUE, BODY, BOLD, TEXT, region

PICTURES = [Region(Box(x, 100, x + 200, 300), "image", "", None, "pymupdf") for x in (100, 350)]


def kinds(*regions: Region) -> dict[str, int]:
    return dict(+look_doubts.doubts(regions))


def test_a_page_whose_labels_fit_has_no_doubts():
    heading, deeper = region("## One", 100, "16 #000000 bold", "sub_title"), region("### Two", 300, BOLD, "sub_title")
    caption = region("Fig. 1: A map", 310, label="image_caption")
    items = [region(f"{n}. **An item**", 500 + 40 * n, BOLD, "list") for n in (1, 2)]
    assert kinds(heading, region(TEXT, 140), deeper, region(TEXT, 340), *items) == {}
    assert kinds(PICTURES[0], caption, region(TEXT, 400)) == {}
    assert kinds() == {}


def test_a_short_text_that_is_wholly_bold_may_be_a_heading_and_so_may_an_item_with_a_number():
    bold = region("A title of two lines\nthat is long", 200, BOLD)
    item = region("4. A row of a table\nthat ends so.", 200, BOLD, "list")
    assert kinds(region(TEXT, 100), bold, region(TEXT, 300)) == {"heading": 1}
    assert kinds(region(TEXT, 100), item, region(TEXT, 300)) == {"heading": 1}
    assert kinds(region(TEXT, 100), item, replace(item, box=Box(100, 300, 500, 355))) == {}
    assert kinds(region(TEXT, 100, BOLD), region("Bold, too", 200, BOLD)) == {}


@pytest.mark.parametrize(
    ("above", "below", "num"),
    [
        (("### One", "16 #000000 bold"), ("## Two", BOLD), 1),
        (("## One", "16 #000000 bold"), ("## Two", BOLD), 1),
        (("## One", BOLD), ("## Two", "12 #000000 italic"), 1),
        (("## One", BOLD), ("## Two", BOLD), 0),
        (("## One", BOLD), ("### Two", "12 #000000 italic"), 0),
    ],
)
def test_larger_and_bolder_headings_stand_higher(above: tuple[str, str], below: tuple[str, str], num: int):
    headings = [region(text, y, look, "sub_title") for (text, look), y in ((above, 100), (below, 300))]
    assert look_doubts.num_levels_by_size(headings) == num


def test_captions_that_read_as_text_or_are_of_two_pictures_and_texts_that_read_as_captions():
    assert kinds(*PICTURES, region("One map Another map", 310, label="image_caption"), region(TEXT, 400)) == {"captions": 1}
    assert kinds(*PICTURES, region("Fig. 1: Two maps", 310, label="image_caption"), region(TEXT, 400)) == {}
    assert kinds(PICTURES[0], region("Fig. 1 A map", 310), region(TEXT, 400)) == {"captions": 1}
    assert kinds(region("Fig. 1 shows it.", 310), region(TEXT, 400)) == {}
    assert kinds(region(TEXT, 400), region(TEXT, 500, label="image_caption")) == {"captions": 1}


def test_notes_references_and_signs_that_are_torn():
    first, second = region("1 A note", 900, label="footnote"), region("that goes on", 928, label="footnote")
    assert kinds(first, second) == {"torn": 1}
    assert kinds(first, region("2 Another", 928, label="footnote")) == {}
    assert kinds(region("of 2022", 100), region("A book", 140, label="reference")) == {"torn": 1}
    raised = replace(region("1 See there", 140, label="reference"), text="<sup>1</sup>See there")
    assert kinds(raised) == {"torn": 1}
    sign = replace(region("-", 100, label="list"), box=Box(60, 100, 70, 125))
    assert kinds(sign, region("An item", 100)) == {"torn": 1}
    assert kinds(sign, region("A text", 150)) == {}


def test_a_reference_that_begins_where_the_second_lines_of_others_do_is_the_end_of_one():
    def entry(y: int) -> Region:
        made = region("A book\nof somebody", y, label="reference")
        return replace(made, lines=(made.lines[0], replace(made.lines[1], box=made.lines[1].box._replace(x0=140))))

    tail = region("Vekayi, 7(1)", 300, label="reference", x=140)
    assert look_doubts.num_torn_notes([entry(100), entry(200), tail, entry(400)]) == 1
    assert look_doubts.num_torn_notes([entry(100), entry(200), entry(400)]) == 0


def test_a_line_of_the_text_in_a_picture_is_counted():
    lines = region("A line: 2/5.", 150).lines
    picture = replace(PICTURES[0], text=lines[0].text, lines=lines)
    assert kinds(region(TEXT, 400), picture) == {"pictures": 1}
    small = replace(picture, lines=(replace(lines[0], look="8 #000000"),))
    assert kinds(region(TEXT, 400), small) == {}


def test_two_headings_as_near_as_lines_may_be_one_and_none_begins_with_an_items_sign():
    two = [region("## A title", 100, BLUE, "sub_title"), region("## Of two lines", 130, BLUE, "sub_title")]
    assert kinds(*two) == {"heading": 1}
    numbered = region("2 Another", 130, BLUE, "sub_title")
    assert kinds(two[0], replace(numbered, text=f"## {numbered.text}")) == {}
    assert kinds(region("## - Article 3", 100, BLUE, "sub_title"), region(TEXT, 140)) == {"heading": 1}


def test_breaks_of_lines_within_running_text_part_paragraphs():
    text = region("One line that goes\non and ends here.\nThe next one", 100, BODY)
    assert kinds(replace(text, text="One line that goes on and ends here.\nThe next one")) == {"glued": 1}
    assert kinds(replace(text, text="Mr. A\nAt a street\nIn a town", lines=text.lines)) == {}


def test_half_a_row_that_is_read_behind_the_text_below_the_row_is_counted():
    left, right = region("One half", 100), replace(region("The other", 100), box=Box(550, 100, 700, 125))
    below = [region("Below both", 140), region("And more", 180)]
    assert kinds(left, below[0], right, below[1]) == {"order": 1}
    assert kinds(left, right, *below) == {}


def test_a_line_across_two_columns_is_counted():
    left, right = region(TEXT, 100), region(TEXT, 100, x=550)
    wide = replace(left, lines=(left.lines[0], replace(left.lines[1], box=left.lines[1].box._replace(x1=900))))
    assert kinds(wide, right) == {"torn": 1}
    assert kinds(left, right) == {}
