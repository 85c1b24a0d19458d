"""A dataset made from another dataset's samples: the images of one step, looked at by an engine in the next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
import webdataset

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.engines import Engines, versions
from datagen.page.images import pixels
from datagen.record import Box, Drop, Region, Sample
from datagen.work.pipeline import Pipeline, Stage
from datagen.work.samples_of import SamplesOf, ShardsOf
from recipes.recipe import Recipe
from recipes.run.execute import plan, run
from recipes.steps import Place, runner_of
from recipes.steps.pipeline import make as make_dataset
from tests.inputs import pdfs
from tests.outputs import check_corpus, dataset_samples, make, recipe


@dataclass(frozen=True)
class FindLines(Stage):
    """What a page's image shows: regions where PP-OCR's detector sees lines of text, not read yet. A page without one drops."""

    batch_size: int = 4

    def engines(self) -> dict[str, str]:
        return versions("ppocr-detector")

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        lines = engines.get("ppocr-detector", long_side=352).detect([pixels(sample.image or b"") for sample in batch])
        for sample, quads in zip(batch, lines, strict=True):
            regions = tuple(
                Region(_box(quad), "text", "", score, "", is_unread=True, detected_by="ppocr") for quad, score in quads
            )
            yield replace(sample, text="", regions=regions) if regions else sample.drop("blank", type(self).__name__)


def _box(quad) -> Box:
    xs, ys = [int(x) for x, _ in quad], [int(y) for _, y in quad]
    return Box(max(0, min(xs)), max(0, min(ys)), max(xs), max(ys))


def make_lines(out, **values) -> int:
    pipeline = Pipeline("lines", ShardsOf(str(out / "coarse")), SamplesOf("lines", **values), (FindLines(),), max_drop=1.0)
    return make_dataset(pipeline, "test", Place(str(out), "inline"))


def test_the_pages_of_one_dataset_become_a_dataset_of_their_own(corpus, tmp_path):
    out = tmp_path / "out"
    assert make(corpus, out) == 0
    assert make_lines(out) == 0
    pages = {s.key: s for s in dataset_samples(Folder(str(out / "coarse")))}
    lines = dataset_samples(Folder(str(out / "lines")))
    assert {s.key for s in lines} == {key for key, page in pages.items() if page.text}
    for sample in lines:
        page = pages[sample.key]
        assert (sample.image, sample.size, sample.lang, sample.stage) == (page.image, page.size, page.lang, "lines")
        assert sample.origin == page.origin
        assert sample.regions
        assert all(region.is_unread for region in sample.regions)
    drops = [drop for report in read_reports(Folder(str(out / "lines"))) for drop in report.drops]
    assert [(drop.reason, drop.key in pages) for drop in drops] == [("blank", True)]
    check_corpus(out, name="lines")
    Folder(str(out)).remove("coarse")  # its images are there, and open without code of ours
    tars = sorted(str(path) for path in (out / "lines/shards").glob("*.tar"))
    rows = list(webdataset.WebDataset(tars, shardshuffle=False).decode("pil"))
    assert len(rows) == 8 and [row["jpg"].size for row in rows] == [tuple(row["json"]["size"]) for row in rows]


def test_what_the_first_dataset_gains_is_added_and_what_is_made_stays(corpus, tmp_path):
    out = tmp_path / "out"
    make(corpus, out)
    make_lines(out)
    before = {r.shard: r.sha256 for r in read_reports(Folder(str(out / "lines")))}
    pdfs.write(corpus / "new.pdf", pdfs.LATIN)
    make(corpus, out)
    assert make_lines(out) == 0
    after = {r.shard: r.sha256 for r in read_reports(Folder(str(out / "lines")))}
    assert before.items() < after.items()
    assert len(after) == len(before) + 1


def test_samples_are_chosen_by_language_and_verdict_and_a_shard_without_one_is_a_drop(corpus, tmp_path):
    out = tmp_path / "out"
    make(corpus, out)
    assert make_lines(out, languages=("ru",), verdicts=("trusted",)) == 0
    assert {s.lang for s in dataset_samples(Folder(str(out / "lines")))} == {"ru"}
    reports = read_reports(Folder(str(out / "lines")))
    assert {d.reason for r in reports if not r.num_samples for d in r.drops} == {"nothing_chosen"}


def test_a_recipe_chains_its_steps_by_name_and_a_retry_passes_over_what_dropped_out_of_shards(corpus, tmp_path):
    first = recipe(corpus).steps[0]
    second = Pipeline("lines", ShardsOf("coarse"), SamplesOf("lines"), (FindLines(),), max_drop=1.0)
    place = Place(str(tmp_path / "out"), "inline")
    both = Recipe("test", (first, second))
    assert "lines: waits for" in plan(both, place)
    assert run(both, place) == 0
    assert len(dataset_samples(Folder(str(tmp_path / "out/lines")))) == 8
    assert "lines: 0 documents in 0 shards to make, 3 made" in plan(both, place)
    runner = runner_of(second, both, place)
    assert {d.reason for r in read_reports(Folder(f"{place.out}/lines")) for d in r.drops} == {"blank"}
    assert (runner.retriable(), runner.retry("blank")) == ({}, 0)


def test_a_dataset_that_is_not_made_yet_is_named(tmp_path):
    with pytest.raises(ValueError, match="is not made yet: make that dataset first"):
        ShardsOf(str(tmp_path / "coarse")).items()


def test_suspect_samples_are_chosen_despite_reasons_that_do_not_matter():
    source = SamplesOf("lines", verdicts=("trusted",), despite=("structure_in_doubt",))
    rows = [
        {"lang": "ru", "verdict": "trusted", "reasons": []},
        {"lang": "ru", "verdict": "suspect", "reasons": ["structure_in_doubt"]},
        {"lang": "ru", "verdict": "suspect", "reasons": ["structure_in_doubt", "incomplete"]},
        {"lang": "ru", "verdict": "none", "reasons": []},
    ]
    assert [source.is_chosen(row) for row in rows] == [True, True, False, False]
