"""The cells of tables from the places of their lines and rules, drawn by hand: a letter is 10 pixels wide, a line 20 high."""

from collections.abc import Sequence
from itertools import starmap

import numpy
import pytest

from datagen.record import Box, Line
from datagen.tables.grid import cell_text, table
from datagen.tables.rules import Rule, rules

Rules = Sequence[tuple[int, tuple[tuple[int, int], ...]]]


def line(x: int, y: int, text: str, direction: str = "ltr") -> Line:
    return Line(Box(x, y, x + 10 * len(text), y + 20), text, direction=direction)


def said(lines: list[Line], across: Rules, down: Rules) -> str | None:
    """The rows of the table, cells with bars between them; behind the text of one that spans several, its rows and columns."""
    grid = table(lines, tuple(starmap(Rule, across)), tuple(starmap(Rule, down)))
    if grid is None:
        return None
    shown = [(c.row, c.text + ("" if c.rows == c.columns == 1 else f" {c.rows}x{c.columns}")) for c in grid.cells]
    return " / ".join("|".join(text for row, text in shown if row == n) for n in range(grid.num_rows))


def rows(*texts: tuple[str, ...], pitch: int = 40) -> list[Line]:
    """Lines in columns 100 pixels apart, an empty text for none."""
    return [line(100 * c, pitch * r, text) for r, row in enumerate(texts) for c, text in enumerate(row) if text]


def column(x: int, *places: tuple[int, str]) -> list[Line]:
    return [line(x, y, text) for y, text in places]


def ruled(*places: int, ends: tuple[int, int] = (-5, 150)) -> Rules:
    return [(at, (ends,)) for at in places]


THREE = "lines of a cell lines of a cell lines of a cell"


def tall(number: str, y: int) -> list[Line]:
    """A number, beside the middle of three lines."""
    return [line(0, y + 22, number), *(line(100, y + 22 * n, "lines of a cell") for n in range(3))]


@pytest.mark.parametrize(
    ("lines", "across", "down", "expected"),
    [
        # Gaps part columns and rows.
        (rows(("name", "one", "two"), ("a", "1", ""), ("b", "", "22"), ("c", "3", "33")), [], [],
         "name|one|two / a|1| / b||22 / c|3|33"),
        # Text over two columns, or between two rows, spans them.
        ([line(120, 0, "one and two"), *rows((), ("a", "12", "12"), ("b", "12", "12"))], [], [],
         "|one and two 1x2 / a|12|12 / b|12|12"),
        ([*rows(("", "one", "1"), ("", "two", "2"), ("b", "three", "3"), ("c", "four", "4")), line(0, 20, "a")], [], [],
         "a 2x1|one|1 / two|2 / b|three|3 / c|four|4"),
        # A line goes on below where the next word had no room.
        ([*rows(("some text", "1"), ("short", "2"), ("shorter", "3"), pitch=60), line(0, 22, "of sense")], [], [],
         "some text of sense|1 / short|2 / shorter|3"),
        ([*column(0, (0, "a"), (22, "b"), (44, "c")), *column(200, (0, "1"), (44, "wide word of it"))], [], [],
         "a|1 / b| / c|wide word of it"),
        # Rules part rows of several lines; one that lacks between two slots makes them one.
        ([*column(0, (0, "a b"), (22, "c d"), (60, "e"), (120, "f")), *column(100, (10, "1"), (60, "2"), (120, "3"))],
         ruled(-5, 50, 90, 145), [], "a b c d|1 / e|2 / f|3"),
        (rows(("a", "b", "c"), ("d", "", "e"), ("f", "g", "h")), ruled(-10, 30, 70, 110, ends=(-10, 230)),
         [*ruled(-10, 230, ends=(-10, 110)), (70, ((-10, 30), (70, 110))), *ruled(170, ends=(-10, 110))],
         "a|b|c / d 1x2|e / f|g|h"),
        # A rule below a head says which columns it is of.
        (rows(("", "two", ""), ("a", "b", "c"), ("1", "2", "3"), ("4", "5", "6")), ruled(30, ends=(95, 215)), [],
         "|two 1x2 / a|b|c / 1|2|3 / 4|5|6"),
        # A table that is read from the right begins there.
        ([line(x, y, text, "rtl") for x, y, text in ((0, 0, "ב"), (100, 0, "א"), (0, 40, "ד"), (100, 40, "ג"))], [], [],
         "א|ב / ג|ד"),
        # Cells of several lines stay whole between rules though no word had room; numbers that a rule parts part none.
        ([*tall("one", 0), *tall("two", 80), line(0, 160, "three"), line(100, 160, "short")],
         ruled(-5, 72, 152, 190, ends=(-5, 260)), [], f"one|{THREE} / two|{THREE} / three|short"),
        ([*tall("2", 0), *tall("3", 80)], ruled(-5, 72, 150, ends=(-5, 260)), [], f"2|{THREE} / 3|{THREE}"),
        # Numbers below each other are rows, whatever rules there are.
        (rows(("a", "b"), ("c", "1"), ("d", "2"), ("e", "3")), ruled(30, 110, ends=(-5, 120)), [], "a|b / c|1 / d|2 / e|3"),
        # No rows or no columns are no table, nor are lines of a cell that stand far apart.
        ([], [], [], None),
        ([line(0, 0, "a")], [], [], None),
        ([line(0, 30 * n, "a paragraph's line") for n in range(5)], [], [], None),
        ([line(0, 0, "a"), line(99, 0, "b")], [], [], None),
        ([*rows(("a", "b"), ("c", "d")), line(400, 0, "e"), line(0, 80, "f")], [], ruled(70, -5, 600, ends=(-5, 120)), None),
    ],
)  # fmt: skip
def test_a_table_is_told_by_the_places_of_its_lines_and_rules(lines, across, down, expected) -> None:
    assert said(lines, across, down) == expected


