"""The network by formula, without torch: parameters, operations, and the bytes that a forward pass keeps for the backward pass.

    L patches of a view · l vision tokens and the class token · W C D width of SAM, CLIP, decoder · N heads · T tokens

Operations: a product of (a, b) and (b, c) counts 2abc. Attention counts every pair within its window or sequence, causal or not,
as in PaLM's appendix B (arXiv 2204.02311) and in torch's counter. Norms, activations, softmax, the resizing of position tables,
and an implementation's extra work don't count. A backward pass counts twice the forward pass.

Bytes: activations in bf16, as a processor keeps them: the scores of few queries are kept, those of many aren't. Fused attention
on a GPU keeps no scores, and so a little less. Short-lived memory and an allocator's waste don't count.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from model.net.config import DecoderConfig, ModelConfig, SamConfig
from model.net.pipeline_cut import Cut

PARTS = ("sam", "clip", "projector", "experts", "embeddings", "decoder")
"""The names of `model.net.deepseek_ocr.PARTS`."""
TOWERS = ("sam", "clip", "decoder")
"""The towers that can keep their activations, or recompute them."""
_MANY = 512  # queries: from so many on scores aren't kept, as in model/net/cpu/blocked_attention.py
_BF16, _FP32, _INT64 = 2, 4, 8


@dataclass(frozen=True)
class Load:
    """The input of one pass: `views` of images, (height, width) in pixels; the `lengths` of samples in tokens; and the number of
    learned tokens."""

    views: tuple[tuple[int, int], ...] = ()
    lengths: tuple[int, ...] = ()
    num_learned: int = 0


@dataclass(frozen=True)
class Piece:
    """A part that no pipeline cuts: SAM with the compressor, CLIP with the projector, the embedding, a layer, or the norm with
    the head.

    parameters   their number by part
    linear       (inputs, outputs) of linear layers by released name
    operations   of a forward pass by part, those of the projector with CLIP's
    ends         bytes kept outside of blocks
    blocks       bytes that each block keeps
    again        bytes that each block keeps if its activations are recomputed
    unused       parameters that nothing uses or trains
    """

    name: str
    tower: str
    parameters: Mapping[str, int]
    linear: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    operations: Mapping[str, int] = field(default_factory=dict)
    ends: int = 0
    blocks: tuple[int, ...] = ()
    again: tuple[int, ...] = ()
    unused: int = 0

    @property
    def size(self) -> int:
        return sum(self.parameters.values())

    @property
    def num_packed(self) -> int:
        """The numbers that a method can pack in 4 bits: those of a layer's linear layers and experts."""
        of_layer = self.tower == "decoder" and self.blocks
        return sum(a * b for a, b in self.linear.values()) + self.parameters.get("experts", 0) if of_layer else 0


def pieces(config: ModelConfig, load: Load = Load()) -> list[Piece]:
    """The network's pieces in order."""
    decoder, T = config.decoder, sum(load.lengths)
    D, num_ends = decoder.width, decoder.vocab_size * decoder.width
    # The last norm's input, the head's, and angles.
    ends = (T + load.num_learned) * D * _BF16 + T * D // decoder.heads * _FP32
    head = {"embeddings": 2 * load.num_learned * num_ends}
    return [
        _sam(config.sam, load),
        _clip(config, load),
        Piece("embedding", "decoder", {"embeddings": num_ends}),
        *(_layer(decoder, load, n) for n in range(decoder.depth)),
        Piece("head", "decoder", {"embeddings": num_ends, "decoder": D}, {"lm_head": (D, decoder.vocab_size)}, head, ends=ends),
    ]


def stages(config: ModelConfig, how: Cut, load: Load = Load()) -> list[list[Piece]]:
    """The pieces of each stage, as `model/net/stages.py` cuts. Raises `ValueError` if the stages' layers aren't the network's."""
    with_clip = max(how.before - 1, 0)
    places = [0, with_clip, with_clip, *how.stage_of_layers(config.decoder.depth), how.stages - 1]
    both = list(zip(pieces(config, load), places, strict=True))
    return [[piece for piece, place in both if place == number] for number in range(how.stages)]


def parameters(config: ModelConfig) -> dict[str, int]:
    """The number of parameters of each part."""
    counts = Counter(dict.fromkeys(PARTS, 0))
    for piece in pieces(config):
        counts.update(piece.parameters)
    return dict(counts)


def linear_layers(config: ModelConfig) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of each linear layer by its released name."""
    return {name: shape for piece in pieces(config) for name, shape in piece.linear.items()}


def forward_operations(config: ModelConfig, load: Load) -> Counter[str]:
    """The operations of a forward pass by part, those of the projector with CLIP's."""
    counts: Counter[str] = Counter()
    for piece in pieces(config, load):
        counts.update(piece.operations)
    return counts


