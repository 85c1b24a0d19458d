"""The recipe of figures: some of each kind, drawn again from their labels, and what is wrong is said."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from datagen.disk.storage import Folder
from datagen.figures import redraw
from datagen.samples import npm
from recipes.__main__ import main
from recipes.figures import KINDS, figures
from recipes.run.execute import run
from recipes.steps import Place
from tests.outputs import check_corpus, dataset_samples
from tests.unit.figures.test_molecules import SMILES

DRAWN = [kind for kind in KINDS if KINDS[kind].share]  # pages with figures are drawn only where they are asked for


def unreachable(package, folder):
    raise ValueError(f"{package} could not be had from npm: tests ask no network")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("molecules")
    (folder / "list.smi").write_text("".join(f"{smiles}\n" for smiles in SMILES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr(npm, "packed", unreachable)  # charts are drawn without ECharts then
        yield folder


@pytest.fixture(scope="module")
def out(cache):
    """The output of a run that made some of each kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recipes.figures.BLOCK", 5)
        recipe = figures(limit=15, molecules=str(cache / "list.smi"), seed=1)
    assert run(recipe, Place(f"{cache}/out", "inline")) == 0
    return cache / "out"


def test_a_run_makes_some_of_each_kind_and_reports_them(out):
    report = (out / "report" / "index.html").read_text()
    for kind in DRAWN:
        samples = dataset_samples(Folder(f"{out}/{kind}"))
        assert len(samples) >= 4 and f'id="{kind}-index"' in report
        assert {s.task for s in samples} == {"figure"} and {s.quality.verdict for s in samples} == {"trusted"}
        assert all(s.text and s.image for s in samples)
        check_corpus(out, name=kind)


def test_without_npm_there_are_charts_and_the_log_says_what_lacks(cache, caplog):
    maker = next(step.source.maker for step in figures(kinds="charts").steps if hasattr(step, "census"))
    assert maker.renderers == ("matplotlib",)
    assert "charts are drawn without ECharts: echarts@" in caplog.text


def test_pages_with_figures_are_made_only_where_they_are_asked_for(cache):
    assert [s.name for s in figures(limit=150).steps if hasattr(s, "census")] == DRAWN
    (pages,) = (s for s in figures(limit=150, kinds="figure-pages").steps if hasattr(s, "census"))
    assert pages.census.count == 150 and [maker.name for maker in pages.source.maker.makers] == DRAWN
    assert pages.census.maker == pages.source.maker.name


def test_a_figure_is_drawn_again_from_its_label_for_people(out):
    for kind, label in (("molecules", "molecule"), ("geometry", "geometry")):
        region = dataset_samples(Folder(f"{out}/{kind}"))[0].regions[0]
        assert region.label == label
        with Image.open(io.BytesIO(redraw.again(region))) as image:
            assert min(image.size) >= 300 and image.convert("L").getextrema()[0] < 100
        assert redraw.again(replace(region, text="nothing of the kind(")) is None
    assert redraw.again(replace(region, format="markdown")) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kinds=molecules,portraits"], "there is no kind 'portraits'"),
        (["molecules=nowhere.smi"], "molecules="),
        ([f"molecules={__file__}", "kinds=charts"], "molecules="),
    ],
)
def test_a_kind_or_a_list_that_there_is_not_or_that_nothing_is_made_of_is_refused(words, said, tmp_path, capsys):
    assert main(["figures", *words, f"out={tmp_path / 'out'}"]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("limit", "counts"), [(149, [50, 50, 50]), (1000, [650, 300, 50]), (16_000, None)])
def test_kinds_share_the_limit_by_the_papers_proportions_to_a_block(limit, counts):
    made = {step.name: step.census.count for step in figures(limit=limit).steps if hasattr(step, "census")}
    assert set(made) == set(DRAWN) and sum(made.values()) <= max(limit, 150)
    shares = {name: KINDS[name].share / sum(kind.share for kind in KINDS.values()) for name in made}
    assert counts in (None, [*made.values()])
    assert counts or all(abs(made[name] / limit - shares[name]) < 0.01 for name in made)
