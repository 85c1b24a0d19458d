"""Tables as cells and as HTML, by whomever it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.tables.cells import MAX_SLOTS, Cell, Table, agreement, normalise, parse, plain, to_html

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("&<>\n\"' "), max_size=12).map(
    lambda text: plain(text.split("\n"))
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Any table without holes."""
    num_rows, num_columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    taken: set[tuple[int, int]] = set()
    cells = []
    for r in range(num_rows):
        for c in range(num_columns):
            if (r, c) in taken:
                continue
            rows, columns = draw(st.integers(1, num_rows - r)), draw(st.integers(1, num_columns - c))
            slots = {(r + i, c + j) for i in range(rows) for j in range(columns)}
            if slots & taken:
                rows, columns, slots = 1, 1, {(r, c)}
            taken |= slots
            cells.append(Cell(r, c, draw(TEXTS), rows, columns))
    return Table(tuple(cells))


@given(tables())
def test_a_table_is_the_same_after_its_html(table: Table) -> None:
    assert parse(to_html(table), is_strict=True) == table


def test_raised_and_lowered_text_of_a_cell_keeps_its_tags_and_nothing_else_does() -> None:
    table = Table((Cell(0, 0, "10<sup>3</sup> < x<sub>i</sub>\n<b>a</sup>"),))

    html = "<table><tr><td>10<sup>3</sup> &lt; x<sub>i</sub><br>&lt;b&gt;a&lt;/sup&gt;</td></tr></table>"
    assert to_html(table) == html
    assert parse(html, is_strict=True).cells[0].text == "103 < xi\n<b>a</sup>"


@given(st.text(st.sampled_from("<>/&;=\"' \n!-[]tabledhrowspncil0129é"), max_size=80))
def test_whatever_is_written_is_a_table_or_a_value_error(text: str) -> None:
    try:
        table = parse(f"<table><tr><td>{text}")
    except ValueError:
        return
    assert to_html(table).startswith("<table>")


def test_heads_attributes_and_markup_are_left_out_of_what_is_scored() -> None:
    written = """<html><body><table border="1" class=x><caption>not a cell</caption><thead><tr><th scope="col"> A  <b>b</b></th>
        <th><sup>2</sup>&lt;c&gt; &amp;</th></tr></thead>
        <tbody><tr><td colspan='2'><p>d</p><p>e<br/>f</p></td></tr></tbody></table>"""
    once = '<table><tr><td>A b</td><td>2&lt;c&gt; &amp;</td></tr><tr><td colspan="2">d<br>e<br>f</td></tr></table>'
    assert normalise(written) == once == normalise(once)


def test_spans_are_cut_where_another_cell_or_the_end_is() -> None:
    written = '<table><tr><td>a</td><td rowspan="9">b</td></tr><tr><td colspan="3">c</td></tr></table>'
    assert normalise(written) == '<table><tr><td>a</td><td rowspan="2">b</td></tr><tr><td>c</td></tr></table>'
    with pytest.raises(ValueError, match="overlap"):
        parse(written, is_strict=True)


def test_a_table_of_millions_is_refused() -> None:
    with pytest.raises(ValueError, match=f"{MAX_SLOTS:,}"):
        parse("<table>" + "<tr><td colspan=1000 rowspan=1000>a</td></tr>" * 1000)


@pytest.mark.parametrize(
    "written",
    [
        *("<table><tr><td>a</td></tr>", "<table><tr><td>a</tr></table>", "<table><td>a</td></table>"),
        *("<table><tr><td>a</td></tr></table> and so on", "<table><tr><td>a</td>b</tr></table>"),
        *("<table><tr><td>a<td>b</td></tr></table>", "<table><tr><tr><td>a</td></tr></table>"),
        "<table><tr><td>a</td></tr></table><table><tr><td>b</td></tr></table>",
    ],
)
def test_what_isnt_well_formed_is_refused_where_that_is_asked(written: str) -> None:
    assert parse(written).cells[0].text == "a"
    with pytest.raises(ValueError, match="well-formed"):
        parse(written, is_strict=True)


@pytest.mark.parametrize("written", ["", "<tr><td>a</td></tr>", "<![if x[y"])
def test_what_is_no_table_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no"):
        parse(written)


def test_cells_over_each_other_are_no_table() -> None:
    with pytest.raises(ValueError, match="row 0, column 1"):
        to_html(Table((Cell(0, 0, "a", columns=2), Cell(0, 1, "b"))))


def test_agreement_counts_the_neighbours_that_two_tables_have_in_common() -> None:
    one = parse("<table><tr><td>a</td><td></td><td>b</td></tr><tr><td>c</td><td></td><td>d</td></tr></table>")
    without_empty = parse("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>")
    rows_swapped = parse("<table><tr><td>c</td><td>d</td></tr><tr><td>a</td><td>b</td></tr></table>")
    assert agreement(one, one) == agreement(one, without_empty) == 1.0
    assert agreement(without_empty, rows_swapped) == 6 / 8
    assert agreement(one, parse("<table><tr><td>x</td></tr></table>")) == 0.0
    assert agreement(Table(()), Table(())) == 1.0
