import pytest

from datagen.record import SampleError
from datagen.word.file import content
from datagen.word.file.document import Table
from datagen.word.file.package import opened
from tests.inputs.word import xml as xml

Spans = list[list[tuple[int, int, int]]]


def table_of(tmp_path, inside: str, columns: str = "") -> Table:
    table = f"<w:tbl><w:tblPr/><w:tblGrid>{columns}</w:tblGrid>{inside}</w:tbl>"
    path = xml.write_docx(tmp_path / "a.docx", table + xml.section())
    (read,) = content.read(opened(str(path)))[0].blocks
    assert isinstance(read, Table)
    return read


def cell(look: str = "", text: str = "x") -> str:
    return f"<w:tc><w:tcPr>{look}</w:tcPr>{xml.paragraph(xml.run(text))}</w:tc>"


def row(*cells: str, look: str = "") -> str:
    return f"<w:tr><w:trPr>{look}</w:trPr>{''.join(cells)}</w:tr>"


def spans(table: Table) -> Spans:
    """Of each row, the column, rowspan and colspan of the cells that begin in it."""
    return [[(c.column, c.rowspan, c.colspan) for c in r.cells] for r in table.rows]


WIDE, DOWN, ON = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>', "<w:vMerge/>"


OLD = '<w:hMerge w:val="{}"/>'
CONTROL = "<w:sdt><w:sdtPr/><w:sdtContent>{}</w:sdtContent></w:sdt>"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            row(cell(WIDE), cell(DOWN)) + 2 * row(cell(), cell(), cell(ON)),
            [[(0, 1, 2), (2, 3, 1)], [(0, 1, 1), (1, 1, 1)], [(0, 1, 1), (1, 1, 1)]],
            id="cells over columns, and over rows",
        ),
        pytest.param(
            row(cell(WIDE + DOWN), cell()) + row(cell(WIDE + ON), cell()), [[(0, 2, 2), (2, 1, 1)], [(2, 1, 1)]], id="over both"
        ),
        pytest.param(
            row(cell(), cell(ON)) + row(cell(), cell()), [[(0, 1, 1), (1, 1, 1)]] * 2, id="one that goes on where none began"
        ),
        pytest.param(
            row(cell(WIDE + DOWN), cell()) + row(cell(ON), cell(), cell()),
            [[(0, 1, 2), (2, 1, 1)], [(0, 1, 1), (1, 1, 1), (2, 1, 1)]],
            id="one of another width",
        ),
        pytest.param(2 * (row(cell(DOWN)) + row(cell(ON))), [[(0, 2, 1)], [], [(0, 2, 1)], []], id="two below each other"),
        pytest.param(
            row(cell(), cell(), cell()) + row(cell(), look='<w:gridBefore w:val="2"/>'),
            [[(0, 1, 1), (1, 1, 1), (2, 1, 1)], [(2, 1, 1)]],
            id="a row that begins later",
        ),
        pytest.param(
            row(cell(OLD.format("restart"), "a"), cell(OLD.format("continue"), ""), cell()),
            [[(0, 1, 2), (2, 1, 1)]],
            id="the old way",
        ),
        pytest.param(
            CONTROL.format(row(CONTROL.format(cell()), cell())) + row(cell(), cell(), look='<w:ins w:id="1"/>'),
            [[(0, 1, 1), (1, 1, 1)]] * 2,
            id="controls, and an inserted row",
        ),
    ],
)
def test_spans(tmp_path, rows, expected):
    assert spans(table_of(tmp_path, rows)) == expected


def test_a_table_within_a_cell(tmp_path):
    inner = xml.table([[(xml.paragraph(xml.run("in")), 1, 1)]])
    outer = f"<w:tc>{xml.paragraph(xml.run('out'))}{inner}<w:p/></w:tc>"
    table = table_of(tmp_path, row(outer, cell()))
    within = [block for block in table.rows[0].cells[0].blocks if isinstance(block, Table)]
    assert (table.number, [inner.number for inner in within]) == (0, [1])


def test_a_table_of_too_many_columns_is_refused(tmp_path):
    with pytest.raises(SampleError, match="table_too_large"):
        table_of(tmp_path, row(cell('<w:gridSpan w:val="100000"/>')))


def test_columns_that_nobody_can_see_are_no_columns(tmp_path):
    columns = '<w:gridCol w:w="2000"/><w:gridCol w:w="{}"/><w:gridCol w:w="2000"/>'
    rows = row(cell(), cell(WIDE)) + row(cell(WIDE), cell())
    moved, whole = [(0, 1, 1), (1, 1, 2)], [(0, 1, 2), (2, 1, 1)]
    for width, expected in ((10, [[(0, 1, 1), (1, 1, 1)]] * 2), (400, [moved, whole])):
        assert spans(table_of(tmp_path, rows, columns.format(width))) == expected
