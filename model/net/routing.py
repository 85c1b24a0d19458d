"""The rows of each expert, and the common parts of all implementations: the gate's activation and the sum over experts.

T tokens · S experts a token · R rows, a token's S times, sorted by expert · E experts · D width
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The rows of all tokens, sorted by expert. A row is the choice `slot_R` of token `token_R`. `place_TS` is the row of each
    choice. Expert e has the rows `ends_E[e - 1]` to `ends_E[e]`. Rows for padding are copies of token 0's, and their `real_R` is
    0, else 1. `known` is `ends_E` on the host, if the host has waited for it."""

    token_R: Tensor
    slot_R: Tensor
    real_R: Tensor
    place_TS: Tensor
    ends_E: Tensor
    known: list[int] | None = None

    def ends(self) -> list[int]:
        """`ends_E` on the host. Waits for the device if `known` is None."""
        return self.ends_E.tolist() if self.known is None else self.known

    def weights(self, weights_TS: Tensor, dtype: torch.dtype) -> Tensor:
        """(R, 1): the weight of a row in its token's sum."""
        return (weights_TS[self.token_R, self.slot_R] * self.real_R)[:, None].to(dtype)


def arranged(chosen_TS: Tensor, num_experts: int, rounded: int = 1) -> Rows:
    """The rows of a routing. Each expert has a multiple of `rounded` rows. With 1 there are as many rows as choices, and the call
    doesn't wait for the device; otherwise it waits once, and `ends` doesn't."""
    num_slots, num_choices, device = chosen_TS.shape[1], chosen_TS.numel(), chosen_TS.device
    order_R = chosen_TS.flatten().sort(stable=True).indices
    # bincount would wait for the device, for the largest value.
    counts_E = order_R.new_zeros(num_experts).scatter_add_(0, chosen_TS.flatten(), torch.ones_like(order_R))
    place_R = torch.arange(num_choices, device=device)
    ends_E = counts_E.cumsum(0)
    real_R = torch.ones(num_choices, device=device)
    source_R, known = order_R, None
    if rounded > 1:
        sizes_E = (counts_E + rounded - 1) // rounded * rounded
        starts_E = ends_E - counts_E
        ends_E = sizes_E.cumsum(0)
        known = ends_E.tolist()
        place_R += (ends_E - sizes_E - starts_E).repeat_interleave(counts_E, output_size=num_choices)
        num_rows = known[-1]
        real_R = torch.zeros(num_rows, device=device).index_fill_(0, place_R, 1)
        source_R = order_R.new_zeros(num_rows).index_copy_(0, place_R, order_R)
    place_TS = torch.empty_like(order_R).index_copy_(0, order_R, place_R).view_as(chosen_TS)
    return Rows(source_R // num_slots, source_R % num_slots, real_R, place_TS, ends_E, known)


def gated(gate_up: Tensor, dim: int = -1) -> Tensor:
    """silu(gate) * up, where gate and up are the halves of `gate_up` along `dim`."""
    gate, up = gate_up.chunk(2, dim)
    return F.silu(gate).mul_(up)


def gated_gradient(gate_up: Tensor, d_inner: Tensor, dim: int = -1) -> Tensor:
    """The gradient by `gate_up`, given the gradient by `gated(gate_up)`."""
    gate, up = gate_up.chunk(2, dim)
    d_gate_up = torch.empty_like(gate_up)
    d_gate, d_up = d_gate_up.chunk(2, dim)
    torch.ops.aten.silu_backward.grad_input(d_inner * up, gate, grad_input=d_gate)
    torch.mul(d_inner, F.silu(gate), out=d_up)
    return d_gate_up


def summed(y_RD: Tensor, place_TS: Tensor, weights_TS: Tensor | None = None) -> Tensor:
    """(T, D): the sum of each token's rows, weighted if there are weights."""
    total_TD = None
    for slot in range(place_TS.shape[1]):
        part_TD = y_RD.index_select(0, place_TS[:, slot]).float()
        if weights_TS is not None:
            part_TD = part_TD.mul_(weights_TS[:, slot, None])
        total_TD = part_TD if total_TD is None else total_TD.add_(part_TD)
    assert total_TD is not None, "a token goes to one expert at least"
    return total_TD.to(y_RD.dtype)
