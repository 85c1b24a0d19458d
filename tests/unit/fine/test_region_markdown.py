"""Signs of lists, in the text of a region and in its lines."""

import pytest

from datagen.fine.region_markdown import lone_sign, with_markdowns_sign
from datagen.record import Box, Line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((f"{sign} an item", "• an item") for sign in "◦\uf0b7✔o•"),
        *((f"{sign} an item", "- an item") for sign in "–-"),
        *((text, text) for text in ("☑ an item", "12. an item", "on and on")),
        ("\uf0b7", "•"),
    ],
)
def test_a_lines_sign_is_one_that_markdown_has(text, expected):
    assert with_markdowns_sign(Line(Box(0, 0, 9, 9), text)).text == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("o", "-"), ("•", "-"), ("●", "-"), ("3.", "3."), ("o an item", ""), ("on", ""), ("", "")]
)
def test_a_sign_alone_is_markdowns(text, expected):
    assert lone_sign(text) == expected
