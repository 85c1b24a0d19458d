"""What contradicts labels by what stands beside, above and below."""

from dataclasses import replace

import pytest

from datagen.fine.verdict import label_doubts
from datagen.record import Box, Line, Region
from tests.unit.fine.structure.test_looks import BLUE, BODY, BOLD, TEXT, region


def kinds(*regions: Region) -> dict[str, int]:
    return dict(+label_doubts.doubts(regions))


def placed(text: str, x0: int, x1: int, y: int, label: str = "text") -> Region:
    """A region whose lines go from `x0` to `x1`."""
    lines = tuple(
        Line(Box(x0, y + 30 * i, x1, y + 30 * i + 25), row, "Sans", look=BODY) for i, row in enumerate(text.split("\n"))
    )
    return Region(Box(x0, y, x1, lines[-1].box.y1), label, text.replace("\n", ""), None, "pymupdf", lines=lines)


def test_a_page_as_most_are_has_no_doubts():
    head, number = region("A name", 10, label="header"), region("3", 1300, label="page_number")
    items = [region(f"{n}. an item", 300 + 40 * n, label="list") for n in (1, 2, 3)]
    note = replace(region("1 A note", 1200, label="footnote"), text="<sup>1</sup>A note")
    assert kinds(head, region("## One", 60, BOLD, "sub_title"), region(TEXT, 100), *items, note, number) == {}
    assert kinds() == {}


@pytest.mark.parametrize(
    ("head", "below", "num"),
    [
        ("Financial control - a view in real", "time, which makes reports few", 1),
        ("Financial control - a view in real", "Time makes reports few", 0),
        ("Financial control.", "time, which makes reports few", 0),
    ],
)
def test_a_sentence_goes_on_from_no_head(head: str, below: str, num: int):
    regions = region(head, 30, label="header"), region(f"{below}\nand on", 60), region(TEXT, 200)
    assert kinds(*regions) == ({"running": num} if num else {})
    assert kinds(replace(regions[0], lines=region(head, 30, BLUE).lines), *regions[1:]) == {}


def test_a_head_over_a_line_or_two_may_be_a_letters_end():
    head = region("Town, the first of May", 100, label="header")
    assert kinds(head, region("A name", 200)) == {"running": 1}
    assert kinds(head, region("A name", 200), region(TEXT, 300)) == {}
    assert kinds(head, region("", 200, label="image")) == {}
    assert kinds(region("12 (13)", 100, label="header"), region("A name", 200)) == {}


def test_a_heading_ends_in_no_items_sign():
    assert kinds(region("## حدد عدد الدرجات ✓", 100, BOLD, "sub_title"), region(TEXT, 200)) == {"heading": 1}
    assert kinds(region("## حدد عدد الدرجات", 100, BOLD, "sub_title"), region(TEXT, 200)) == {}


def test_short_items_each_above_a_paragraph_may_be_headings():
    pages = [one for n in (1, 2, 3) for one in (region(f"{n}. Name", 100 * n, label="list"), region(TEXT, 100 * n + 30))]
    assert kinds(*pages) == {"heading": 3}
    assert kinds(*pages[:4]) == {}
    nested = [replace(one, label="list") if one.label == "text" else one for one in pages]
    assert kinds(*nested) == {}
    assert kinds(*pages, region("4. Other", 400, label="list"), region("5. Other", 430, label="list")) == {}


def test_no_item_begins_within_anothers_line():
    assert kinds(region("• One is • Another is\nthis", 100, label="list")) == {"glued": 1}
    assert kinds(region("• One is a • b\nthis", 100)) == {}
    assert kinds(region("- One is\nthis", 100, label="list")) == {}


def test_no_section_begins_within_a_text():
    chinese = region("三、研究计划\n需求分析\n四、研究经费", 100)
    assert kinds(replace(chinese, text="三、研究计划\n需求分析\n四、研究经费")) == {"glued": 1}
    assert kinds(region("8.2. Parents may not\ngive money\n8.3. Parents may", 100)) == {"glued": 1}
    assert kinds(region("8.2. Parents may not\ngive money as in\n7.3. Parents may", 100)) == {}
    assert kinds(region("as told in 8.2. and in\n8.3. of the rules\n8.4. and on", 100)) == {}


def test_names_below_each_other_are_no_sentence_in_writing_without_spaces():
    text = placed("ขอขอบพระคุณคณาจารย์ทุกท่าน\nที่ให้ความรู้ในด้านวิชา", 100, 900, 100)
    names = placed("จตุรงค์ โรจนวัฒนา\nเกษมสันต์ ยินดี", 700, 880, 300)
    assert kinds(text, names) == {"glued": 1}
    assert kinds(text, replace(names, text="จตุรงค์ โรจนวัฒนา\nเกษมสันต์ ยินดี")) == {}
    assert kinds(text, placed("จตุรงค์ โรจนวัฒนา\nเกษมสันต์ ยินดี", 100, 280, 300)) == {}
    assert kinds(text, placed("A name of\na person", 700, 880, 300)) == {}
    assert kinds(text, names, placed("ขอขอบพระคุณ\nที่ให้", 700, 880, 500)) == {}
    assert kinds(text, placed("這是一個短的\n句子。", 700, 880, 300)) == {}


def test_a_files_name_that_ends_a_sentence_is_no_listing():
    code = region("/src/main/Input.xsd.", 150, label="code")
    assert kinds(region("The format is told\nin the file", 90), code) == {"torn": 1}
    assert kinds(region("The format is told\nin the file:", 90), code) == {}
    assert kinds(region("The format is told\nin the file", 90), region("/src/main/Input.xsd", 150, label="code")) == {}
