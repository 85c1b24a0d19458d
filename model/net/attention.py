"""The decoder's attention: rotary positions, and the positions that each position sees.

    B rows · L positions · P positions seen · N heads · K head dim · H = K/2 · Q blocks of positions

A row may have several samples, one after the other ("packed"). Each sample attends to itself alone and counts its own positions.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from model.net import cpu
from model.net.cache import Cache
from model.net.config import DecoderConfig

PADDING = -1  # in place of a sample's number
_SHORT = 64  # tokens: shorter samples are attended to in one batch
_BLOCK = 128  # positions that flex attention skips, or doesn't, in one step: torch's own number

# What positions see: a mask (B, 1, L, L); flex attention's mask; lengths of samples and paddings, row after row, each of which
# sees itself alone; or None: all earlier positions.
Seen = Tensor | BlockMask | list[int] | None

# The tokens of each row's samples, one after the other. The rest of a row is padding.
Lengths = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Places:
    """The positions of one forward pass: rotary cos and sin, (B or 1, 1, L, K/2) in fp32, and what each position sees. `unseen`
    is the cache's mask, for a cache with a past."""

    cos_B1LH: Tensor
    sin_B1LH: Tensor
    seen: Seen
    unseen: Tensor | None = None


def places(
    config: DecoderConfig,
    length: int,
    device: torch.device,
    samples_BL: Tensor | None = None,
    lengths: Lengths = (),
    cache: Cache | None = None,
) -> Places:
    """The positions of a forward pass over `length` tokens a row. `samples_BL` numbers each row's samples, which have these
    `lengths`, and is `PADDING` after them. Without it each row is one sample."""
    if cache is not None:
        assert samples_BL is None, "what is read with a cache isn't packed"
        slots_L = torch.arange(cache.length, cache.length + length, device=device)
        start_B1 = cache.start_B[:, None]
        positions_BL = (slots_L - start_B1).clamp(min=0) if cache.padded else slots_L[None]
        assert cache.length == 0 or length == 1, "a cache takes a prompt at once, then one token at a time"
        if cache.length:
            return Places(*rotary(config, positions_BL), None, cache.unseen())
        return Places(*rotary(config, positions_BL), _seen_in_prompt(cache, slots_L))
    if samples_BL is None:
        return Places(*rotary(config, torch.arange(length, device=device)[None]), None)
    new_BL = torch.ones_like(samples_BL, dtype=torch.bool)
    new_BL[:, 1:] = samples_BL[:, 1:] != samples_BL[:, :-1]
    at_L = torch.arange(length, device=device)
    positions_BL = at_L - (at_L * new_BL).cummax(1).values
    return Places(*rotary(config, positions_BL), _seen_packed(samples_BL, lengths))


def _seen_in_prompt(cache: Cache, slots_L: Tensor) -> Tensor | None:
    if not cache.padded:
        return None
    seen_BLL = (slots_L <= slots_L[:, None]) & (slots_L >= cache.start_B[:, None])[:, None]
    # A padding position sees itself, because a softmax over nothing is not a number.
    return (seen_BLL | (slots_L == slots_L[:, None]))[:, None]


def lengths_of(samples_BL: Tensor) -> Lengths:
    """The lengths of the samples in `samples_BL`. Waits for the device."""
    return [[len([*run]) for number, run in itertools.groupby(row) if number != PADDING] for row in samples_BL.tolist()]


def _seen_packed(samples_BL: Tensor, lengths: Lengths) -> list[int] | BlockMask:
    if _flexes(samples_BL.device):
        return _block_mask(samples_BL, lengths)
    L = samples_BL.shape[1]
    return [length for row in lengths for length in (*row, L - sum(row)) if length]


