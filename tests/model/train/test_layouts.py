"""Trainings on several ranks are as that of one process: losses, gradients, weights; after kills, and on other ranks than before.

Batches are unlike: some rows have no image, others small ones or tiles, so that no rank and no stage may count on the others'.
"""

import dataclasses
import json
import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta

import pytest
import torch
from torch.distributed.tensor import DTensor

from datagen.disk.storage import Folder
from model.costs.pieces import TOWERS
from model.net.deepseek_ocr import DeepseekOcr
from model.net.pipeline_cut import Cut, Layout
from model.net.stages import cut, stage_of
from model.train import evaluate, ranks, trainer
from model.train.layout import layout
from model.train.lean_adamw import own
from model.train.lines import read_lines
from model.train.optim import parameters
from model.train.process import STOPPED
from model.train.ranks import Ranks
from tests.model.ranks import CONFIG, STEP, laid_out, make_rows, on_ranks, sgd
from tests.model.trainings import WEIGHTS, lines_of

pytestmark = pytest.mark.timeout(900)  # several processes, beside whatever else runs

ASKED_FOR = ("FSDP 4", "pipeline 4", "pipeline 2 x copies 2")
OTHERS = ("copies 2 x FSDP 2", "pipeline of SAM and CLIP, 3 layers, 1")


@pytest.fixture(scope="module")
def step(shared):
    rows = shared("rows-for-ranks", make_rows)
    return dataclasses.replace(STEP, datasets=(str(rows / "rows.jsonl"),))


def noting(folder):
    """Train by SGD, and have the first step's gradients written down, of each rank those that it has."""

    def noted(net, step):
        optimizer, move, names = sgd(net, step), torch.optim.SGD.step, {p: name for name, p in net.named_parameters()}

        def note(self):
            whole = {names[p]: p.grad for group in self.param_groups for p in group["params"]}
            whole = {name: g.full_tensor() if isinstance(g, DTensor) else g.clone() for name, g in whole.items()}
            torch.save(whole, folder / f"gradients-{os.environ['RANK']}.pt")
            move(self)
            del optimizer.step

        optimizer.step = note.__get__(optimizer)
        return optimizer

    return lambda rank: setattr(trainer, "adamw", noted)


def by_sgd(rank):
    trainer.adamw = sgd


def kills(at, *those):
    """SIGKILL to these ranks, within the step that comes after `at` steps."""

    def within(rank):
        trainer.adamw, update = sgd, trainer._Training._update

        def killed(self, number, *rest):
            if number == at and rank in those:
                os.kill(os.getpid(), signal.SIGKILL)
            return update(self, number, *rest)

        trainer._Training._update = killed

    return within


def gradients(folder):
    parts = [torch.load(path) for path in sorted(folder.glob("gradients-*.pt"))]
    return {name: value for part in parts for name, value in part.items()}


@pytest.fixture(scope="module")
def one(step, tmp_path_factory):
    """One process's training by SGD."""
    folder = tmp_path_factory.mktemp("one")
    assert on_ranks(step, Folder(str(folder)), 1, noting(folder)) == [0]
    return folder


@pytest.mark.slow
def test_ranks_measure_together_what_one_does(step, tmp_path, monkeypatch):
    """To the last digit, of a network that stays as it is; in five batches and readings, which don't go round on two ranks."""
    still = step.but(steps=1, learning_rate=0.0, min_learning_rate=0.0, loss_samples=5, read_samples=5, max_new_tokens=6)
    measured = tmp_path.joinpath("measured")

    def noting(rank):
        by_sgd(rank)
        losses = evaluate._losses_of
        evaluate._losses_of = lambda *given: measured.joinpath(f"{rank} {time.time()}").touch() or losses(*given)

    for world in (1, 2):
        measured.mkdir()
        assert on_ranks(still, Folder(str(tmp_path / str(world))), world, noting) == [0] * world
        shares = Counter(path.name[0] for path in measured.iterdir())
        assert len(shares) == world and max(shares.values()) <= -(-sum(shares.values()) // world) + 1
        measured.rename(tmp_path / f"measured-{world}")
    one, two = (Folder(str(tmp_path / name)) for name in "12")
    assert lines_of(one)[0].keys() >= {"held_out_loss", "own_image_loss"} and lines_of(one)[0] == lines_of(two)[0]
    shown = json.loads(one.read("train/readback.json"))
    assert len(shown) == 1 and shown == json.loads(two.read("train/readback.json"))
    of_one, of_two = (json.loads(out.read("train/metrics.json")) for out in (one, two))
    assert of_one["read"] == of_two["read"] and of_one["read"]["all"]["num"] > 1 and of_one["not_read"] == of_two["not_read"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ASKED_FOR, *OTHERS])
