"""The engine for tables, with its weights, on tables typeset here and read by PP-OCR."""

import cv2
import numpy
import pytest

from datagen.engines import OPEN
from datagen.engines.tables import TableReader
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import read_lines
from datagen.record import Box, Line
from datagen.tables.cells import parse
from tests.inputs.typeset_tables import TypesetTable, typeset_tables


def lines_of(image: numpy.ndarray) -> tuple[Line, ...]:
    (found,) = OPEN.get("ppocr-detector").detect([image])
    return read_lines(image, [quad for quad, _ in found], "en", "Latn", LineReaders(OPEN)).lines


@pytest.fixture(scope="module")
def drawn() -> list[tuple[TypesetTable, tuple[Line, ...]]]:
    tables = list(typeset_tables(12, seed=0))
    return [(table, lines_of(table.image)) for table in (tables[0], tables[10])]


@pytest.fixture(scope="module")
def reader() -> TableReader:
    return TableReader()


def test_a_ruled_table_is_read_exactly_and_surely(drawn, reader: TableReader) -> None:
    table, lines = drawn[0]
    ((html, score),) = reader.read([table.image], [lines])
    assert (table.style, html) == ("ruled", table.html)
    assert score > 0.9


def test_a_crop_is_read_alone_and_always_alike(drawn, reader: TableReader) -> None:
    crops, lines = [table.image for table, _ in drawn], [of for _, of in drawn]
    together = reader.read(crops, lines)
    reader.close()
    assert reader.read(crops[::-1], lines[::-1])[::-1] == together


def test_what_is_no_table_is_empty(reader: TableReader) -> None:
    paper = numpy.full((60, 200, 3), 255, numpy.uint8)
    line = Line(Box(10, 20, 190, 40), "one line alone", score=0.9)
    noise = numpy.random.default_rng(0).integers(0, 256, (60, 200, 3), numpy.uint8)
    assert reader.read([paper, paper[:1, :1]], [[], [Line(Box(0, 0, 1, 1), "a")]]) == [("", 0.0)] * 2
    for html, score in reader.read([paper, noise, paper], [[line], [line, line], [Line(Box(10, 20, 11, 21), " ")]]):
        assert 0.0 <= score <= 1.0
        assert not html or parse(html, is_strict=True).has_text


def test_lines_over_two_cells_are_cut_at_the_gap(reader: TableReader) -> None:
    paper = numpy.full((160, 400, 3), 255, numpy.uint8)
    lines = []
    for n, (left, right) in enumerate((("Name", "Number"), ("first", "12"), ("second", "345"))):
        y = 40 + 45 * n
        cv2.putText(paper, left, (20, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        cv2.putText(paper, right, (220, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        lines.append(Line(Box(18, y - 24, 330, y + 8), f"{left} {right}", score=0.9))
    ((html, _),) = reader.read([paper], [lines])
    assert html == (
        "<table><tr><td>Name</td><td>Number</td></tr><tr><td>first</td><td>12</td></tr><tr><td>second</td><td>345</td></tr></table>"
    )
