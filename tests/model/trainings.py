"""A training of some steps, and a corpus for it."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import torch

from datagen.disk.storage import Folder
from model.net.config import line_reader
from model.train import trainer
from model.train.checkpoint import Checkpoints
from model.train.step import Batches, Checkpoint, Compute, Evaluation, Schedule, Train
from tests.model.lines import EIGHT, line_crop, write_dataset

STEP = Train(
    datasets=("coarse", "round-*"),
    model=line_reader(),
    schedule=Schedule(steps=8, warmup=2),
    batches=Batches(modes=(("line", 1.0),), rows_per_step=4, micro_rows=2, length=100, tokenizer_samples=0),
    evaluation=Evaluation(
        held_out_share=0.3, loss_samples=6, loss_every=4, looks_after=4, read_samples=3, shown_samples=2, max_new_tokens=8
    ),
    checkpoint=Checkpoint(checkpoint_every=3),
    compute=Compute(threads=1),
)
FEW = STEP.but(steps=2, loss_samples=1, read_samples=1, max_new_tokens=1, checkpoint_every=1)

WEIGHTS = "train/model/model-00001-of-000001.safetensors"


def make_corpus(root: Path) -> Folder:
    out = Folder(str(root))
    pages = [line_crop(f"{EIGHT[n % 8]} {n}", f"p{n}", f"document {n % 12}", "page") for n in range(24)]
    crops = [line_crop(f"{EIGHT[n % 8]} {n}", f"c{n}", f"document {n % 12}") for n in range(24)]
    write_dataset(out, "coarse", [pages])
    write_dataset(out, "round-1", [crops])
    return out


def lines_of(out: Folder) -> list[dict]:
    return [json.loads(line) for line in out.read("train/loss.jsonl").splitlines()]


def in_child(step: Train, out: Folder, stop_at: int, by: signal.Signals | Callable[[], None]) -> int:
    """The exit code of a process that trains, and gets a signal within the step that comes after `stop_at` steps. Or `by` is
    called there. The process leads a group of its own, and waits for each checkpoint, so that every run of a test is killed
    with the same ones on the disk."""

    def within() -> None:
        os.setpgrp()
        update = trainer.update

        def stopped(optimizer, *args):
            if int(optimizer.state[next(iter(optimizer.state))]["step"]) == stop_at if optimizer.state else stop_at == 0:
                by() if callable(by) else os.kill(os.getpid(), by)
            return update(optimizer, *args)

        def save(self, *args, _save=Checkpoints.save):
            _save(self, *args)
            self.wait()

        trainer.update, Checkpoints.save = stopped, save

    process = begun(step, out, within)
    process.join(600)
    assert process.exitcode is not None
    return process.exitcode


def begun(step: Train, out: Folder, within: Callable[[], None] = lambda: None) -> multiprocessing.process.BaseProcess:
    """A process that calls `within` and trains. It is a fork of this one, which has loaded what takes seconds."""

    def child() -> None:
        torch.set_num_threads(1)
        within()
        trainer.train(step, out)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    return process


def same_results(out: Folder, other: Folder) -> None:
    for line, expected in zip(lines_of(other), lines_of(out), strict=True):
        assert line == expected
    for name in (WEIGHTS, "train/loss.jsonl", "train/readback.json", "train/run.json", "train/tokenizer.json"):
        assert other.read(name) == out.read(name), name
    timing = ("seconds", "seconds_training", "tokens_per_s", "speed")
    resumed, uninterrupted = (json.loads(folder.read("train/metrics.json")) for folder in (other, out))
    assert {k: v for k, v in resumed.items() if k not in timing} == {k: v for k, v in uninterrupted.items() if k not in timing}
    assert not other.exists("train/checkpoint")
