"""The paper's table as a plan: sums, rates that were measured, and guesses that say so."""

from pathlib import Path

import pytest

from recipes.corpus30m import corpus30m
from recipes.paper_mixture import PAPER
from recipes.run import sample_costs
from recipes.run.execute import Place, plan, run

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_a_benchmark_measured_is_kept_and_says_by_whom():
    assert sample_costs.rates()["coarse.read_core_s"].by == ""
    sample_costs.record("tests.bench.some", {"coarse.read_core_s": 0.5})
    sample_costs.record("tests.bench.other", {"coarse.page_bytes": 7.0})
    found = sample_costs.rates()
    assert (found["coarse.read_core_s"].value, found["coarse.page_bytes"].value) == (0.5, 7.0)
    assert found["coarse.read_core_s"].by.startswith("tests.bench.some, ")
    with pytest.raises(ValueError, match="no rate is called"):
        sample_costs.record("tests.bench.some", {"speed": 1.0})


def test_a_damaged_file_of_rates_is_guesses():
    sample_costs.path().parent.mkdir()
    sample_costs.path().write_text("{")
    assert {rate.by for rate in sample_costs.rates().values()} == {""}


def test_the_plan_has_the_papers_numbers_and_needs_no_input():
    said = plan(corpus30m(), Place("out"))
    assert all(part.name in said for part in PAPER)
    assert "30,000,000" in said and all((ROOT / part.made_by).exists() for part in PAPER)
    assert "nothing is measured on this machine yet" in said
    with pytest.raises(ValueError, match="corpus30m needs input"):
        run(corpus30m(), Place("out"))
