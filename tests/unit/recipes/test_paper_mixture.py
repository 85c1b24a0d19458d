"""The paper's table as a plan: sums, rates that were measured, and guesses that say so."""

from pathlib import Path

import pytest

from recipes import sample_costs, scene
from recipes.corpus30m import corpus30m
from recipes.paper_mixture import PAPER, Part, table
from recipes.run.execute import Place, plan, run
from recipes.sample_costs import Rate
from recipes.vision import vision

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_part_costs_what_its_samples_do():
    core_s = ("coarse.read_core_s", "coarse.ink_core_s")
    part = Part("pages", "pages", 9_000_000, "here", ("coarse.page_bytes",), core_s, gpu_s=0.4)
    known = {"coarse.page_bytes": 500_000.0, "coarse.read_core_s": 0.02, "coarse.ink_core_s": 0.18}
    _, row, *_ = table((part,), {name: Rate(value, "a benchmark") for name, value in known.items()}).splitlines()
    # 4.5 TB in shards of 450 MB; a fifth of a second and 0.4 s of a GPU each.
    assert row.split() == ["pages", "9,000,000", "10,000", "4.50", "500", "1,000?", "here"]


def test_the_coarse_pages_are_as_many_shards_as_the_recipe_cuts():
    pages = corpus30m(input="list.parquet").steps[0].source.shard_pages
    (part,) = (part for part in PAPER if part.made_by == "recipes/corpus30m.py")
    row = table((part,), sample_costs.rates()).splitlines()[1].removeprefix(part.name)
    assert row.split()[:2] == ["30,000,000", f"{round(30_000_000 / pages):,}"]


def test_the_pictures_are_as_many_shards_as_their_recipes_cut():
    shards = {
        "scene": scene.scene(input=".").steps[0].source.shard_images,
        "vision": vision(input=".").steps[0].source.shard_images,
    }
    assert {part.key: part.shard_samples for part in PAPER if part.key in shards} == shards


def test_one_guess_makes_a_sum_a_guess():
    part = Part("pages", "pages", 3_600, "", ("bytes",), ("read", "ink"))
    known = {"bytes": Rate(1e6), "read": Rate(1.0, "a benchmark"), "ink": Rate(1.0)}
    assert table((part,), known).splitlines()[1].split()[1:6] == ["3,600", "8?", "0.00?", "2?", "0"]


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


def test_every_guess_is_one_that_the_table_uses():
    used = {name for part in PAPER for name in (*part.num_bytes, *part.core_s)}
    assert used == set(sample_costs.GUESSES)
