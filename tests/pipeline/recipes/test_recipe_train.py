"""The recipe that trains from datasets: what it refuses, and both stages one after the other on a corpus and a user's file."""

import itertools
import json

import pytest
import torch

from datagen.disk.storage import Folder
from model.data.split import is_held_out
from model.net.pipeline_cut import Layout
from model.train import forecast, trainer
from model.train.launch import Machines
from model.train.layout import layout
from model.train.optim import rate_at
from recipes.__main__ import main
from recipes.recipe import Recipe
from recipes.steps import Place
from recipes.steps.train import TrainRunner
from recipes.train import FULL, FULL_STAGE_1, TINY, train
from tests.model.lines import EIGHT, line_crop, rendered, write_dataset


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "train needs data="),
        ({"data": "a"}, r"stage 2 goes on from start=FOLDER, or .*: say start_decoder=random if that is meant"),
        ({"data": "a", "start_decoder": "b"}, "start_decoder=b: it needs start_encoder=FOLDER, too"),
        ({"data": "a", "stage": 4}, "stage=4: allowed are 1, 2 and 3"),
        ({"data": "a", "stage": 1, "start_decoder": "b"}, "start_decoder=b: stage 1 has a compact decoder of its own"),
    ],
)
def test_what_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        train(**words)


def test_the_papers_settings():
    """Section 3.5."""
    second = train(data="a,text:b.jsonl,/c:d", start="x").steps[0]
    assert (second.optim.learning_rate, second.schedule.curve) == (3e-5, "step")
    assert (second.batches.length, second.batches.rows_per_step) == (8192, 640)
    assert second.weights.frozen == ("sam",)
    assert [mode for mode, _ in second.batches.modes] == ["tiny", "small", "base", "large", "gundam"]
    assert [(one.where, one.group) for one in second.data] == [("a", "ocr"), ("b.jsonl", "text"), ("/c:d", "ocr")]
    assert dict(second.groups) == {"ocr": 0.7, "vision": 0.2, "text": 0.1}
    first = train(data="a", stage=1, start_encoder="sam,clip").steps[0]
    assert (first.optim.learning_rate, first.schedule.curve) == (5e-5, "cosine")
    assert (first.batches.length, first.batches.rows_per_step) == (4096, 1280)
    assert first.model.decoder.num_dense_layers == first.model.decoder.depth
    assert FULL.model.decoder.vocab_size == FULL_STAGE_1.model.decoder.vocab_size == 129280
    assert [mode for mode, _ in train(data="a", stage=3, start="x").steps[0].batches.modes] == ["gundam-m"]


@pytest.mark.parametrize(("stage", "curve"), [(1, "cosine"), (3, "linear")])
def test_a_rate_that_is_said_to_fall_falls(stage, curve):
    step = train(data="a", start="x", stage=stage, schedule=curve).steps[0]
    rates = [rate_at(step, number) for number in range(step.schedule.warmup, step.schedule.steps, 10_000)]
    assert rates == sorted(rates, reverse=True) and rates[-1] < rates[0] / 2
    with pytest.raises(ValueError, match=r"min_learning_rate is 0\.1: it must be at most the peak, learning_rate"):
        step.but(min_learning_rate=0.1)


