"""Floating-point operations of the network by formula. Model FLOPs utilisation is measured against them.

    L patches of a view · l vision tokens · D width · n keys that a query sees

A product of (a, b) and (b, c) counts 2abc. Attention counts every pair within its window or sequence, causal or not, as in
PaLM's appendix B (arXiv 2204.02311) and in torch's counter. Norms, activations, softmax and the resizing of position tables
aren't counted. What an implementation does beyond the formula isn't either: SAM's bias folded into the product, scores computed
again, checkpointing. A backward pass counts twice the forward pass.
"""

from collections.abc import Sequence

from model.net.config import DecoderConfig, ModelConfig, SamConfig

Side = int | tuple[int, int]
"""A view in pixels: a square's side, or (height, width)."""


def size(side: Side) -> tuple[int, int]:
    """(height, width) of a view."""
    return (side, side) if isinstance(side, int) else side


def sam(config: SamConfig, side: Side) -> int:
    """The operations of one view through SAM and the compressor."""
    rows, columns = (pixels // config.patch for pixels in size(side))
    L, D, N = rows * columns, config.width, config.heads
    total = 2 * L * 3 * config.patch**2 * D
    for n in range(config.depth):
        high, wide = (rows, columns) if n in config.global_blocks else (config.window, config.window)
        padded = -(-rows // high) * high * -(-columns // wide) * wide
        total += 4 * padded * high * wide * D
        total += 2 * padded * (high + wide) * (D // N) * N  # the biases of rows and columns
        total += 2 * L * 12 * D * D
    first, second = config.downsample
    total += 2 * L * config.neck * (D + 9 * config.neck)
    return total + 2 * 9 * (L // 4) * config.neck * first + 2 * 9 * (L // 16) * first * second


def view(config: ModelConfig, side: Side) -> int:
    """The operations of one view through DeepEncoder."""
    rows, columns = (pixels // config.sam.patch // 4 for pixels in size(side))
    C, num_tokens = config.clip.width, rows * columns
    l = num_tokens + 1  # noqa: E741
    clip = config.clip.depth * (2 * l * 12 * C * C + 4 * l * l * C)
    return sam(config.sam, side) + clip + 2 * num_tokens * 2 * C * config.decoder.width


def decoder(config: DecoderConfig, num_tokens: int, num_keys: float) -> int:
    """The operations of `num_tokens` tokens through the decoder's layers, without the head. Each sees `num_keys` positions."""
    D, total = config.width, 0
    for n in range(config.depth):
        total += 2 * 4 * D * D + round(4 * num_keys * D)
        if n < config.num_dense_layers:
            total += 2 * 3 * D * config.dense_width
        else:
            experts = config.num_experts_per_token + config.num_shared_experts
            total += 2 * D * config.num_experts + 2 * 3 * D * config.expert_width * experts
    return num_tokens * total


def head(config: DecoderConfig, num_tokens: int) -> int:
    """The operations of the head at `num_tokens` positions."""
    return 2 * num_tokens * config.width * config.vocab_size


def forward(config: ModelConfig, sides: Sequence[Side], lengths: Sequence[int], num_learned: int) -> int:
    """The operations of a batch, forward: views of these sizes, samples of these lengths, the head at `num_learned`
    positions."""
    texts = sum(decoder(config.decoder, length, length) for length in lengths)
    return sum(view(config, side) for side in sides) + texts + head(config.decoder, num_learned)


def training(config: ModelConfig, sides: Sequence[Side], lengths: Sequence[int], num_learned: int) -> int:
    """The operations of a training step of every part, forward and backward."""
    return 3 * forward(config, sides, lengths, num_learned)
