"""The recipe of a mixture: its parts' datasets, the file that a training draws from, and what it says of parts without input."""

import json

import pytest

from datagen.disk.storage import Folder
from model.data.mixture import shares
from model.net.tokenizer import byte_tokenizer
from model.train.data import corpus_of, open_all, sources
from model.train.step import Train
from recipes.__main__ import main
from recipes.mixture import mixture
from recipes.paper_mixture import PAPER
from recipes.recipe import Recipe
from recipes.run.execute import plan, run
from recipes.steps import Place, StepRunner, runners
from recipes.words.training_data import mixture as read_mixture
from tests.inputs.samples import page_sample
from tests.inputs.udhr import UDHR
from tests.outputs import write_dataset


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Outputs of coarse pages and of a flywheel's rounds, and an input of texts."""
    folder = tmp_path_factory.mktemp("mixture")
    (folder / "texts").mkdir()
    texts = [" ".join(f"{word}{n}" for n in range(90)) for _, article in UDHR.values() for word in article.split()[:1]]
    (folder / "texts/rows.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    trusted = [page_sample(f"{n}-000000", "слово", sha256=f"{n}" * 64) for n in range(4)]
    write_dataset(folder / "pages/coarse", [page_sample(f"{n}c-000000", "page", sha256=f"{n}c" * 32) for n in range(4)])
    (folder / "pages/recipe.json").write_text('{"recipe": "coarse", "values": {}}')
    write_dataset(folder / "wheel/round-1", [*trusted, page_sample("b-000000", "слова", verdict="none")])
    (folder / "wheel/recipe.json").write_text('{"recipe": "multilingual", "values": {}}')
    return folder


@pytest.fixture(scope="module")
def words(place):
    return {"pages": f"{place}/pages", "texts": f"{place}/texts", "minority": f"{place}/wheel", "figures": "none"}


@pytest.fixture(scope="module")
def out(place, words):
    assert run(mixture(**words), Place(f"{place}/out", "inline"), words) == 0
    return place / "out"


def writer_of(recipe: Recipe, out: str = "x") -> StepRunner:
    return next(runner for runner in runners(recipe, Place(out)) if runner.step.name == "mixture")


def test_each_part_has_its_own_share(out, place):
    made = json.loads((out / "mixture.json").read_text())
    assert made["groups"] == {"ocr": 0.7, "vision": 0.2, "text": 0.1}
    pages, minority, texts = ((one["where"], one["group"], one["weight"]) for one in made["datasets"])
    assert (pages, minority) == ((f"{place}/pages/coarse", "ocr", 30.0), (f"{place}/wheel/round-1", "ocr", 0.6))
    assert texts == ("./texts", "text", 10.5143)


def test_a_training_reads_what_was_written(out):
    step = Train(**read_mixture(f"{out}/mixture.json"))
    data = open_all(step, Folder(f"{out}/train"))
    corpus = corpus_of(data, byte_tokenizer(), 0.1)
    drawn_from = sources(data, corpus)
    assert {source.dataset: source.group for source in drawn_from} == {"coarse": "ocr", "round-1": "ocr", "texts text": "text"}
    weights = {share.stream.dataset: share.weight for share in shares(corpus, drawn_from, dict(step.groups))}
    # Without pictures 70 and 10 of 80 are left; pages are 30 of 30.6.
    assert weights == pytest.approx({"coarse": 7 / 8 * 30 / 30.6, "round-1": 7 / 8 * 0.6 / 30.6, "texts text": 1 / 8}, abs=1e-4)


def test_plan_status_and_report_say_shares_and_what_is_left_out(out, words, capsys):
    said = plan(mixture(**words), Place(str(out), "inline"))
    assert " 85.8%  ocr     pages" in said and " 12.5%  text    texts" in said
    assert all(f"left out, since it has no input: {key}" in said for key in ("fine", "word", "scene", "vision"))
    assert main(["status", f"out={out}"]) == 0
    assert "12.5%  text    ./texts: " in capsys.readouterr().out
    page = (out / "report/index.html").read_text()
    assert "What a training draws from" in page and "left out, since it has no input: vision" in page


def test_without_words_every_part_comes_of_packages():
    (writes,) = (step for step in mixture().steps if step.name == "mixture")
    assert writes.left_out == ("minority",)
    assert {one.part for one in writes.drawn} == {part.key for part in PAPER} - {"minority"}


def test_a_part_without_a_sample_to_learn_from_is_left_out_and_said_so(place, tmp_path, caplog):
    write_dataset(place / "empty/word", [page_sample("d-000000", "word", verdict="none")])
    recipe = mixture(pages=f"{place}/pages", word=f"{place}/empty", figures="none")
    writer = writer_of(recipe, str(tmp_path))
    with caplog.at_level("INFO"):
        assert writer.run() == 0
    assert "left out, since it has no sample to learn from: word" in caplog.text
    assert len(json.loads((tmp_path / "mixture.json").read_text())["datasets"]) == 1


def test_a_dataset_is_one_part_alone(place, tmp_path):
    recipe = mixture(pages=f"{place}/pages/coarse", fine=f"{place}/pages/coarse", figures="none")
    writer = writer_of(recipe, str(tmp_path))
    with pytest.raises(ValueError, match="pages and fine name the same dataset"):
        writer.run()


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(ValueError, match="every part is none"):
        mixture(texts="none", figures="none")
    with pytest.raises(ValueError, match="minority=packages: say minority=DIR"):
        mixture(minority="packages")
    with pytest.raises(ValueError, match="no output and no dataset is there"):
        mixture(minority=str(tmp_path))
    with pytest.raises(ValueError, match="texts=/nowhere: no such file or folder"):
        mixture(texts="/nowhere")
    with pytest.raises(ValueError, match="vision_list=wukong: it is the list of the pictures at vision=WHERE"):
        mixture(texts=str(tmp_path), scene=str(tmp_path), vision="packages", vision_list="wukong")
