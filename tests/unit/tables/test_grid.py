"""The cells of tables from the places of their lines and rules, drawn by hand: a letter is 10 pixels wide, a line 20 high."""

import numpy
import pytest

from datagen.record import Box, Line
from datagen.tables.cells import to_html
from datagen.tables.grid import cell_text, table
from datagen.tables.rules import Rule, rules


def line(x: int, y: int, text: str, direction: str = "ltr") -> Line:
    return Line(Box(x, y, x + 10 * len(text), y + 20), text, direction=direction)


def html(*lines: Line, horizontal: tuple[Rule, ...] = (), vertical: tuple[Rule, ...] = ()) -> str | None:
    grid = table(lines, horizontal, vertical)
    return None if grid is None else to_html(grid)


def rows(*texts: tuple[str, ...], pitch: int = 40) -> list[Line]:
    """Lines in columns 100 pixels apart, an empty text for none."""
    return [line(100 * c, pitch * r, text) for r, row in enumerate(texts) for c, text in enumerate(row) if text]


def test_gaps_part_columns_and_rows() -> None:
    lines = rows(("name", "one", "two"), ("a", "1", ""), ("b", "", "22"), ("c", "3", "33"))
    assert html(*lines) == (
        "<table><tr><td>name</td><td>one</td><td>two</td></tr><tr><td>a</td><td>1</td><td></td></tr>"
        "<tr><td>b</td><td></td><td>22</td></tr><tr><td>c</td><td>3</td><td>33</td></tr></table>"
    )


def test_text_over_two_columns_spans_them() -> None:
    lines = [line(120, 0, "one and two"), *[line(*p) for p in ((0, 40, "a"), (0, 80, "b"))]]
    lines += [line(x, y, "12") for x in (100, 200) for y in (40, 80)]
    assert (html(*lines) or "").startswith('<table><tr><td></td><td colspan="2">one and two</td></tr>')


def test_text_between_two_rows_spans_them() -> None:
    lines = [*rows(("", "one", "1"), ("", "two", "2"), ("b", "three", "3"), ("c", "four", "4")), line(0, 20, "a")]
    assert (html(*lines) or "").startswith('<table><tr><td rowspan="2">a</td><td>one</td><td>1</td></tr><tr><td>two</td>')


def test_a_line_goes_on_below_where_the_next_word_had_no_room() -> None:
    lines = [*rows(("some text", "1"), ("short", "2"), ("shorter", "3"), pitch=60), line(0, 22, "of sense")]
    assert html(*lines) == (
        "<table><tr><td>some text of sense</td><td>1</td></tr><tr><td>short</td><td>2</td></tr>"
        "<tr><td>shorter</td><td>3</td></tr></table>"
    )


def test_rows_with_room_for_the_next_word_are_rows() -> None:
    lines = [line(0, 0, "a"), line(200, 0, "1"), line(0, 22, "b"), line(200, 44, "wide word of it"), line(0, 44, "c")]
    assert (html(*lines) or "").count("<tr>") == 3


def test_rules_part_rows_of_several_lines() -> None:
    lines = [line(0, y, text) for y, text in ((0, "a b"), (22, "c d"), (60, "e"), (120, "f"))]
    lines += [line(100, y, text) for y, text in ((10, "1"), (60, "2"), (120, "3"))]
    across = ((-5, 150),)
    ruled = tuple(Rule(at, across) for at in (-5, 50, 90, 145))
    assert html(*lines, horizontal=ruled) == (
        "<table><tr><td>a b c d</td><td>1</td></tr><tr><td>e</td><td>2</td></tr><tr><td>f</td><td>3</td></tr></table>"
    )


def test_a_rule_that_lacks_between_two_slots_makes_them_one() -> None:
    lines = rows(("a", "b", "c"), ("d", "", "e"), ("f", "g", "h"))
    down = tuple(Rule(at, ((-10, 110),)) for at in (-10, 230))
    inner = (Rule(70, ((-10, 30), (70, 110))), Rule(170, ((-10, 110),)))
    across = tuple(Rule(at, ((-10, 230),)) for at in (-10, 30, 70, 110))
    assert html(*lines, horizontal=across, vertical=(*down, *inner)) == (
        '<table><tr><td>a</td><td>b</td><td>c</td></tr><tr><td colspan="2">d</td><td>e</td></tr>'
        "<tr><td>f</td><td>g</td><td>h</td></tr></table>"
    )


def test_a_rule_below_a_head_says_which_columns_it_is_of() -> None:
    lines = rows(("", "two", ""), ("a", "b", "c"), ("1", "2", "3"), ("4", "5", "6"))
    under_head = Rule(30, ((95, 215),))
    assert (html(*lines, horizontal=(under_head,)) or "").startswith(
        '<table><tr><td></td><td colspan="2">two</td></tr><tr><td>a</td><td>b</td><td>c</td></tr>'
    )


