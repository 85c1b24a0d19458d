"""Overall with CDM, which OmniDocBench's own code computes: what is handed to it, what it says, and why it can't."""

import json
import os
import shutil

import pytest

from datagen.score.official import olmocr_drawn, omnidocbench_cdm
from recipes.__main__ import main
from tests.unit.score.test_official import benchmark, block, page, predictions

CLONE = os.environ.get("PAGEWHEEL_OMNIDOCBENCH", "")
MISSING = [name for name in omnidocbench_cdm.PROGRAMS if not shutil.which(name)]
TABLE = "<table><tr><td>7</td></tr></table>"


@pytest.mark.parametrize(
    ("latex", "handed"), [("$$\nx^2 $$", "x^2"), ("```latex\n$a$\n```", "a"), (r"\[x\]", r"\[x\]"), ("$ $", "")]
)
def test_dollars_and_fences_are_no_part_of_a_formula(latex, handed):
    assert omnidocbench_cdm.stripped(latex) == handed


def test_what_is_not_there_is_said(tmp_path, capsys, monkeypatch):
    folder = benchmark(tmp_path, page(block(0, "text_block", text="Right words")))
    words = ["score", f"pred={predictions(tmp_path, a='Right words')}", f"cdm={tmp_path}"]
    assert main([*words, f"gt=omnidocbench:{folder}"]) == 2
    assert "a clone of github.com/opendatalab/OmniDocBench is needed" in capsys.readouterr().err
    assert main([*words, f"gt=fox:{folder}"]) == 2
    assert "only gt=omnidocbench:DIR has CDM" in capsys.readouterr().err
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/cdm_metric.py").write_text("raise SystemExit('no metric')")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([*words, f"gt=omnidocbench:{folder}"]) == 2
    assert "programs that aren't installed: xelatex (texlive-xetex), magick (imagemagick)" in capsys.readouterr().err
    for name in omnidocbench_cdm.PROGRAMS:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    assert main([*words, f"gt=omnidocbench:{folder}"]) == 2
    assert "its code ended with no metric" in capsys.readouterr().err


@pytest.mark.parametrize("does", ['os.write(1, b"noise")', "time.sleep(600)"], ids=["prints", "hangs"])
def test_its_code_may_print_and_does_not_hang(tmp_path, monkeypatch, does):
    (tmp_path / "metrics").mkdir()
    code = f"""import os, time
class CDM:
    def __init__(self, folder): pass
    def evaluate(self, truth, read, number):
        {does}
        return {{"F1_score": truth == read}}
"""
    (tmp_path / "metrics/cdm_metric.py").write_text(code)
    monkeypatch.setattr(omnidocbench_cdm, "PROGRAMS", {})
    monkeypatch.setattr(omnidocbench_cdm, "_EACH_S", 0)
    if "sleep" not in does:
        assert omnidocbench_cdm.scores(str(tmp_path), [("x", "x"), ("x", "y")]) == {("x", "x"): 1.0, ("x", "y"): 0.0}
    else:
        monkeypatch.setattr(omnidocbench_cdm, "_BEGIN_S", 1)
        with pytest.raises(ValueError, match="its code hadn't ended after 1 seconds"):
            omnidocbench_cdm.scores(str(tmp_path), [("x", "x")])


def test_katex_that_another_process_fetched_meanwhile_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(olmocr_drawn, "cache_folder", lambda: tmp_path / "cache")

    def unpacked(package, folder, integrity):
        for place in (folder / "package/dist", tmp_path / package / "dist"):
            place.mkdir(parents=True)
        return folder / "package"

    monkeypatch.setattr(olmocr_drawn.npm, "unpacked", unpacked)
    assert olmocr_drawn._katex().is_dir()


@pytest.mark.slow
@pytest.mark.skipif(not CLONE, reason="PAGEWHEEL_OMNIDOCBENCH names no clone of OmniDocBench")
@pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
def test_overall_has_the_cdm_of_omnidocbench(tmp_path, capsys):
    formulas = [
        block(n, "equation_isolated", latex=f"$${latex}$$") for n, latex in enumerate((r"x^2+\frac{a}{b}", r"\sum_{i=1}^n y_i"))
    ]
    others = [block(5, "text_block", text="Right words"), block(6, "table", html=TABLE, latex="")]
    folder = benchmark(tmp_path, page(*formulas, *others), page(formulas[0], name="b.jpg"))
    text = "Right words\n\n$$x^{2} + \\frac ab$$\n\n$$\\sum_{i=1}^n z_j$$\n\n" + TABLE
    out = tmp_path / "scores.json"
    words = ["score", f"pred={predictions(tmp_path, a=text)}", f"gt=omnidocbench:{folder}", f"out={out}", f"cdm={CLONE}"]
    assert main(words) == 0, capsys.readouterr().err
    means = json.loads(out.read_text())["means"]
    official, corrected = means["cdm"]["official"], means["cdm"]["corrected"]
    assert 0.5 < official < 1  # the first is the same, of the second two signs are others
    assert corrected == pytest.approx(official / 2)  # there is no b.md
    assert means["overall"]["official"] == pytest.approx(100 * (2 + official) / 3)
    assert "overall_without_cdm" not in means
