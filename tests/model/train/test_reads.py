"""The recipe that learns to read, with a few steps in the place of thousands: stage 1, its encoder in stage 2, the report."""

import json
from dataclasses import replace

import pytest
import torch

from datagen.disk.storage import Folder
from model.files.safetensors_files import Reader
from model.net.config import tiny
from model.train.data_config import Data, DrawnLines
from model.train.step import Train
from model.train.trainer import train
from recipes.multilingual import multilingual
from recipes.reads import reads
from recipes.recipe import Recipe
from recipes.run.execute import run
from recipes.steps import Place
from tests.model.lines import EIGHT, line_crop, write_dataset


def shortened(step: Train) -> Train:
    """With the lines that so few steps come to."""
    data = tuple(one if one.drawn is None else replace(one, drawn=few(one.drawn)) for one in step.data)
    less = {"loss_samples": 6, "loss_every": 3, "read_samples": 4, "read_every": 2, "looks_after": 3, "max_new_tokens": 4}
    return step.but(datasets=data, steps=3, length=128, workers=0, **less)


def training(recipe: Recipe, name: str) -> Train:
    (step,) = (step for step in recipe.steps if isinstance(step, Train) and step.name == name)
    return step


def few(lines: DrawnLines) -> DrawnLines:
    return replace(lines, count=min(lines.count, 300), held_out=6)


@pytest.fixture(scope="module")
def recipe():
    *trainings, report = reads(seed=3).steps
    return Recipe("reads", (*map(shortened, trainings), report))


@pytest.fixture(scope="module")
def out(recipe, tmp_path_factory):
    place = Place(str(tmp_path_factory.mktemp("reads") / "out"), "inline")
    assert run(recipe, place) == 0
    return Folder(place.out)


@pytest.mark.slow
def test_both_stages_read_unseen_lines_in_a_typeface_and_in_another(out):
    metrics = [json.loads(out.read(f"{name}/metrics.json")) for name in ("stage1", "stage2")]
    for of_stage in metrics:
        assert of_stage["step"] == 3 and of_stage["vocab_size"] == 269
        assert {"dataset lines", "dataset long lines in another typeface", "mode line"} <= set(of_stage["read"])
        assert not of_stage["counts"].keys() & {"upsampled", "not_finite"}
    truths = [{row["truth"] for row in json.loads(out.read(f"{name}/readback.json"))} for name in ("stage1", "stage2")]
    assert truths[0] == truths[1] and all(8 <= len(truth) <= 30 for truth in truths[0])
    html = out.read("report/index.html").decode()
    table = html[html.rindex("character errors by step") :]
    assert table.index("lines in another typeface") < table.index(">2</td>") < table.index(">3</td>") < table.index("</table>")


def test_stage_2_has_the_eyes_of_stage_1_and_a_decoder_of_its_own(out):
    with Reader(out.sub("stage1/model")) as first, Reader(out.sub("stage2/model")) as second:
        sam = [name for name in first.tensors if ".sam_model." in name]
        assert sam and all(torch.equal(first.read(name), second.read(name)) for name in sam)
        assert [name for name in second.tensors if ".experts." in name]
        assert not [name for name in first.tensors if ".experts." in name]


def test_run_again_it_touches_nothing(recipe, out):
    before = out.read("stage2/metrics.json")
    assert run(recipe, Place(out.url, "inline")) == 0
    assert out.read("stage2/metrics.json") == before


@pytest.mark.slow
def test_the_default_recipe_learns_drawn_lines_and_the_corpus_s_own(tmp_path):
    """Lines of annotated pages, crops that the flywheel cut, and those that its rounds read; without them drawn lines alone."""
    (drawn, step), (of_few, _) = ((training(r, "drawn"), training(r, "train")) for r in (multilingual(), multilingual(limit=8)))
    assert of_few.schedule.steps == 200 < drawn.schedule.steps
    assert step.weights.start == drawn.name
    out, empty = Folder(f"{tmp_path}/out"), Folder(f"{tmp_path}/empty")
    for name in ("fine-lines", "crops", "round-1"):
        write_dataset(out, name, [[line_crop(f"{text} {n}", f"{name}{n}", f"document {n}") for n, text in enumerate(EIGHT)]])
    for folder, expected in ((out, {"lines", "fine-lines crop", "crops crop", "round-1 crop"}), (empty, {"lines"})):
        assert train(shortened(drawn), folder)
        assert train(shortened(step), folder)
        assert set(json.loads(folder.read("train/metrics.json"))["num_train"]) == expected


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


def test_a_start_that_has_not_finished_is_told(recipe, tmp_path):
    with pytest.raises(ValueError, match=r"start_encoder is stage1: .* has no training of that name that has finished"):
        train(recipe.steps[2], Folder(str(tmp_path)))


def test_the_whole_recipe_has_lines_enough():
    for step in reads().steps[:3]:
        drawn = step.data[0].drawn
        assert isinstance(drawn, DrawnLines) and isinstance(step.data[0], Data)
        # The shortest line takes 16 tokens.
        assert step.batches.rows_per_step * step.batches.length / 16 * step.schedule.steps / 4 < drawn.count
