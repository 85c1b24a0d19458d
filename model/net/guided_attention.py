"""Guided attention (arXiv 1710.08969, for speech synthesis): one head of the decoder learns to look at the next character's
vision token.

    B rows · L positions · N heads · K head dim · T learned tokens with a known place

It guides one head of one layer, on drawn lines, whose places are known. A decoder that learns to read whole lines from the start
loses its place and repeats itself.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from model.net.decoder import Decoder, Layer

Heads = list[tuple[Tensor, Tensor]]


@contextmanager
def queries_and_keys(decoder: Decoder) -> Iterator[Heads]:
    """The queries and keys, (B, L, K) each, of the guided head within the block: the first head of the middle layer."""
    seen: Heads = []
    layer = decoder.layers[len(decoder.layers) // 2]
    assert isinstance(layer, Layer)
    attention = layer.self_attn
    attention.watch = lambda q_BNLK, k_BNLK: seen.append((q_BNLK[:, 0], k_BNLK[:, 0]))
    try:
        yield seen
    finally:
        attention.watch = None


def guidance(heads: Heads, samples_BL: Tensor, learned_T: Tensor, looks_T: Tensor) -> tuple[Tensor, Tensor]:
    """(the sum over learned tokens with a known place of -log the attention to it; the number of tokens for which it is the
    largest). `learned_T` are the positions that answer, over all rows, and `looks_T` the positions to look at, or -1. Each
    learned token takes the memory of a row's keys, so rows should be short."""
    (q_BLK, k_BLK), L = heads[0], samples_BL.shape[1]
    is_known = looks_T >= 0
    at_T, looks_T = learned_T[is_known], looks_T[is_known]
    row_T, in_row_T = at_T // L, at_T % L
    logits_TL = torch.einsum("tk,tlk->tl", q_BLK.flatten(0, 1)[at_T].float(), k_BLK[row_T].float()) / math.sqrt(q_BLK.shape[-1])
    is_before_TL = torch.arange(L, device=at_T.device) <= in_row_T[:, None]
    seen_TL = is_before_TL & (samples_BL[row_T] == samples_BL.flatten()[at_T][:, None])
    logits_TL = logits_TL.masked_fill(~seen_TL, -math.inf)
    target_T = looks_T - row_T * L
    loss = torch.nn.functional.cross_entropy(logits_TL, target_T, reduction="sum")
    return loss, (logits_TL.argmax(-1) == target_T).sum()
