"""A census of draws, and the samples that a maker draws."""

import string
from dataclasses import dataclass, replace

import pytest
from PIL import Image

from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.record import Box, Region, SampleError
from datagen.work.draws import Drawing, Draws, DrawSource
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe
from recipes.run.execute import run
from recipes.steps import Place
from recipes.verbs.status import verify
from tests.inputs.samples import encoded
from tests.outputs import check_corpus, dataset_samples


@dataclass(frozen=True)
class Signs:
    """A gray sign, of which the label says that a word is on it."""

    version, name, task = 1, "signs", "scene"

    def draw(self, random):
        word = "".join(random.choices(string.ascii_letters, k=random.randint(1, 8)))
        image = encoded(Image.new("RGB", (60, 20), (random.randrange(256),) * 3), "PNG")
        region = Region(Box(0, 0, 60, 20), "text", word, None, "signs")
        return Drawing(image, (60, 20), word, (region,), script="Latn", difficulty=len(word) / 8)

    def engines(self):
        return {}


DRAWS = Draws("signs", count=40, seed=3, block=20)


def recipe(draws: Draws = DRAWS, source: DrawSource | None = None) -> Recipe:
    return Recipe("signs", (Pipeline("coarse", draws, source or DrawSource(Signs(), shard_draws=20), ()),))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    path = tmp_path_factory.mktemp("draws") / "out"
    assert run(recipe(), Place(str(path), "inline")) == 0
    return path


def test_every_draw_is_a_sample_and_a_group_of_its_own(out):
    samples = dataset_samples(Folder(f"{out}/coarse"))
    assert len({s.key for s in samples}) == 40
    groups = [row["group"] for row in manifest.rows(Folder(f"{out}/coarse"))]
    assert len(set(groups)) == 40
    assert {s.quality.verdict for s in samples} == {"trusted"}
    assert all(0 < s.difficulty <= 1 for s in samples)
    check_corpus(out)
    assert verify(str(out))[1]


def test_a_larger_count_keeps_what_a_smaller_one_drew(out, tmp_path):
    assert run(recipe(), Place(str(tmp_path / "out"), "inline")) == 0
    folder = Folder(f"{tmp_path}/out/coarse")
    before = {report.shard: report.sha256 for report in read_reports(folder)}
    assert before == {report.shard: report.sha256 for report in read_reports(Folder(f"{out}/coarse"))}
    assert run(recipe(replace(DRAWS, count=60)), Place(str(tmp_path / "out"), "inline")) == 0
    after = {report.shard: report.sha256 for report in read_reports(folder)}
    assert before.items() < after.items()
    assert len(dataset_samples(folder)) == 60


def test_a_better_estimate_goes_on_with_the_same_output(out):
    before = [report.sha256 for report in read_reports(Folder(f"{out}/coarse"))]
    assert run(recipe(source=DrawSource(Signs(), shard_draws=20, core_s=9.0, num_bytes=1)), Place(str(out), "inline")) == 0
    assert [report.sha256 for report in read_reports(Folder(f"{out}/coarse"))] == before


def test_another_seed_draws_others(out, tmp_path):
    assert run(recipe(replace(DRAWS, seed=4)), Place(str(tmp_path / "out"), "inline")) == 0
    texts = [{s.text for s in dataset_samples(Folder(f"{path}/coarse"))} for path in (out, tmp_path / "out")]
    assert len(texts[0] & texts[1]) < 8


def test_a_count_that_would_cut_a_block_is_refused():
    with pytest.raises(ValueError, match="count=50: a multiple of block=20 is needed"):
        replace(DRAWS, count=50)


@dataclass(frozen=True)
class Picky(Signs):
    """Gives up where the dice say so."""

    def draw(self, random):
        if random.random() < 0.5:
            raise SampleError("no_luck", "the dice")
        return super().draw(random)


def test_a_draw_that_fails_is_a_drop_of_its_own(tmp_path):
    assert run(recipe(source=DrawSource(Picky(), shard_draws=20)), Place(str(tmp_path / "out"), "inline")) == 0
    folder = Folder(f"{tmp_path}/out/coarse")
    drops = [drop for report in read_reports(folder) for drop in report.drops]
    assert 5 < len(drops) < 35
    assert {(d.reason, d.part.stop - d.part.first) for d in drops} == {("no_luck", 1)}
    assert len(drops) + len(dataset_samples(folder)) == 40
