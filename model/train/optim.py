"""The movement of weights: trained parameters, the schedule of rates, and the guarded update.

groups(net, …)      parameters by decay, for AdamW
rate_at(step, n)    the learning rate of step n
update(…)           clip, skip gradients that aren't finite, move
"""

import fnmatch
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from model.net.deepseek_ocr import PARTS, UNUSED, part_of
from model.train.lean_adamw import LeanAdamW, own
from model.train.ranks import ALONE, Ranks
from model.train.step import Train

# Tables for lookup or addition, which decay would pull to zero whether they are used or not.
TABLES = ("pos_embed", "rel_pos_h", "rel_pos_w", "position_embedding.weight", "embed_tokens.weight")

_ALLOWED = f"allowed are {', '.join(PARTS)}, and patterns of names"


def freeze(net: nn.Module, frozen: Sequence[str]) -> None:
    """Turn off the gradients of these parameters, named by one of `PARTS` or by a pattern such as `decoder.layers.0.*`. Raises
    `ValueError` for a name that fits no parameter, and if nothing is left to train."""
    names = [name for name, _ in net.named_parameters()]
    for one in frozen:
        fits = [name for name in names if _is_of(name, one)]
        if not fits:
            raise ValueError(f"frozen has {one!r}, which fits no parameter: {_ALLOWED}")
        for name in fits:
            net.get_parameter(name).requires_grad_(False)
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ValueError(f"frozen is {', '.join(frozen)}: nothing is left to train")


@torch.no_grad()
def train_beside(net: nn.Module, parts: Sequence[str]) -> None:
    """Train these parameters, named as in `freeze`, beside the adapters of `net`, in fp32. Raises `ValueError` for a name that
    fits none."""
    for one in parts:
        fits = [(name, p) for name, p in net.named_parameters() if ".lora_" not in name and _is_of(name, one)]
        if not fits:
            raise ValueError(f"beside has {one!r}, which fits no parameter: {_ALLOWED}")
        for name, parameter in fits:
            if name != UNUSED:
                parameter.data = parameter.data.float()
                parameter.requires_grad_(True)


def _is_of(name: str, one: str) -> bool:
    return part_of(name) == one if one in PARTS else fnmatch.fnmatchcase(name, one)


def decays(name: str, parameter: Tensor) -> bool:
    """Whether weight decay applies to this parameter: to matrices and kernels, not to tables, scales and biases."""
    return parameter.ndim > 1 and not name.endswith(TABLES)


def groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """AdamW's groups of the trained parameters, by their decay. Weights that ranks share have groups of their own, since torch
    takes no two kinds of tensors in one. A stage that trains nothing has one group without parameters."""
    found: dict[tuple[bool, bool], dict[str, Any]] = {}
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = decays(name, parameter)
        group = found.setdefault(
            (decay, isinstance(parameter, DTensor)),
            {"params": [], "names": [], "weight_decay": weight_decay if decay else 0.0},
        )
        group["params"].append(parameter)
        group["names"].append(name)
    return list(found.values()) or [{"params": [], "names": []}]


def adamw(net: nn.Module, step: Train) -> torch.optim.Optimizer:
    """AdamW over `groups`: torch's, in one kernel for many parameters, or `LeanAdamW`."""
    one = step.optim
    of = groups(net, one.weight_decay)
    if one.is_narrow or one.moment_bits != 32:
        return LeanAdamW(of, one.learning_rate, one.betas, one.moment_bits)
    return torch.optim.AdamW(of, lr=one.learning_rate, betas=one.betas, fused=True)


