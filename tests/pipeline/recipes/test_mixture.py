"""The recipe of a mixture: its parts' datasets, the file that a training draws from, and what it says of parts without input."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
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
from tests.model.lines import rendered
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


def test_figures_need_no_input_and_outputs_are_not_made_again(place, out):
    recipe = mixture(pages=f"{place}/pages", texts=f"{out}/texts")
    assert [step.name for step in recipe.steps][:3] == ["charts", "molecules", "geometry"]
    writer = writer_of(recipe)
    assert [where for where, _ in writer._datasets(writer.step.drawn[0])] == [f"{place}/pages/coarse"]


def test_a_part_without_a_sample_to_learn_from_is_left_out_and_said_so(place, tmp_path, caplog):
    write_dataset(place / "empty/word", [page_sample("d-000000", "word", verdict="none")])
    recipe = mixture(pages=f"{place}/pages", word=f"{place}/empty", figures="none")
    writer = writer_of(recipe, str(tmp_path))
    with caplog.at_level("INFO"):
        assert writer.run() == 0
    assert "left out, since it has no sample to learn from: word" in caplog.text
    assert len(json.loads((tmp_path / "mixture.json").read_text())["datasets"]) == 1


def test_scenes_of_a_mixture_are_both_read_and_drawn(tmp_path):
    (tmp_path / "recipe.json").write_text('{"recipe": "mixture", "values": {}}')
    for name in ("scene", "drawn_scenes", "coarse"):
        write_dataset(tmp_path / name, [page_sample("e-000000", "sign")])
    recipe = mixture(scene=str(tmp_path), figures="none")
    writer = writer_of(recipe)
    assert {where for where, _ in writer._datasets(writer.step.drawn[0])} == {f"{tmp_path}/scene", f"{tmp_path}/drawn_scenes"}


def test_an_output_by_its_address_is_the_same(place, words, tmp_path, capsys):
    addresses = {key: f"file://{where}" if where.startswith("/") else where for key, where in words.items()}
    planned = []
    for given in (words, addresses | {"texts": words["texts"]}):
        assert main(["mixture", *(f"{key}={where}" for key, where in given.items()), f"out={tmp_path}/out", "plan=1"]) == 0
        planned.append(capsys.readouterr().out)
    assert planned[0] == planned[1] and f"where='{place}/pages'" in planned[0]


def test_each_part_has_pictures_of_its_own_list(tmp_path, capsys):
    """LAION's scenes beside COCO's pictures, whose descriptions are in JSON, and beside Wukong's."""
    for name in ("laion", "wukong", "coco"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(rendered("word"))
        pq.write_table(pa.table({"URL": ["http://a/1.jpg"], "TEXT": ["A"], "punsafe": [0.1]}), tmp_path / name / "list.parquet")
    (tmp_path / "coco/list.parquet").unlink()
    coco = {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"image_id": 1, "caption": "A dog."}]}
    (tmp_path / "coco/captions.json").write_text(json.dumps(coco))
    words = [f"scene={tmp_path}/laion", "scene_list=relaion2b-en-research-safe", "figures=none", f"out={tmp_path}/out", "plan=1"]
    assert main(["mixture", *words, f"vision={tmp_path}/coco"]) == 0
    planned = capsys.readouterr().out
    assert planned.count("list_name='relaion2b-en-research-safe'") == 2 and "DescribedSource(" in planned
    assert main(["mixture", *words, f"vision={tmp_path}/wukong", "vision_list=wukong"]) == 0
    planned = capsys.readouterr().out
    assert [planned.count(f"list_name='{name}'") for name in ("relaion2b-en-research-safe", "wukong")] == [2, 2]


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
