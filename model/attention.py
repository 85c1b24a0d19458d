"""The decoder's attention: rotary positions, who sees whom, and the cache of a batch that is being read.

    B rows · L positions · P positions with those in the cache · N heads · K head dim · H = K/2

A row may hold several samples, one after the other ("packed"). Attention and positions are kept inside each.
"""

import functools
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from model.config import DecoderConfig

PADDING = -1  # in place of a sample's number


class Cache:
    """Keys and values of a batch's past in buffers made once, for `capacity` positions. Rows are aligned at their ends.

    `start_B` is where each row begins: before it is padding. The rows beyond `num_rows` are done with.
    """

    def __init__(self, config: DecoderConfig, start_B: Tensor, capacity: int, dtype: torch.dtype):
        self.num_rows, self.capacity, self.length = len(start_B), capacity, 0
        self.start_B = start_B
        self.padded = bool(start_B.any())
        shape = (config.depth, self.num_rows, config.heads, capacity, config.width // config.heads)
        self.keys, self.values = (torch.empty(shape, dtype=dtype, device=start_B.device) for _ in range(2))

    def extend(self, layer: int, k_BNLK: Tensor, v_BNLK: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values up to these. `advance` makes them the past."""
        rows, end = slice(self.num_rows), self.length + k_BNLK.shape[2]
        assert end <= self.capacity, f"the cache holds {self.capacity} positions; {end} are asked for"
        for buffer, new in ((self.keys, k_BNLK), (self.values, v_BNLK)):
            buffer[layer, rows, :, self.length : end] = new
        return self.keys[layer, rows, :, :end], self.values[layer, rows, :, :end]

    def advance(self, num_positions: int) -> None:
        self.length += num_positions

    def drop(self, row: int) -> None:
        """Forget `row`; the last one takes its place."""
        self.num_rows -= 1
        if row != self.num_rows:
            for buffer in (self.keys, self.values):
                buffer[:, row, :, : self.length] = buffer[:, self.num_rows, :, : self.length]
            self.start_B[row] = self.start_B[self.num_rows].clone()


@dataclass(frozen=True)
class Places:
    """Of one forward: rotary cos and sin, (B or 1, 1, L, K/2) in fp32, and who sees whom: None is everyone who comes before."""

    cos_B1LH: Tensor
    sin_B1LH: Tensor
    seen: Tensor | BlockMask | None


def places(config: DecoderConfig, length: int, device: torch.device, samples_BL: Tensor | None, cache: Cache | None) -> Places:
    """`samples_BL` numbers the samples, `PADDING` where there is none; without it each row is one sample."""
    if cache is not None:
        assert samples_BL is None, "what is read with a cache isn't packed"
        slots_L = torch.arange(cache.length, cache.length + length, device=device)
        start_B1 = cache.start_B[: cache.num_rows, None]
        positions_BL = (slots_L - start_B1).clamp(min=0) if cache.padded else slots_L[None]
        return Places(*rotary(config, positions_BL), _seen_in_cache(slots_L, start_B1, cache))
    if samples_BL is None:
        return Places(*rotary(config, torch.arange(length, device=device)[None]), None)
    new_BL = torch.ones_like(samples_BL, dtype=torch.bool)
    new_BL[:, 1:] = samples_BL[:, 1:] != samples_BL[:, :-1]
    at_L = torch.arange(length, device=device)
    positions_BL = at_L - (at_L * new_BL).cummax(1).values
    return Places(*rotary(config, positions_BL), _seen_packed(samples_BL))


def _seen_in_cache(slots_L: Tensor, start_B1: Tensor, cache: Cache) -> Tensor | None:
    assert cache.length == 0 or len(slots_L) == 1, "a cache takes a prompt at once, then one token at a time"
    if not cache.padded:
        return None
    past_P = torch.arange(cache.length + len(slots_L), device=slots_L.device)
    seen_BLP = (past_P <= slots_L[:, None]) & (past_P >= start_B1)[:, None]
    # A padding position sees itself, for a softmax over nothing is no number.
    return (seen_BLP | (past_P == slots_L[:, None]))[:, None]


def _seen_packed(samples_BL: Tensor) -> Tensor | BlockMask | None:
    B, L = samples_BL.shape
    if samples_BL.is_cuda:

        def same(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
            return (samples_BL[b, q] == samples_BL[b, k]) & (q >= k)

        return create_block_mask(same, B, None, L, L, samples_BL.device)
    real_BL = samples_BL != PADDING
    if bool(((samples_BL == samples_BL[:, :1]) | ~real_BL).all()) and bool((real_BL[:, :-1] | ~real_BL[:, 1:]).all()):
        return None  # one sample a row, padded at its end: no real position looks there
    return (samples_BL[:, None, :, None] == samples_BL[:, None, None, :]).tril()


def attend(q_BNLK: Tensor, k_BNPK: Tensor, v_BNPK: Tensor, seen: Tensor | BlockMask | None) -> Tensor:
    if isinstance(seen, BlockMask):
        return _flex()(q_BNLK, k_BNPK, v_BNPK, block_mask=seen)
    return F.scaled_dot_product_attention(q_BNLK, k_BNPK, v_BNPK, seen, is_causal=seen is None and q_BNLK.shape[2] > 1)


@functools.cache
def _flex() -> Any:
    return torch.compile(flex_attention)


def rotary(config: DecoderConfig, positions_BL: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin of each position's angles, (B, 1, L, K/2) in fp32."""
    head_dim = config.width // config.heads
    rates = config.rope_theta ** (-torch.arange(0, head_dim, 2, device=positions_BL.device).float() / head_dim)
    angles = positions_BL[:, None, :, None].float() * rates
    return angles.cos(), angles.sin()


def rotated(x_BNLK: Tensor, cos_B1LH: Tensor, sin_B1LH: Tensor) -> Tensor:
    """Half-split: dimension i turns with i + K/2. In fp32: products of mixed precision take a processor twice as long."""
    a, b = x_BNLK.float().chunk(2, -1)
    return torch.cat([a * cos_B1LH - b * sin_B1LH, b * cos_B1LH + a * sin_B1LH], -1).to(x_BNLK.dtype)
