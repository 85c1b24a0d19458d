"""The recipe `agree`: several datasets of the same pages become one."""

import json
import shutil
from dataclasses import replace

import pytest

from datagen.agreement.agree_page import DECISIONS
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from recipes.agree import agree
from recipes.run.execute import run
from recipes.steps import Place
from recipes.verbs.forget import forget
from tests.inputs.agreement import LINES, NUM_PAGES, TEXT, key, lines, made, page, region
from tests.outputs import check_corpus, dataset_samples, files, shards, write_dataset


def decisions(sample) -> list[dict]:
    return json.loads(sample.metadata[DECISIONS])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agree")
    data = made(folder)
    assert run(agree(data), Place(str(folder / "out"), "inline")) == 0
    return folder, data


def test_each_page_is_there_once_with_what_was_decided(done):
    folder, _ = done
    samples = {s.key: s for s in dataset_samples(Folder(str(folder / "out/agreed")))}
    assert samples.keys() == {*map(key, range(NUM_PAGES + 1)), "ff" * 8 + "-000000"}
    mended = samples[key(1)]
    assert mended.text == TEXT
    assert mended.regions[0].by == "agreed"
    assert mended.origin.engines.keys() >= {"model-a", "ppocr", "tesseract", "agreement"}
    (entry,) = decisions(mended)
    assert (entry["outcome"], entry["why"], entry["chosen"]) == ("replaced", "two_agree_against_it", "pp-ocr")
    votes = [(r["voter"], r["vote"]) for r in entry["readings"]]
    assert votes == [("model-a", "for"), ("pp-ocr", "against"), ("tesseract", "against")]
    assert mended.quality.signals["level"] == 1.0
    assert decisions(samples[key(0)])[0]["outcome"] == "kept"
    assert samples[key(0)].quality.signals["level"] == 0.0
    for alone in (key(NUM_PAGES), "ff" * 8 + "-000000"):
        assert {entry["outcome"] for entry in decisions(samples[alone])} == {"alone"}
        assert samples[alone].quality.signals["num_datasets"] == 1.0
    check_corpus(folder / "out", name="agreed")
    html = (folder / "out/report/index.html").read_text()
    assert "two agree against it" in html and "who agrees with whom" in html


def test_again_it_writes_nothing_and_any_number_of_workers_gives_the_same_bytes(done, cluster, tmp_path):
    folder, data = done
    before = files(folder / "out")
    assert run(agree(data), Place(str(folder / "out"), "inline")) == 0
    assert files(folder / "out") == before
    assert run(agree(data), Place(str(tmp_path / "out"), cluster)) == 0
    assert shards(tmp_path / "out", "agreed") == shards(folder / "out", "agreed")


def test_labels_that_changed_refuse_the_output(tmp_path):
    data = made(tmp_path)
    assert run(agree(data), Place(str(tmp_path / "out"), "inline")) == 0
    write_dataset(tmp_path / "two", [page(lines(LINES[:2], "tesseract"), key(0), 0)], "two")
    with pytest.raises(ValueError, match="dataset two"):
        run(agree(data), Place(str(tmp_path / "out"), "inline"))
    assert run(agree(data), Place(str(tmp_path / "out"), "inline", overwrite=True)) == 0


def test_other_sizes_are_scaled(tmp_path):
    data = made(tmp_path, scale=2)
    assert run(agree(data), Place(str(tmp_path / "out"), "inline")) == 0
    samples = {s.key: s for s in dataset_samples(Folder(str(tmp_path / "out/agreed")))}
    assert samples[key(1)].text == TEXT
    assert samples[key(1)].size == (700, 420)


def test_what_is_forgotten_leaves_and_stays_away(done, tmp_path):
    folder, data = done
    out = shutil.copytree(folder / "out", tmp_path / "out")
    _, is_done = forget(str(out), uri="/in/a.pdf", recipe=agree(data))
    assert is_done
    assert run(agree(data), Place(str(out), "inline")) == 0
    assert {s.origin.uri for s in dataset_samples(Folder(str(out / "agreed")))} == {"/in/b.pdf"}


def test_records_that_are_no_pages_or_broken_are_drops_with_reasons(tmp_path):
    crop = replace(page([region(TEXT, 0, 2)], "cc-000000"), task="crop")
    broken = page([region(TEXT, 0, 2)], "dd-000000", 1, image=b"\x89PNG no image")
    write_dataset(tmp_path / "label", [crop, broken], "label")
    odd = region(" ".join(reversed(TEXT.split())), 0, 2, by="model-b")
    write_dataset(tmp_path / "one", [page([odd], "dd-000000", 1)], "one")
    out = tmp_path / "out"
    assert run(agree(f"{tmp_path}/label,{tmp_path}/one"), Place(str(out), "inline")) == 0
    drops = {drop.key: drop.reason for report in read_reports(Folder(str(out / "agreed"))) for drop in report.drops}
    assert drops.keys() == {"cc-000000", "dd-000000", ""}
    assert drops["cc-000000"] == "not_a_page"
    assert drops[""] == "told_before"


def test_one_dataset_or_none_is_refused_in_a_sentence(tmp_path):
    for data in ("", str(tmp_path / "label")):
        with pytest.raises(ValueError, match="two datasets or more"):
            run(agree(data), Place(str(tmp_path / "out"), "inline"))
    with pytest.raises(ValueError, match="not made yet"):
        run(agree(f"{tmp_path}/a,{tmp_path}/b"), Place(str(tmp_path / "out"), "inline"))
