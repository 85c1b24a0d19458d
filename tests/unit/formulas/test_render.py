"""Formulas are drawn, compared with ink, and with each other."""

import cv2
import numpy
import pytest

from datagen.formulas.compare_ink import likeness
from datagen.formulas.drawing import EM, RULE, NotDrawn
from datagen.formulas.render import draw
from datagen.score.symbols import cdm

FORMULA = r"\frac{a+b}{2} = \sum_{i=1}^{n} x_i^2 - \left( \alpha - \beta \right)"
MATRIX = r"A = \begin{pmatrix} a & b \\ c & d \end{pmatrix}, \quad \det A = ad - bc"


def names(latex: str) -> str:
    return "".join("_" if symbol.name == RULE else symbol.name for symbol in draw(latex).symbols)


def test_a_formula_is_drawn_with_its_symbols_in_place():
    fraction = draw(r"\[\frac{a}{b}\]")
    over, under, rule = fraction.symbols
    assert (over.name, under.name, rule.name) == ("a", "b", RULE)
    assert over.y1 < rule.y0 and rule.y1 < under.y0
    height, width = fraction.ink.shape
    assert rule.x1 <= width and under.y1 <= height < 2 * EM and fraction.ink.max() == 255
    assert (fraction.ink > 0).any(axis=1)[[0, -1]].all()


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"x \label{eq:1} \tag{3} \nonumber", "x"),
        (r"\hbox{for $r>r^{\prime}$.}", "forr>r′."),
        (r"\begin{eqnarray} a &=& b \\ c &=& d \end{eqnarray}", "a=bc=d"),
        (r"\begin{alignedat}{2} a &= b \end{alignedat}", "a=b"),
        (r"\mathop { \sum } _ { i } \mathrel{=} \mathop{\rm lim} a", "∑i=lima"),
        (r"\operatorname* { l i m } _ { x } \Big\vert _ { y }", "limx|y"),
    ],
)
def test_what_engines_write_is_drawn(latex, text):
    assert names(latex) == text


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\nothing x", "unknown_command"),
        (r"\text{長}", "unknown_character"),
        (r"\frac{a", "not_parsed"),
        (r"x \hspace{2000em} y", "too_large"),
        ("", "empty"),
        ("x+" * 5000, "too_long"),
        (r"\left(" * 14 + "x" + r"\right)" * 14, "too_nested"),
    ],
)
def test_what_cant_be_drawn_has_a_reason(latex, reason):
    with pytest.raises(NotDrawn) as error:
        draw(latex)
    assert error.value.reason == reason


def scanned(latex: str, gap: int = 0) -> numpy.ndarray:
    """The formula as small blurred ink on gray paper, its halves `gap` pixels further apart where there is room between them."""
    ink = draw(latex).ink
    empty = numpy.flatnonzero(~(ink > 0).any(axis=0))
    middle = int(empty[len(empty) // 2])
    ink = numpy.hstack([ink[:, :middle], numpy.zeros((len(ink), gap), numpy.uint8), ink[:, middle:]])
    small = cv2.GaussianBlur(cv2.resize(ink, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), (0, 0), 0.6)
    around = cv2.copyMakeBorder(small, 9, 4, 7, 12, cv2.BORDER_CONSTANT, value=0)
    return (240 - around * 0.8).astype(numpy.uint8)


def test_a_formula_is_like_its_ink_and_less_so_with_one_sign_changed():
    for latex in (FORMULA, MATRIX):
        assert likeness(draw(latex), scanned(latex, gap=40)) > 0.93
    true = likeness(draw(FORMULA), scanned(FORMULA))
    changes = ((r"\alpha", r"\omega"), ("x_i", "y_i"), ("x_i^2", "x_i"), ("a+b", "a-b"), (r"\sum", r"\prod"), ("_i^2", "_{i2}"))
    for one, other in changes:
        assert likeness(draw(FORMULA.replace(one, other)), scanned(FORMULA)) < true - 0.02, one
    assert likeness(draw(MATRIX), scanned(FORMULA)) < 0.4


def test_a_number_beside_the_formula_and_dark_paper_change_nothing():
    ink = scanned(FORMULA)
    number = scanned(r"(1 7)")
    beside = numpy.full((ink.shape[0], 3 * ink.shape[1] // 2), 240, numpy.uint8)
    beside[:, : ink.shape[1]] = ink
    beside[20 : 20 + number.shape[0], -number.shape[1] :] = number[: ink.shape[0] - 20]
    assert likeness(draw(FORMULA), beside) == pytest.approx(likeness(draw(FORMULA), ink), abs=0.02)
    assert likeness(draw(FORMULA), 255 - ink) == pytest.approx(likeness(draw(FORMULA), ink), abs=0.02)


@pytest.mark.parametrize("size", [(20, 60), (0, 60)])
def test_paper_without_ink_has_a_reason(size):
    with pytest.raises(NotDrawn, match="no_ink"):
        likeness(draw("x"), numpy.full(size, 230, numpy.uint8))


def test_formulas_that_look_alike_are_alike_whatever_their_latex():
    assert cdm(r"\frac{a}{b} \le c", r"{a \over b} \leq \mathrm{c}") == 1.0
    assert cdm(FORMULA, FORMULA.replace("x_i", "y_i")) == pytest.approx(1 - 1 / len(draw(FORMULA).symbols))
    assert cdm("abc", "cba") < 1
    assert cdm(r"a \\ b", r"\begin{array}{c} a \\ b \end{array}") == 1.0
    assert cdm("x+y", "") == 0.0 == cdm("x+y", r"\nothing")
    assert cdm(r"\nothing", "x") is None