def test_losses_and_gradients_are_those_of_one_process(name, step, one, tmp_path, record_property):
    spread, world = laid_out(step, name)
    assert on_ranks(spread, Folder(str(tmp_path)), world, noting(tmp_path)) == [0] * world
    record_property("layout", (name, *same_training(tmp_path, one, world)))


def test_two_steps_on_stages_that_share_weights(step, tmp_path):
    spread, world = laid_out(step.but(steps=2, loss_every=2), "pipeline 2 x FSDP 2")
    for name, num, values in (("one", 1, {"pipeline": 1}), ("four", world, {})):
        (tmp_path / name).mkdir()
        assert on_ranks(spread.but(**values), Folder(str(tmp_path / name)), num, noting(tmp_path / name)) == [0] * num
    same_training(tmp_path / "four", tmp_path / "one", world)


def same_training(folder, one, world):
    """The largest relative differences of losses and of gradients."""
    same_lines(folder, one, 1e-5)
    expected, found = gradients(one), gradients(folder)
    assert found.keys() == expected.keys()
    furthest = {
        key: ((found[key] - value).abs().max() / value.abs().max().clamp(min=1e-6)).item() for key, value in expected.items()
    }
    assert max(furthest.values()) < 1e-5, max(furthest, key=lambda key: furthest[key])
    metrics, alone = (json.loads((at / "train/metrics.json").read_text()) for at in (folder, one))
    assert metrics["counts"] == alone["counts"] and metrics["num_parameters"] == alone["num_parameters"]
    (*_, last), (*_, of_one) = (list(read_lines(Folder(str(at)).sub("train"), "speed.jsonl")) for at in (folder, one))
    # Of all layers. Stages have rows that are filled up, and what fills them has experts, too.
    assert last["expert_load"] == pytest.approx(of_one["expert_load"], abs=0.5)
    assert len(last["rank_waits"]) == world and "rank_waits" not in of_one
    assert not (folder / "train/checkpoint").exists()
    both = zip(*(lines_of(Folder(str(at)))[1:] for at in (folder, one)), strict=True)
    return max(abs(line["loss"] / alone["loss"] - 1) for line, alone in both), max(furthest.values())


def same_lines(folder, expected, rel):
    lines, alone = lines_of(Folder(str(folder))), lines_of(Folder(str(expected)))
    assert [line["num_tokens"] for line in lines] == [line["num_tokens"] for line in alone]
    for field in ("loss", "norm", "held_out_loss", "own_image_loss", "other_image_loss"):
        for found, line in zip(lines, alone, strict=True):
            assert (field in found) == (field in line)
            if field in line:
                assert found[field] == pytest.approx(line[field], rel=rel, abs=2e-5), (field, line["step"])
    for found, line in zip(lines[1:], alone[1:], strict=True):
        assert found["by"] == pytest.approx(line["by"], rel=rel, abs=2e-5)


