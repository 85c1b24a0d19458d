"""A training step without a device: every operation that a GPU would run, traced on tensors without content.

    trace(config, load)          the operations of a step, forward and backward, in mixed precision, with their products and bytes
    roofline(card, …)            how long a card takes at least, and what costs most, for people
    WAITS                        operations that make the host wait for a GPU

An operation takes as long as its products at the card's peak, or as its bytes at the memory's, whichever is longer. What can't be
seen so: how near to its peak a kernel comes, how long the host takes to launch it, and what GPUs send each other.
"""

import contextlib
import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from model.costs.activations import Load
from model.costs.flops import size
from model.costs.plan import PEAKS, SetUp, operations
from model.net import attention
from model.net.activation_checkpointing import set_checkpointing
from model.net.config import ModelConfig
from model.net.deepseek_ocr import DeepseekOcr, narrow, part_of
from model.net.image import Views

_aten = torch.ops.aten
WAITS = {
    packet.__name__
    for packet in (
        _aten._local_scalar_dense,
        _aten.nonzero,
        _aten.masked_select,
        _aten.masked_scatter_backward,
        _aten.unique_consecutive,
        _aten._unique2,
        _aten.bincount,
        _aten.repeat_interleave,
    )
}
"""Operations whose result, or whose result's size, the host must know: it waits until the device has come so far."""


@dataclass(frozen=True)
class Operation:
    """One call of an operation: aten's name, the precision, its products (a multiplication and an addition count as two), and the
    bytes that it reads and writes."""

    name: str
    dtype: torch.dtype
    flops: int
    bytes: int


@dataclass(frozen=True)
class Card:
    """A GPU, as its maker says: products a second in bf16 and in fp32, bytes of memory, and how many a second."""

    name: str
    bf16: float
    fp32: float
    memory: float
    bandwidth: float

    def seconds(self, one: Operation) -> float:
        return max(one.flops / (self.fp32 if one.dtype is torch.float32 else self.bf16), one.bytes / self.bandwidth)


CARDS = (
    Card("A100-40G", PEAKS["A100"], 19.5e12, 40e9, 1.555e12),
    Card("A100-80G", PEAKS["A100"], 19.5e12, 80e9, 2.039e12),
    Card("H100", PEAKS["H100"], 67e12, 80e9, 3.35e12),
)
"""NVIDIA's data sheets: SXM, dense, without TF32, which torch's products in fp32 don't use by default."""


def roofline(
    card: Card, config: ModelConfig, load: Load, set_up: SetUp, checkpointing: tuple[str, ...], loads_a_step: int = 1
) -> str:
    """A line for people: the share of the card's peak in bf16 that a step's products could reach on one GPU, and what costs most.

    A step is `loads_a_step` times `load`, then AdamW by the set-up's method.
    """
    trained, how = set_up.num_trained(config), set_up.method
    seconds: dict[str, float] = defaultdict(float)
    for one in trace(config, load, checkpointing, set_up):
        seconds[f"{one.name} {_short(one.dtype)}"] += loads_a_step * card.seconds(one)
    # Gradients are read for their norm, and scaled.
    for name, num_bytes in (("adamw", how.moved), ("clipping", 3 * how.gradient)):
        seconds[f"{name} fp32"] += card.seconds(Operation(name, torch.float32, 0, num_bytes * trained))
    total = sum(seconds.values())
    reached = loads_a_step * operations(config, load, set_up) / total / card.bf16
    most = ", ".join(f"{name} {share / total:.0%}" for name, share in sorted(seconds.items(), key=lambda one: -one[1])[:5])
    return f"{card.name}: at most {reached:.0%} of its peak, {total:.3g} s a step; {most}"


def waiting(traced: Iterable[Operation]) -> list[str]:
    """The names of those operations that make the host wait for a GPU."""
    return sorted({one.name for one in traced} & WAITS)


def _short(dtype: torch.dtype) -> str:
    return {torch.bfloat16: "bf16", torch.float32: "fp32"}.get(dtype, str(dtype).removeprefix("torch."))


