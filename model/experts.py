"""The routed experts' products: tokens sorted by expert, each expert's slice through its gated MLP, and back.

    T tokens · S experts a token · R rows, a token's S times, sorted by expert · E experts · D width · F an expert's inner width

Two autograd functions with their backward passes written out. Of activations both keep only the first product; the way there and
back are gathers, never scatters; and no weight is sliced, whose gradient would be as large as all experts' together.

    Grouped    CUDA: `grouped_mm`, without a loop, and without waiting for the device
    ByExpert   a processor: one expert after the other, from its rows' gathering to its gradients, while they are in the cache
    few        a processor, for a few tokens that are only read
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from model.linear import FEW, Packs, product
from model.precision import product_dtype, put_product, wide

# oneDNN makes and keeps a kernel for each shape. Experts get other numbers of tokens at every step; rounded up, the shapes come
# again, and are such as its matrix units like: in bf16 that halved the products' time.
_ROUND = 16


@dataclass(frozen=True)
class Rows:
    """Where tokens' rows lie when they are sorted by expert.

    `token_R` and `slot_R` say which token a row is of, and which of its choices; `place_TS` which row a choice is. Expert e has
    rows `ends_E[e - 1]` to `ends_E[e]`. Some may be no token's: these are copies of token 0's, and `real_R` is 0, else 1.
    """

    token_R: Tensor
    slot_R: Tensor
    real_R: Tensor
    place_TS: Tensor
    ends_E: Tensor

    def weights(self, weights_TS: Tensor, dtype: torch.dtype) -> Tensor:
        """(R, 1): what a row counts in its token's sum."""
        return (weights_TS[self.token_R, self.slot_R] * self.real_R)[:, None].to(dtype)


