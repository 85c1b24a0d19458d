"""Lines put into the cells of a table whose structure is known."""

from datagen.record import Box, Line
from datagen.tables.cells import parse, to_html
from datagen.tables.fit import fitted


def line(x: int, y: int, text: str, width: int = 0) -> Line:
    return Line(Box(x, y, x + (width or 10 * len(text)), y + 20), text)


def filled(html: str, *lines: Line) -> str:
    table = fitted(parse(html), lines)
    return to_html(table) if table is not None else ""


def test_lines_that_wrap_stay_in_their_cell():
    html = "<table><tr><td></td><td></td></tr><tr><td></td><td></td></tr></table>"
    lines = [line(0, 0, "one"), line(100, 0, "two"), line(0, 22, "more"), line(0, 60, "three"), line(100, 60, "four")]
    assert filled(html, *lines) == "<table><tr><td>one more</td><td>two</td></tr><tr><td>three</td><td>four</td></tr></table>"


def test_a_line_halfway_between_rows_or_columns_is_of_the_cell_that_spans_them():
    html = '<table><tr><td rowspan="2"></td><td colspan="2"></td></tr><tr><td></td><td></td></tr></table>'
    lines = [line(0, 20, "both"), line(130, 0, "wide"), line(100, 40, "a"), line(200, 40, "b")]
    wanted = '<table><tr><td rowspan="2">both</td><td colspan="2">wide</td></tr><tr><td>a</td><td>b</td></tr></table>'
    assert filled(html, *lines) == wanted


def test_what_does_not_fit_is_none():
    html = "<table><tr><td></td><td></td></tr><tr><td></td><td></td></tr></table>"
    assert filled(html) == ""
    assert filled(html, line(0, 0, " "), line(50, 0, "")) == ""
    assert filled(html, line(0, 0, "a"), line(0, 40, "b")) == ""
    assert filled(html, line(0, 0, "a"), line(100, 0, "b")) == ""
    assert filled("<table><tr><td></td></tr></table>", line(0, 0, "a")) == "<table><tr><td>a</td></tr></table>"
