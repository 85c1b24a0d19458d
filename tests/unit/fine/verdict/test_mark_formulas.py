"""Paragraphs with formulas, and what becomes of them."""

import pytest

from datagen.engines import OPEN
from datagen.fine.verdict.mark_formulas import MarkFormulas, has_formula
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

BOX = Box(10, 10, 90, 30)


def region(text: str, label: str = "text", by: str = "ppocr") -> Region:
    return Region(BOX, label, text, 0.9, by, lines=(Line(BOX, text),))


@pytest.mark.parametrize(
    "text",
    [
        *("If µ2 = 0, then", "∂i Σi = 0 holds", "for n ≥ 2 the", "a2 + b2 = c2", "P(i,j) = Q"),
        *("The constraints φυand Σ hold", "with Rji the entries", "a set of x1, x2 and xn"),
        *("for α and β we", "wobei aP, = bP gilt"),
    ],
)
def test_signs_tell_formulas(text):
    assert has_formula(region(text), "Latn")


@pytest.mark.parametrize(
    "text",
    [
        "an area of 5 km² and 3 µm",
        "PATH=/usr vga=normal -n=3",
        *("β-carotene", "rows A, B, and C, as (A, B)", "vitamin C, E"),
        "A4 and B2B, H1 of Q3, p2p and C4",
        "the α-helix, a β-sheet, IFN-γ and TNF-α",
        "the β version of it, 5 kΩ, 10 μm and 3 Ω",
        "Hij en zij; Rij 5; Erik, Ski",
        "1. e4 e5 2. d4 d5, F4 and B12",
    ],
)
def test_what_prose_has_tells_none(text):
    assert not has_formula(region(text), "Latn")


def test_greek_letters_tell_nothing_on_a_page_in_greek():
    assert has_formula(region("the sum α + β"), "Latn")
    assert not has_formula(region("ένα α + β και ο χ = δύο"), "Grek") and has_formula(region("το ∑ του"), "Grek")


def test_a_marked_paragraph_is_unread_keeps_its_lines_and_leaves_the_text():
    page = sample(regions=(region("If x = 5, y."), region("Plain words."), region("x = 5", "code")), text="").with_quality(
        "trusted"
    )
    (marked,) = MarkFormulas()([page], OPEN)
    assert [one.is_unread for one in marked.regions] == [True, False, False]
    assert marked.regions[0].lines == page.regions[0].lines and marked.regions[0].text == "" and marked.regions[0].score is None
    assert marked.text == "Plain words.\n\n```\nx = 5\n```" and marked.quality.signals["formulas_in_text"] == 1.0
    assert next(iter(MarkFormulas()([marked], OPEN))).regions == marked.regions