def rate_at(step: Train, number: int) -> float:
    """The learning rate of step `number`, which counts from 0: linear over `warmup` steps, then by the schedule.

    cosine      down to `min_learning_rate` along half a cosine
    linear      down to it in a line
    step        times `step_factor` past each of the shares `step_at` of the steps, as DeepSeek's models were trained
    constant    unchanged
    """
    plan, highest = step.schedule, step.optim.learning_rate
    if number < plan.warmup:
        return highest * (number + 1) / plan.warmup
    if plan.curve == "constant":
        return highest
    if plan.curve == "step":
        return highest * plan.step_factor ** sum(number >= at * plan.steps for at in plan.step_at)
    done = (number - plan.warmup) / max(1, plan.steps - plan.warmup)
    left = 1 - done if plan.curve == "linear" else (1 + math.cos(math.pi * done)) / 2
    return plan.min_learning_rate + (highest - plan.min_learning_rate) * left


def parameters(optimizer: torch.optim.Optimizer) -> Iterable[nn.Parameter]:
    return (parameter for group in optimizer.param_groups for parameter in group["params"])


_ALL_PARTS = (*PARTS, "other")


class Moved(NamedTuple):
    """A step's gradient norm, of all weights and by `PARTS`, and the numbers that were summed over ranks. Weights of other
    networks are in the part `other`."""

    norm: float
    numbers: list[float]
    by_part: dict[str, float]


def update(optimizer: torch.optim.Optimizer, rate: float, max_norm: float, numbers_N: Tensor, ranks: Ranks = ALONE) -> Moved:
    """Move the weights, unless the gradients' norm or the first of the numbers `numbers_N`, the loss, isn't finite.

    Gradients are gone afterwards. A weight without a gradient, as the encoder's in a step of text alone, moves as if its gradient
    were 0: a rank can't know whether other ranks have one. `max_norm` is the longest gradient that isn't shortened, 0 for any.
    The norm is the whole network's, and the numbers are summed over `ranks`, so either all ranks move or none. Here a step waits
    for the device, once, for all its numbers.
    """
    with torch.no_grad():
        for parameter in parameters(optimizer):
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        ranks.add_up([p.grad for p in parameters(optimizer) if p.grad is not None and not isinstance(p.grad, DTensor)])
        squares_P = _squares(optimizer, ranks, numbers_N.device)
        both_N = ranks.totals(torch.cat([squares_P, numbers_N.double()]))
        norm = both_N[: len(_ALL_PARTS)].sum().sqrt()
        if max_norm and (gradients := [own(p.grad) for p in parameters(optimizer) if p.grad is not None]):
            torch._foreach_mul_(gradients, torch.clamp(max_norm / (norm + 1e-6), max=1.0).float())
        whole, *rest = torch.cat([norm[None], both_N]).tolist()
    squares, numbers = rest[: len(_ALL_PARTS)], rest[len(_ALL_PARTS) :]
    if math.isfinite(whole) and math.isfinite(numbers[0]):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return Moved(whole, numbers, {part: math.sqrt(square) for part, square in zip(_ALL_PARTS, squares, strict=True) if square})


def _squares(optimizer: torch.optim.Optimizer, ranks: Ranks, device: torch.device) -> Tensor:
    """(P,): the square of the gradients' norm of each part, as far as this rank counts it. A shared gradient's share counts once
    a copy; a gradient that isn't shared counts once for all ranks that have it."""
    of: dict[tuple[str, int], list[Tensor]] = {}
    for group in optimizer.param_groups:
        for name, p in zip(group.get("names") or [""] * len(group["params"]), group["params"], strict=True):
            times = ranks.layout.replicate if isinstance(p.grad, DTensor) else ranks.layout.copies
            of.setdefault((part_of(name), times), []).append(own(p.grad))
    squares = dict.fromkeys(_ALL_PARTS, torch.zeros((), dtype=torch.float64, device=device))
    for (part, times), gradients in of.items():
        # In fp32, also for gradients in bf16.
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients, 2, torch.float32))).to(device, torch.float64)
        squares[part] = squares[part] + norm.square() / times
    return torch.stack(list(squares.values()))


def with_state(optimizer: torch.optim.Optimizer) -> None:
    """Give each parameter empty moments, for a checkpoint to fill. The weights stay."""
    if optimizer.state:
        return
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    for parameter in parameters(optimizer):
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
