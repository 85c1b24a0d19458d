import subprocess

import pypandoc
import pytest

from datagen.record import SampleError
from datagen.tables import cells as tables
from datagen.word.file import content
from datagen.word.file.document import Block, Table
from datagen.word.file.package import opened
from tests.inputs import word_xml as xml
from tests.inputs.word_documents import documents

Spans = list[list[tuple[int, int, int]]]


def table_of(tmp_path, inside: str) -> Table:
    path = xml.write_docx(tmp_path / "a.docx", f"<w:tbl><w:tblPr/><w:tblGrid/>{inside}</w:tbl>{xml.section()}")
    (table,) = content.read(opened(str(path)))[0].blocks
    assert isinstance(table, Table)
    return table


def cell(look: str = "", text: str = "x") -> str:
    return f"<w:tc><w:tcPr>{look}</w:tcPr>{xml.paragraph(xml.run(text))}</w:tc>"


def row(*cells: str, look: str = "") -> str:
    return f"<w:tr><w:trPr>{look}</w:trPr>{''.join(cells)}</w:tr>"


def spans(table: Table) -> Spans:
    """Of each row, the column, rowspan and colspan of the cells that begin in it."""
    return [[(c.column, c.rowspan, c.colspan) for c in r.cells] for r in table.rows]


WIDE, DOWN, ON = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>', "<w:vMerge/>"


def test_cells_over_columns_and_rows(tmp_path):
    table = table_of(tmp_path, row(cell(WIDE), cell(DOWN)) + row(cell(), cell(), cell(ON)) + row(cell(), cell(), cell(ON)))
    assert spans(table) == [[(0, 1, 2), (2, 3, 1)], [(0, 1, 1), (1, 1, 1)], [(0, 1, 1), (1, 1, 1)]]


def test_a_cell_over_columns_and_rows(tmp_path):
    table = table_of(tmp_path, row(cell(WIDE + DOWN), cell()) + row(cell(WIDE + ON), cell()))
    assert spans(table) == [[(0, 2, 2), (2, 1, 1)], [(2, 1, 1)]]


def test_a_cell_that_goes_on_where_none_began_is_one_of_its_own(tmp_path):
    assert spans(table_of(tmp_path, row(cell(), cell(ON)) + row(cell(), cell()))) == [[(0, 1, 1), (1, 1, 1)]] * 2


def test_a_cell_of_another_width_does_not_go_on(tmp_path):
    table = table_of(tmp_path, row(cell(WIDE + DOWN), cell()) + row(cell(ON), cell(), cell()))
    assert spans(table) == [[(0, 1, 2), (2, 1, 1)], [(0, 1, 1), (1, 1, 1), (2, 1, 1)]]


def test_two_merges_below_each_other(tmp_path):
    table = table_of(tmp_path, row(cell(DOWN)) + row(cell(ON)) + row(cell(DOWN)) + row(cell(ON)))
    assert [r for r in spans(table) if r] == [[(0, 2, 1)], [(0, 2, 1)]]


def test_rows_that_begin_later(tmp_path):
    table = table_of(tmp_path, row(cell(), cell(), cell()) + row(cell(), look='<w:gridBefore w:val="2"/>'))
    assert spans(table)[1] == [(2, 1, 1)]


def test_cells_merged_in_the_old_way(tmp_path):
    old = '<w:hMerge w:val="{}"/>'
    table = table_of(tmp_path, row(cell(old.format("restart"), "a"), cell(old.format("continue"), ""), cell()))
    assert spans(table) == [[(0, 1, 2), (2, 1, 1)]]


def test_only_the_first_rows_are_heads(tmp_path):
    head = "<w:tblHeader/>"
    table = table_of(tmp_path, row(cell(), look=head) + row(cell()) + row(cell(), look=head))
    assert [r.is_header for r in table.rows] == [True, False, False]


def test_controls_round_rows_and_cells_and_inserted_rows(tmp_path):
    control = "<w:sdt><w:sdtPr/><w:sdtContent>{}</w:sdtContent></w:sdt>"
    inserted = row(cell(), cell(), look='<w:ins w:id="1"/>')
    table = table_of(tmp_path, control.format(row(control.format(cell()), cell())) + inserted)
    assert spans(table) == [[(0, 1, 1), (1, 1, 1)]] * 2


def test_a_table_within_a_cell(tmp_path):
    inner = xml.table([[(xml.paragraph(xml.run("in")), 1, 1)]])
    outer = f"<w:tc>{xml.paragraph(xml.run('out'))}{inner}<w:p/></w:tc>"
    table = table_of(tmp_path, row(outer, cell()))
    within = [block for block in table.rows[0].cells[0].blocks if isinstance(block, Table)]
    assert (table.number, [inner.number for inner in within]) == (0, [1])


def test_a_table_of_too_many_columns_is_refused(tmp_path):
    with pytest.raises(SampleError, match="table_too_large"):
        table_of(tmp_path, row(cell('<w:gridSpan w:val="100000"/>')))


def of_blocks(blocks: tuple[Block, ...]) -> list[Table]:
    """The tables in a document, without those within others, which pandoc has in its HTML, too."""
    return [block for block in blocks if isinstance(block, Table) and block.where == "body"]


def placed(table: Table) -> list[tables.Cell]:
    cells = [tables.Cell(r, c.column, "", c.rowspan, c.colspan) for r, line in enumerate(table.rows) for c in line.cells]
    return sorted(tables.Table(tuple(cells)).compact().cells)


def test_spans_are_those_that_pandoc_reads(tmp_path):
    num_tables = 0
    for document in documents(tmp_path, 12):
        read = of_blocks(content.read(opened(str(document.path)))[0].blocks)
        html = subprocess.run(
            [pypandoc.get_pandoc_path(), "-f", "docx", "-t", "html", str(document.path)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        others = [tables.parse("<table" + part) for part in html.split("<table")[1:]]
        others = [sorted(tables.Cell(c.row, c.column, "", c.rows, c.columns) for c in other.compact().cells) for other in others]
        mine = [placed(table) for table in read]
        assert [one for one in mine if one not in others] == []
        num_tables += len(mine)
    assert num_tables > 10


def test_columns_that_nobody_can_see_are_no_columns(tmp_path):
    grid = '<w:tblGrid><w:gridCol w:w="2000"/><w:gridCol w:w="{}"/><w:gridCol w:w="2000"/></w:tblGrid>'
    rows = row(cell(), cell(WIDE)) + row(cell(WIDE), cell())
    moved, whole = [(0, 1, 1), (1, 1, 2)], [(0, 1, 2), (2, 1, 1)]
    for width, expected in ((10, [[(0, 1, 1), (1, 1, 1)]] * 2), (400, [moved, whole])):
        table = f"<w:tbl><w:tblPr/>{grid.format(width)}{rows}</w:tbl>"
        path = xml.write_docx(tmp_path / "a.docx", table + xml.section())
        (read,) = content.read(opened(str(path)))[0].blocks
        assert isinstance(read, Table) and spans(read) == expected
