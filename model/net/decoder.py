"""The decoder: causal attention with rotary positions, and dense or expert layers.

    B rows · L positions · D width · N heads · K head dim

The paper's section 3.3; structure and names: the released `modeling_deepseekv2.py` without latent attention.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from model.net.activation_checkpointing import checkpointed
from model.net.attention import PADDING, Lengths, Places, attend, lengths_of, places, rotated
from model.net.cache import Cache
from model.net.config import DecoderConfig
from model.net.cpu import Unbiased, together
from model.net.moe import GatedMlp, MixtureOfExperts, Samples


class Attention(nn.Module):
    """`watch`, if set, gets the queries and keys, (B, N, L, K), for `model.net.guided_attention`. `attend` may be an equal
    function (`model.net.compiling`)."""

    watch: Callable[[Tensor, Tensor], None] | None = None
    attend = staticmethod(attend)

    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.heads = config.heads
        self.q_proj = Unbiased(config.width, config.width)
        self.k_proj = Unbiased(config.width, config.width)
        self.v_proj = Unbiased(config.width, config.width)
        self.o_proj = Unbiased(config.width, config.width)

    def forward(self, x_BLD: Tensor, at: Places, cache: Cache | None, layer: int) -> Tensor:
        B, L, D = x_BLD.shape
        projected = together(x_BLD, self.q_proj, self.k_proj, self.v_proj)
        q_BNLK, k_BNLK, v_BNLK = (y_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2) for y_BLD in projected)
        q_BNLK, k_BNLK = (rotated(y_BNLK, at.cos_B1LH, at.sin_B1LH) for y_BNLK in (q_BNLK, k_BNLK))
        if self.watch is not None:
            self.watch(q_BNLK, k_BNLK)
        if cache is not None and at.unseen is not None:
            y_BNLK = cache.attend(layer, q_BNLK, k_BNLK, v_BNLK, at.unseen)
        else:
            if cache is not None:
                cache.fill(layer, k_BNLK, v_BNLK)
            y_BNLK = self.attend(q_BNLK, k_BNLK, v_BNLK, at.seen)
        return self.o_proj(y_BNLK.transpose(1, 2).reshape(B, L, D))


class RmsNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Under autocast in its precision: otherwise each of the next products would make its own copy."""
        device = x_BLD.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x_BLD.dtype
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            return _RmsNorm.apply(x_BLD, self.weight, dtype)
        return _normed(x_BLD, self.weight, dtype)[0]


def _normed(x_BLD: Tensor, weight_D: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The normed `x_BLD` in `dtype`, and the factor of each position, (B, L, 1)."""
    y_BLD = x_BLD.float()
    norm_BL1 = torch.linalg.vector_norm(y_BLD, dim=-1, keepdim=True)
    scale_BL1 = torch.rsqrt(norm_BL1.square() / x_BLD.shape[-1] + 1e-6)
    return (weight_D * (y_BLD * scale_BL1).to(x_BLD.dtype)).to(dtype), scale_BL1


class _RmsNorm(torch.autograd.Function):
    """x / rms(x) in fp32, times the weight in x's precision. torch's own has no fused kernel on a processor. There this one takes
    half the time, and saves one number a position instead of three tensors."""

    @staticmethod
    def forward(ctx: Any, x_BLD: Tensor, weight_D: Tensor, dtype: torch.dtype) -> Tensor:
        y_BLD, scale_BL1 = _normed(x_BLD, weight_D, dtype)
        ctx.save_for_backward(x_BLD, weight_D, scale_BL1)
        return y_BLD

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_BLD: Tensor) -> tuple[Tensor, Tensor, None]:
        x_BLD, weight_D, scale_BL1 = ctx.saved_tensors
        unit_BLD, dy_BLD = x_BLD.float() * scale_BL1, dy_BLD.float()
        d_weight_D = (dy_BLD * unit_BLD).flatten(0, -2).sum(0)
        d_unit_BLD = dy_BLD * weight_D.float()
        along_BL1 = (d_unit_BLD * unit_BLD).mean(-1, keepdim=True)
        dx_BLD = d_unit_BLD.sub_(unit_BLD.mul_(along_BL1)).mul_(scale_BL1)
        return dx_BLD.to(x_BLD.dtype), d_weight_D.to(weight_D.dtype), None


class Layer(nn.Module):
    def __init__(self, config: DecoderConfig, dense: bool):
        super().__init__()
        self.input_layernorm = RmsNorm(config.width)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RmsNorm(config.width)
        self.mlp: GatedMlp | MixtureOfExperts
        self.mlp = GatedMlp(config.width, config.dense_width) if dense else MixtureOfExperts(config)

    def forward(self, x_BLD: Tensor, at: Places, samples: Samples | None, cache: Cache | None, layer: int) -> Tensor:
        """(B, L, D). With `samples` a layer of experts learns to balance them."""
        x_BLD = x_BLD + self.self_attn(self.input_layernorm(x_BLD), at, cache, layer)
        y_BLD = self.post_attention_layernorm(x_BLD)
        return x_BLD + (self.mlp(y_BLD, samples) if isinstance(self.mlp, MixtureOfExperts) else self.mlp(y_BLD))


class Decoder(nn.Module):
    def __init__(self, config: DecoderConfig):
        super().__init__()
        self.config = config
        self.checkpointing = False
        self.embed_tokens = nn.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(Layer(config, n < config.num_dense_layers) for n in range(config.depth))
        self.norm = RmsNorm(config.width)
        self.has_experts = config.num_dense_layers < config.depth

    def forward(
        self,
        x_BLD: Tensor,
        samples_BL: Tensor | None = None,
        cache: Cache | None = None,
        balance_scale: float | None = None,
        lengths: Lengths | None = None,
    ) -> Tensor:
        """(B, L, D) after the last norm. In training the backward pass adds the gradient of the layers' balance losses.

        `samples_BL` numbers a row's samples, and is `PADDING` after them. Without it each row is one sample. `balance_scale` is
        the factor of a sample's balance loss: by default 1 over the samples of these rows. `lengths` are the samples' lengths;
        without them the call waits for the device.
        """
        if lengths is None:
            lengths = lengths_of(samples_BL) if samples_BL is not None else ()
        at = places(self.config, x_BLD.shape[1], x_BLD.device, samples_BL, lengths, cache)
        samples = numbered(x_BLD, samples_BL, lengths, balance_scale) if self.training and self.has_experts else None
        for n, layer in enumerate(self.layers):
            x_BLD = checkpointed(self, layer, x_BLD, at, samples, cache, n)
        if cache is not None:
            cache.advance(x_BLD.shape[1])
        normed_BLD: Tensor = self.norm(x_BLD)
        return normed_BLD


def numbered(x_BLD: Tensor, samples_BL: Tensor | None, lengths: Lengths, scale: float | None) -> Samples:
    """The samples of all rows, numbered from the first row's first to the last row's last. Without a `scale` it is 1 over their
    number."""
    B, L, _ = x_BLD.shape
    if samples_BL is None:
        row_BL = torch.arange(B, device=x_BLD.device)[:, None].expand(B, L)
        return Samples(row_BL.flatten(), B, 1 / B if scale is None else scale)
    num_samples = sum(map(len, lengths))
    counts_B = samples_BL.amax(1) + 1
    before_B = counts_B.cumsum(0) - counts_B
    of_BL = torch.where(samples_BL == PADDING, num_samples, samples_BL + before_B[:, None])
    return Samples(of_BL.flatten(), num_samples, 1 / max(1, num_samples) if scale is None else scale)
