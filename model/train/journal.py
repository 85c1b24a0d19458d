"""The records of a training while it runs.

    loss.jsonl     a line a step, which depends on the samples alone, so that a resumed training writes the same lines
    speed.jsonl    a line every few steps: seconds of each part of a step, rates, memory. These differ from run to run

TensorBoard and Weights & Biases get the same numbers, if they are installed.
"""

import hashlib
import importlib
import importlib.util
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch

from datagen.disk.storage import Folder
from datagen.work.progress import State
from model.train.lines import Lines
from model.train.log import Routing, of_experts, peak
from model.train.run import RUN

LOSS, SPEED = "loss.jsonl", "speed.jsonl"


class Speed(NamedTuple):
    """One rank's records of some steps: seconds of their parts, bytes of memory, and its routers' counts."""

    parts: dict[str, float]
    memory: dict[str, int]
    routings: dict[str, Routing]


class Journal:
    """The files and boards of a training, which go on after step `first`. Servers know the training by `id`."""

    def __init__(self, folder: Folder, first: int, id: str, device: torch.device):
        self.device = device
        self.lines = Lines(folder, LOSS, first, keeps=lambda line: "held_out_loss" in line)
        self.speeds = Lines(folder, SPEED, keeps=lambda line: False)
        self.boards: list[Board] = boards(folder, first, id)

    @property
    def has_begun(self) -> bool:
        return self.lines.last is not None

    @property
    def measured(self) -> list[dict[str, Any]]:
        """The lines with a held-out loss."""
        return self.lines.kept

    def line(self, line: dict[str, Any]) -> None:
        self.lines.add(**line)
        for board in self.boards:
            board.add(line["step"], flat(line))

    def read(self, step: int, summary: dict[str, dict[str, Any]]) -> None:
        """Send the boards the readings before the first step or after the last, which no line of a file has."""
        for board in self.boards:
            board.add(step, flat({"read": summary}))

    def speed(self, done: int, seconds: float, counts: Counter[str], of_ranks: Sequence[Speed]) -> None:
        """Write down the speed of the steps up to `done`, which took `seconds` since the last call. Counts are of all ranks, the
        seconds of each part of the first rank; for each rank there is its wait for data."""
        parts = of_ranks[0].parts
        values = {name: round(part, 4) for name, part in parts.items()}
        values |= {f"{name}_per_s": round(counts[name] / seconds, 2) for name in ("tokens", "positions", "images")}
        waits = [round(one.parts.get("data", 0.0) / seconds, 4) for one in of_ranks]
        values["data_wait"] = max(waits)
        values |= {name: max(one.memory[name] for one in of_ranks) for name in of_ranks[0].memory}
        values["tflops"] = round(counts["operations"] / seconds / 1e12, 4)
        if best := peak(self.device):
            values["mfu"] = round(counts["operations"] / seconds / best / len(of_ranks), 4)
        experts = of_experts([one.routings for one in of_ranks])
        ranks = {"rank_waits": waits} if len(of_ranks) > 1 else {}
        self.speeds.add(step=done, seconds=round(seconds, 4), **values, **ranks, **experts)
        for board in self.boards:
            board.add(done, {f"speed/{name}": float(value) for name, value in values.items()})
            for name, layers in experts.items():
                board.add(done, {f"{name}/layer {n}": float(value) for n, value in enumerate(layers)})

    def flush(self) -> None:
        """Make all of it durable."""
        self.lines.flush()
        self.speeds.flush()
        for board in self.boards:
            board.flush()

    def close(self) -> None:
        for board in self.boards:
            board.close()
        self.lines.close()
        self.speeds.close()

    def state(self, line: dict[str, Any], steps: int, rate: float, left: float) -> State:
        """The state of the training for people, after a step with this line."""
        shown = [f"loss {line['loss']:.3f}"] if line["loss"] is not None else ["loss not finite"]
        shown += [f"held out {earlier['held_out_loss']:.3f}" for earlier in self.measured[-1:]]
        return State(line["step"], steps, "steps", ", ".join([*shown, f"{rate:,.0f} tokens/s"]), left)


class Board(Protocol):
    """A place where people watch changing numbers."""

    def add(self, step: int, values: dict[str, float]) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class _TensorBoard:
    def __init__(self, folder: Folder, step: int):
        from torch.utils.tensorboard import SummaryWriter

        # Records of later steps, from before a kill, are hidden.
        self.writer = SummaryWriter(folder.url, purge_step=step + 1)

    def add(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def flush(self) -> None:
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


class _WeightsAndBiases:
    def __init__(self, name: str, id: str):
        wandb = importlib.import_module("wandb")
        self.run = wandb.init(name=name, project=os.environ.get("WANDB_PROJECT", "pagewheel"), id=id, resume="allow")

    def add(self, step: int, values: dict[str, float]) -> None:
        self.run.log(values, step=step)

    def flush(self) -> None:
        """Nothing: its own process sends the numbers."""

    def close(self) -> None:
        self.run.finish()


def run_id(folder: Folder) -> str:
    """A unique identity on servers for a training that begins in `folder`, which has its `run.json`."""
    fingerprint = json.loads(folder.read(RUN))["fingerprint"]
    return hashlib.sha256(f"{folder.url} {fingerprint}".encode()).hexdigest()[:16]


def boards(folder: Folder, step: int, id: str) -> list[Board]:
    """The installed boards, after `step`. Weights & Biases also needs a key or a mode in the environment, since it calls a
    server. There the training has the names of its recipe's folder and of its own, and goes on under the same `id`."""
    opened: list[Board] = []
    if importlib.util.find_spec("tensorboard"):
        opened.append(_TensorBoard(folder.sub("tensorboard"), step))
    if importlib.util.find_spec("wandb") and {"WANDB_API_KEY", "WANDB_MODE"} & set(os.environ):
        opened.append(_WeightsAndBiases("/".join(folder.url.rstrip("/").split("/")[-2:]), id))
    return opened


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """All floats in `values`, also nested ones, by path: `by/coarse`, `read/lang en/character_error_rate`."""
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            numbers |= flat(value, f"{before}{name}/")
        elif isinstance(value, float):
            numbers[f"{before}{name}"] = value
    return numbers