def arranged(chosen_TS: Tensor, num_experts: int, rounded: int = 1) -> Rows:
    """The rows of a routing, each expert's a multiple of `rounded`. With 1, none is too many and no device waited for."""
    num_slots, num_choices, device = chosen_TS.shape[1], chosen_TS.numel(), chosen_TS.device
    order_R = chosen_TS.flatten().sort(stable=True).indices
    # bincount would wait for the device, to learn the largest.
    counts_E = order_R.new_zeros(num_experts).scatter_add_(0, chosen_TS.flatten(), torch.ones_like(order_R))
    place_R = torch.arange(num_choices, device=device)
    ends_E = counts_E.cumsum(0)
    real_R = torch.ones(num_choices, device=device)
    source_R = order_R
    if rounded > 1:
        sizes_E = (counts_E + rounded - 1) // rounded * rounded
        starts_E = ends_E - counts_E
        ends_E = sizes_E.cumsum(0)
        place_R += (ends_E - sizes_E - starts_E).repeat_interleave(counts_E)
        num_rows = int(ends_E[-1])
        real_R = torch.zeros(num_rows, device=device).index_fill_(0, place_R, 1)
        source_R = order_R.new_zeros(num_rows).index_copy_(0, place_R, order_R)
    place_TS = torch.empty_like(order_R).index_copy_(0, order_R, place_R).view_as(chosen_TS)
    return Rows(source_R // num_slots, source_R % num_slots, real_R, place_TS, ends_E)


def routed(
    x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor, gate_up_EGD: Tensor, down_EDF: Tensor, packs: Packs | None = None
) -> Tensor:
    """(T, D): for each token the sum of its experts' outputs by their weights. `gate_up_EGD` holds gate then up, G = 2F.

    Products are in what `x_TD`, or autocast's precision, is multiplied in; sums over a token's experts in fp32.
    """
    device, num_experts = x_TD.device.type, len(gate_up_EGD)
    if torch.is_autocast_enabled(device):
        x_TD = x_TD.to(torch.get_autocast_dtype(device))
    with torch.autocast(device, enabled=False):
        if device != "cpu":
            return Grouped.apply(x_TD, weights_TS, arranged(chosen_TS, num_experts), gate_up_EGD, down_EDF)
        if not torch.is_grad_enabled() and 0 < len(x_TD) <= FEW:
            return few(x_TD, weights_TS, chosen_TS, gate_up_EGD, down_EDF, packs)
        rows = arranged(chosen_TS, num_experts, _ROUND if chosen_TS.numel() >= _ROUND * num_experts else 1)
        return ByExpert.apply(x_TD, weights_TS, rows, gate_up_EGD, down_EDF)


def few(
    x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor, gate_up_EGD: Tensor, down_EDF: Tensor, packs: Packs | None = None
) -> Tensor:
    """`routed` for a few tokens that are only read: no activation is kept, and what isn't a product is done for all experts
    together. Sorted here, for the small operators of `arranged` took a tenth of a token's time."""
    num_slots = chosen_TS.shape[1]
    places: dict[int, list[int]] = defaultdict(list)
    for place, expert in enumerate(chosen_TS.flatten().tolist()):
        places[expert].append(place)
    sizes = [len(some) for some in places.values()]
    if len(x_TD) == 1:  # its rows are in order as they are
        x_RD = x_TD.expand(num_slots, -1)
    else:
        order_R = torch.tensor([place for some in places.values() for place in some], device=x_TD.device)
        x_RD = x_TD[order_R // num_slots]
    parts = zip(places, x_RD.split(sizes), strict=True)
    inner_RF = _gated(torch.cat([product(x_nD, [gate_up_EGD[e]], packs, 2 * e) for e, x_nD in parts]))
    parts = zip(places, inner_RF.split(sizes), strict=True)
    y_RD = torch.cat([product(inner_nF, [down_EDF[e]], packs, 2 * e + 1) for e, inner_nF in parts])
    if len(x_TD) > 1:
        y_RD = torch.empty_like(y_RD).index_copy_(0, order_R, y_RD)
    return (weights_TS[..., None] * y_RD.unflatten(0, (-1, num_slots)).float()).sum(1).to(x_TD.dtype)


class Grouped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_TD: Tensor, weights_TS: Tensor, rows: Rows, gate_up_EGD: Tensor, down_EDF: Tensor) -> Tensor:
        ends_E = rows.ends_E.to(torch.int32)
        gate_up_RG = F.grouped_mm(x_TD[rows.token_R], gate_up_EGD.to(x_TD.dtype).transpose(1, 2), offs=ends_E)
        y_RD = F.grouped_mm(_gated(gate_up_RG), down_EDF.to(x_TD.dtype).transpose(1, 2), offs=ends_E)
        ctx.rows = rows
        ctx.save_for_backward(x_TD, weights_TS, gate_up_RG, gate_up_EGD, down_EDF)
        return _summed(y_RD, rows.place_TS, weights_TS)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_TD: Tensor) -> tuple[Tensor | None, ...]:
        x_TD, weights_TS, gate_up_RG, gate_up_EGD, down_EDF = ctx.saved_tensors
        rows, ends_E = ctx.rows, ctx.rows.ends_E.to(torch.int32)
        needs_x, needs_weights, _, needs_gate_up, needs_down = ctx.needs_input_grad
        weights_R1, dy_RD, inner_RF = rows.weights(weights_TS, dy_TD.dtype), dy_TD[rows.token_R], _gated(gate_up_RG)
        d_RF = F.grouped_mm(dy_RD, down_EDF.to(dy_TD.dtype), offs=ends_E)  # of the unweighted output
        d_weights_TS = d_down = d_gate_up = dx_TD = None
        if needs_weights:
            d_weights_TS = (d_RF * inner_RF).sum(-1, dtype=torch.float32)[rows.place_TS].to(weights_TS.dtype)
        if needs_down:
            d_down = F.grouped_mm(dy_RD.t(), inner_RF.mul_(weights_R1), offs=ends_E).to(down_EDF.dtype)
        d_RG = _gated_gradient(gate_up_RG, d_RF.mul_(weights_R1))
        if needs_gate_up:
            d_gate_up = F.grouped_mm(d_RG.t(), x_TD[rows.token_R], offs=ends_E).to(gate_up_EGD.dtype)
        if needs_x:
            dx_TD = _summed(F.grouped_mm(d_RG, gate_up_EGD.to(dy_TD.dtype), offs=ends_E), rows.place_TS)
        return dx_TD, d_weights_TS, None, d_gate_up, d_down


