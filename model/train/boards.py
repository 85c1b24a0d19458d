"""Where people watch a training's numbers while they change: TensorBoard, and Weights & Biases, if they are installed."""

import hashlib
import importlib
import importlib.util
import json
import os
from collections.abc import Mapping
from typing import Any, Protocol

from datagen.disk.storage import Folder
from model.train.run import RUN


class Board(Protocol):
    """Where people watch numbers while they change."""

    def add(self, step: int, values: dict[str, float]) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class _TensorBoard:
    def __init__(self, folder: Folder, step: int):
        from torch.utils.tensorboard import SummaryWriter

        # What was written about later steps before a kill is hidden.
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
        """Its own process sends what it was given."""

    def close(self) -> None:
        self.run.finish()


def run_id(folder: Folder) -> str:
    """What a training that begins in `folder`, which has its `run.json`, is known by on a server: no two are alike."""
    fingerprint = json.loads(folder.read(RUN))["fingerprint"]
    return hashlib.sha256(f"{folder.url} {fingerprint}".encode()).hexdigest()[:16]


def boards(folder: Folder, step: int, id: str) -> list[Board]:
    """Those that are installed, after `step`. Weights & Biases needs a key or a mode in the environment besides, since it calls a
    server. There the training is named for the folder of its recipe and for its own, and goes on under the same `id`."""
    found: list[Board] = []
    if importlib.util.find_spec("tensorboard"):
        found.append(_TensorBoard(folder.sub("tensorboard"), step))
    if importlib.util.find_spec("wandb") and {"WANDB_API_KEY", "WANDB_MODE"} & set(os.environ):
        found.append(_WeightsAndBiases("/".join(folder.url.rstrip("/").split("/")[-2:]), id))
    return found


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """All floats in `values`, and in what is nested in them, by their path: `by/coarse`, `read/lang en/character_error_rate`."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}/")
        elif isinstance(value, float):
            found[f"{before}{name}"] = value
    return found
