"""Trainings on several ranks: gloo processes of this machine, and a corpus whose batches are as unlike as they get."""

import json
import multiprocessing
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset  # noqa: F401  what a training loads takes seconds: here once, and not in each process that is forked
import torch
import torch._dynamo
import torch.distributed.fsdp
import torch.utils.tensorboard
from PIL import Image

from datagen.disk.storage import Folder
from model.net import image_modes
from model.net.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from model.train import trainer
from model.train.optim import groups
from model.train.step import Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train

# Modes as the released ones, in small: a square, and a square with tiles of another size.
image_modes.MODES["square"] = image_modes.Mode(64, padded=True)
image_modes.MODES["tiled"] = image_modes.Mode(128, padded=True, tile=64)

CONFIG = ModelConfig(
    SamConfig(width=16, depth=2, heads=2, window=3, global_blocks=(1,), image_size=128, neck=8, downsample=(12, 16)),
    ClipConfig(width=16, depth=1, heads=2, image_size=28),
    DecoderConfig(
        vocab_size=269,
        width=24,
        depth=4,
        heads=2,
        dense_width=32,
        num_experts=5,
        num_experts_per_token=2,
        expert_width=8,
        max_positions=512,
    ),
    init_std=0.15,
)

STEP = Train(
    datasets=("rows.jsonl",),
    model=CONFIG,
    schedule=Schedule(steps=8, min_learning_rate=0.001, curve="constant", warmup=2),
    optim=Optim(learning_rate=0.01),
    batches=Batches(modes=(("square", 1.0), ("tiled", 2.0)), rows_per_step=8, micro_rows=1, length=96, tokenizer_samples=0),
    evaluation=Evaluation(
        held_out_share=0.2, loss_samples=2, loss_every=4, looks_after=1000, read_samples=1, shown_samples=1, max_new_tokens=2
    ),
    checkpoint=Checkpoint(checkpoint_every=4),
    compute=Compute(precision="float32", device="cpu", threads=1),
)

LAYOUTS = {
    "one process": (1, {}),
    "FSDP 4": (4, {}),
    "copies 2 x FSDP 2": (4, {"replicate": 2}),
    "pipeline 4": (4, {"pipeline": 4}),
    "pipeline 2 x copies 2": (4, {"pipeline": 2, "replicate": 2}),
    "pipeline 2 x FSDP 2": (4, {"pipeline": 2}),
    "pipeline of SAM and CLIP, 3 layers, 1": (3, {"pipeline": 3, "stage_layers": (3, 1)}),
}


def make_rows(folder: Path, count: int = 60) -> None:
    """Rows with a small image, with a large one, which is cut into tiles, and without any."""
    draw = random.Random(0)
    rows = []
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        answer = " ".join(draw.choice(("red", "green", "blue", "grey", "of", "and")) for _ in range(draw.randint(1, 5)))
        if n % 3 == 0:
            rows.append({"text": answer, "group": f"{n}"})
            continue
        size = (70, 66) if n % 3 == 1 else draw.choice(((140, 130), (200, 130), (130, 260)))
        # No white paper: to a fresh network that is zero, and norms of next to nothing make much of what rounding left.
        picture = Image.frombytes("RGB", size, draw.randbytes(3 * size[0] * size[1]))
        picture.save(folder / f"{n}.png")
        rows.append({"image": f"{n}.png", "prompt": "<image>\nRead.", "answer": answer, "group": f"{n}"})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def sgd(net: torch.nn.Module, step: Train) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups(net, 0.0), lr=step.optim.learning_rate)


def on_ranks(
    step: Train, out: Folder, world: int = 1, within: Callable[[int], None] = lambda rank: None, timeout: float = 300
) -> list[int]:
    """The exit codes of the processes of a training on so many ranks. Each calls `within(rank)` first, which may replace parts of
    the trainer. As torchrun does it, those that are left are killed when one has failed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def child(rank: int) -> None:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        torch.set_num_threads(1)
        within(rank)
        trainer.train(step, out)

    processes = [multiprocessing.get_context("fork").Process(target=child, args=(rank,)) for rank in range(world)]
    for process in processes:
        process.start()
    until = time.monotonic() + timeout
    while any(process.is_alive() for process in processes) and time.monotonic() < until:
        time.sleep(0.05)
        if any(process.exitcode for process in processes):
            time.sleep(0.5)  # which may be enough for the others to notice
            break
    else:
        for process in processes:
            process.join(max(0.0, until - time.monotonic()))
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join()
    return [signal.SIGKILL if code is None else code for code in codes]


def laid_out(step: Train, layout: str, **values) -> tuple[Train, int]:
    """(the step on this one of `LAYOUTS`, the number of its ranks)"""
    world, fields = LAYOUTS[layout]
    return step.but(**fields, **values), world
