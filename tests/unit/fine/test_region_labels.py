"""What the layout model takes for a formula, and the text layer for a list's item."""

import pymupdf
import pytest

from datagen.fine.page_layout import Block
from datagen.fine.region_labels import Part, label_parts
from datagen.fine.text_layer import _between_headings
from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import Paragraph

BOX = (50.0, 100.0, 300.0, 112.0)


@pytest.mark.parametrize(("text", "label"), [("– Q = 25 (first quartile): people;", "list"), ("– Q = 25 a + b", "equation")])
def test_an_item_with_words_is_no_formula(text, label):
    part = Part(Paragraph((Piece(BOX, text, "Serif", 10.0),), (), "list"), Block(BOX, "equation", ()))
    label_parts([part], pymupdf.Rect(0, 0, 595, 842))
    assert part.label == label


def test_a_heading_at_the_side_of_a_table_divides_it():
    def part(text: str, y: float, label: str, x: float = 100.0) -> Part:
        return Part(Paragraph((Piece((x, y, x + 100, y + 12), text, "Serif", 10.0),)), None, [], label)

    table = part("1. A row", 100, "table")
    table.block = Block((100.0, 100.0, 300.0, 200.0), "table", ())
    table.others = part("2. Another row", 180, "table").paragraphs
    made = _between_headings([table, part("A heading", 140, "sub_title", 40.0)])
    assert [one.text for one in made] == ["1. A row", "A heading", "2. Another row"]


def test_a_heading_divides_a_table_once_though_a_row_below_reaches_above_it():
    heading = Part(Paragraph((Piece((50.0, 100.0, 150.0, 110.0), "A heading", "Serif", 10.0),)), None, [], "sub_title")
    row = Part(Paragraph((Piece((40.0, 95.0, 200.0, 130.0), "A row", "Serif", 10.0),)), None, [], "table")
    assert [one.text for one in _between_headings([row, heading])] == ["A heading", "A row"]


@pytest.mark.parametrize(
    ("below", "labels"), [("5. August 2018", ["text", "text"]), ("5. The rules of it", ["sub_title", "list"])]
)
def test_a_name_above_a_date_below_the_title_is_no_heading_and_the_date_no_item(below: str, labels: list[str]):
    def part(text: str, y: float, size: float, model: str, layer: str = "text") -> Part:
        box = (50.0, y, 300.0, y + size)
        return Part(Paragraph((Piece(box, text, "Serif", size),), (), layer), Block(box, model, ()))

    parts = [part("The Euro", 100, 20, "title"), part("Ann Day", 130, 12, "sub_title"), part(below, 150, 12, "list", "list")]
    parts.append(part("A text of the page, in the type of its letters. " * 9, 200, 10, "text"))
    label_parts(parts, pymupdf.Rect(0, 0, 595, 842))
    assert [one.label for one in parts[1:3]] == labels
