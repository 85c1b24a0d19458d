"""The routed experts' products: tokens sorted by expert, each expert's slice through its gated MLP, and back.

    T tokens · S experts a token · R = T*S rows, sorted by expert · E experts · D width · F an expert's inner width

One autograd function for the whole of it, with its backward pass written out: the way there and back are gathers, never scatters;
of the activations only the first product is kept; and no weight is ever sliced, whose gradient would be as large as all experts'.
On CUDA the products are `grouped_mm`, without a loop and without waiting for the device; elsewhere one product an expert, written
in place, which on a processor is faster than `grouped_mm` is there (`python -m tests.bench.model`).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def routed(x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor, gate_up_EGD: Tensor, down_EDF: Tensor) -> Tensor:
    """(T, D): for each token the sum of its experts' outputs by their weights. `gate_up_EGD` holds gate then up, G = 2F.

    Products are in the precision of `x_TD`, or autocast's; sums over a token's experts in fp32.
    """
    device = x_TD.device.type
    if torch.is_autocast_enabled(device):
        x_TD = x_TD.to(torch.get_autocast_dtype(device))
    order_R = chosen_TS.flatten().sort(stable=True).indices
    counts_E = chosen_TS.flatten().bincount(minlength=gate_up_EGD.shape[0])
    with torch.autocast(device, enabled=False):
        return _Routed.apply(x_TD, weights_TS, order_R, counts_E, gate_up_EGD, down_EDF)


class _Routed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x_TD: Tensor, weights_TS: Tensor, order_R: Tensor, counts_E: Tensor, gate_up_EGD: Tensor, down_EDF: Tensor
    ) -> Tensor:
        groups = _groups(counts_E)
        place_TS = torch.empty_like(order_R).scatter_(0, order_R, torch.arange(len(order_R), device=order_R.device))
        place_TS = place_TS.view_as(weights_TS)
        gate_up_RG = _product(x_TD[order_R // weights_TS.shape[1]], gate_up_EGD, groups)
        y_RD = _product(_gated(gate_up_RG), down_EDF, groups)
        ctx.groups = groups
        ctx.save_for_backward(x_TD, weights_TS, order_R, place_TS, gate_up_RG, gate_up_EGD, down_EDF)
        return _gathered(y_RD, place_TS, weights_TS)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_TD: Tensor) -> tuple[Tensor | None, ...]:
        x_TD, weights_TS, order_R, place_TS, gate_up_RG, gate_up_EGD, down_EDF = ctx.saved_tensors
        groups = ctx.groups
        needs_x, needs_weights, _, _, needs_gate_up, needs_down = ctx.needs_input_grad
        token_R = order_R // weights_TS.shape[1]
        weights_R1 = weights_TS.flatten()[order_R, None].to(dy_TD.dtype)
        dy_RD = dy_TD[token_R]
        inner_RF = _gated(gate_up_RG)
        d_RF = _product(dy_RD, down_EDF.transpose(1, 2), groups)  # of the unweighted output
        d_weights_TS = (d_RF * inner_RF).sum(-1, dtype=torch.float32)[place_TS] if needs_weights else None
        d_down = _weight_gradient(dy_RD * weights_R1, inner_RF, groups, down_EDF) if needs_down else None
        del inner_RF, dy_RD
        d_RG = _gated_gradient(gate_up_RG, d_RF.mul_(weights_R1))
        d_gate_up = _weight_gradient(d_RG, x_TD[token_R], groups, gate_up_EGD) if needs_gate_up else None
        dx_TD = None
        if needs_x:
            dx_TD = _gathered(_product(d_RG, gate_up_EGD.transpose(1, 2), groups), place_TS)
        return dx_TD, None if d_weights_TS is None else d_weights_TS.to(weights_TS.dtype), None, None, d_gate_up, d_down


def _gated(gate_up_RG: Tensor) -> Tensor:
    gate_RF, up_RF = gate_up_RG.chunk(2, -1)
    return F.silu(gate_RF).mul_(up_RF)


def _gated_gradient(gate_up_RG: Tensor, d_RF: Tensor) -> Tensor:
    gate_RF, up_RF = gate_up_RG.chunk(2, -1)
    d_gate_RF = torch.ops.aten.silu_backward(d_RF * up_RF, gate_RF)
    return torch.cat([d_gate_RF, d_RF.mul_(F.silu(gate_RF))], -1)


def _gathered(y_RD: Tensor, place_TS: Tensor, weights_TS: Tensor | None = None) -> Tensor:
    """(T, D): the sum over a token's rows, each by its weight."""
    total_TD = None
    for slot in range(place_TS.shape[1]):
        part_TD = y_RD[place_TS[:, slot]].float()
        if weights_TS is not None:
            part_TD = part_TD.mul_(weights_TS[:, slot, None])
        total_TD = part_TD if total_TD is None else total_TD.add_(part_TD)
    assert total_TD is not None, "a token goes to one expert at least"
    return total_TD.to(y_RD.dtype)


def _groups(counts_E: Tensor) -> Tensor | list[tuple[int, int, int]]:
    """Where each expert's rows end, as `grouped_mm` wants them; off CUDA (expert, start, end) of those that have any."""
    if counts_E.is_cuda:
        return counts_E.cumsum(0, dtype=torch.int32)
    ends = counts_E.cumsum(0).tolist()
    return [(e, start, end) for e, (start, end) in enumerate(zip([0, *ends], ends, strict=False)) if end > start]


def _product(x_RK: Tensor, weight_ENK: Tensor, groups: Any) -> Tensor:
    """(R, N): each row by its expert's matrix, in the rows' precision."""
    if isinstance(groups, Tensor):
        return F.grouped_mm(x_RK, weight_ENK.to(x_RK.dtype).transpose(1, 2), offs=groups)
    y_RN = x_RK.new_empty(len(x_RK), weight_ENK.shape[1])
    for expert, start, end in groups:
        torch.mm(x_RK[start:end], weight_ENK[expert].to(x_RK.dtype).t(), out=y_RN[start:end])
    return y_RN


def _weight_gradient(dy_RN: Tensor, x_RK: Tensor, groups: Any, weight_ENK: Tensor) -> Tensor:
    """(E, N, K) in the weight's precision."""
    if isinstance(groups, Tensor):
        return F.grouped_mm(dy_RN.t(), x_RK, offs=groups).to(weight_ENK.dtype)
    gradient_ENK = torch.zeros_like(weight_ENK) if len(groups) < len(weight_ENK) else torch.empty_like(weight_ENK)
    for expert, start, end in groups:
        dy_NR, part_RK = dy_RN[start:end].t(), x_RK[start:end]
        if weight_ENK.dtype == x_RK.dtype:
            torch.mm(dy_NR, part_RK, out=gradient_ENK[expert])
        else:
            gradient_ENK[expert] = dy_NR @ part_RK
    return gradient_ENK
