"""A linear layer without bias, quick for a few rows, too: what reading token by token is made of.

R rows · K in · N out

oneDNN packs a weight at every product, which for a few rows takes longer than the product. While a text is read, weights that are
used again and again are packed once (`keep_packed`).
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from model.cpu.widened import Linear, linear, native_dtype

FEW = 64
# Uses after which a weight is packed: that takes as long as some ten products save, which a text that goes on soon needs.
_PAYS = 5


class Packs(dict[tuple[int, torch.dtype], tuple[int, int | Tensor]]):
    """Of weights that a layer reads with, by a number and the precision: their versions, and how often they were used, or
    they themselves, packed. A weight that has changed is another one."""


class Unbiased(Linear):
    packs: Packs | None = None

    def __init__(self, width_in: int, width_out: int):
        super().__init__(width_in, width_out, bias=False)

    def forward(self, x_RK: Tensor) -> Tensor:
        dtype = _reading(x_RK, self.packs)
        return super().forward(x_RK) if dtype is None else product(x_RK.to(dtype), [self.weight], self.packs, 0)


_TOGETHER = -1


def together(x_RK: Tensor, *layers: Unbiased) -> Sequence[Tensor]:
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
    if packs is None or not _packs(dtype):
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
    return _joined([linear(x_RK, weight_NK) for weight_NK in weights_NK], -1)


def _joined(parts: Sequence[Tensor], dim: int) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim)


@functools.cache
def _packs(dtype: torch.dtype) -> bool:
    """Whether this build of torch, on this processor, packs weights of `dtype`."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return False
    return dtype in (torch.float32, native_dtype())


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
