"""The routed experts' products: tokens sorted by expert, each expert's slice through its gated MLP, and back.

    T tokens · S experts a token · R rows, a token's S times, sorted by expert · E experts · D width · F an expert's inner width

`Grouped` is for H100 and later: `grouped_mm`, without a loop, and without waiting for the device. On an A100 torch's `grouped_mm`
loops, and waits for the device at each product (pytorch#186620). There, and on processors, `model/net/cpu/experts.py` takes one
expert after the other, and waits once. Both have an explicit backward pass. They keep only the first product's activations. They
gather and never scatter. They slice no weight, because the slice's gradient would be as large as all experts.
"""

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from model.net import cpu
from model.net.routing import Rows, arranged, gated, gated_gradient, summed


def routed(
    x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor, gate_up_EGD: Tensor, down_EDF: Tensor, packs: cpu.Packs | None = None
) -> Tensor:
    """(T, D): for each token the sum of its experts' outputs by their weights. `gate_up_EGD` has gate then up, G = 2F. Products
    are in the precision of `x_TD`, or autocast's. Sums over a token's experts are in fp32."""
    device = x_TD.device.type
    if torch.is_autocast_enabled(device):
        x_TD = x_TD.to(torch.get_autocast_dtype(device))
    with torch.autocast(device, enabled=False):
        if not _groups(x_TD.device):
            return cpu.routed(x_TD, weights_TS, chosen_TS, gate_up_EGD, down_EDF, packs)
        return Grouped.apply(x_TD, weights_TS, arranged(chosen_TS, len(gate_up_EGD)), gate_up_EGD, down_EDF)


@functools.cache
def _groups(device: torch.device) -> bool:
    """Whether `grouped_mm` is one kernel on `device`."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (9, 0)
    return device.type != "cpu"


class Grouped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_TD: Tensor, weights_TS: Tensor, rows: Rows, gate_up_EGD: Tensor, down_EDF: Tensor) -> Tensor:
        ends_E = rows.ends_E.to(torch.int32)
        gate_up_RG = F.grouped_mm(x_TD[rows.token_R], gate_up_EGD.to(x_TD.dtype).transpose(1, 2), offs=ends_E)
        y_RD = F.grouped_mm(gated(gate_up_RG), down_EDF.to(x_TD.dtype).transpose(1, 2), offs=ends_E)
        ctx.rows = rows
        ctx.save_for_backward(x_TD, weights_TS, gate_up_RG, gate_up_EGD, down_EDF)
        return summed(y_RD, rows.place_TS, weights_TS)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_TD: Tensor) -> tuple[Tensor | None, ...]:
        x_TD, weights_TS, gate_up_RG, gate_up_EGD, down_EDF = ctx.saved_tensors
        rows, ends_E = ctx.rows, ctx.rows.ends_E.to(torch.int32)
        needs_x, needs_weights, _, needs_gate_up, needs_down = ctx.needs_input_grad
        weights_R1, dy_RD, inner_RF = rows.weights(weights_TS, dy_TD.dtype), dy_TD[rows.token_R], gated(gate_up_RG)
        d_RF = F.grouped_mm(dy_RD, down_EDF.to(dy_TD.dtype), offs=ends_E)  # of the unweighted output
        d_weights_TS = d_down = d_gate_up = dx_TD = None
        if needs_weights:
            d_weights_TS = (d_RF * inner_RF).sum(-1, dtype=torch.float32)[rows.place_TS].to(weights_TS.dtype)
        if needs_down:
            d_down = F.grouped_mm(dy_RD.t(), inner_RF.mul_(weights_R1), offs=ends_E).to(down_EDF.dtype)
        d_RG = gated_gradient(gate_up_RG, d_RF.mul_(weights_R1))
        if needs_gate_up:
            d_gate_up = F.grouped_mm(d_RG.t(), x_TD[rows.token_R], offs=ends_E).to(gate_up_EGD.dtype)
        if needs_x:
            dx_TD = summed(F.grouped_mm(d_RG, gate_up_EGD.to(dy_TD.dtype), offs=ends_E), rows.place_TS)
        return dx_TD, d_weights_TS, None, d_gate_up, d_down
