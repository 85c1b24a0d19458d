"""Products of tensors in half precision, on processors that don't multiply half precision.

    R rows · K in · N out

On a processor of the AVX2 kind a layer of 1,200 rows took 7 times as long in bf16 as in fp32, and its gradients 20 and 130 times:
oneDNN has no kernel for it there. So tensors stay in half precision in memory and between layers, and are widened to fp32 for
their products.
"""

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# So few rows hardly take longer through a weight in half precision than through a wider copy. One row takes half as long at best.
_THIN = 4
# The number of a weight's values that are widened in one step: they stay in cache, and their memory is reused. Widened whole, the
# larger weights took a few rows three to six times as long.
_WIDENED = 1 << 20


@functools.cache
def native_dtype() -> torch.dtype:
    """bf16 if this processor multiplies it, else fp32. With AVX512-BF16 alone a training step took 0.44 to 0.6 of fp32's time."""
    has = (getattr(torch.cpu, f"_is_{name}_supported", bool) for name in ("avx512_bf16", "amx_tile"))
    return torch.bfloat16 if any(check() for check in has) else torch.float32


def product_dtype(dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """The precision in which products of `dtype` are computed: `dtype`, or fp32 on a processor that doesn't multiply it."""
    lacking = dtype == torch.float16 or (dtype == torch.bfloat16 and native_dtype() is torch.float32)
    return torch.float32 if lacking and device.type == "cpu" else dtype


def wide(x: Tensor) -> Tensor:
    """`x` in the precision of its products."""
    return x.to(product_dtype(x.dtype, x.device))


def widens(x: Tensor) -> bool:
    return product_dtype(x.dtype, x.device) != x.dtype


def put_product(a: Tensor, b: Tensor, out: Tensor) -> None:
    """Write `a @ b`, of matrices or of batches of matrices, into `out`, which may have another precision."""
    if out.dtype == a.dtype:
        (torch.mm if a.dim() == 2 else torch.bmm)(a, b, out=out)
    else:
        out.copy_(a @ b)


def linear(x_RK: Tensor, weight_NK: Tensor, bias_N: Tensor | None = None) -> Tensor:
    """(R, N) or (..., N): `F.linear` in the precision of `x_RK`, or in autocast's."""
    if torch.is_autocast_enabled(x_RK.device.type):
        return F.linear(x_RK, weight_NK, bias_N)
    weight_NK, bias_N = weight_NK.to(x_RK.dtype), None if bias_N is None else bias_N.to(x_RK.dtype)
    thin = x_RK.numel() <= _THIN * x_RK.shape[-1] and not torch.is_grad_enabled()
    if thin or not widens(x_RK):
        return F.linear(x_RK, weight_NK, bias_N)
    *rows, width = x_RK.shape
    return _Widened.apply(x_RK.reshape(-1, width), weight_NK, bias_N).view(*rows, len(weight_NK))


class _Widened(torch.autograd.Function):
    """A linear layer that is widened part by part. It saves its inputs for the backward pass, not the wider copies."""

    @staticmethod
    def forward(ctx: Any, x_RK: Tensor, weight_NK: Tensor, bias_N: Tensor | None) -> Tensor:
        needs_x, needs_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(x_RK if needs_weight else None, weight_NK if needs_x else None)
        ctx.shape, ctx.dtype = weight_NK.shape, x_RK.dtype
        y_RN, wide_RK = x_RK.new_empty(len(x_RK), len(weight_NK)), x_RK.float()
        for part in _parts(*weight_NK.shape):
            y_RN[:, part] = F.linear(wide_RK, weight_NK[part].float(), None if bias_N is None else bias_N[part].float())
        return y_RN

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_RN: Tensor) -> tuple[Tensor | None, ...]:
        x_RK, weight_NK = ctx.saved_tensors
        (N, K), wide_RN = ctx.shape, dy_RN.float()
        dx_RK = d_weight_NK = None
        if weight_NK is not None:
            wide_dx_RK = wide_RN.new_zeros(len(wide_RN), K)
            for part in _parts(N, K):
                wide_dx_RK.addmm_(wide_RN[:, part], weight_NK[part].float())
            dx_RK = wide_dx_RK.to(ctx.dtype)
        if x_RK is not None:
            wide_RK, d_weight_NK = x_RK.float(), x_RK.new_empty(N, K)
            for part in _parts(N, K):
                d_weight_NK[part] = wide_RN[:, part].t() @ wide_RK
        return dx_RK, d_weight_NK, wide_RN.sum(0).to(ctx.dtype) if ctx.needs_input_grad[2] else None


def _parts(num_rows: int, width: int) -> list[slice]:
    size = max(1, _WIDENED // width)
    return [slice(start, start + size) for start in range(0, num_rows, size)]


class Linear(nn.Linear):
    """torch's layer. Products in half precision are widened on processors that need it."""

    def forward(self, x_RK: Tensor) -> Tensor:
        return linear(x_RK, self.weight, self.bias)


class Conv2d(nn.Conv2d):
    """torch's layer, widened like `Linear`. The wider copies are saved for the backward pass: weights and inputs are small."""

    def forward(self, x_BChw: Tensor) -> Tensor:
        if not widens(x_BChw):
            return super().forward(x_BChw)
        bias_C = None if self.bias is None else wide(self.bias)
        return self._conv_forward(wide(x_BChw), wide(self.weight), bias_C).to(x_BChw.dtype)
