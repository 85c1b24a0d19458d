"""The decoder's feed-forward layers: a gated MLP, and a mixture of such MLPs, shared and routed.

    B samples · L positions · T = B*L tokens · D width · E routed experts · S experts a token

Routing and balance loss: the released `modeling_deepseekv2.py`, class `MoEGate`; DeepSeekMoE, arXiv 2401.06066.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.config import DecoderConfig


class GatedMlp(nn.Module):
    def __init__(self, width: int, inner: int):
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x_D: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x_D)) * self.up_proj(x_D))


class Router(nn.Module):
    """For every token, the probabilities (T, E) over experts and the S experts that it goes to. In fp32, under autocast too."""

    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.num_chosen = config.num_experts_per_token
        self.weight = nn.Parameter(torch.empty(config.num_experts, config.width))

    def forward(self, x_TD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.autocast(x_TD.device.type, enabled=False):
            probs_TE = F.linear(x_TD.float(), self.weight.float()).softmax(-1)
        # The weights of the chosen are their probabilities as they are: they don't sum to one.
        weights_TS, chosen_TS = probs_TE.topk(self.num_chosen, -1)
        return probs_TE, weights_TS, chosen_TS


class MixtureOfExperts(nn.Module):
    """Shared experts plus the weighted routed ones. `balance_loss` is that of the last forward: see `balance`."""

    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.alpha = config.balance_alpha
        self.experts = nn.ModuleList(GatedMlp(config.width, config.expert_width) for _ in range(config.num_experts))
        self.gate = Router(config)
        self.shared_experts = GatedMlp(config.width, config.num_shared_experts * config.expert_width)
        self.balance_loss: Tensor | None = None

    def forward(self, x_BLD: Tensor, real_BL: Tensor | None = None) -> Tensor:
        x_TD = x_BLD.flatten(0, 1)
        probs_TE, weights_TS, chosen_TS = self.gate(x_TD)
        if self.training:
            shape = (*x_BLD.shape[:2], -1)
            real_BL = torch.ones(shape[:2], dtype=torch.bool, device=x_BLD.device) if real_BL is None else real_BL
            self.balance_loss = self.alpha * balance(probs_TE.view(shape), chosen_TS.view(shape), real_BL)
        return self.shared_experts(x_BLD) + self.routed(x_TD, weights_TS, chosen_TS).view_as(x_BLD)

    def routed(self, x_TD: Tensor, weights_TS: Tensor, chosen_TS: Tensor) -> Tensor:
        # Tokens are sorted by expert once, so that each expert sees one slice.
        order = chosen_TS.flatten().argsort(stable=True)
        tokens = order // chosen_TS.shape[1]
        counts = chosen_TS.flatten().bincount(minlength=len(self.experts)).tolist()
        slices = x_TD[tokens].split(counts)
        y = torch.cat([expert(part) for expert, part in zip(self.experts, slices, strict=True)])
        y = y * weights_TS.flatten()[order, None].to(y.dtype)
        return torch.zeros_like(x_TD, dtype=y.dtype).index_add(0, tokens, y)


def balance(probs_BLE: Tensor, chosen_BLS: Tensor, real_BL: Tensor) -> Tensor:
    """The mean over samples of sum_e f_e P_e, 1 where the experts are evenly used. Positions that aren't `real_BL` don't count.

    f_e is the share of a sample's choices that fell on expert e, times E; P_e its mean probability.
    """
    num_experts, num_chosen = probs_BLE.shape[-1], chosen_BLS.shape[-1]
    real_BL1 = real_BL[..., None].to(probs_BLE.dtype)
    lengths_B1 = real_BL1.sum(1).clamp(min=1)
    counts_BLE = torch.zeros_like(probs_BLE).scatter(-1, chosen_BLS, 1.0)
    f_BE = (counts_BLE * real_BL1).sum(1) * num_experts / (lengths_B1 * num_chosen)
    p_BE = (probs_BLE * real_BL1).sum(1) / lengths_B1
    return (f_BE * p_BE).sum(-1).mean()
