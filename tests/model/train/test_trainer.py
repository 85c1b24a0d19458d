"""A training: what it leaves behind, that a killed one ends in the same bytes, and that finished work is left alone."""

import dataclasses
import json
import math
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch

from datagen.disk import marks
from datagen.disk.marks import Mark
from datagen.disk.storage import Folder
from datagen.work.progress import State
from model.data.split import is_held_out
from model.files.network_folder import load_model
from model.net.config import line_reader
from model.net.cpu import native_dtype
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train import trainer
from model.train.data_config import Data
from model.train.export import export
from model.train.optim import Moved
from model.train.step import flat
from model.train.trainer import NothingToLearn, train
from recipes.recipe import Recipe
from recipes.report.train import train_sections
from recipes.steps import Place
from recipes.steps.train import TrainRunner
from tests.model.lines import line_crop, write_dataset
from tests.model.trainings import FEW, STEP, begun, in_child, lines_of, make_corpus, same_results

DOCUMENTS = [line_crop("x", document=f"document {n}").origin.sha256 for n in range(12)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = make_corpus(tmp_path_factory.mktemp("whole"))
    states: list[State] = []
    assert train(STEP, out, on_state=states.append)
    return out, states


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_is_left(whole):
    out, states = whole
    root = Path(out.url) / "train"
    left = {name for name in files(root) if not name.startswith(("model/", "tensorboard/"))}
    assert left == {"loss.jsonl", "metrics.json", "readback.json", "run.json", "speed.jsonl", "tokenizer.json"}
    lines = lines_of(out)
    assert [line["step"] for line in lines] == list(range(9))
    assert [line["step"] for line in lines if "held_out_loss" in line] == [0, 4, 8]
    assert all({"loss", "lr", "norm", "num_tokens"} <= set(line) for line in lines[1:])
    by = [line["by"] for line in lines[1:]]
    assert {name for of_step in by for name in of_step} == {"coarse", "round-1 crop"}
    assert all(min(one["by"].values()) <= one["loss"] <= max(one["by"].values()) for one in lines[1:])
    assert {"own_image_loss", "other_image_loss", "looks"} <= set(lines[-1])
    assert any("held out" in state.note for state in states)
    metrics = json.loads(out.read("train/metrics.json"))
    assert metrics["step"] == 8 and metrics["threads"] == 1 and metrics["fill"] > 0.8
    assert metrics["num_tokens"] == lines[-1]["num_tokens"] > 0
    assert metrics["precision"] == str(native_dtype()).removeprefix("torch.")
    assert metrics["held_out_loss_last"] < metrics["held_out_loss_first"]
    assert {"all", "dataset coarse", "dataset round-1 crop", "lang und", "mode line"} == set(metrics["read"])
    (speed,) = (json.loads(line) for line in out.read("train/speed.jsonl").splitlines())
    assert {"data", "forward", "backward", "optimizer", "positions_per_s", "memory", "data_wait", "tflops"} <= set(speed)
    assert len(speed["dead_experts"]) == 2 and all(0 < entropy <= 1 for entropy in speed["router_entropy"])
    assert math.hypot(*lines[-1]["norms"].values()) == pytest.approx(lines[-1]["norm"], rel=1e-3)
    assert len(speed["expert_load"]) == 2 and all(1 <= load <= 8 for load in speed["expert_load"])


def test_the_folder_loads_as_a_network_in_bf16(whole):
    out, _ = whole
    net, tokenizer = load_model(out.sub("train/model"))
    assert net.config.decoder.vocab_size == len(tokenizer) == len(byte_tokenizer())
    assert net.num_parameters()[0] == json.loads(out.read("train/metrics.json"))["num_parameters"]
    assert net.lm_head.weight.dtype == torch.bfloat16
    assert all(value.isfinite().all() for value in net.parameters())
    assert net.encoder.sam.blocks[2].attn.rel_pos_h.any()  # zero before the first step


def test_the_same_step_again_touches_nothing(whole, monkeypatch):
    out, _ = whole
    before, states = files(Path(out.url) / "train"), []
    assert train(STEP, out, on_state=states.append) is False
    assert train(STEP.but(workers=2, device="cpu"), out, on_state=states.append) is False  # who trains it doesn't count
    another = torch.float16 if native_dtype() != torch.float16 else torch.float32  # nor does a processor's precision
    monkeypatch.setattr("model.train.run.native_dtype", lambda: another)
    assert train(STEP, out, on_state=states.append) is False
    assert (states, files(Path(out.url) / "train")) == ([], before)


def test_a_finished_training_of_an_earlier_version_is_the_same_one(whole, tmp_path):
    """`run.json` lacks the values that `Train` has got since, has some that it had then, and no sections. It breaks no report."""
    out, _ = whole
    shutil.copytree(out.local, tmp_path / "old")
    run = json.loads(out.read("train/run.json"))
    values = flat(run["step"])
    run["step"] = {"schedule": values.pop("curve"), **{k: v for k, v in values.items() if k not in ("optional", "photos")}}
    run["step"] |= {"average": 0.0, "profile": [], "rates": []}
    (tmp_path / "old/train/run.json").write_text(json.dumps(run))
    assert train(STEP, Folder(str(tmp_path / "old"))) is False
    with pytest.raises(ValueError, match=r"different: step"):
        train(STEP.but(photos=0.5), Folder(str(tmp_path / "old")))
    del run["folders"]
    (tmp_path / "old/train/run.json").write_text(json.dumps(run))
    (tmp_path / "old/train/metrics.json").write_text('{"step": 8, "held_out_loss_first": 2.0, "held_out_loss_last": 1.0}')
    runner = TrainRunner(STEP, Recipe("small", (STEP,)), Place(str(tmp_path / "old")))
    assert runner.learned_from(frozenset(DOCUMENTS)) == ["train/model"]
    assert runner.status() == ["train: 8 steps, held-out loss 2.00 -> 1.00 nats a token"]
    assert train_sections("train", Folder(str(tmp_path / "old/train"))) == []


def test_overwriting_does_not_delete_what_the_training_starts_from(whole, tmp_path):
    out, _ = whole
    before = files(Path(out.url) / "train")
    (tmp_path / "link").symlink_to(out.local / "train")
    for values in ({"start": out.sub("train/model").url}, {"start": f"{tmp_path}/link/model"}):
        step = STEP.but(**values)
        with pytest.raises(ValueError, match=r"start is .*, which overwrite=1 would delete first: say out="):
            TrainRunner(step, Recipe("small", (step,)), Place(out.url, overwrite=True)).run()
    assert files(Path(out.url) / "train") == before


def test_the_model_is_named_for_the_documents_that_it_learned_from(whole):
    out, _ = whole
    runner = TrainRunner(STEP, Recipe("small", (STEP,)), Place(out.url))
    learned = {sha256 for sha256 in DOCUMENTS if runner.learned_from(frozenset({sha256})) == ["train/model"]}
    share = STEP.evaluation.held_out_share
    assert learned == {sha256 for sha256 in DOCUMENTS if not is_held_out(sha256, share)} and 0 < len(learned) < 12
    assert runner.learned_from(frozenset({"ab" * 32})) == []


@pytest.mark.parametrize("change", [{"steps": 9}, {"learning_rate": 1e-4}, {"threads": 2}, {"datasets": ("coarse",)}])
def test_another_step_is_refused(whole, change):
    out, _ = whole
    before = files(Path(out.url) / "train")
    with pytest.raises(ValueError, match=r"overwrite=1 .* out="):
        train(STEP.but(**change), out)
    assert files(Path(out.url) / "train") == before


@pytest.mark.slow
def test_a_finished_training_stays_when_its_corpus_grows(tmp_path):
    out, states = make_corpus(tmp_path), []
    assert train(FEW, out)
    before = files(tmp_path / "train")
    write_dataset(out, "round-2", [[line_crop("a line more", "new", "document 3")]])
    assert train(FEW, out, frozenset({"ab" * 32}), states.append) is False
    assert "older than the corpus, by 1 shards" in states[-1].note and "marks" not in states[-1].note
    assert files(tmp_path / "train") == before
    (tmp_path / "train" / "metrics.json").unlink()  # as one that was killed before its first checkpoint: it begins again
    assert train(FEW, out) is True
    assert len(json.loads(out.read("train/run.json"))["shards"]) == 3


@pytest.mark.slow
def test_marks_that_come_later_are_told_of_and_nothing_that_they_name_is_trained_on(tmp_path, monkeypatch):
    """A training that isn't done and has a checkpoint can't go on without them. It says what to do."""
    out, states = make_corpus(tmp_path), []
    monkeypatch.setattr(trainer._Training, "_finish", lambda self: None)
    assert train(FEW, out)
    monkeypatch.undo()
    marks.write(out.sub("coarse"), [Mark("p3", "contaminated", "a benchmark's page", 0.9)], "")
    with pytest.raises(ValueError, match=r"dataset coarse has changed since the checkpoint.*delete .*/checkpoint to begin anew"):
        train(FEW, out)
    out.remove("train/checkpoint")
    assert train(FEW, out) is True
    assert json.loads(out.read("train/metrics.json"))["num_skipped"]["coarse"] == {"marked": 1}
    marks.write(out.sub("coarse"), [Mark("p4", "contaminated", "a benchmark's page", 0.9)], "")
    assert train(FEW, out, on_state=states.append) is False
    assert states == [State(note="the model is older than the corpus, by marks, and stays; overwrite=1 trains it anew")]


def test_only_an_optional_training_may_have_nothing_to_learn_from(tmp_path, monkeypatch):
    step = STEP.but(device="cpu", datasets=("round-*",))
    with pytest.raises(NothingToLearn):
        TrainRunner(step, Recipe("small", (step,)), Place(str(tmp_path))).run()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    optional = dataclasses.replace(step, optional=True)
    assert TrainRunner(optional, Recipe("small", (optional,)), Place(str(tmp_path))).run() == 0
    out = Folder(str(tmp_path))
    write_dataset(out, "coarse", [[line_crop("alone", "a", "one", "page")]])
    write_dataset(out, "round-1", [[line_crop("nobody's", f"{n}", f"{n}", verdict="none") for n in range(3)]])
    with pytest.raises(NothingToLearn, match=r"coarse, round-\* hold no two samples .*; of round-1 crop .*: 3 not trusted$"):
        train(STEP, out)
    assert not out.exists("train")


@pytest.mark.slow
def test_a_step_that_is_not_finite_is_skipped_and_counted(tmp_path, monkeypatch):
    out, update = make_corpus(tmp_path), trainer.update
    numbers = iter(range(100))

    def spoiled(optimizer, *args):
        if next(numbers) == 1:
            next(iter(optimizer.param_groups[0]["params"])).grad.fill_(torch.nan)
        return update(optimizer, *args)

    monkeypatch.setattr(trainer, "update", spoiled)
    assert train(FEW.but(steps=3), out)
    assert [line.get("norm") is None for line in lines_of(out)[1:]] == [False, True, False]
    assert json.loads(out.read("train/metrics.json"))["counts"]["not_finite"] == 1
    monkeypatch.setattr(trainer, "update", lambda *args: Moved(float("nan"), args[3].tolist(), {}))
    monkeypatch.setattr(trainer, "MAX_NOT_FINITE", 2)
    with pytest.raises(ValueError, match="2 steps in turn, up to step 2, had no finite gradient"):
        train(FEW.but(name="never", steps=5), out)


@pytest.mark.slow
def test_other_weights_of_datasets_from_a_checkpoint_on(tmp_path, monkeypatch):
    out, states = make_corpus(tmp_path), []
    step = dataclasses.replace(FEW, datasets=(Data("coarse", weight=1.0), Data("round-1", weight=1.0)))
    assert in_child(step, out, 1, signal.SIGKILL) == -signal.SIGKILL
    other = dataclasses.replace(step, datasets=(Data("coarse", weight=1.0), Data("round-1", weight=3.0)))
    assert train(other, out, on_state=states.append)
    assert [state.note for state in states[:2]] == ["other weights of datasets from window 1 on", "resumed from step 1"]


def test_it_says_when_it_does_not_look(tmp_path, caplog):
    """Without anything learned of images: their part is frozen, and blind."""
    out = make_corpus(tmp_path)
    folder, tokenizer = Folder(str(tmp_path / "blind")), byte_tokenizer()
    net = build(line_reader().with_vocab(len(tokenizer)))
    torch.nn.init.zeros_(net.encoder.projector.weight)
    export(folder, net, tokenizer)
    step = FEW.but(start=folder.url, frozen=("sam", "clip", "projector"), looks_after=2, loss_every=2)
    assert train(step, out)
    assert "step 2: it doesn't look" in caplog.text
    assert json.loads(out.read("train/metrics.json"))["looks"] is False


@pytest.mark.slow
def test_killed_at_random_three_times_ends_in_the_same_bytes(tmp_path):
    """Another process, which is killed soon after it has written down a step: while it begins, computes, or writes a
    checkpoint."""
    out, other = make_corpus(tmp_path / "whole"), make_corpus(tmp_path / "killed")
    step = STEP.but(steps=14, checkpoint_every=2, loss_every=7)
    whole = begun(step, out)
    whole.join()
    draw = random.Random(0)
    for written in sorted(draw.sample(range(1, 12), 3)):
        process = begun(step, other)
        while process.is_alive() and not (other.exists("train/loss.jsonl") and len(lines_of_any(other)) > written):
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.3))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not other.exists("train/metrics.json")
    last = begun(step, other)
    last.join()
    assert whole.exitcode == last.exitcode == 0
    same_results(out, other)


def lines_of_any(out: Folder) -> list[bytes]:
    """The lines so far, of which a process may be writing the last."""
    return out.read("train/loss.jsonl").splitlines()
