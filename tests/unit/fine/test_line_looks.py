"""Size, colour and marks of a line, from a page's spans and drawings."""

import pytest

from datagen.fine.line_looks import Looks
from datagen.page.line_pieces import Piece

BOX = (100.0, 100.0, 200.0, 114.0)


def span(text: str, colour: int, x0: float = 100.0, x1: float = 200.0, flags: int = 0) -> dict[str, object]:
    return {"text": text, "font": "Sans", "color": colour, "flags": flags, "bbox": (x0, 100.0, x1, 114.0)}


def piece(**others: object) -> Piece:
    return Piece(BOX, "A heading", "Sans", 12.98, **others)  # type: ignore[arg-type]


def test_a_look_is_a_size_a_colour_and_what_holds_for_the_whole_line():
    assert Looks([span("A heading", 0x2F5496)], ()).of(piece()) == "13 #2f5496"
    assert Looks([span("A heading", 0, flags=2)], ()).of(piece(bold_share=1.0)) == "13 #000000 bold italic"


def test_a_line_in_two_colours_and_one_that_stands_have_no_look():
    spans = [span("A head", 0, x1=150.0), span("ing", 0xFF0000, x0=150.0)]
    assert Looks(spans, ()).of(piece()) == ""
    assert Looks([span("A heading", 0)], ()).of(piece(vertical=True)) == ""


@pytest.mark.parametrize(
    ("drawing", "look"),
    [
        ((100.0, 112.0, 200.0, 112.8), "13 #000000 underlined"),
        ((98.0, 99.0, 203.0, 116.0), "13 #000000 highlighted"),
        ((40.0, 112.0, 560.0, 112.8), "13 #000000"),  # a rule across the page
        ((98.0, 20.0, 203.0, 300.0), "13 #000000"),  # a frame around several lines
    ],
)
def test_drawings_under_and_behind_a_line_mark_it(drawing: tuple[float, float, float, float], look: str):
    assert Looks([span("A heading", 0)], [drawing]).of(piece()) == look
