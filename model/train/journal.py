"""What a training writes down and tells while it goes on.

    loss.jsonl     a line a step: what follows from the samples alone, so that a resumed training writes the same lines
    speed.jsonl    a line every few steps: seconds of each part of a step, rates, memory. These differ from run to run

TensorBoard and Weights & Biases get the same numbers, if they are installed.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from datagen.disk.storage import Folder
from datagen.work.progress import State
from model.train.boards import Board, boards, flat
from model.train.lines import Lines
from model.train.log import Routing, of_experts, peak

LOSS, SPEED = "loss.jsonl", "speed.jsonl"


class Speed(NamedTuple):
    """What one rank knows of some steps: seconds of their parts, bytes of memory, and what its routers did."""

    parts: dict[str, float]
    memory: dict[str, int]
    routings: dict[str, Routing]


class Told:
    """All of it goes on after step `first`. `id` is what the training is known by on a server."""

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
        """Tell what a step came to."""
        self.lines.add(**line)
        for board in self.boards:
            board.add(line["step"], flat(line))

    def read(self, step: int, summary: dict[str, dict[str, Any]]) -> None:
        """Tell what was read before the first step, or after the last, to those who watch: it stands in no line."""
        for board in self.boards:
            board.add(step, flat({"read": summary}))

    def speed(self, done: int, seconds: float, counts: Counter[str], of_ranks: Sequence[Speed]) -> None:
        """Tell how fast the steps up to `done` were, which took so many seconds since the last time: what all ranks did, the
        seconds of each part on the first one, and how long each waited for data."""
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
        """Have all of it where it belongs."""
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
