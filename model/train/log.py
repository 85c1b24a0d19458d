"""Counts of a training's steps: seconds of their parts, the use of experts, operations, memory, losses by source."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psutil
import torch
from torch import Tensor, nn

from model.costs import plan
from model.costs.pieces import Load
from model.costs.plan import PEAKS, SetUp
from model.net.batch import Batch
from model.net.config import ModelConfig
from model.net.moe import Router


class Clock:
    """Seconds of a step's parts: in a GPU's own time, if there is one, without waiting for it."""

    def __init__(self, device: torch.device):
        self.on_gpu = device.type == "cuda"
        self.seconds: dict[str, float] = {}
        self._events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def part(self, name: str, waits: bool = False) -> Iterator[None]:
        """Count the time within. `waits`: this process waits for something else than the device."""
        if self.on_gpu and not waits:
            began, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            began.record()
            yield
            ended.record()
            self._events.append((name, began, ended))
            return
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def take(self) -> dict[str, float]:
        """The counts since the last call. Waits for the device."""
        if self._events:
            torch.cuda.synchronize()
        for name, began, ended in self._events:
            self.seconds[name] = self.seconds.get(name, 0.0) + began.elapsed_time(ended) / 1000
        taken, self.seconds, self._events = self.seconds, {}, []
        return taken


class Routing(NamedTuple):
    """A router's counts in a layer: how often it chose each expert, and its probabilities' entropy in nats, summed over
    tokens."""

    chosen: list[int]
    entropy: float
    tokens: int


class ExpertUse:
    """Counts the choices of the routers of `net` in training."""

    def __init__(self, net: nn.Module):
        self._counts: dict[str, Tensor] = {}
        self._entropies: dict[str, Tensor] = {}
        self._tokens: Counter[str] = Counter()
        for name, module in net.named_modules():
            if isinstance(module, Router):
                module.register_forward_hook(lambda module, _, outputs, name=name: self._count(name, module, outputs))

    @torch.no_grad()
    def _count(self, name: str, router: Router, outputs: tuple[Tensor, Tensor, Tensor]) -> None:
        if not router.training or torch._C._current_graph_task_id() != -1:  # a checkpoint's recomputation counts no more
            return
        probs_TE, _, chosen_TS = outputs
        if name not in self._counts:
            self._counts[name] = torch.zeros(probs_TE.shape[1], dtype=torch.int64, device=chosen_TS.device)
            self._entropies[name] = torch.zeros((), dtype=torch.float64, device=chosen_TS.device)
        chosen = chosen_TS.flatten()
        self._counts[name].scatter_add_(0, chosen, torch.ones_like(chosen))
        self._entropies[name] += torch.special.entr(probs_TE).sum()
        self._tokens[name] += len(probs_TE)

    def take(self) -> dict[str, Routing]:
        """This rank's counts since the last call, by the router's name. Waits for the device."""
        taken = {
            name: Routing(counts_E.tolist(), self._entropies[name].item(), self._tokens[name])
            for name, counts_E in self._counts.items()
        }
        self._counts, self._entropies, self._tokens = {}, {}, Counter()
        return taken


def of_experts(of_ranks: Iterable[Mapping[str, Routing]]) -> dict[str, list[float]]:
    """The use of experts in each layer that has some, in order, from the `ExpertUse` of all ranks.

    expert_load      the busiest expert's share of the choices, over that of an even use: 1 is even
    dead_experts     experts that no token chose
    router_entropy   the mean entropy of the router's probabilities over that of even ones: 1 is even, 0 one expert for sure
    """
    together: dict[str, Routing] = {}
    for routings in of_ranks:
        for name, one in routings.items():
            before = together.get(name, Routing([0] * len(one.chosen), 0.0, 0))
            chosen = [a + b for a, b in zip(before.chosen, one.chosen, strict=True)]
            together[name] = Routing(chosen, before.entropy + one.entropy, before.tokens + one.tokens)
    layers = [together[name] for name in sorted(together, key=lambda name: [piece.zfill(6) for piece in name.split(".")])]
    return {
        "expert_load": [round(max(one.chosen) * len(one.chosen) / max(1, sum(one.chosen)), 3) for one in layers],
        "dead_experts": [one.chosen.count(0) for one in layers],
        "router_entropy": [round(one.entropy / max(1, one.tokens) / math.log(max(2, len(one.chosen))), 4) for one in layers],
    }


def counted(micros: Sequence[Batch], length: int, config: ModelConfig, set_up: SetUp) -> Counter[str]:
    """The counts of a rank's rows of a step, of `length` tokens each."""
    counts: Counter[str] = Counter()
    for one in micros:
        counts["samples"] += one.num_samples
        counts["tokens"] += one.num_tokens
        counts["positions"] += one.num_positions
        counts["room"] += length * len(one.ids_BL)
        counts["images"] += len(one.images)
        counts["upsampled"] += one.num_upsampled
        counts["told"] += one.num_known_frames
        counts["placed"] += one.num_known_places
        counts["operations"] += operations(config, one, set_up)
        for skipped in one.skipped:
            counts[f"skipped {skipped.source}: {skipped.reason}"] += 1
    return counts


def operations(config: ModelConfig, batch: Batch, set_up: SetUp) -> int:
    """The floating-point operations of a training step of `set_up` on this batch, by formula."""
    views = [
        view for image in batch.images for view in [image.whole_3HW, *([] if image.tiles_N3TT is None else image.tiles_N3TT)]
    ]
    sides = [(view.shape[1], view.shape[2]) for view in views]
    lengths = tuple(length for row in batch.lengths for length in row)
    return plan.operations(config, Load(tuple(sides), lengths, batch.num_tokens), set_up)


def peak(device: torch.device) -> float:
    """The device's peak of operations a second in bf16, 0 if unknown."""
    if device.type != "cuda":
        return 0.0
    return next((peak for card, peak in PEAKS.items() if card in torch.cuda.get_device_name(device)), 0.0)


def memory(device: torch.device) -> dict[str, int]:
    """The most bytes of the device in tensors since the last call, and in torch's reservation for them, which is far larger if
    memory is fragmented. On a processor the process's present memory."""
    if device.type == "cuda":
        most = {"memory": torch.cuda.max_memory_allocated(device), "reserved": torch.cuda.max_memory_reserved(device)}
        torch.cuda.reset_peak_memory_stats(device)
        return most
    return {"memory": psutil.Process().memory_info().rss}


def by_source(each_T: Tensor, sources_T: Tensor, num_sources: int) -> Tensor:
    """(S, 2): the sum of the losses of each source's tokens, and their number. Doesn't wait for the device."""
    both_T2 = torch.stack([each_T.double(), torch.ones_like(each_T, dtype=torch.float64)], 1)
    return torch.zeros(num_sources, 2, dtype=torch.float64, device=each_T.device).index_add_(0, sources_T, both_T2)
