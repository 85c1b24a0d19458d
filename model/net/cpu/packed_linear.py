"""A linear layer without bias that is also quick for a few rows, as in reading token by token.

R rows · K in · N out

oneDNN packs a weight at every product, which takes longer than the product of a few rows. So while a text is read, weights that
are used again and again are packed once (`keep_packed`).
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from model.net.cpu.half_precision import Linear, linear, native_dtype

FEW = 64
# A weight is packed after so many uses. Packing takes as long as some ten products save, which a longer text soon needs.
_PAYS = 5


class Packs(dict[tuple[int, torch.dtype], tuple[int, int | Tensor]]):
    """A layer's packed weights, by a number and the precision: (version, the packed weight or its number of uses so far). A
    weight with another version has changed, and is packed again."""


class Unbiased(Linear):
    """A linear layer without bias. `packs` is set while `keep_packed` lasts."""

    packs: Packs | None = None

    def __init__(self, width_in: int, width_out: int):
        super().__init__(width_in, width_out, bias=False)

    def forward(self, x_RK: Tensor) -> Tensor:
        dtype = _reading(x_RK, self.packs)
        return super().forward(x_RK) if dtype is None else product(x_RK.to(dtype), [self.weight], self.packs, 0)


_TOGETHER = -1


def together(x_RK: Tensor, *layers: Unbiased) -> Sequence[Tensor]:
    """The outputs of all `layers` for `x_RK`: with packed weights, by one product."""
    # A layer that another library has wrapped, such as an adapter, is called itself.
    packs = layers[0].packs if all(type(layer) is Unbiased for layer in layers) else None
    dtype = _reading(x_RK, packs)
    if dtype is None:
        return [layer(x_RK) for layer in layers]
    y_RN = product(x_RK.to(dtype), [layer.weight for layer in layers], packs, _TOGETHER)
    return y_RN.split([layer.out_features for layer in layers], -1)


def _reading(x_RK: Tensor, packs: Packs | None) -> torch.dtype | None:
    """The precision in which `x_RK` is multiplied with packed weights; None if it isn't."""
    if packs is None or torch.is_grad_enabled() or x_RK.numel() > FEW * x_RK.shape[-1]:
        return None
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x_RK.dtype
    return dtype if _packs(dtype) else None


def product(x_RK: Tensor, weights_NK: Sequence[Tensor], packs: Packs | None, number: int) -> Tensor:
    """(R, N) or (..., N), in the precision of `x_RK`; N counts the rows of all weights. `number` is their key in `packs`."""
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
    """Whether this build of torch packs weights of `dtype` on this processor."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return False
    return dtype in (torch.float32, native_dtype())


@contextmanager
def keep_packed(net: nn.Module) -> Iterator[None]:
    """Until the block ends, keep packed the weights that `net` multiplies with few rows. Does nothing on another device. The
    packed weights double the weights' memory."""
    layers = [module for module in net.modules() if hasattr(module, "packs")]
    for layer in layers:
        # mypy takes a module's attributes for tensors.
        setattr(layer, "packs", Packs() if next(layer.parameters()).device.type == "cpu" else None)  # noqa: B010
    try:
        yield
    finally:
        for layer in layers:
            setattr(layer, "packs", None)  # noqa: B010
