"""Lines that look or read like something else than their label."""

from dataclasses import replace

import pytest

from datagen.fine.verdict import line_doubts
from datagen.record import Region
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
        ("Ann: Yes.\nBob: No.", 1),
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
