"""A linear layer without bias, quick for a few rows, too: what reading token by token is made of.

R rows · K in · N out

oneDNN packs a weight at every product, which for a few rows takes longer than the product. While a text is read, weights that are
used again and again are packed once (`keep_packed`).
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW = 64
# Uses after which a weight is packed: that takes as long as some ten products save, which a text that goes on soon needs.
_PAYS = 5
# So many rows a processor without bf16 takes through a weight in bf16 in no more time than through a wider copy.
_THIN = 4
# Numbers of a weight that are widened at a time: what stays in cache, and in memory that comes again. Whole, the larger weights
# took a few rows three to six times as long.
_WIDENED = 1 << 20


def precision() -> torch.dtype:
    """bf16 where the processor multiplies it, else fp32: with AVX512-BF16 alone a step took 0.44 to 0.6 of fp32's time."""
    has = (getattr(torch.cpu, f"_is_{name}_supported", bool) for name in ("avx512_bf16", "amx_tile"))
    return torch.bfloat16 if any(check() for check in has) else torch.float32


class Packs(dict[tuple[int, torch.dtype], tuple[int, int | Tensor]]):
    """Of weights that a layer reads with, by a number and the precision: their versions, and how often they were used, or
    they themselves, packed. A weight that has changed is another one."""


class Linear(nn.Linear):
    packs: Packs | None = None

    def __init__(self, width_in: int, width_out: int):
        super().__init__(width_in, width_out, bias=False)

    def forward(self, x_RK: Tensor) -> Tensor:
        dtype = _reading(x_RK, self.packs)
        return _multiplied(x_RK, self.weight) if dtype is None else product(x_RK.to(dtype), [self.weight], self.packs, 0)


_TOGETHER = -1


def together(x_RK: Tensor, *layers: Linear) -> Sequence[Tensor]:
    """What each of `layers` makes of `x_RK`: where they are packed, by one product."""
    dtype = _reading(x_RK, layers[0].packs)
    if dtype is None:
        return [layer(x_RK) for layer in layers]
    y_RN = product(x_RK.to(dtype), [layer.weight for layer in layers], layers[0].packs, _TOGETHER)
    return y_RN.split([layer.out_features for layer in layers], -1)


def _reading(x_RK: Tensor, packs: Packs | None) -> torch.dtype | None:
    """The precision in which a few rows are read with weights that are kept packed; None where they aren't."""
    if packs is None or torch.is_grad_enabled() or x_RK.numel() > FEW * x_RK.shape[-1]:
        return None
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x_RK.dtype
    return dtype if _packs(dtype) else None


def product(x_RK: Tensor, weights_NK: Sequence[Tensor], packs: Packs | None, number: int) -> Tensor:
    """(R, N) or (..., N), in the precision of `x_RK`, with N of all the weights together, which `packs` knows by `number`."""
    dtype = x_RK.dtype
    if packs is None or not _packs(dtype) or _narrower(weights_NK[0], x_RK):
        return _each(x_RK, weights_NK)
    version = sum(0 if weight_NK.is_inference() else weight_NK._version for weight_NK in weights_NK)
    before, packed = packs.get((number, dtype), (version, 0))
    if before != version:
        packed = 0
    if isinstance(packed, int):
        if packed < _PAYS:
            packs[number, dtype] = version, packed + 1
            return _each(x_RK, weights_NK)
        packed = torch.ops.mkldnn._reorder_linear_weight(_joined([weight_NK.to(dtype) for weight_NK in weights_NK], 0), FEW)
        packs[number, dtype] = version, packed
    return torch.ops.mkldnn._linear_pointwise(x_RK, packed, None, "none", [], "")


def _each(x_RK: Tensor, weights_NK: Sequence[Tensor]) -> Tensor:
    return _joined([_multiplied(x_RK, weight_NK) for weight_NK in weights_NK], -1)


def _multiplied(x_RK: Tensor, weight_NK: Tensor) -> Tensor:
    """(R, N) or (..., N), in the precision of `x_RK`, or autocast's.

    A weight of lower precision is left so. Up to four rows are rounded to bf16 if it is in bf16, and so is their product; more
    are multiplied with a wider copy, made of some of the weight at a time.
    """
    if torch.is_autocast_enabled(x_RK.device.type):
        return F.linear(x_RK, weight_NK)
    if not _narrower(weight_NK, x_RK):
        return F.linear(x_RK, weight_NK.to(x_RK.dtype))
    if weight_NK.dtype is torch.bfloat16 and x_RK.numel() <= _THIN * x_RK.shape[-1]:
        return F.linear(x_RK.to(weight_NK.dtype), weight_NK).to(x_RK.dtype)
    parts = weight_NK.split(max(1, _WIDENED // weight_NK.shape[1]))
    return _joined([F.linear(x_RK, part_NK.to(x_RK.dtype)) for part_NK in parts], -1)


def _narrower(weight_NK: Tensor, x_RK: Tensor) -> bool:
    return weight_NK.dtype.itemsize < x_RK.dtype.itemsize


def _joined(parts: Sequence[Tensor], dim: int) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim)


@functools.cache
def _packs(dtype: torch.dtype) -> bool:
    """Whether this build of torch, on this processor, packs weights of `dtype`."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextmanager
def keep_packed(net: nn.Module) -> Iterator[None]:
    """While it lasts, `net`, on a processor, keeps the weights packed that it often reads a few rows with.

    That takes as much memory again as these weights do.
    """
    layers = [module for module in net.modules() if hasattr(module, "packs")]
    for layer in layers:
        # mypy takes a module's attributes for tensors.
        setattr(layer, "packs", Packs() if next(layer.parameters()).device.type == "cpu" else None)  # noqa: B010
    try:
        yield
    finally:
        for layer in layers:
            setattr(layer, "packs", None)  # noqa: B010
