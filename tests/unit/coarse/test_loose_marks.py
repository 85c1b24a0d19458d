"""Marks that stand alone, and dotted circles that nobody drew."""

from types import SimpleNamespace as Stub

import pytest

from datagen.coarse import loose_marks
from datagen.page.line_pieces import Piece


def char(code: str, x: float, width: float = 0.0) -> Stub:
    quad = Stub(ll=Stub(x=x), lr=Stub(x=x + width))
    return Stub(c=ord(code), origin=Stub(x=x, y=50.0), size=10.0, quad=quad)


@pytest.mark.parametrize(
    ("drawn", "is_loose"), [([(200.0, 50.0)], True), ([(76.0, 50.0)], False), ([(200.0, 50.0), (76.0, 50.0)], False)]
)
def test_a_mark_that_is_drawn_far_from_its_letter_stands_alone(monkeypatch, drawn, is_loose):
    line = [char("n", 70.0, 5.0), char("\u0342", 75.0)]
    monkeypatch.setattr(loose_marks, "lines", lambda textpage: [line])
    spans = [{"font": "F", "chars": [(0x342, 7, place, (0, 0, 0, 0)) for place in drawn]}]
    page = Stub(rotation=0, get_texttrace=lambda: spans)
    assert loose_marks.worth_a_look(["n\u0342"]) and not loose_marks.worth_a_look(["n", ""])
    marks = loose_marks.take_out(page, None)
    assert (line[1].c == loose_marks.NOTHING) is bool(marks) is is_loose
    block = [Piece((60.0, 40.0, 75.0, 52.0), "n", "F", 10.0, baseline=50.0)]
    loose_marks.put_apart([block], marks)
    assert [piece.text for piece in block] == ["n", "\u1fc0"][: 1 + is_loose]


@pytest.mark.parametrize(("width", "behind", "is_left_out"), [(0.0, "\u135e", True), (6.0, "\u135e", False), (0.0, "a", False)])
def test_a_circle_without_width_before_a_mark_is_left_out(monkeypatch, width, behind, is_left_out):
    line = [char("\u25cc", 70.0, width), char(behind, 70.0)]
    monkeypatch.setattr(loose_marks, "lines", lambda textpage: [line])
    assert loose_marks.without_circles(None) is is_left_out
    assert (line[0].c == loose_marks.NOTHING) is is_left_out
