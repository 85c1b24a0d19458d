"""The words of `train` and `finetune`, as they are typed: what they become, and trainings with all of them."""

import json
import os

import pytest
import torch

from datagen.disk.storage import Folder
from model.files.weights import load
from model.net.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train import trainer
from model.train.export import export
from model.train.layout import filled
from model.train.optim import rate_at
from model.train.step import flat
from recipes.__main__ import main
from recipes.finetune import FULL, TINY, finetune
from recipes.recipe import Recipe
from recipes.steps import Place
from recipes.steps.train import TrainRunner
from recipes.train import train
from tests.model.lines import EIGHT, rendered

SMALL = ModelConfig(
    SamConfig(width=32, depth=2, heads=2, window=4, global_blocks=(1,), image_size=256, neck=16, downsample=(24, 32)),
    ClipConfig(width=32, depth=1, heads=2, image_size=56),
    DecoderConfig(400, 48, 2, 4, 80, num_experts=4, num_experts_per_token=2, expert_width=16, max_positions=512),
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a start, rows, and others to measure on, of which one has an image of the former."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("recipes.finetune.TINY", TINY.but(read_samples=1, loss_samples=3, max_new_tokens=2, threads=1))
    export(Folder("start"), build(SMALL, 3), byte_tokenizer())
    for n in range(12):
        (tmp_path / f"{n}.png").write_bytes(rendered(f"{EIGHT[n % 8][:9]}{n}"))
    rows = [{"image": f"{n}.png", "prompt": "<image>\nRead.", "answer": f"{EIGHT[n % 8][:9]}{n}"} for n in range(12)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:10]))
    (tmp_path / "others.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[9:]))
    return tmp_path


def run_of(here) -> dict:
    return flat(json.loads((here / "out/train/run.json").read_text())["step"])


WORDS = """
variant=tiny modes=line rate=0.01 rows_per_step=2 micro_rows=1 length=300 warmup=0.5 schedule=linear decay=0.1
held_out=others.jsonl eval_steps=2 save_steps=1 save_total_limit=1 dataloader_num_workers=0
lora=2 lora_targets=all-linear lora_alpha=6 lora_dropout=0.1 modules_to_save=projector deterministic=1
"""


@pytest.mark.slow
def test_a_fine_tuning_by_all_words(here, caplog, capsys, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")  # as it is before the test, it will be after it
    seen, update = [], trainer.update

    def looking(*args):
        seen.append((torch.are_deterministic_algorithms_enabled(), os.environ["CUBLAS_WORKSPACE_CONFIG"]))
        return update(*args)

    monkeypatch.setattr(trainer, "update", looking)
    words = ["finetune", "start=start", "data=rows.jsonl", *WORDS.split(), "out=out", "on=inline"]
    assert main([*words, "steps=4"]) == 0
    assert seen == [(True, ":4096:8")] * 4 and not torch.are_deterministic_algorithms_enabled()
    step = run_of(here)
    expected = {"learning_rate": 0.01, "curve": "linear", "weight_decay": 0.1, "warmup": 2, "rows_per_step": 2, "keep": 1}
    expected |= {"lora_alpha": 6, "lora_targets": ["all-linear"], "beside": ["projector"], "loss_every": 2, "length": 300}
    assert expected.items() <= step.items()
    metrics = json.loads((here / "out/train/metrics.json").read_text())
    # One of the rows has the image of a held-out one.
    assert metrics["num_train"] == {"rows.jsonl": 9, "others.jsonl": 0} and metrics["num_held_out"]["others.jsonl"] == 3
    assert "1 rows aren't learned from: held-out rows have the same image" in caplog.text
    lines = [json.loads(line) for line in (here / "out/train/loss.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "held_out_loss" in line] == [0, 2, 4]
    assert [line["lr"] for line in lines[1:]] == [0.005, 0.01, 0.01, pytest.approx(0.0055)]
    # The projector was trained beside adapters of all towers, and the folder of the adapter has both.
    before, after = load("start").state_dict(), load("out/train/model").state_dict()
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert {"encoder.projector.weight", "encoder.image_newline", "encoder.sam.blocks.0.attn.qkv.weight"} <= changed
    assert not any("experts." in name and "shared" not in name for name in changed) and "lm_head.weight" not in changed
    # Done, it stays, with another torch, too; other words are another training.
    assert main([*words, "steps=4"]) == 0 and "nothing new, the model is trained" in caplog.text
    assert main([*words, "steps=5"]) == 2 and "different: step" in capsys.readouterr().err
    trained = torch.__version__
    monkeypatch.setattr("torch.__version__", "9.9")
    assert main([*words, "steps=4"]) == 0 and f"the model is trained, with torch {trained}" in caplog.text


def test_a_pipeline_is_cut_as_it_is_said(capsys):
    (step, _) = train(data="a", start="b", layout="paper", cut="sam+clip,7,5").steps
    assert step.parallel.pipeline == 3 and step.parallel.stage_layers == (7, 5)
    words = ["train", "data=a.jsonl", "start=b", "plan=1"]
    assert main([*words, "layout=paper", "cut=clip,7,5"]) == 2 and "sam+clip,7,5" in capsys.readouterr().err
    assert main([*words, "cut=sam,clip,6,6"]) == 2 and "say layout=paper" in capsys.readouterr().err


@pytest.mark.slow
def test_a_training_begins_again_after_a_disk_failed(here, monkeypatch, caplog):
    update, failures = trainer._Training._update, iter([1, 1, 2])
    fails_at = next(failures)

    def failing(self, number, *rest):
        nonlocal fails_at
        if number == fails_at:
            fails_at = next(failures, -1)
            raise OSError("input/output error")
        return update(self, number, *rest)

    monkeypatch.setattr(trainer._Training, "_update", failing)
    monkeypatch.setattr("model.train.launch.PAUSE_S", 0.0)
    words = ["finetune", "start=start", "data=rows.jsonl", "variant=tiny", "modes=line", "save_steps=1", "on=inline"]
    assert main([*words, "steps=3", "out=out"]) == 0
    again = [line for line in caplog.messages if "begins again" in line]
    froms = ["from step 1 (1 of 3)", "from step 1 (2 of 3)", "from step 2 (1 of 3)"]
    assert [line.partition("again ")[2] for line in again] == froms
    assert again[0].startswith("train: input/output error; it begins again from")


def test_rows_follow_from_the_gpus(here, monkeypatch, caplog):
    step = finetune(data="rows.jsonl", start="start").steps[0]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)

    def laid_out(step, **place):
        runner = TrainRunner(step, Recipe("train", (step,)), Place(str(here / "out"), **place))
        machines = runner._machines()
        return machines.num_ranks, runner._laid_out(machines).batches.rows_per_step

    assert laid_out(step) == (8, 8) and laid_out(step, gpus=3) == (3, 3) and laid_out(step, gpus=1) == (1, 2)
    assert laid_out(finetune(data="rows.jsonl", start="start", micro_rows=2).steps[0]) == (8, 16)
    assert not caplog.messages
    assert laid_out(finetune(data="rows.jsonl", start="start", rows_per_step=6).steps[0]) == (6, 6)
    assert "6 of 8 GPUs are used: 6 rows a step don't go round on more" in caplog.text
    # What has begun goes on with as many rows, on fewer GPUs.
    Folder("out").write("train/run.json", json.dumps({"step": {"batches": {"rows_per_step": 8}}}).encode())
    assert laid_out(step, gpus=4) == (4, 8) and filled(step, 4).batches.rows_per_step == 4
    assert FULL.batches.rows_follow and not train(data="a", start="x").steps[0].batches.rows_follow


def test_words_of_the_schedule():
    def schedule(**words):
        return train(data="a", start="x", **words).steps[0]

    assert schedule(warmup=300.0, steps=1000).schedule.warmup == 300
    assert schedule(warmup=0.03, steps=1000).schedule.warmup == 30
    assert [schedule(steps=n).schedule.warmup for n in (100, 1000, 10**6)] == [10, 100, 2000]
    lasting = schedule(warmup=0.03, epochs=1.5).lasting(200)  # as a training does, once it knows how many steps epochs take
    assert (lasting.schedule.epochs, lasting.schedule.steps, lasting.schedule.warmup) == (1.5, 200, 6)
    line = schedule(schedule="linear", steps=110, warmup=10.0, rate=1e-3).but(min_learning_rate=0.0)
    assert [rate_at(line, n) for n in (0, 10, 60, 109)] == pytest.approx([1e-4, 1e-3, 5e-4, 1e-5])
    assert schedule(held_out="0.002").evaluation.held_out_share == 0.002


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("save_steps=0", "save_steps is 0: it must be at least 1"),
        ("gradient_checkpointing=eyes", "gradient_checkpointing has eyes: allowed are"),
        ("lora_alpha=3", "lora_alpha is of adapters: say lora=N, too"),
        ("modules_to_save=projector", "projector can be trained beside adapters, and lora is 0"),
        ("held_out=2", "held_out=2: a number from 0 to below 1 is needed"),
    ],
)
def test_a_wrong_word_is_told(here, capsys, word, message):
    assert main(["finetune", "start=start", "data=rows.jsonl", word, "out=out"]) == 2
    assert message in capsys.readouterr().err and not (here / "out").exists()


def test_a_training_names_the_word_too(here, capsys):
    assert main(["finetune", "start=start", "data=rows.jsonl", "variant=tiny", "modes=line", "freeze=eyes", "on=inline"]) == 2
    assert "freeze has 'eyes', which fits no parameter" in capsys.readouterr().err


def test_adapters_beside_no_layer_are_told_by_the_plan(here, capsys):
    words = ["finetune", "start=start", "data=rows.jsonl", "plan=1", "lora=8"]
    assert main([*words, "lora_targets=nothing"]) == 2
    assert "lora_targets has 'nothing', which is no linear layer" in capsys.readouterr().err
