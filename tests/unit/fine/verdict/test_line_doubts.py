"""Lines that look or read like something else than their label."""

from dataclasses import replace

import pytest

from datagen.fine.verdict import line_doubts
from datagen.record import Box, Region
from tests.unit.fine.structure.test_looks import BLUE, TEXT, region


def test_one_line_in_another_look_above_text_may_be_a_heading():
    assert line_doubts.num_in_other_looks([region("A line", 100, BLUE), region(TEXT, 140)]) == 1
    assert line_doubts.num_in_other_looks([region("A line", 100), region(TEXT, 140)]) == 0


@pytest.mark.parametrize(
    "code",
    [
        "void run(Node *n);",
        "def run(self):",
        "import numpy as np",
        "}",
        "if (a == b) {",
        "#include <stdio.h>",
        "x = f(1);",
        "<b>x</b>",
    ],
)
def test_a_statement_in_a_text_may_be_code(code: str):
    assert line_doubts.num_as_code([region(TEXT, 100), region(code, 300)]) == 1


@pytest.mark.parametrize("text", ["He came (late); she left;", "We import goods from Asia.", "f(x) = 2x", "Two of them (a, b)"])
def test_a_sentence_is_no_code(text: str):
    assert line_doubts.num_as_code([region(TEXT, 100), region(text, 300)]) == 0


@pytest.mark.parametrize(
    ("text", "num"),
    [
        ("①one\n②two\n③three", 2),
        ("A text\n※ a remark", 1),
        ("1. one\n2. two", 1),
        ("No. 1 one\nNo. 2 two", 1),
        ("a) one\nb) two", 1),
        ("– one\n– two", 1),
        ("It has 1 thing\nand 5 others", 0),
        ("2. one that goes\non in 3 lines", 0),
    ],
)
def test_signs_of_items_that_begin_several_lines_of_one_text_are_counted(text: str, num: int):
    assert line_doubts.num_signs_within(region(text, 100)) == num


def test_a_head_within_contents_is_counted():
    toc = region("Contents\nOne ..... 1\nTwo ..... 2", 100, label="toc")
    assert line_doubts.num_heads_in_contents([toc]) == 0
    head = region("Contents", 100, BLUE, "toc")
    assert line_doubts.num_heads_in_contents([region("x", 0), _with_lines(toc, head)]) == 1


def _with_lines(toc: Region, head: Region) -> Region:
    return replace(toc, lines=(*head.lines, *toc.lines[1:]))


@pytest.mark.parametrize(
    ("text", "y", "num"), [("A report – 7", 40, 1), ("7", 1360, 1), ("A report", 40, 0), ("A report – 7", 400, 0)]
)
def test_a_line_with_a_number_at_the_pages_edge_may_be_a_running_head(text: str, y: int, num: int):
    others = [region(TEXT, 300), region(TEXT, 700)]
    assert line_doubts.num_running([region(text, y), *others] if y < 300 else [*others, region(text, y)], 1400) == num


def test_texts_that_begin_with_a_name_or_a_term_are_counted_where_others_stand_alone_or_they_go_on():
    speeches = "Ann: Yes, it is.\nBob: No, it is not."
    kept = replace(region(speeches, 100), text=speeches)
    assert line_doubts.num_terms_within([kept]) == 0
    assert line_doubts.num_terms_within([region(speeches, 100)]) == 1
    assert line_doubts.num_terms_within([kept, region("Main – a menu.", 300), region("Login – a form.", 400)]) == 1


def test_headings_within_tables_are_counted():
    bold = "12 #000000 bold"
    heading = region("## 3.1 One", 100, bold, "sub_title")
    table = replace(region("a table", 50, label="table"), box=Box(300, 50, 900, 400))
    assert line_doubts.num_headings_in_tables([table, heading]) == 1
    assert line_doubts.num_headings_in_tables([table, region("## Two", 500, bold, "sub_title")]) == 0


def test_a_caption_that_is_a_number_is_counted():
    captions = [region("6", 100, label="image_caption"), region("Figure 6: A map", 300, label="image_caption")]
    assert line_doubts.num_captions_of_signs(captions) == 1


def test_a_date_below_the_title_is_none():
    title = region("# A report", 50, "20 #000000", "title")
    assert line_doubts.num_in_other_looks([title, region("By the board", 100, BLUE), region(TEXT, 140)]) == 0


def test_a_line_a_point_larger_than_the_text_is_a_heading_beside_another_column_too():
    head = region("A line", 100, "13 #000000")
    assert line_doubts.num_in_other_looks([head, region(TEXT, 140), region(TEXT, 340)]) == 1
    beside = region("A text that stands beside all\n" * 6 + "of it.", 60, x=700)
    assert line_doubts.num_in_other_looks([beside, head, region(TEXT, 140)]) == 1
    assert line_doubts.num_in_other_looks([beside, region("A line", 100), region(TEXT, 140)]) == 0


def test_a_heading_that_ends_a_sentence_or_differs_in_itself_or_begins_a_signature_is_none():
    assert line_doubts.num_no_headings([region("## 想定で進めます。", 100, BLUE, "sub_title"), region(TEXT, 140)]) == 1
    two = region("## A name", 100, BLUE, "sub_title")
    two = replace(two, lines=two.lines + region("and a text", 130).lines)
    assert line_doubts.num_no_headings([two, region(TEXT, 200)]) == 1
    bold = "12 #000000 bold"
    closing, name = region("## With regards", 300, bold, "sub_title"), region("The minister\nA. Name", 360, bold)
    assert line_doubts.num_no_headings([region(TEXT, 100), region(TEXT, 200), closing, name]) == 1
    assert line_doubts.num_no_headings([closing, region(TEXT, 360)]) == 0


def test_equations_in_lines_and_an_indented_line_within_a_text_are_glued():
    assert line_doubts.num_glued_lines([region("a = b\nb = c = 2", 100)]) == 1
    assert line_doubts.num_glued_lines([region("a = b\nand so on", 100)]) == 0
    first, second = region(TEXT, 100, x=150), region("It ends.\nA new part goes on\nand on.", 200)
    moved = [replace(line, box=line.box._replace(x0=150)) if i == 1 else line for i, line in enumerate(second.lines)]
    assert line_doubts.num_glued_lines([first, replace(second, lines=tuple(moved))]) == 1
    assert line_doubts.num_glued_lines([first, second]) == 0


def test_a_foot_with_a_colon_leads_on():
    assert (
        line_doubts.num_feet_that_lead_on([region("Partners:", 900, label="footer"), region("Page 3", 950, label="footer")]) == 1
    )


def test_a_head_with_the_number_before_the_first_headings_may_be_a_heading():
    head, heading = region("2.4 On rooms", 20, label="header"), region("2.5 On doors", 300, label="sub_title")
    read = replace(head, by="ppocr")
    assert line_doubts.num_heads_in_series([read, heading]) == 1
    assert line_doubts.num_heads_in_series([head, heading]) == 0  # which the file's own pages have told
    assert line_doubts.num_heads_in_series([replace(read, text="2.5 On doors"), heading]) == 0
    assert line_doubts.num_heads_in_series([replace(read, text="2. On rooms"), heading]) == 0