def _sam(sam: SamConfig, load: Load) -> Piece:
    W, N, neck, (first, second) = sam.width, sam.heads, sam.neck, sam.downsample
    tables = sum(2 * (2 * (sam.grid if n in sam.global_blocks else sam.window) - 1) * (W // N) for n in range(sam.depth))
    ends = (3 * sam.patch**2 + 1 + sam.grid**2) * W + neck * (W + 9 * neck + 4) + 9 * first * (neck + second)
    shapes = {"attn.qkv": (W, 3 * W), "attn.proj": (W, W), "mlp.lin1": (W, 4 * W), "mlp.lin2": (4 * W, W)}
    operations, num_kept, blocks, again = 0, 0, list[int](), list[int]()
    for (height, width), num in Counter(load.views).items():  # views of one size go through the towers in one batch
        rows, columns = height // sam.patch, width // sam.patch
        L = num * rows * columns
        operations += 2 * L * (3 * sam.patch**2 * W + neck * (W + 9 * neck))
        operations += 2 * 9 * (L // 4 * neck * first + L // 16 * first * second)
        # Pixels, the neck's two convolutions and norms, the compressor's two convolutions.
        num_kept += L * (3 * sam.patch**2 + W + 4 * neck) + L // 4 * first
        for n in range(sam.depth):
            high, wide = (rows, columns) if n in sam.global_blocks else (sam.window, sam.window)
            filled, seen = num * -(-rows // high) * high * -(-columns // wide) * wide, high * wide
            operations += 4 * filled * seen * W + 2 * filled * (high + wide) * W + 2 * L * 12 * W * W
            # q, k and v in one; q scaled, in the order of rows and of columns, biases; or q and k with biases, and scores.
            scores = 6 * W + N * (high + wide) if seen >= _MANY else 5 * W + 2 * N * (high + wide) + N * seen
            # The block's input, both norms' results, attention's result, the sum with it, the inner layer before and after.
            blocks.append((13 * L * W + filled * scores + 2 * (high * high + wide * wide) * W // N) * _BF16)
            again.append(L * W * (2 if seen >= _MANY else 1) * _BF16)
    return Piece(
        "SAM",
        "sam",
        {"sam": ends + sam.depth * (12 * W * W + 13 * W) + tables},
        {f"model.sam_model.blocks.{n}.{name}": shape for n in range(sam.depth) for name, shape in shapes.items()},
        {"sam": operations},
        num_kept * _BF16,
        tuple(blocks),
        tuple(again),
    )


def _clip(config: ModelConfig, load: Load) -> Piece:
    clip, C, D = config.clip, config.clip.width, config.decoder.width
    shapes = {"self_attn.qkv_proj": (C, 3 * C), "self_attn.out_proj": (C, C), "mlp.fc1": (C, 4 * C), "mlp.fc2": (4 * C, C)}
    layers = range(clip.depth)
    linear = {f"model.vision_model.transformer.layers.{n}.{name}": shape for n in layers for name, shape in shapes.items()}
    operations, num_kept, blocks, again = 0, 0, list[int](), list[int]()
    for (height, width), num in Counter(load.views).items():
        num_tokens = (height // config.sam.patch // 4) * (width // config.sam.patch // 4)
        l = num_tokens + 1  # noqa: E741
        operations += num * (clip.depth * (24 * l * C * C + 4 * l * l * C) + 4 * num_tokens * C * D)
        num_kept += num * (l * C + 2 * C * num_tokens)  # the first norm's input, the projector's
        blocks += [num * (21 * l * C + (clip.heads * l * l if l < _MANY else 0)) * _BF16] * clip.depth
        again += [num * l * C * (2 if l >= _MANY else 1) * _BF16] * clip.depth
    unused = 3 * clip.patch**2 * C  # the patch embedding
    return Piece(
        "CLIP",
        "clip",
        {"clip": unused + C * (clip.grid**2 + 4) + clip.depth * (12 * C * C + 13 * C), "projector": 2 * C * D + 3 * D},
        linear | {"model.projector.layers": (2 * C, D)},
        {"clip": operations},
        num_kept * _BF16,
        tuple(blocks),
        tuple(again),
        unused,
    )


def _layer(decoder: DecoderConfig, load: Load, n: int) -> Piece:
    D, S, T = decoder.width, decoder.num_experts_per_token, sum(load.lengths)
    dense = n < decoder.num_dense_layers
    mlp, inner = "mlp.shared_experts", decoder.num_shared_experts * decoder.expert_width
    if dense:
        mlp, inner = "mlp", decoder.dense_width
    shapes = {f"self_attn.{name}_proj": (D, D) for name in "qkvo"}
    shapes |= {f"{mlp}.{half}_proj": (D, inner) for half in ("gate", "up")} | {f"{mlp}.down_proj": (inner, D)}
    parameters = {"decoder": 4 * D * D + 2 * D + 3 * D * inner}
    operations = {"decoder": sum(length * (8 * D * D + 4 * length * D + 6 * D * inner) for length in load.lengths)}
    choice = 0
    # Its input, normed, q, k and v, attention's result, the sum with it, normed; the inner layer.
    kept_bytes = T * (8 * D + 4 * inner) * _BF16
    if not dense:
        parameters["decoder"] += decoder.num_experts * D
        parameters["experts"] = decoder.num_experts * 3 * D * decoder.expert_width
        operations["decoder"] += T * 2 * D * decoder.num_experts
        operations["experts"] = T * 6 * D * decoder.expert_width * S
        choice = T * S * (2 * _FP32 + 6 * _INT64)  # of the router, and the rows by expert
        # The experts' inner layers, the router's input and its scores in fp32.
        kept_bytes += T * (2 * S * decoder.expert_width * _BF16 + (D + decoder.num_experts) * _FP32) + choice
    linear = {f"model.layers.{n}.{name}": shape for name, shape in shapes.items()}
    # Computed again, it keeps its input and attention's result.
    return Piece(f"layer {n}", "decoder", parameters, linear, operations, 0, (kept_bytes,), (2 * T * D * _BF16 + choice,))
