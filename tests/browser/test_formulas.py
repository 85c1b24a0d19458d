"""Formulas as olmOCR-bench compares them: laid out by KaTeX in Chromium, and what its own code said of the same pairs."""

import gzip
import json

import pytest

from datagen.score.official import olmocr, olmocr_drawn
from recipes.__main__ import main
from tests.unit.score.test_official import SCORERS


@pytest.fixture(scope="module")
def formulas():
    try:
        return olmocr_drawn.Formulas()
    except ValueError as error:
        pytest.skip(str(error))


def test_formulas_are_compared_as_olmocr_bench_compares_them(formulas):
    fixture = json.loads(gzip.decompress((SCORERS / "olmocr_drawn.json.gz").read_bytes()))
    assert fixture["commit"] == olmocr.COMMIT
    pairs = fixture["pairs"]
    formulas.draw(latex for pair in pairs for latex in (pair["truth"], pair["read"]))
    wrong = [pair for pair in pairs if formulas.same(pair["truth"], pair["read"]) != pair["same"]]
    assert wrong == []
    assert len(pairs) > 150
    assert 50 < sum(pair["same"] for pair in pairs) < len(pairs) - 50


def test_a_formula_that_ends_the_browser_costs_itself_alone(formulas, monkeypatch):
    laid_out = olmocr_drawn._laid_out
    asked = []

    def ends(browser, katex, some):
        asked.append(len(some))
        return None if "bomb" in some else laid_out(browser, katex, some)

    monkeypatch.setattr(olmocr_drawn, "_laid_out", ends)
    formulas.draw(("a+b", "bomb", "a + b"))
    assert asked == [3, 1, 2, 1, 1]
    assert formulas.same("a+b", "a + b")
    assert not formulas.same("a+b", "bomb")
    assert not formulas.same("bomb", "a+b")


def test_a_browser_that_draws_nothing_is_no_browser(formulas, monkeypatch):
    monkeypatch.setattr(olmocr_drawn, "BROWSERS", ("true",))
    with pytest.raises(ValueError, match="draws nothing"):
        olmocr_drawn.Formulas()


def test_a_score_says_how_many_formulas_look_the_same(formulas, tmp_path):
    folder = tmp_path / "bench"
    (folder / "pdfs").mkdir(parents=True)
    (folder / "pdfs/a.pdf").write_bytes(b"")
    tests = [{"pdf": "a.pdf", "page": 1, "type": "math", "id": latex, "math": latex} for latex in ("\\frac{a}{b}", "a-b")]
    (folder / "math.jsonl").write_text("".join(json.dumps(test) + "\n" for test in tests))
    (tmp_path / "read").mkdir()
    (tmp_path / "read/a_pg1_repeat1.md").write_text("It is $\\frac ab$ and $a+b$.")
    out = tmp_path / "scores.json"
    assert main(["score", f"pred={tmp_path}/read", f"gt=olmocr:{folder}", f"out={out}"]) == 0
    assert json.loads(out.read_text())["means"]["math"]["official"] == 0.5
