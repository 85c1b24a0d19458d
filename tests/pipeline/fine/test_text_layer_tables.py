"""Born-digital tables as HTML, from PDFs that Cairo wrote."""

import math

import pymupdf
import pytest

from datagen.coarse.page import OpenPage, rendered
from datagen.coarse.text_layer import text_layer
from datagen.fine.text_layer_tables import table_html
from datagen.page import raised
from datagen.record import Box, Line
from tests.inputs.typeset_tables import TypesetTable, typeset_tables


def read(pdf: bytes, rotation: int = 0) -> tuple[OpenPage, list[Line]]:
    doc = pymupdf.open(stream=pdf, filetype="pdf")
    doc[0].set_rotation(rotation)
    view = rendered(doc, 0, 1920, math.inf)
    return view, [line for region in text_layer(view).regions for line in region.lines]


@pytest.fixture(scope="module")
def drawn() -> list[TypesetTable]:
    return list(typeset_tables(20, seed=1))


def test_ruled_tables_are_exact_in_latin_and_chinese(drawn: list[TypesetTable]) -> None:
    ruled = [table for table in drawn if table.style == "ruled"]
    assert {table.lang for table in ruled} == {"en", "zh"}
    for table in ruled:
        view, lines = read(table.pdf)
        assert table_html(view, table.pixels(view.zoom), lines) == table.html


def test_every_other_table_keeps_all_of_its_text_or_is_none(drawn: list[TypesetTable]) -> None:
    written = [table for table in drawn if table.style != "ruled"]
    read_tables = []
    for table in written:
        view, lines = read(table.pdf)
        html = table_html(view, table.pixels(view.zoom), lines)
        if html is not None:
            read_tables.append(html)
            assert sorted(_letters(html)) == sorted(_letters(table.html))
    assert len(read_tables) > len(written) / 2


def test_scripts_in_cells_have_their_tags() -> None:
    rows = [
        ["Substance", "Formula", "Melts"],
        ["Water", "H<sub>2</sub>O", "0"],
        ["Acid", "H<sub>2</sub>SO<sub>4</sub>", "10<sup>b</sup>"],
    ]
    cells = "".join("<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>" for row in rows)
    doc = pymupdf.open()
    page = doc.new_page()
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            at = pymupdf.Rect(60 + 120 * c, 60 + 30 * r, 180 + 120 * c, 90 + 30 * r)
            page.draw_rect(at)
            page.insert_htmlbox(
                pymupdf.Rect(at.x0 + 6, at.y0 + 4, at.x1 - 6, at.y1 - 4),
                text,
                css="* {font-size: 11pt} sup, sub {font-size: 7pt}",
            )
    view, lines = read(doc.tobytes())
    spans = [
        span for block in page.get_text("dict")["blocks"] for line in block.get("lines", ()) for span in line["spans"]
    ]  # fmt: skip
    assert table_html(view, Box(0, 0, *view.size), lines, raised.scripts(spans)) == f"<table>{cells}</table>"


def test_a_paragraph_is_no_table() -> None:
    doc = pymupdf.open()
    page = doc.new_page()
    page.insert_htmlbox(pymupdf.Rect(50, 50, 300, 400), "Nothing in here stands in columns. " * 20)
    view, lines = read(doc.tobytes())
    assert len(lines) > 5
    assert table_html(view, Box(0, 0, *view.size), lines) is None
    assert table_html(view, Box(0, 0, *view.size), []) is None


def _letters(html: str) -> str:
    return "".join(part.partition(">")[2] for part in html.split("<")).replace(" ", "")
