"""Formulas are told by their lines' spans, as MuPDF gives them."""

import pytest

from datagen.coarse.formula_share import num_math


def line(*spans: tuple[str, str, float]) -> dict:
    return {"spans": [{"text": text, "font": font, "size": size} for text, font, size in spans]}


@pytest.mark.parametrize(
    ("spans", "num"),
    [
        ([("x", "CMMI10", 10), ("2", "CMR7", 7)], 1),  # a power
        ([("a", "CMMI10", 10), (" = ", "CMR10", 10), ("b", "CMMI10", 10)], 2),
        ([("x=y", "CambriaMath", 11)], 2),
        ([("x", "CMMI10", 10), ("p", "CMEX10", 10)], 2),  # a root
    ],
)
def test_a_formula(spans, num):
    assert num_math([line(*spans)]) == num


@pytest.mark.parametrize(
    "spans",
    [
        [("LATEX 2", "CMR10", 10), ("ε", "CMMI10", 10), (" and ", "CMR10", 10)],
        [("where ", "CMR10", 10), ("x", "CMMI10", 10), (" is", "CMR10", 10)],
        [("∂ ∆ ∏ ∑ − ∕ √ ∞ ∫ ≈ ≠ ≤ ≥", "Padauk", 10)],
        [("x = y2", "CMR10", 10), ("2", "CMR7", 7)],
    ],
)
def test_text_with_signs(spans):
    assert num_math([line(*spans)]) == 0
