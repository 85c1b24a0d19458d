"""What the layout model takes for a formula, and the text layer for a list's item."""

import pymupdf
import pytest

from datagen.fine.page_layout import Block
from datagen.fine.region_labels import Part, label_parts
from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import Paragraph

BOX = (50.0, 100.0, 300.0, 112.0)


@pytest.mark.parametrize(("text", "label"), [("– Q = 25 (first quartile): people;", "list"), ("– Q = 25 a + b", "equation")])
def test_an_item_with_words_is_no_formula(text, label):
    part = Part(Paragraph((Piece(BOX, text, "Serif", 10.0),), (), "list"), Block(BOX, "equation", ()))
    label_parts([part], pymupdf.Rect(0, 0, 595, 842))
    assert part.label == label
