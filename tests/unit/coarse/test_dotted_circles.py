"""Dotted circles that nobody drew."""

from types import SimpleNamespace as Stub

import pytest

from datagen.coarse import accents


def char(code: str, x: float, width: float = 0.0) -> Stub:
    quad = Stub(ll=Stub(x=x), lr=Stub(x=x + width))
    return Stub(c=ord(code), origin=Stub(x=x, y=50.0), size=10.0, quad=quad)


@pytest.mark.parametrize(("width", "behind", "is_left_out"), [(0.0, "\u135e", True), (6.0, "\u135e", False), (0.0, "a", False)])
def test_a_circle_without_width_before_a_mark_is_left_out(monkeypatch, width, behind, is_left_out):
    line = [char("\u25cc", 70.0, width), char(behind, 70.0)]
    monkeypatch.setattr(accents, "lines", lambda textpage: [line])
    assert accents.without_circles(None) is is_left_out
    assert (line[0].c == accents.NOTHING) is is_left_out