def _block_mask(samples_BL: Tensor, lengths: Lengths) -> BlockMask:
    """The mask that torch's `create_block_mask` finds from a table (B, L, L) of what positions see. Here it comes from the
    samples' lengths, on the host, for pairs of blocks. Doesn't wait for the device."""
    L = samples_BL.shape[1]
    start_Q = torch.arange(0, L, _BLOCK)
    ends = [torch.tensor(row, dtype=torch.int64).cumsum(0) for row in lengths]
    # The numbers of the samples at a block's first and last position. Padding counts as one more sample.
    first_BQ, last_BQ = (
        torch.stack([torch.searchsorted(end_S, at_Q, right=True) for end_S in ends])
        for at_Q in (start_Q, (start_Q + _BLOCK - 1).clamp(max=L - 1))
    )
    seen_BQQ = (last_BQ[:, None] >= first_BQ[:, :, None]).tril()
    # All of a block sees all of an earlier one if both are in one sample. A block that ends after the row isn't whole.
    is_whole_Q = start_Q + _BLOCK <= L
    full_BQQ = ((first_BQ[:, None] == last_BQ[:, :, None]) & is_whole_Q[:, None]).tril(-1)
    partial, full = _ordered(seen_BQQ & ~full_BQQ, samples_BL.device), _ordered(full_BQQ, samples_BL.device)

    def same(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return (samples_BL[b, q] == samples_BL[b, k]) & (q >= k)

    return BlockMask.from_kv_blocks(*partial, *full, BLOCK_SIZE=_BLOCK, mask_mod=same, seq_lengths=(L, L))


def _ordered(is_BQQ: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """The number of blocks that each block sees, (B, 1, Q), and the blocks, (B, 1, Q, Q): seen ones first, in order, as flex
    attention needs them."""
    num_BQ, which_BQQ = is_BQQ.sum(-1, dtype=torch.int32), is_BQQ.int().argsort(dim=-1, descending=True, stable=True).int()
    if device.type == "cuda":  # a copy from other memory would wait for the device
        num_BQ, which_BQQ = num_BQ.pin_memory(), which_BQQ.pin_memory()
    return num_BQ[:, None].to(device, non_blocking=True), which_BQQ[:, None].to(device, non_blocking=True)


def attend(q_BNLK: Tensor, k_BNPK: Tensor, v_BNPK: Tensor, seen: Seen) -> Tensor:
    """(B, N, L, K): each position's attention to the positions that it sees."""
    if isinstance(seen, BlockMask):
        return _flex()(q_BNLK, k_BNPK, v_BNPK, block_mask=seen)
    if isinstance(seen, list):
        return _within(q_BNLK, k_BNPK, v_BNPK, seen)
    if q_BNLK.device.type == "cpu" and seen is None:
        return cpu.attention(q_BNLK * q_BNLK.shape[-1] ** -0.5, k_BNPK, v_BNPK, causal=True)
    q, k, v = cpu.wide(q_BNLK), cpu.wide(k_BNPK), cpu.wide(v_BNPK)
    return F.scaled_dot_product_attention(q, k, v, seen, is_causal=seen is None).to(v_BNPK.dtype)


def _within(q_BNLK: Tensor, k_BNLK: Tensor, v_BNLK: Tensor, lengths: list[int]) -> Tensor:
    """The attention of each run of positions to itself: nothing between samples is computed. Long runs go one after the other.
    Many short ones go in one batch, each padded to the longest: positions don't see later ones. With 32 lines of text in a row,
    attention one by one took a third of a training step's time."""
    B = len(q_BNLK)
    q, k, v = (x_BNLK.transpose(0, 1).flatten(1, 2) for x_BNLK in (q_BNLK, k_BNLK, v_BNLK))
    longest = max(lengths)
    if len(lengths) > 1 and longest <= _SHORT:
        real_SL = torch.arange(longest, device=q.device) < torch.tensor(lengths, device=q.device)[:, None]
        of_T = real_SL.flatten().nonzero()[:, 0]
        filled = (x_NTK.new_zeros(len(x_NTK), real_SL.numel(), x_NTK.shape[-1]).index_copy(1, of_T, x_NTK) for x_NTK in (q, k, v))
        q_SNLK, k_SNLK, v_SNLK = (x_NRK.unflatten(1, real_SL.shape).transpose(0, 1) for x_NRK in filled)
        y_NTK = attend(q_SNLK, k_SNLK, v_SNLK, seen=None).transpose(0, 1).flatten(1, 2)[:, of_T]
    else:
        qs, ks, vs = (x_NTK[None].split(lengths, 2) for x_NTK in (q, k, v))
        y_NTK = torch.cat([attend(*run, seen=None) for run in zip(qs, ks, vs, strict=True)], 2)[0]
    return y_NTK.unflatten(1, (B, -1)).transpose(0, 1)


def _flexes(device: torch.device) -> bool:
    """Whether packed samples use compiled flex attention, which skips unseen positions."""
    return device.type == "cuda"


@functools.cache
def _flex() -> Any:
    return compiled(flex_attention)


def compiled(function: Callable[..., Any]) -> Any:
    """`function`, compiled as one operation, whose result checkpointing can save. Otherwise all within it would be recomputed."""
    return torch.compile(function, options={"wrap_inductor_compiled_regions": True})


def rotary(config: DecoderConfig, positions_BL: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin of each position's angles, (B, 1, L, K/2) in fp32."""
    head_dim = config.width // config.heads
    rates = config.rope_theta ** (-torch.arange(0, head_dim, 2, device=positions_BL.device).float() / head_dim)
    angles = positions_BL[:, None, :, None].float() * rates
    return angles.cos(), angles.sin()


def rotated(x_BNLK: Tensor, cos_B1LH: Tensor, sin_B1LH: Tensor) -> Tensor:
    """`x_BNLK` turned by its positions' angles. Dimension i turns with i + K/2. In fp32, because products of mixed precision take
    a processor twice as long."""
    a, b = x_BNLK.float().chunk(2, -1)
    turned = torch.addcmul(a * cos_B1LH, b, sin_B1LH, value=-1), torch.addcmul(b * cos_B1LH, a, sin_B1LH)
    return torch.cat(turned, -1).to(x_BNLK.dtype)
