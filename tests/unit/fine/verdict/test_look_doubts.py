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
        (("## One", BOLD), ("## Two", "16 #000000"), 1),
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


def test_notes_and_references_that_are_torn():
    first, second = region("1 A note", 900, label="footnote"), region("that goes on", 928, label="footnote")
    assert kinds(first, second) == {"torn": 1}
    assert kinds(first, region("2 Another", 928, label="footnote")) == {}
    assert kinds(region("of 2022", 100), region("A book", 140, label="reference")) == {"torn": 1}
    raised = replace(region("1 See there", 140, label="reference"), text="<sup>1</sup>See there")
    assert kinds(raised) == {"torn": 1}


def test_a_reference_that_begins_where_the_second_lines_of_others_do_is_the_end_of_one():
    def entry(y: int) -> Region:
        made = region("A book\nof somebody", y, label="reference")
        return replace(made, lines=(made.lines[0], replace(made.lines[1], box=made.lines[1].box._replace(x0=140))))

    tail = region("Vekayi, 7(1)", 300, label="reference", x=140)
    assert look_doubts.num_torn_notes([entry(100), entry(200), tail, entry(400)]) == 1
    assert look_doubts.num_torn_notes([entry(100), entry(200), entry(400)]) == 0


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


def test_a_line_across_two_columns_is_counted():
    left, right = region(TEXT, 100), region(TEXT, 100, x=550)
    wide = replace(left, lines=(left.lines[0], replace(left.lines[1], box=left.lines[1].box._replace(x1=900))))
    assert kinds(wide, right) == {"torn": 1}
    assert kinds(left, right) == {}


def test_notes_that_are_mixed_with_others_and_with_texts_are_counted():
    both = replace(region("1 A note\n2 Another", 900, label="footnote"), text="<sup>1</sup>A note <sup>2</sup>Another")
    assert kinds(both) == {"glued": 1}
    cited = replace(region("1 A note of\n 2 things", 900, label="footnote"), text="<sup>1</sup>A note of x<sup>3</sup>")
    assert kinds(cited) == {}
    notes = [region(f"{n} A note", 900 + 100 * n, label="footnote") for n in (1, 2)]
    assert kinds(notes[0], region("3.01.2012", 1040), notes[1]) == {"glued": 1}


def test_a_full_line_in_mid_sentence_goes_on_in_the_line_right_below_of_its_look():
    body = region("A text that goes\non and on.", 500)
    line, below = region("Art. 5 A union may have as many", 100), region("Parts as it needs.", 130, x=130)
    assert kinds(line, below, body) == {"torn": 1}
    assert kinds(line, replace(below, lines=(replace(below.lines[0], look=BLUE),)), body) == {}
    assert kinds(region("Art. 5 It ends.", 100), below, body) == {}
    assert kinds(line, region("Parts as it needs.", 180), body) == {}
    short = replace(line, lines=(replace(line.lines[0], box=Box(100, 100, 300, 125)),))
    assert kinds(short, below, body) == {}


def test_a_text_that_begins_on_the_last_row_of_an_item_and_goes_on_below_it_is_torn_from_it():
    item = region("2. He is so.", 100, label="list")
    item = replace(item, lines=(replace(item.lines[0], box=Box(100, 100, 450, 125)),))
    first, second = region("He\nis also that.", 100).lines
    rest = replace(region("He is also that.", 100), lines=(replace(first, box=Box(470, 100, 500, 125)), second))
    assert kinds(item, rest) == {"torn": 1}
    column = replace(rest, lines=(rest.lines[0], replace(second, box=second.box._replace(x0=470))))
    assert kinds(item, column) == {}


def test_a_title_stands_first_and_what_is_set_back_below_a_picture_may_be_its_caption():
    title = region("# A name", 200, "24 #000000 bold", "title")
    assert kinds(region("## Part 2", 100, BOLD, "sub_title"), title) == {"heading": 1}
    for look in ("12 #777777", "9 #000000", "12 #000000 italic"):
        assert kinds(region(TEXT, 20), PICTURES[0], region("A sample of it", 310, look), region(TEXT, 400)) == {"captions": 1}
    assert kinds(region(TEXT, 20), PICTURES[0], region("It goes on", 310), region(TEXT, 400)) == {}


def test_a_caption_that_looks_as_a_bold_heading_is_none():
    heading, caption = region("## To all", 400, BOLD, "sub_title"), region("To the heads", 310, BOLD, "image_caption")
    assert look_doubts.num_captions([PICTURES[0], caption, heading, region(TEXT, 440)]) == 1
    plain = region("The heads", 310, "10 #000000", "image_caption")
    assert look_doubts.num_captions([PICTURES[0], plain, heading, region(TEXT, 440)]) == 0
