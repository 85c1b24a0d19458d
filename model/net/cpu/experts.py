"""The routed experts on a processor: one expert after the other, so that its rows stay in the cache.

    T tokens · S experts a token · R rows, a token's S times, sorted by expert · n rows of one expert
    E experts · D width · F an expert's inner width · G = 2F

`ByExpert` trains and reads any number of tokens. `few` only reads, and is quicker for few tokens.
"""

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from model.net.cpu.half_precision import product_dtype, put_product, wide
from model.net.cpu.packed_linear import FEW, Packs, product
from model.net.routing import Rows, arranged, gated, gated_gradient, summed

# oneDNN makes and keeps a kernel for each shape, and experts get other numbers of tokens at every step. Rounded shapes repeat,
# and suit its matrix units: in bf16 that halved the products' time.
_ROUND = 16


def routed(
    x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor, gate_up_EGD: Tensor, down_EDF: Tensor, packs: Packs | None = None
) -> Tensor:
    """(T, D): what `model.net.moe.routed` returns, on a processor and without autocast."""
    if not torch.is_grad_enabled() and 0 < len(x_TD) <= FEW:
        return few(x_TD, weights_TS, chosen_TS, gate_up_EGD, down_EDF, packs)
    num_experts = len(gate_up_EGD)
    rows = arranged(chosen_TS, num_experts, _ROUND if chosen_TS.numel() >= _ROUND * num_experts else 1)
    return ByExpert.apply(x_TD, weights_TS, rows, gate_up_EGD, down_EDF)


def few(
    x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor, gate_up_EGD: Tensor, down_EDF: Tensor, packs: Packs | None = None
) -> Tensor:
    """`routed` for a few tokens that are only read. No activation is saved, and elementwise work is done for all experts in one
    call. Tokens are sorted in Python, because the small operators of `arranged` took a tenth of a token's time."""
    num_slots = chosen_TS.shape[1]
    places: dict[int, list[int]] = defaultdict(list)
    for place, expert in enumerate(chosen_TS.flatten().tolist()):
        places[expert].append(place)
    sizes = [len(some) for some in places.values()]
    if len(x_TD) == 1:  # its rows are in order
        x_RD = x_TD.expand(num_slots, -1)
    else:
        order_R = torch.tensor([place for some in places.values() for place in some], device=x_TD.device)
        x_RD = x_TD[order_R // num_slots]
    parts = zip(places, x_RD.split(sizes), strict=True)
    inner_RF = gated(torch.cat([product(x_nD, [gate_up_EGD[e]], packs, 2 * e) for e, x_nD in parts]))
    parts = zip(places, inner_RF.split(sizes), strict=True)
    y_RD = torch.cat([product(inner_nF, [down_EDF[e]], packs, 2 * e + 1) for e, inner_nF in parts])
    if len(x_TD) > 1:
        y_RD = torch.empty_like(y_RD).index_copy_(0, order_R, y_RD)
    return (weights_TS[..., None] * y_RD.unflatten(0, (-1, num_slots)).float()).sum(1).to(x_TD.dtype)


class ByExpert(torch.autograd.Function):
    """`routed` with a backward pass, one expert after the other. Activations are transposed, (G, n) and (F, n). So they are a
    product's second operand, which oneDNN packs, and they are smaller than the weights. And each half of gate and up is
    contiguous."""

    @staticmethod
    def forward(ctx: Any, x_TD: Tensor, weights_TS: Tensor, rows: Rows, gate_up_EGD: Tensor, down_EDF: Tensor) -> Tensor:
        slices = _slices(rows)
        y_RD = x_TD.new_empty(len(rows.token_R), x_TD.shape[1])
        activations = x_TD.new_empty(len(rows.token_R) * gate_up_EGD.shape[1])
        gate_up = _upright(activations, slices)
        dtype = product_dtype(x_TD.dtype, x_TD.device)
        for (expert, at), both_Gn in zip(slices, gate_up, strict=True):
            put_product(gate_up_EGD[expert].to(dtype), wide(x_TD.index_select(0, rows.token_R[at])).t(), both_Gn)
            y_RD[at] = (down_EDF[expert].to(dtype) @ gated(wide(both_Gn), 0)).t()
        ctx.rows = rows
        ctx.save_for_backward(x_TD, weights_TS, activations, gate_up_EGD, down_EDF)
        return summed(y_RD, rows.place_TS, weights_TS)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_TD: Tensor) -> tuple[Tensor | None, ...]:
        x_TD, weights_TS, activations, gate_up_EGD, down_EDF = ctx.saved_tensors
        rows: Rows = ctx.rows
        needs_x, needs_weights, _, needs_gate_up, needs_down = ctx.needs_input_grad
        slices, weights_1R = _slices(rows), rows.weights(weights_TS, product_dtype(dy_TD.dtype, dy_TD.device)).t()
        d_weights_R = weights_TS.new_zeros(len(rows.token_R)) if needs_weights else None
        blank = torch.empty_like if len(slices) == len(down_EDF) else torch.zeros_like  # for experts without rows
        d_down = blank(down_EDF) if needs_down else None
        d_gate_up = blank(gate_up_EGD) if needs_gate_up else None
        dx_RD = dy_TD.new_empty(len(rows.token_R), x_TD.shape[1]) if needs_x else None
        for (expert, at), both_Gn in zip(slices, _upright(activations, slices), strict=True):
            token_n, weights_1n = rows.token_R[at], weights_1R[:, at]
            dy_Dn, both_Gn = wide(dy_TD.index_select(0, token_n)).t().contiguous(), wide(both_Gn)
            inner_Fn = gated(both_Gn, 0)
            d_inner_Fn = down_EDF[expert].to(dy_Dn.dtype).t() @ dy_Dn  # of the unweighted output
            if d_weights_R is not None:
                d_weights_R[at] = (d_inner_Fn * inner_Fn).sum(0, dtype=torch.float32)
            if d_down is not None:
                put_product(dy_Dn, inner_Fn.mul_(weights_1n).t(), d_down[expert])
            d_both_Gn = gated_gradient(both_Gn, d_inner_Fn.mul_(weights_1n), 0)
            if d_gate_up is not None:
                put_product(d_both_Gn, wide(x_TD.index_select(0, token_n)), d_gate_up[expert])
            if dx_RD is not None:
                put_product(d_both_Gn.t(), gate_up_EGD[expert].to(dy_Dn.dtype), dx_RD[at])
        dx_TD = None if dx_RD is None else summed(dx_RD, rows.place_TS)
        return dx_TD, None if d_weights_R is None else d_weights_R[rows.place_TS], None, d_gate_up, d_down


def _upright(flat: Tensor, slices: list[tuple[int, slice]]) -> list[Tensor]:
    """Views of `flat`, one expert's (G, n) after the other."""
    num_rows = slices[-1][1].stop if slices else 0
    height = flat.numel() // num_rows if num_rows else 0
    return [flat[height * at.start : height * at.stop].view(height, at.stop - at.start) for _, at in slices]


def _slices(rows: Rows) -> list[tuple[int, slice]]:
    """(expert, its rows) for the experts that have rows."""
    ends = rows.ends()
    return [(e, slice(start, end)) for e, (start, end) in enumerate(zip([0, *ends], ends, strict=False)) if end > start]
