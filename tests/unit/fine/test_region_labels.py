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


def test_a_lead_in_bold_with_what_it_says_is_no_heading():
    def labelled(text: str, bold_share: float) -> str:
        piece = Piece(BOX, text, "Serif-Bold", 10.0, bold_share=bold_share)
        part = Part(Paragraph((piece,), (), "text"), Block(BOX, "sub_title", ()))
        label_parts([part], pymupdf.Rect(0, 0, 595, 842))
        return part.label

    assert labelled("Responsible: Elizabeth", 0.5) == labelled("Example 9.1.1 Compute", 0.6) == "text"
    assert labelled("Responsible: Elizabeth", 1.0) == labelled("Example 9.1.1 Compute", 0.0) == "sub_title"
    assert labelled("1.2 A section of it", 0.5) == "sub_title"
