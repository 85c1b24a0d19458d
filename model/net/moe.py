"""The decoder's feed-forward layers: a gated MLP, and a mixture of such MLPs, some shared and some routed.

    B rows · L positions · T = B*L tokens · D width · E routed experts · S experts a token · F an expert's inner width · N samples

Routing and balance loss: the released `modeling_deepseekv2.py`, class `MoEGate`; DeepSeekMoE, arXiv 2401.06066; the paper's
section 3.3. The products are in `model/net/experts.py`.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from model.net.config import DecoderConfig
from model.net.cpu import Packs, Unbiased, together
from model.net.experts import routed


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
