"""The decoder: causal attention with rotary positions, and dense or expert layers.

    B samples · L positions · P positions with those in the cache · D width · N heads · K head dim

Structure and names: the released `modeling_deepseekv2.py` without latent attention.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.config import DecoderConfig
from model.moe import GatedMlp, MixtureOfExperts


class Cache:
    """Keys and values of a batch's past, layer by layer. Every sample of the batch has the same length."""

    def __init__(self, depth: int):
        self.layers: list[tuple[Tensor, Tensor] | None] = [None] * depth

    @property
    def length(self) -> int:
        return 0 if self.layers[0] is None else self.layers[0][0].shape[2]

    def extend(self, layer: int, k_BNLK: Tensor, v_BNLK: Tensor) -> tuple[Tensor, Tensor]:
        past = self.layers[layer]
        both = (k_BNLK, v_BNLK) if past is None else (torch.cat([past[0], k_BNLK], 2), torch.cat([past[1], v_BNLK], 2))
        self.layers[layer] = both
        return both

    def keep(self, rows: Tensor) -> None:
        """Go on with these samples of the batch alone."""
        self.layers = [pair and (pair[0][rows], pair[1][rows]) for pair in self.layers]


def rotary(length: int, start: int, head_dim: int, theta: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """cos and sin, (length, head_dim) in fp32, of positions from `start`."""
    rates = theta ** (-torch.arange(0, head_dim, 2, device=device).float() / head_dim)
    angles = torch.arange(start, start + length, device=device).float()[:, None] * rates
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotated(x_BNLK: Tensor, cos_LK: Tensor, sin_LK: Tensor) -> Tensor:
    """Half-split: dimension i turns with i + K/2."""
    a, b = x_BNLK.chunk(2, -1)
    return (x_BNLK * cos_LK + torch.cat([-b, a], -1) * sin_LK).to(x_BNLK.dtype)


class Attention(nn.Module):
    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.heads = config.heads
        self.q_proj = nn.Linear(config.width, config.width, bias=False)
        self.k_proj = nn.Linear(config.width, config.width, bias=False)
        self.v_proj = nn.Linear(config.width, config.width, bias=False)
        self.o_proj = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x_BLD: Tensor, cos_LK: Tensor, sin_LK: Tensor, cache: Cache | None, layer: int) -> Tensor:
        B, L, D = x_BLD.shape
        q_BNLK, k_BNLK, v_BNPK = (
            proj(x_BLD).view(B, L, self.heads, -1).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q_BNLK, k_BNPK = rotated(q_BNLK, cos_LK, sin_LK), rotated(k_BNLK, cos_LK, sin_LK)
        if cache is not None:
            k_BNPK, v_BNPK = cache.extend(layer, k_BNPK, v_BNPK)
        assert L in (1, k_BNPK.shape[2]), "a cache takes a prompt at once, then one token at a time"
        x_BNLK = F.scaled_dot_product_attention(q_BNLK, k_BNPK, v_BNPK, is_causal=L > 1)
        return self.o_proj(x_BNLK.transpose(1, 2).reshape(B, L, D))


class RmsNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def forward(self, x_BLD: Tensor) -> Tensor:
        y_BLD = x_BLD.float()
        y_BLD = y_BLD * torch.rsqrt(y_BLD.square().mean(-1, keepdim=True) + 1e-6)
        return self.weight * y_BLD.to(x_BLD.dtype)


class Layer(nn.Module):
    def __init__(self, config: DecoderConfig, dense: bool):
        super().__init__()
        self.input_layernorm = RmsNorm(config.width)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RmsNorm(config.width)
        self.mlp: GatedMlp | MixtureOfExperts
        self.mlp = GatedMlp(config.width, config.dense_width) if dense else MixtureOfExperts(config)

    def forward(
        self, x_BLD: Tensor, cos_LK: Tensor, sin_LK: Tensor, cache: Cache | None, layer: int, real_BL: Tensor | None
    ) -> Tensor:
        x_BLD = x_BLD + self.self_attn(self.input_layernorm(x_BLD), cos_LK, sin_LK, cache, layer)
        y_BLD = self.post_attention_layernorm(x_BLD)
        return x_BLD + (self.mlp(y_BLD, real_BL) if isinstance(self.mlp, MixtureOfExperts) else self.mlp(y_BLD))