@functools.lru_cache(maxsize=8)
def trace(
    config: ModelConfig, load: Load, checkpointing: tuple[str, ...] = (), set_up: SetUp | None = None
) -> tuple[Operation, ...]:
    """A forward and a backward pass of `load` in bf16 under autocast, as on a GPU; weights are in fp32, or in bf16 if such are
    trained. All tokens of `load` are one row, whose positions see all before them, as `model.costs.flops` counts."""
    with torch.device("meta"):
        net = DeepseekOcr(config).train()
    set_checkpointing(net, checkpointing)
    if set_up is not None and set_up.method.weight == 2:
        narrow(net)
    if set_up is not None and not set_up.rank:
        for name, weight in net.named_parameters():
            weight.requires_grad_(weight.requires_grad and part_of(name) in set_up.parts)
    tokens = sum(load.lengths)
    with torch.device("meta"):
        images = [Views(torch.empty(3, *size(view), dtype=torch.uint8)) for view in load.views]
        ids_BL, places_T = (
            torch.empty(1, tokens, dtype=torch.int64),
            torch.empty(sum(i.num_tokens for i in images), dtype=torch.int64),
        )
        learned_T = torch.empty(load.num_learned, dtype=torch.int64)
        seen = Recorder()
        with _as_on_a_gpu(), seen:
            losses = net(
                ids_BL,
                images,
                places_T,
                torch.empty(1, tokens, dtype=torch.int64),
                labels_BL=ids_BL,
                balance_scale=1.0,
                learned_T=learned_T,
                lengths=[load.lengths],
            )
            losses.total.backward()
    return tuple(seen.operations)


class Recorder(TorchDispatchMode):
    """Notes the operations that run while it is on. Views and empty tensors move nothing, and are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        if function.is_view or function in _FREE:
            return result
        packet, given, made = function.overloadpacket, _tensors((args, kwargs)), _tensors(result)
        dtype = next((t.dtype for t in [*given, *made] if t.dtype.is_floating_point), torch.int64)
        flops = flop_registry[packet](*args, **kwargs, out_val=result) if packet in flop_registry else 0
        if packet is _aten._grouped_mm:
            flops = _grouped_flops(*given[:2])
        whole = [*given[1:], *made, *made] if packet in _GATHERS else [*given, *made]
        self.operations.append(Operation(packet.__name__, dtype, flops, sum(t.numel() * t.element_size() for t in whole)))
        return result


_FREE = {
    _aten.empty.memory_format,
    _aten.empty_like.default,
    _aten.new_empty.default,
    _aten.detach.default,
    _aten._unsafe_view.default,
    _aten._reshape_alias.default,
}


# They read of their first tensor as much as they write.
_GATHERS = {_aten.index_select, _aten.index, _aten.embedding, _aten.gather}


def _grouped_flops(a: Tensor, b: Tensor) -> int:
    """Of rows by each expert's matrix, or of two by the rows of each expert, for the weights' gradients."""
    return 2 * a.shape[0] * a.shape[1] * b.shape[-1]


def _tensors(value: Any) -> list[Tensor]:
    return [leaf for leaf in torch.utils._pytree.tree_leaves(value) if isinstance(leaf, Tensor)]


def _narrow(x: Any) -> Any:
    return x.to(torch.bfloat16) if isinstance(x, Tensor) and x.dtype is torch.float32 else x


class _Autocast:
    """Mixed precision for tensors without content, which torch's own doesn't know: products in bf16, attention by one kernel."""

    def __init__(self) -> None:
        self.on = True

    def product(self, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def narrowed(*args: Any, **kwargs: Any) -> Tensor:
            return function(*map(_narrow, args), **kwargs) if self.on else function(*args, **kwargs)

        return narrowed

    def attention(
        self, q: Tensor, k: Tensor, v: Tensor, _mask: None = None, is_causal: bool = False, scale: float | None = None
    ) -> Tensor:
        q, k, v = (_narrow(x) if self.on else x for x in (q, k, v))
        result: Tensor = _aten._scaled_dot_product_flash_attention(q, k, v, 0.0, is_causal, scale=scale)[0]
        return result

    @contextlib.contextmanager
    def switched(self, _device: str, *_: Any, enabled: bool = True, **__: Any) -> Iterator[None]:
        before, self.on = self.on, enabled
        try:
            yield
        finally:
            self.on = before


@contextlib.contextmanager
def _as_on_a_gpu() -> Iterator[None]:
    mixed = _Autocast()
    with (
        patch("torch.autocast", mixed.switched),
        patch("torch.is_autocast_enabled", lambda _device=None: mixed.on),
        patch("torch.get_autocast_dtype", lambda _device: torch.bfloat16),
        patch.object(F, "linear", mixed.product(F.linear)),
        patch.object(F, "conv2d", mixed.product(F.conv2d)),
        patch.object(torch, "einsum", mixed.product(torch.einsum)),
        patch.object(F, "scaled_dot_product_attention", mixed.attention),
        patch.object(attention, "_seen_packed", lambda *_: None),
    ):
        yield