def test_a_table_that_is_read_from_the_right_begins_there() -> None:
    lines = [line(x, y, text, "rtl") for x, y, text in ((0, 0, "ב"), (100, 0, "א"), (0, 40, "ד"), (100, 40, "ג"))]
    assert html(*lines) == "<table><tr><td>א</td><td>ב</td></tr><tr><td>ג</td><td>ד</td></tr></table>"


@pytest.mark.parametrize(
    "lines",
    [[], [line(0, 0, "a")], [line(0, 30 * n, "a paragraph's line") for n in range(5)], [line(0, 0, "a"), line(99, 0, "b")]],
)
def test_what_has_no_rows_or_no_columns_is_no_table(lines: list[Line]) -> None:
    assert html(*lines) is None


def test_a_cell_whose_lines_stand_far_apart_is_not_plain() -> None:
    lines = [*rows(("a", "b"), ("c", "d")), line(400, 0, "e"), line(0, 80, "f")]
    assert html(*lines, vertical=(Rule(70, ((-5, 120),)), Rule(-5, ((-5, 120),)), Rule(600, ((-5, 120),)))) is None


def test_the_text_of_a_cell_is_joined_as_a_person_would_type_it() -> None:
    assert cell_text([line(0, 22, "uation"), line(0, 0, "contin-")]) == "continuation"
    assert cell_text([line(0, 0, "東京"), line(0, 22, "都")]) == "東京都"
    assert cell_text([line(100, 1, "b"), line(0, 0, "a")]) == "a b"


def test_a_word_that_a_line_of_a_cell_cuts_is_whole_where_the_page_has_it_whole() -> None:
    lines = [line(0, 0, "여러 클라이"), line(0, 22, "언트의 요청")]
    assert cell_text(lines, {"클라이언트의"}) == "여러 클라이언트의 요청"
    assert cell_text(lines, {"클라이", "요청"}) == "여러 클라이 언트의 요청"


def test_a_gap_that_parts_a_line_is_a_space_also_in_scripts_without_spaces_between_words() -> None:
    assert cell_text([line(0, 0, "ໄຕແດງ"), line(70, 0, "ແລະ"), line(0, 22, "ໄຕຂາວ")]) == "ໄຕແດງ ແລະໄຕຂາວ"
    assert cell_text([line(0, 0, "姓"), line(70, 0, "名")]) == "姓名"


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


def test_a_photograph_has_no_rules() -> None:
    noise = numpy.random.default_rng(0).integers(0, 256, (200, 300, 3), numpy.uint8)
    assert rules(noise, 20, ()) == ([], [])
    assert rules(noise[:1], 20, ()) == ([], [])


def test_cells_of_several_lines_stay_whole_between_rules_though_no_word_had_room() -> None:
    lines = [line(0, 22, "one"), *[line(100, 22 * n, "lines of a cell") for n in range(3)]]
    lines += [line(0, 102, "two"), *[line(100, 80 + 22 * n, "a cell of lines") for n in range(3)]]
    lines += [line(0, 160, "three"), line(100, 160, "short")]
    across = ((-5, 260),)
    ruled = tuple(Rule(at, across) for at in (-5, 72, 152, 190))
    assert (html(*lines, horizontal=ruled) or "").count("<tr>") == 3


def test_numbers_below_each_other_are_rows_whatever_rules_there_are() -> None:
    lines = rows(("a", "b"), ("c", "1"), ("d", "2"), ("e", "3"))
    ruled = (Rule(30, ((-5, 120),)), Rule(110, ((-5, 120),)))
    assert (html(*lines, horizontal=ruled) or "").count("<tr>") == 4


def test_numbers_that_a_rule_parts_part_no_cell_of_several_lines() -> None:
    lines = [line(0, 22, "2"), *[line(100, 22 * n, "lines of a cell") for n in range(3)]]
    lines += [line(0, 102, "3"), *[line(100, 80 + 22 * n, "a cell of lines") for n in range(3)]]
    ruled = tuple(Rule(at, ((-5, 260),)) for at in (-5, 72, 150))
    assert (html(*lines, horizontal=ruled) or "").count("<tr>") == 2


def test_a_line_of_chinese_that_leaves_room_ends_a_paragraph_of_a_cell():
    texts = ("项目成本计划及进度计划", "提交计划", "3. 根据需求", "进行修改并整改设计文档")
    rows = [line(0, 22 * i, text) for i, text in enumerate(texts)]
    assert cell_text(rows) == "项目成本计划及进度计划提交计划\n3. 根据需求\n进行修改并整改设计文档"
    assert cell_text([line(0, 0, "要求系统"), line(0, 22, "移动端")]) == "要求系统移动端"