def test_the_text_of_a_cell_is_joined_as_a_person_would_type_it() -> None:
    assert cell_text([line(0, 22, "uation"), line(0, 0, "contin-")]) == "continuation"
    assert cell_text([line(0, 0, "東京"), line(0, 22, "都")]) == "東京都"
    assert cell_text([line(100, 1, "b"), line(0, 0, "a")]) == "a b"


def test_a_word_that_a_line_of_a_cell_cuts_is_whole_where_the_page_has_it_whole() -> None:
    lines = [line(0, 0, "여러 클라이"), line(0, 22, "언트의 요청")]
    assert cell_text(lines, {"클라이언트의"}) == "여러 클라이언트의 요청"
    assert cell_text(lines, {"클라이", "요청"}) == "여러 클라이 언트의 요청"


def drawn() -> numpy.ndarray:
    return numpy.full((200, 300, 3), 255, numpy.uint8)


def test_thin_strokes_are_rules_through_crossings() -> None:
    image = drawn()
    image[50:52, 20:280] = image[20:180, 100] = 120
    ((horizontal,), (vertical,)) = rules(image, 20, ())
    assert horizontal.covered(20, 280) == 1 and abs(horizontal.at - 51) <= 1 and horizontal.is_stroke
    assert vertical.covered(20, 180) == 1 and abs(vertical.at - 100.5) <= 1 and vertical.is_stroke


def test_edges_of_shaded_rows_are_rules_but_no_strokes() -> None:
    image = drawn()
    image[40:80] = image[120:160] = 240
    horizontal, _ = rules(image, 20, ())
    assert [round(rule.at) for rule in horizontal] == [40, 80, 120, 160]
    assert not any(rule.is_stroke for rule in horizontal)


def test_underlines_and_strokes_of_letters_are_no_rules() -> None:
    image = drawn()
    image[70, 50:150] = image[100:130, 200] = 0
    assert rules(image, 20, [Box(50, 50, 150, 71), Box(195, 98, 205, 132)]) == ([], [])


def test_a_line_of_chinese_that_leaves_room_ends_a_paragraph_of_a_cell():
    texts = ("项目成本计划及进度计划", "提交计划", "3. 根据需求", "进行修改并整改设计文档")
    rows = [line(0, 22 * i, text) for i, text in enumerate(texts)]
    assert cell_text(rows) == "项目成本计划及进度计划提交计划\n3. 根据需求\n进行修改并整改设计文档"
    assert cell_text([line(0, 0, "要求系统"), line(0, 22, "移动端")]) == "要求系统移动端"
