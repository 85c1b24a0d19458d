"""Paragraphs with formulas, and what becomes of them."""

import pytest

from datagen.engines import OPEN
from datagen.fine.verdict.mark_formulas import MarkFormulas, has_formula, is_latex
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

BOX = Box(10, 10, 90, 30)


def region(text: str, label: str = "text", by: str = "ppocr") -> Region:
    return Region(BOX, label, text, 0.9, by, lines=(Line(BOX, text),))


@pytest.mark.parametrize(
    "text",
    [
        *("If µ2 = 0, then", "∂i Σi = 0 holds", "for n ≥ 2 the", "with x = 5", "a2 + b2 = c2", "let x < y be", "P(i,j) = Q"),
        *("xᵢ is", "The constraints φυand Σ hold", "with Rji the entries", "a set of x1, x2 and xn", "both Aij and Bik"),
        *("for α and β we", "über E(F,) und", "wobei aP, = bP gilt", "Körper F,, der"),
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
        "a 5 × 3 grid",
        "see C++ <b> 3.2",
        "5 m² of",
        "1/2 or ±3",
        "A4 and B2B, H1 of Q3, p2p and C4",
        "h1, h2 and p1, p2 in v1 and v2",
        "x86 and x64, zoom x2 or x4",
        "the α-helix, a β-sheet, IFN-γ and TNF-α",
        "the β version of it, 5 kΩ, 10 μm and 3 Ω",
        "Hij en zij; Rij 5; Erik, Ski",
        "1. e4 e5 2. d4 d5, F4 and B12",
        "vitamins b6 and b12, an am in is",
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


def test_what_is_latex_already_stays():
    page = sample(regions=(region(r"If \( x = 5 \), y."),), text="as it is")
    (same,) = MarkFormulas()([page], OPEN)
    assert same is page and is_latex("a $x$ b") and not is_latex("costs 5 $")