FROZEN = {"steps": 4, "frozen": ("sam",), "curve": "cosine", "checkpointing": TOWERS}
ADAPTERS = {"lora": 2, "steps": 4, "lora_targets": ("q_proj", "down_proj", "lm_head")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "names"), [(FROZEN, ("pipeline 4",)), (ADAPTERS, ("FSDP 4", "pipeline 2 x copies 2"))], ids=["frozen", "adapters"]
)
def test_with_adamw_losses_are_those_of_one_process(values, names, step, one, tmp_path):
    """Parts are frozen as the paper freezes SAM, so that the first of four stages learns nothing, and hands no gradient on."""
    step = step.but(**values)
    if "lora" in values:
        step = step.but(start=Folder(str(one / "train/model")).url)
    assert on_ranks(step, Folder(str(tmp_path / "one"))) == [0]
    for name in names:
        spread, world = laid_out(step, name)
        assert on_ranks(spread, Folder(str(tmp_path / name)), world) == [0] * world
        same_lines(tmp_path / name, tmp_path / "one", 1e-3)
        assert (tmp_path / name / "train/adapter/adapter_config.json").exists() == ("lora" in values)


@pytest.mark.slow
def test_a_training_goes_on_on_other_ranks(step, one, tmp_path):
    """From each layout to the next one, with the samples that it would have had."""
    chain = ("FSDP 4", "pipeline 4", "copies 2 x FSDP 2", "one process")
    step = step.but(checkpoint_every=2)
    for number, name in enumerate(chain[:-1]):
        spread, world = laid_out(step, name)
        assert signal.SIGKILL in map(abs, on_ranks(spread, Folder(str(tmp_path)), world, kills(2 * number + 3, *range(world))))
        assert len(lines_of(Folder(str(tmp_path)))) > 2 * number + 1
    assert on_ranks(laid_out(step, chain[-1])[0], Folder(str(tmp_path)), 1, by_sgd) == [0]
    same_lines(tmp_path, one, 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ASKED_FOR)
def test_kills_change_no_bit(name, step, tmp_path):
    """Of a single rank, and of all of them."""
    spread, world = laid_out(step.but(steps=6, loss_every=3, checkpoint_every=2), name)
    assert on_ranks(spread, Folder(str(tmp_path / "whole")), world, by_sgd) == [0] * world
    draw, out = random.Random(name), Folder(str(tmp_path / "killed"))
    for number, at in enumerate(sorted(draw.sample(range(1, spread.schedule.steps), 2))):
        those = range(world) if number % 2 else (draw.randrange(world),)
        codes = on_ranks(spread, out, world, kills(at, *those))
        assert -signal.SIGKILL in codes and 0 not in codes
    assert on_ranks(spread, out, world, by_sgd) == [0] * world
    for file in (WEIGHTS, "train/loss.jsonl", "train/readback.json"):
        assert out.read(file) == (tmp_path / "whole" / file).read_bytes(), file


@pytest.mark.slow
def test_all_ranks_pass_over_a_step_and_stop_at_one(step, tmp_path):
    """When one of them alone has a gradient that isn't finite, or is told to stop."""
    spread, world = laid_out(step, "FSDP 4")

    def told(rank):
        by_sgd(rank)
        update, numbers = trainer.update, iter(range(step.schedule.steps))

        def spoiled(optimizer, *rest):
            number = next(numbers)
            if (number, rank) == (1, 2):
                own(next(p.grad for p in parameters(optimizer) if isinstance(p.grad, DTensor))).fill_(torch.nan)
            if (number, rank) == (2, 3):
                os.kill(os.getpid(), signal.SIGTERM)
            return update(optimizer, *rest)

        trainer.update = spoiled

    assert on_ranks(spread, Folder(str(tmp_path)), world, told) == [STOPPED] * world
    (checkpoint,) = (tmp_path / "train/checkpoint").iterdir()
    progress = json.loads((checkpoint / "progress.json").read_text())
    assert progress["step"] == 3 and progress["counts"]["not_finite"] == 1
    assert [line.get("norm") is None for line in lines_of(Folder(str(tmp_path)))] == [True, False, True, False]


