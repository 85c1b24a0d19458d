"""The records of a training while it runs.

    loss.jsonl     a line a step, which depends on the samples alone, so that a resumed training writes the same lines
    speed.jsonl    a line every few steps: seconds of each part of a step, rates, memory. These differ from run to run

TensorBoard gets the same numbers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from datagen.disk.storage import Folder
from datagen.work.progress import State
from model.train.lines import Lines
from model.train.log import Routing, of_experts, peak

LOSS, SPEED = "loss.jsonl", "speed.jsonl"


class Speed(NamedTuple):
    """One rank's records of some steps: seconds of their parts, bytes of memory, and its routers' counts."""

    parts: dict[str, float]
    memory: dict[str, int]
    routings: dict[str, Routing]


class Journal:
    """The files of a training, which go on after step `first`."""

    def __init__(self, folder: Folder, first: int, device: torch.device):
        from torch.utils.tensorboard import SummaryWriter  # slow to load

        self.device = device
        self.lines = Lines(folder, LOSS, first, keeps=lambda line: "held_out_loss" in line)
        self.speeds = Lines(folder, SPEED, keeps=lambda line: False)
        # Records of later steps, from before a kill, are hidden.
        self.board = SummaryWriter(folder.sub("tensorboard").url, purge_step=first + 1)

    @property
    def has_begun(self) -> bool:
        return self.lines.last is not None

    @property
    def measured(self) -> list[dict[str, Any]]:
        """The lines with a held-out loss."""
        return self.lines.kept

    def line(self, line: dict[str, Any]) -> None:
        self.lines.add(**line)
        self._show(line["step"], flat(line))

    def read(self, step: int, summary: dict[str, dict[str, Any]]) -> None:
        """Show the readings before the first step or after the last, which no line of a file has."""
        self._show(step, flat({"read": summary}))

    def _show(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.board.add_scalar(name, value, step)

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
        self._show(done, {f"speed/{name}": float(value) for name, value in values.items()})
        for name, layers in experts.items():
            self._show(done, {f"{name}/layer {n}": float(value) for n, value in enumerate(layers)})

    def flush(self) -> None:
        """Make all of it durable."""
        self.lines.flush()
        self.speeds.flush()
        self.board.flush()

    def close(self) -> None:
        self.board.close()
        self.lines.close()
        self.speeds.close()

    def state(self, line: dict[str, Any], steps: int, rate: float, left: float) -> State:
        """The state of the training for people, after a step with this line."""
        shown = [f"loss {line['loss']:.3f}"] if line["loss"] is not None else ["loss not finite"]
        shown += [f"held out {earlier['held_out_loss']:.3f}" for earlier in self.measured[-1:]]
        return State(line["step"], steps, "steps", ", ".join([*shown, f"{rate:,.0f} tokens/s"]), left)


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """All floats in `values`, also nested ones, by path: `by/coarse`, `read/lang en/character_error_rate`."""
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            numbers |= flat(value, f"{before}{name}/")
        elif isinstance(value, float):
            numbers[f"{before}{name}"] = value
    return numbers
