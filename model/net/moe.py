"""The decoder's feed-forward layers: a gated MLP, and a mixture of such MLPs, some shared and some routed.

    B rows · L positions · T = B*L tokens · D width · E routed experts · S experts a token · F an expert's inner width · N samples

Routing and balance loss: the released `modeling_deepseekv2.py`, class `MoEGate`; DeepSeekMoE, arXiv 2401.06066; the paper's
section 3.3.
"""

import functools
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from model.net import cpu
from model.net.config import DecoderConfig
from model.net.cpu import Packs, Unbiased, together
from model.net.routing import Rows, arranged, gated, gated_gradient, summed


class GatedMlp(nn.Module):
    """down(silu(gate(x)) * up(x))."""

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.gate_proj = Unbiased(width, inner)
        self.up_proj = Unbiased(width, inner)
        self.down_proj = Unbiased(inner, width)

    def forward(self, x_D: Tensor) -> Tensor:
        gate_F, up_F = together(x_D, self.gate_proj, self.up_proj)
        return self.down_proj(F.silu(gate_F) * up_F)


class Router(nn.Module):
    """For each token the probabilities over experts, (T, E), and the weights and numbers of its S experts, (T, S). In fp32, also
    under autocast."""

    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.num_chosen = config.num_experts_per_token
        self.weight = nn.Parameter(torch.empty(config.num_experts, config.width))

    def forward(self, x_TD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.autocast(x_TD.device.type, enabled=False):
            probs_TE = F.linear(x_TD.float(), self.weight.float()).softmax(-1)
        # The weights of the chosen experts are their probabilities, unchanged: they don't sum to one.
        weights_TS, chosen_TS = probs_TE.topk(self.num_chosen, -1)
        return probs_TE, weights_TS, chosen_TS


class Experts(nn.Module):
    """All routed experts of a layer, stacked. `gate_up`, (E, 2F, D), has gate's rows and then up's. `down` is (E, D, F)."""

    packs: Packs | None = None

    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.gate_up = nn.Parameter(torch.empty(config.num_experts, 2 * config.expert_width, config.width))
        self.down = nn.Parameter(torch.empty(config.num_experts, config.width, config.expert_width))

    def forward(self, x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor) -> Tensor:
        return routed(x_TD, weights_TS, chosen_TS, self.gate_up, self.down, self.packs)


@dataclass(frozen=True)
class Samples:
    """The sample of each token, over all rows: `of_T` counts from 0. `num` is the number of samples, and stands for padding.
    `scale` is the factor of a sample's balance loss: 1 over the number of samples of the whole step."""

    of_T: Tensor
    num: int
    scale: float


class MixtureOfExperts(nn.Module):
    """The sum of the shared experts' output and of the routed experts' by their weights."""

    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.alpha = config.balance_alpha
        self.experts = Experts(config)
        self.gate = Router(config)
        self.shared_experts = GatedMlp(config.width, config.num_shared_experts * config.expert_width)

    def forward(self, x_BLD: Tensor, samples: Samples | None = None) -> Tensor:
        """(B, L, D). With `samples` the backward pass adds the gradient of their balance loss."""
        x_TD = x_BLD.flatten(0, 1)
        probs_TE, weights_TS, chosen_TS = self.gate(x_TD)
        y_BLD = self.shared_experts(x_BLD) + self.experts(x_TD, weights_TS, chosen_TS).view_as(x_BLD)
        if samples is None or not torch.is_grad_enabled():
            return y_BLD
        return _WithLoss.apply(y_BLD, self.alpha * balance(probs_TE, chosen_TS, samples))


class _WithLoss(torch.autograd.Function):
    """`y`, with the gradient of `loss` added in the backward pass, whatever the use of `y`. So a layer's loss needs no sum
    through the decoder, which a pipeline's stage couldn't pass on. The released `AddAuxiliaryLoss` does the same."""

    @staticmethod
    def forward(ctx: Any, y_BLD: Tensor, loss: Tensor) -> Tensor:
        ctx.of_loss = loss.new_ones(loss.shape)
        return y_BLD.view_as(y_BLD)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_BLD: Tensor) -> tuple[Tensor, Tensor]:
        return dy_BLD, ctx.of_loss


def balance(probs_TE: Tensor, chosen_TS: Tensor, samples: Samples) -> Tensor:
    """`samples.scale` times the sum over samples of sum_e f_e P_e, which is 1 if a sample uses the experts evenly. f_e is expert
    e's share of a sample's choices, times E. P_e is the expert's mean probability. Only P has a gradient."""
    num_experts, num_chosen = probs_TE.shape[-1], chosen_TS.shape[-1]
    counts_TE = torch.zeros_like(probs_TE).scatter_(-1, chosen_TS, 1.0)
    sums_NE = probs_TE.new_zeros(samples.num + 1, num_experts)
    f_NE, p_NE = (sums_NE.index_add(0, samples.of_T, part)[:-1] for part in (counts_TE, probs_TE))
    lengths_N1 = f_NE.sum(-1, keepdim=True).clamp(min=1) / num_chosen
    return (f_NE * num_experts / (lengths_N1 * num_chosen) * p_NE / lengths_N1).sum() * samples.scale


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
    """The experts' products for H100 and later: `grouped_mm`, without a loop, and without waiting for the device. On an A100
    torch's `grouped_mm` loops, and waits for the device at each product (pytorch#186620). There, and on processors,
    `model/net/cpu/experts.py` takes one expert after the other, and waits once.

    R are rows, a token's S times, sorted by expert. Both ways have an explicit backward pass. They keep only the first
    product's activations. They gather and never scatter. They slice no weight, because the slice's gradient would be as large as
    all experts.
    """

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
