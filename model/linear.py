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

# Of the weights that a layer has read with: how often, or packed.
Packs = dict[int, int | Tensor]


class Linear(nn.Linear):
    packs: Packs | None = None

    def __init__(self, width_in: int, width_out: int):
        super().__init__(width_in, width_out, bias=False)

    def forward(self, x_RK: Tensor) -> Tensor:
        return together(x_RK, self)[0]


def together(x_RK: Tensor, *layers: Linear) -> Sequence[Tensor]:
    """What each of `layers` makes of `x_RK`: where they are packed, by one product."""
    packs = layers[0].packs
    if packs is None or torch.is_grad_enabled() or x_RK.numel() > FEW * x_RK.shape[-1]:
        return [F.linear(x_RK, layer.weight) for layer in layers]
    if torch.is_autocast_enabled("cpu"):
        x_RK = x_RK.to(torch.get_autocast_dtype("cpu"))
    y_RN = product(x_RK, [layer.weight for layer in layers], packs, 0)
    return y_RN.split([layer.out_features for layer in layers], -1)


def product(x_RK: Tensor, weights_NK: Sequence[Tensor], packs: Packs | None, key: int) -> Tensor:
    """(R, N) or (..., N), in the precision of `x_RK`, with N of all the weights together, which `packs` knows as `key`."""
    packed = 0 if packs is None else packs.get(key, 0)
    if isinstance(packed, int):
        weights_NK = [weight_NK.to(x_RK.dtype) for weight_NK in weights_NK]
        if packs is None or packed < _PAYS or not _packs(x_RK.dtype):
            if packs is not None:
                packs[key] = packed + 1
            return torch.cat([F.linear(x_RK, weight_NK) for weight_NK in weights_NK], -1)
        packed = packs[key] = torch.ops.mkldnn._reorder_linear_weight(torch.cat(weights_NK), FEW)
    return torch.ops.mkldnn._linear_pointwise(x_RK, packed, None, "none", [], "")


@functools.cache
def _packs(dtype: torch.dtype) -> bool:
    """Whether this build of torch, on this processor, packs weights of `dtype`."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextmanager
def keep_packed(net: nn.Module) -> Iterator[None]:
    """While it lasts, `net`, on a processor, keeps the weights packed that it often reads a few rows with.

    That takes as much memory again as these weights do. They must not change meanwhile.
    """
    layers = [module for module in net.modules() if hasattr(module, "packs")]
    for layer in layers:
        # mypy takes a module's attributes for tensors.
        setattr(layer, "packs", {} if next(layer.parameters()).device.type == "cpu" else None)  # noqa: B010
    try:
        yield
    finally:
        for layer in layers:
            setattr(layer, "packs", None)  # noqa: B010
