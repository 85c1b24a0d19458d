"""Bytes that a forward pass keeps for the backward pass, by formula, as `flops.py` has operations. torch isn't needed.

    L patches of a view · l vision tokens and the class token · D C width · N heads · T tokens · F an expert's inner width

Counted by tensors, on the way that a processor takes: scores of few queries are kept, of many they aren't. Fused attention on a
GPU keeps no scores, and so a little less. What is alive for a moment isn't counted, nor what an allocator wastes.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from model.costs.flops import Side, size
from model.net.config import DecoderConfig, ModelConfig, SamConfig

_MANY = 512  # queries from which on scores aren't kept, as in model/net/cpu/blocked_attention.py
_FP32, _INT64 = 4, 8


Towers = Collection[str]
TOWERS = ("sam", "clip", "decoder")
"""What can keep its activations, or compute them again."""


@dataclass(frozen=True)
class Load:
    """What goes through the network at a time: views of images, samples of so many tokens in all, answers of so many tokens."""

    views: tuple[Side, ...]
    lengths: tuple[int, ...]
    num_learned: int


@dataclass(frozen=True)
class Kept:
    """Bytes by part. `once` is what the largest block keeps: checkpointing computes it again, one block after the other."""

    sam: int
    clip: int
    projector: int
    decoder: int
    head: int
    once: int = 0

    @property
    def total(self) -> int:
        return self.sam + self.clip + self.projector + self.decoder + self.head + self.once


def kept(
    config: ModelConfig, load: Load, itemsize: int = 2, checkpointing: Towers = (), sam: bool = True, head: bool = True
) -> Kept:
    """The bytes that a batch's forward pass keeps, where activations are of `itemsize` bytes, and those of the towers in
    `checkpointing` are computed again. Without `sam`, SAM is frozen; without `head`, the head is."""
    T, D = sum(load.lengths), config.decoder.width
    together = Counter(load.views)  # views of one size go through the towers together
    once = [0]
    if "decoder" in checkpointing:
        once += [_layer(config.decoder, T, itemsize, n, False) for n in (0, config.decoder.depth - 1)]
    for view, num in together.items():
        once += [_block(config.sam, view, num, itemsize, n) for n in range(config.sam.depth) if sam and "sam" in checkpointing]
        once += [num * _clip_layer(config, view, itemsize)] * ("clip" in checkpointing)
    tokens = sum(num * _num_tokens(config.sam, view) for view, num in together.items())
    return Kept(
        sam=sum(_sam(config.sam, view, num, itemsize, "sam" in checkpointing) for view, num in together.items() if sam),
        clip=sum(num * _clip(config, view, itemsize, "clip" in checkpointing) for view, num in together.items()),
        projector=2 * config.clip.width * tokens * itemsize,
        decoder=_decoder(config.decoder, T, itemsize, "decoder" in checkpointing),
        # The gradients by the head and its input, which are made with the loss.
        head=load.num_learned * D * itemsize + head * D * config.decoder.vocab_size * _FP32,
        once=max(once),
    )


def _num_patches(config: SamConfig, view: Side) -> tuple[int, int]:
    height, width = size(view)
    return height // config.patch, width // config.patch


def _num_tokens(config: SamConfig, view: Side) -> int:
    rows, columns = _num_patches(config, view)
    return rows // 4 * (columns // 4)


def _sam(config: SamConfig, view: Side, num: int, itemsize: int, checkpointing: bool) -> int:
    rows, columns = _num_patches(config, view)
    L, D, C = num * rows * columns, config.width, config.neck
    # Pixels, the neck's two convolutions and norms, the compressor's two convolutions.
    ends = L * (3 * config.patch**2 + D + 4 * C) + L // 4 * config.downsample[0]
    if not checkpointing:
        return ends * itemsize + sum(_block(config, view, num, itemsize, n) for n in range(config.depth))
    results = sum(L for n in range(config.depth) if n in config.global_blocks and rows * columns >= _MANY)
    return (ends + (config.depth * L + results) * D) * itemsize


def _block(config: SamConfig, view: Side, num: int, itemsize: int, n: int) -> int:
    rows, columns = _num_patches(config, view)
    L, D, N = num * rows * columns, config.width, config.heads
    high, wide = (rows, columns) if n in config.global_blocks else (config.window, config.window)
    filled, seen = num * -(-rows // high) * high * -(-columns // wide) * wide, high * wide
    # The block's input, both norms' results, attention's result, the sum with it, and the inner layer, before and after.
    around = 13 * L * D
    tables = 2 * (high * high + wide * wide) * D // N
    if seen >= _MANY:  # q, k and v in one, q scaled, q in the order of rows and of columns, their biases
        return (around + filled * (6 * D + N * (high + wide)) + tables) * itemsize
    return (around + filled * (3 * D + 2 * N * (D // N + high + wide) + N * seen) + tables) * itemsize


def _clip(config: ModelConfig, view: Side, itemsize: int, checkpointing: bool) -> int:
    l, C = _num_tokens(config.sam, view) + 1, config.clip.width  # noqa: E741
    ends = l * C * itemsize  # the first norm's input
    if not checkpointing:
        return ends + config.clip.depth * _clip_layer(config, view, itemsize)
    return ends + config.clip.depth * l * C * itemsize * (2 if l >= _MANY else 1)


def _clip_layer(config: ModelConfig, view: Side, itemsize: int) -> int:
    l, C = _num_tokens(config.sam, view) + 1, config.clip.width  # noqa: E741
    scores = config.clip.heads * l * l if l < _MANY else 0
    return (21 * l * C + scores) * itemsize


def _decoder(config: DecoderConfig, T: int, itemsize: int, checkpointing: bool) -> int:
    ends = T * (config.width * itemsize + config.width // config.heads * _FP32)  # the last norm's input, and angles
    return ends + sum(_layer(config, T, itemsize, n, checkpointing) for n in range(config.depth))


def _layer(config: DecoderConfig, T: int, itemsize: int, n: int, checkpointing: bool) -> int:
    D, S = config.width, config.num_experts_per_token
    dense = n < config.num_dense_layers
    choice = 0 if dense else T * S * (2 * _FP32 + 6 * _INT64)  # of the router, and the rows by expert
    if checkpointing:  # its input and attention's result
        return 2 * T * D * itemsize + choice
    # Its input, normed, q, k and v, attention's result, the sum with it, normed.
    around = 8 * T * D * itemsize
    if dense:
        return around + 4 * T * config.dense_width * itemsize
    inner = 4 * config.num_shared_experts * config.expert_width + 2 * S * config.expert_width
    wider = D * _FP32 if itemsize < _FP32 else 0  # the router's input in fp32
    return around + T * (inner * itemsize + wider + config.num_experts * _FP32) + choice