@pytest.mark.slow
def test_a_step_that_hangs_ends(step, tmp_path):
    """On a rank whose disk doesn't answer: the other one waits as long as a step may take, here fifteen seconds."""
    spread, world = laid_out(step, "FSDP 4")

    def within(rank):
        ranks.STEP_PATIENCE = timedelta(seconds=15)
        counted, calls = trainer.counted, iter(range(100))

        def hangs(*arguments):
            if rank == 2 and next(calls) == 1:
                time.sleep(600)
            return counted(*arguments)

        trainer.counted = hangs

    codes = on_ranks(spread, Folder(str(tmp_path)), world, within, timeout=120)
    assert codes[2] in (signal.SIGKILL, -signal.SIGKILL) and set(codes) & {1}


def test_stages_that_read_other_samples_are_told(monkeypatch):
    """Where a disk failed for one of them: what they hand on would not fit together."""
    four = Ranks()
    four.layout = Layout(pipeline=2, replicate=2)
    counts = [Counter(tokens=7, samples=2), Counter(tokens=5, samples=1)]
    monkeypatch.setattr(four, "gathered", lambda value, soon: [*counts, *counts])
    assert four.summed(counts[0]) == Counter(tokens=12, samples=3)
    monkeypatch.setattr(four, "gathered", lambda value, soon: [*counts, counts[0], Counter(tokens=4, samples=1)])
    with pytest.raises(OSError, match="ranks 1 and 3 are stages of one copy, and read other samples"):
        four.summed(counts[0])


def test_each_parameter_is_of_one_stage():
    with torch.device("meta"):
        names = {name for name, _ in DeepseekOcr(CONFIG).named_parameters()}
    for of in range(2, 7):
        found: list[str] = []
        for number in range(of):
            with torch.device("meta"):
                net = DeepseekOcr(CONFIG)
            cut(net, number, Cut(of))
            found += [name for name, _ in net.named_parameters()]
            assert all(stage_of(name, CONFIG, Cut(of)) == number for name, _ in net.named_parameters())
            assert any(True for _ in net.parameters())
        assert sorted(found) == sorted(names)
    with torch.device("meta"), pytest.raises(ValueError, match="pipeline is 7: the network has 4 layers, which makes 6 stages"):
        cut(DeepseekOcr(CONFIG), 0, Cut(7))


def test_layouts_that_do_not_fit():
    values = {"pipeline": 2, "replicate": 2}
    assert layout(STEP.but(**values), 8) == Layout(2, 2, 2)
    with pytest.raises(ValueError, match="pipeline is 2, replicate 2, and there are 6 processes: it takes 4, or a multiple"):
        layout(STEP.but(**values), 6)
    with pytest.raises(ValueError, match="pipeline is 4, replicate 1, and there are 1 processes"):
        layout(STEP.but(pipeline=4), 1)
    with pytest.raises(
        ValueError, match="rows_per_step is 8: it must be a multiple of 16, which is 16 ranks with rows of their own"
    ):
        layout(STEP, 16)
    with pytest.raises(ValueError, match="multiple of 6, which is 2 ranks with rows of their own x 3 micro_rows"):
        layout(STEP.but(pipeline=2, micro_rows=3), 4)
    with pytest.raises(ValueError, match="pipeline is 0: it must be at least 1"):
        STEP.but(pipeline=0)


@pytest.mark.slow
def test_in_mixed_precision_losses_are_those_of_one_process(step, tmp_path):
    """Weights are gathered in bf16, and copies add up their gradients after the last of a step's batches."""
    for name in ("one process", "copies 2 x FSDP 2"):
        (tmp_path / name).mkdir()
        mixed, world = laid_out(step.but(precision="bfloat16", steps=4), name)
        assert on_ranks(mixed, Folder(str(tmp_path / name)), world, by_sgd) == [0] * world
    same_lines(tmp_path / "copies 2 x FSDP 2", tmp_path / "one process", 1e-2)