def test_how_many_ranks_there_are(monkeypatch, tmp_path):
    """As many as there are GPUs, or as are said; but none without whole batches of its own, unless that is said."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)

    def ranks(step, **place):
        runner = TrainRunner(step, Recipe("train", (step,)), Place(str(tmp_path), **place))
        return runner._machines().num_ranks

    assert ranks(FULL) == ranks(FULL.but(pipeline=4)) == 8
    assert ranks(FULL.but(rows_per_step=6)) == 6 and ranks(TINY) == 1
    assert ranks(FULL, gpus=3) == 3 and ranks(FULL, on="inline") == ranks(FULL.but(device="cpu")) == 1
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert ranks(FULL) == 1 and ranks(FULL, gpus=2) == 2


def test_the_papers_layout_is_that_of_160_gpus(tmp_path, capsys, monkeypatch):
    """3.5.2: 20 machines with 8 GPUs, a pipeline of four, and 40 copies of each stage."""
    step = train(data="a", start="x", layout="paper").steps[0]
    runner = TrainRunner(step, Recipe("train", (step,)), Place(str(tmp_path)))
    assert layout(runner._laid_out(Machines(8, 20)), 160) == Layout(4, 40, 1)
    assert layout(runner._laid_out(Machines(4)), 4) == Layout(4, 1, 1)
    other = TrainRunner(step.but(pipeline=1), Recipe("train", (step,)), Place(str(tmp_path)))
    assert layout(other._laid_out(Machines(8, 20)), 160) == Layout(1, 20, 8)
    assert (step.batches.rows_per_step, step.batches.micro_rows) == (640, 1)
    monkeypatch.setattr(forecast, "_FOR_A_GPU", 0)
    words = f"train data=a start_decoder=random out={tmp_path}/out layout=paper variant=tiny rows_per_step=1280 plan=1"
    assert main(words.split()) == 0
    one, _, many = capsys.readouterr().out.partition("on 20 x 8 GPUs\n")
    *_, first, second, _ = one.splitlines()
    assert first.startswith("  40 GB: nothing computed again, ") and second.startswith("  80 GB: nothing computed again, ")
    assert many.splitlines()[0] == "pipeline 4 x replicate 40 x shard 1, 16 batches a step"


def test_epochs_are_a_word_and_stage_1_has_two(capsys):
    first = train(data="a", stage=1).steps[0]
    assert (first.schedule.epochs, first.schedule.steps) == (2, 200_000)
    assert train(data="a", stage=1, steps=100).steps[0].schedule.epochs == 0
    assert train(data="a", start="x").steps[0].schedule.epochs == 0
    third = train(data="a", start="x", stage=3, epochs=1.5, variant="tiny").steps[0]
    assert (third.schedule.epochs, third.schedule.steps) == (1.5, 200_000)
    assert main(["train", "data=a", "stage=1", "epochs=3", "steps=50", "variant=tiny", "plan=1"]) == 0
    assert "it ends after 3 epochs, if that is before 50 steps" in capsys.readouterr().out


def test_a_file_may_hold_the_mixture(tmp_path):
    (tmp_path / "a.jsonl").touch()
    datasets = [
        {"where": "a.jsonl", "weight": 3, "langs": {"de": 1, "*": 2}, "images": "pictures"},
        {"where": "org/prose", "group": "text", "column": "body", "split": "test"},
        {"where": "web-{0..3}.tar", "group": "vision", "members": {"answer": "json:caption"}},
    ]
    file = tmp_path / "mixture.json"
    file.write_text(json.dumps({"datasets": datasets, "groups": {"ocr": 0.5, "text": 0.5}}))
    step = train(data=str(file), start="x").steps[0]
    ocr, prose, web = step.data
    assert (ocr.where, ocr.group, ocr.weight, dict(ocr.langs)) == (f"{tmp_path}/a.jsonl", "ocr", 3, {"de": 1, "*": 2})
    assert ocr.images == f"{tmp_path}/pictures" and (prose.column, prose.split) == ("body", "test")
    assert (prose.where, prose.group) == ("org/prose", "text")  # a hub's: there is no such folder
    assert (web.where, dict(web.members)) == (f"{tmp_path}/web-{{0..3}}.tar", {"answer": "json:caption"})
    assert dict(step.groups) == {"ocr": 0.5, "text": 0.5}
    file.write_text('{"datasets": [{"where": "a", "wieght": 3}]}')
    with pytest.raises(ValueError, match=r"mixture\.json: .*wieght"):
        train(data=str(file), start="x")
    (tmp_path / "rows.json").write_text("\ufeff []")
    assert [one.where for one in train(data=f"{tmp_path}/rows.json", start="x").steps[0].data] == [f"{tmp_path}/rows.json"]


def test_both_stages(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("recipes.train.TINY", TINY.but(max_new_tokens=4, read_samples=2, loss_samples=2))
    pages = [line_crop(f"{EIGHT[n % 8]} {n}", f"p{n}", f"document {n % 12}", "page") for n in range(24)]
    write_dataset(Folder(str(tmp_path)), "coarse", [pages])
    rows = []
    for n, text in enumerate(EIGHT):
        (tmp_path / f"{n}.jpg").write_bytes(rendered(text))
        rows.append({"image": f"{n}.jpg", "prompt": "<image>\nWhat does it say?", "answer": text})
    rows[0]["group"] = next(f"{n}" for n in itertools.count() if is_held_out(f"{n}", TINY.evaluation.held_out_share))
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = [f"data={tmp_path}/coarse,vision:{tmp_path}/mine.jsonl", "variant=tiny", "steps=1", "on=inline"]
    assert main(["train", *words, "stage=1", f"out={tmp_path}/first"]) == 0
    encoder = f"start_encoder={tmp_path}/first/train/model"
    assert main(["train", *words, encoder, f"out={tmp_path}/second"]) == 2
    assert "stage 2 goes on from" in capsys.readouterr().err
    assert main(["train", *words, encoder, "start_decoder=random", f"out={tmp_path}/second"]) == 0
    metrics = json.loads((tmp_path / "second/train/metrics.json").read_text())
    assert set(metrics["num_train"]) == {"coarse", "mine.jsonl"} and metrics["step"] == 1
    configs = [json.loads((tmp_path / f"{name}/train/model/config.json").read_text()) for name in ("first", "second")]
    assert [config["language_config"]["first_k_dense_replace"] for config in configs] == [4, 1]
    tokenizers = [(tmp_path / f"{name}/train/model/tokenizer.json").read_bytes() for name in ("first", "second")]
    assert tokenizers[0] == tokenizers[1]
    page = (tmp_path / "second/report/index.html").read_text()
    assert 'id="train-metrics"' in page and "What does it say?" in page
    assert main(["status", f"{tmp_path}/second"]) == 0
    assert "train: 1 steps, held-out loss" in capsys.readouterr().out


@pytest.mark.slow
def test_a_training_that_goes_on_is_shown_as_far_as_it_has_come(tmp_path, capsys, monkeypatch):
    """Its recipe is known from the start, although no step of it is done."""
    monkeypatch.setattr("recipes.train.TINY", TINY.but(max_new_tokens=4, read_samples=2, loss_samples=2))
    for n, text in enumerate(EIGHT):
        (tmp_path / f"{n}.jpg").write_bytes(rendered(text))
    rows = [{"image": f"{n}.jpg", "prompt": "<image>\nWhat does it say?", "answer": text} for n, text in enumerate(EIGHT)]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def killed(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer._Training, "_finish", killed)
    words = [f"data={tmp_path}/mine.jsonl", "variant=tiny", "steps=1", "on=inline", "stage=1", f"out={tmp_path}/out"]
    assert main(["train", *words]) == 130
    assert main(["status", f"{tmp_path}/out"]) == 0
    assert "train: 1 of 1 steps" in capsys.readouterr().out
    assert main(["report", f"{tmp_path}/out"]) == 0
    page = (tmp_path / "out/report/index.html").read_text()
    assert 'id="train-metrics"' in page and "It is still training" in page and "<polyline" in page


def test_status_says_what_was_not_read(tmp_path):
    folder, step = Folder(str(tmp_path)), train(data="a", start="x").steps[0]
    runner = TrainRunner(step, Recipe("train", (step,)), Place(str(tmp_path)))
    metrics = {"step": 8, "held_out_loss_first": 2.0, "held_out_loss_last": 1.0, "read": {}}
    for not_read, read, said in (
        ({}, {}, []),
        ({"no_image": 2, "bad_image": 1}, {}, ["train: 3 held-out samples were not read (2 no image, 1 bad image)"]),
        ({"no_image": 2, "bad_image": 1}, {"all": {"num": 1}}, ["train: 1 held-out samples were not read (1 bad image)"]),
        ({"no_image": 2}, {"all": {"num": 1}}, []),
    ):
        folder.write("train/metrics.json", json.dumps(metrics | {"not_read": not_read, "read": read}).encode())
        assert runner.status()[1:] == said