class ByExpert(torch.autograd.Function):
    """Activations stand upright here, (G, n) and (F, n) of an expert's n rows: as a product's second operand, the one that oneDNN
    packs, they are smaller than the weights, and each half of gate and up lies in one piece."""

    @staticmethod
    def forward(ctx: Any, x_TD: Tensor, weights_TS: Tensor, rows: Rows, gate_up_EGD: Tensor, down_EDF: Tensor) -> Tensor:
        slices = _slices(rows)
        y_RD = x_TD.new_empty(len(rows.token_R), x_TD.shape[1])
        kept = x_TD.new_empty(len(rows.token_R) * gate_up_EGD.shape[1])
        gate_up = _upright(kept, slices)
        dtype = product_dtype(x_TD.dtype, x_TD.device)
        for (expert, at), both_Gn in zip(slices, gate_up, strict=True):
            put_product(gate_up_EGD[expert].to(dtype), wide(x_TD.index_select(0, rows.token_R[at])).t(), both_Gn)
            y_RD[at] = (down_EDF[expert].to(dtype) @ _gated(wide(both_Gn), 0)).t()
        ctx.rows = rows
        ctx.save_for_backward(x_TD, weights_TS, kept, gate_up_EGD, down_EDF)
        return _summed(y_RD, rows.place_TS, weights_TS)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_TD: Tensor) -> tuple[Tensor | None, ...]:
        x_TD, weights_TS, kept, gate_up_EGD, down_EDF = ctx.saved_tensors
        rows: Rows = ctx.rows
        needs_x, needs_weights, _, needs_gate_up, needs_down = ctx.needs_input_grad
        slices, weights_1R = _slices(rows), rows.weights(weights_TS, product_dtype(dy_TD.dtype, dy_TD.device)).t()
        d_weights_R = weights_TS.new_zeros(len(rows.token_R)) if needs_weights else None
        blank = torch.empty_like if len(slices) == len(down_EDF) else torch.zeros_like  # for experts without rows
        d_down = blank(down_EDF) if needs_down else None
        d_gate_up = blank(gate_up_EGD) if needs_gate_up else None
        dx_RD = dy_TD.new_empty(len(rows.token_R), x_TD.shape[1]) if needs_x else None
        for (expert, at), both_Gn in zip(slices, _upright(kept, slices), strict=True):
            token_n, weights_1n = rows.token_R[at], weights_1R[:, at]
            dy_Dn, both_Gn = wide(dy_TD.index_select(0, token_n)).t().contiguous(), wide(both_Gn)
            inner_Fn = _gated(both_Gn, 0)
            d_inner_Fn = down_EDF[expert].to(dy_Dn.dtype).t() @ dy_Dn  # of the unweighted output
            if d_weights_R is not None:
                d_weights_R[at] = (d_inner_Fn * inner_Fn).sum(0, dtype=torch.float32)
            if d_down is not None:
                put_product(dy_Dn, inner_Fn.mul_(weights_1n).t(), d_down[expert])
            d_both_Gn = _gated_gradient(both_Gn, d_inner_Fn.mul_(weights_1n), 0)
            if d_gate_up is not None:
                put_product(d_both_Gn, wide(x_TD.index_select(0, token_n)), d_gate_up[expert])
            if dx_RD is not None:
                put_product(d_both_Gn.t(), gate_up_EGD[expert].to(dy_Dn.dtype), dx_RD[at])
        dx_TD = None if dx_RD is None else _summed(dx_RD, rows.place_TS)
        return dx_TD, None if d_weights_R is None else d_weights_R[rows.place_TS], None, d_gate_up, d_down


def _upright(flat: Tensor, slices: list[tuple[int, slice]]) -> list[Tensor]:
    """Each expert's (G, n) in `flat`, one after the other."""
    num_rows = slices[-1][1].stop if slices else 0
    height = flat.numel() // num_rows if num_rows else 0
    return [flat[height * at.start : height * at.stop].view(height, at.stop - at.start) for _, at in slices]


def _slices(rows: Rows) -> list[tuple[int, slice]]:
    """The rows of the experts that have any."""
    ends = rows.ends_E.tolist()
    return [(e, slice(start, end)) for e, (start, end) in enumerate(zip([0, *ends], ends, strict=False)) if end > start]


def _gated(gate_up: Tensor, dim: int = -1) -> Tensor:
    gate, up = gate_up.chunk(2, dim)
    return F.silu(gate).mul_(up)


def _gated_gradient(gate_up: Tensor, d_inner: Tensor, dim: int = -1) -> Tensor:
    gate, up = gate_up.chunk(2, dim)
    d_gate_up = torch.empty_like(gate_up)
    d_gate, d_up = d_gate_up.chunk(2, dim)
    torch.ops.aten.silu_backward.grad_input(d_inner * up, gate, grad_input=d_gate)
    torch.mul(d_inner, F.silu(gate), out=d_up)
    return d_gate_up


def _summed(y_RD: Tensor, place_TS: Tensor, weights_TS: Tensor | None = None) -> Tensor:
    """(T, D): the sum of a token's rows, each by its weight."""
    total_TD = None
    for slot in range(place_TS.shape[1]):
        part_TD = y_RD.index_select(0, place_TS[:, slot]).float()
        if weights_TS is not None:
            part_TD = part_TD.mul_(weights_TS[:, slot, None])
        total_TD = part_TD if total_TD is None else total_TD.add_(part_TD)
    assert total_TD is not None, "a token goes to one expert at least"
    return total_TD.to(y_RD.dtype)
