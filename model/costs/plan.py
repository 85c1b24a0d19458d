"""What is trained and how, in numbers: parameters, bytes a parameter, operations of a step. By formula, without torch.

parameters(config)          by part, as `model.net.deepseek_ocr.PARTS` names them
linear_layers(config)       the layers that an adapter can stand beside
operations(config, …)       of a step, forward and backward, where some parts are frozen
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from model.costs import flops
from model.costs.activations import Load
from model.net.config import ModelConfig, full

PARTS = ("sam", "clip", "projector", "experts", "embeddings", "decoder")
ENCODER = PARTS[:3]
PEAKS = {"A100": 312e12, "H100": 989e12, "H200": 989e12, "L40S": 362e12, "RTX 4090": 165e12}
"""Operations a second in bf16, dense, as their makers say, by a piece of a card's name."""
LANGUAGE = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The decoder's linear layers by the ends of their released names, shared experts included."""
ALL_LINEAR = "all-linear"
"""All linear layers but the head, as peft calls them."""
_PART_OF_LAYERS = {
    "model.sam_model": "sam",
    "model.vision_model": "clip",
    "model.projector": "projector",
    "lm_head": "embeddings",
}


def parameters(config: ModelConfig) -> dict[str, int]:
    """The number of parameters of each part."""
    sam, clip, decoder = config.sam, config.clip, config.decoder
    W, C, D, E, neck = sam.width, clip.width, decoder.width, decoder.num_experts, sam.neck
    tables = sum(2 * (2 * (sam.grid if n in sam.global_blocks else sam.window) - 1) * (W // sam.heads) for n in range(sam.depth))
    num_mixtures = decoder.depth - decoder.num_dense_layers
    dense = decoder.num_dense_layers * 3 * D * decoder.dense_width
    shared = num_mixtures * (3 * D * decoder.num_shared_experts * decoder.expert_width + E * D)
    return {
        "sam": 3 * sam.patch**2 * W
        + W
        + sam.grid**2 * W
        + sam.depth * (12 * W * W + 13 * W)
        + tables
        + neck * (W + 9 * neck + 4)
        + 9 * sam.downsample[0] * (neck + sam.downsample[1]),
        "clip": C * (1 + 3 * clip.patch**2 + clip.grid**2 + 1 + 2) + clip.depth * (12 * C * C + 13 * C),
        "projector": 2 * C * D + 3 * D,
        "experts": num_mixtures * E * 3 * D * decoder.expert_width,
        "embeddings": 2 * decoder.vocab_size * D,
        "decoder": decoder.depth * (4 * D * D + 2 * D) + dense + shared + D,
    }


def unused(config: ModelConfig) -> int:
    """The parameters of CLIP's patch embedding, which nothing uses or trains."""
    return 3 * config.clip.patch**2 * config.clip.width


def linear_layers(config: ModelConfig) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of each linear layer by its released name."""
    W, C, D, decoder = config.sam.width, config.clip.width, config.decoder.width, config.decoder
    layers = {"lm_head": (D, decoder.vocab_size), "model.projector.layers": (2 * C, D)}
    for n in range(config.sam.depth):
        shapes = {"attn.qkv": (W, 3 * W), "attn.proj": (W, W), "mlp.lin1": (W, 4 * W), "mlp.lin2": (4 * W, W)}
        layers |= {f"model.sam_model.blocks.{n}.{name}": shape for name, shape in shapes.items()}
    for n in range(config.clip.depth):
        shapes = {"self_attn.qkv_proj": (C, 3 * C), "self_attn.out_proj": (C, C), "mlp.fc1": (C, 4 * C), "mlp.fc2": (4 * C, C)}
        layers |= {f"model.vision_model.transformer.layers.{n}.{name}": shape for name, shape in shapes.items()}
    for n in range(decoder.depth):
        dense = n < decoder.num_dense_layers
        mlp, inner = "mlp" if dense else "mlp.shared_experts", decoder.dense_width
        inner = inner if dense else decoder.num_shared_experts * decoder.expert_width
        shapes = {f"self_attn.{name}_proj": (D, D) for name in "qkvo"}
        shapes |= {f"{mlp}.{half}_proj": (D, inner) for half in ("gate", "up")} | {f"{mlp}.down_proj": (inner, D)}
        layers |= {f"model.layers.{n}.{name}": shape for name, shape in shapes.items()}
    return layers


def adapter_parameters(config: ModelConfig, rank: int, targets: Sequence[str]) -> Counter[str]:
    """The parameters of an adapter beside the layers that are `targets`, by part: `model.files.lora.adapt`'s."""
    counts = Counter[str]()
    for name, (inputs, outputs) in linear_layers(config).items():
        if any(is_target(name, one) for one in targets):
            counts[_part_of(name)] += rank * (inputs + outputs)
    return counts


def is_target(name: str, target: str) -> bool:
    """Whether the layer of the released name `name` is `target`, ends in it, or is one of `ALL_LINEAR`."""
    return name != "lm_head" if target == ALL_LINEAR else f".{name}".endswith(f".{target}")


def _part_of(layer: str) -> str:
    return next((part for beginning, part in _PART_OF_LAYERS.items() if layer.startswith(beginning)), "decoder")


@dataclass(frozen=True)
class Method:
    """The bytes that a number takes: `frozen`, of the weights that aren't trained, or of those of the decoder's layers alone if
    they are `packed`; `weight`, `gradient` and `optimizer` of those that are."""

    name: str
    frozen: float = 4
    weight: int = 4
    gradient: int = 4
    optimizer: int = 8
    packed: bool = False


FP32 = Method("weights, gradients and moments in fp32")
FP32_8BIT = Method("weights and gradients in fp32, moments in 8 bits", optimizer=2)
BF16 = Method("weights and gradients in bf16, moments and the rest of the weights in fp32", 2, 2, 2, 10)
BF16_8BIT = Method("weights and gradients in bf16, the rest of the weights kept, moments in 8 bits", 2, 2, 2, 4)
ADAPTERS = Method("adapters in fp32, the weights beneath in bf16", frozen=2)
QLORA = Method("adapters in fp32, the decoder's layers beneath in 4 bits, the rest in bf16", frozen=0.5 + 4 / 64, packed=True)
"""In 4 bits 64 numbers share a scale in fp32."""


@dataclass(frozen=True)
class SetUp:
    """What is trained: `parts`, or an adapter of `rank` beside `targets`, which are layers, and the parts `beside` it; by which
    method."""

    name: str
    parts: tuple[str, ...] = PARTS
    rank: int = 0
    targets: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    method: Method = FP32

    @property
    def whole(self) -> tuple[str, ...]:
        """The parts whose own weights are trained."""
        return self.beside if self.rank else self.parts

    def num_whole(self, config: ModelConfig) -> int:
        """The number of their parameters."""
        counts = parameters(config)
        return sum(counts[part] for part in self.whole) - ("clip" in self.whole) * unused(config)

    def num_trained(self, config: ModelConfig) -> int:
        return self.num_whole(config) + adapter_parameters(config, self.rank, self.targets).total()

    @cached_property
    def through(self) -> frozenset[str]:
        """The parts that a gradient goes through or into: all from the first that is trained on."""
        adapted = {_part_of(name) for name in linear_layers(full()) for one in self.targets if is_target(name, one)}
        first = min(PARTS.index(part) for part in {*self.whole, *(adapted if self.rank else ())})
        # Embeddings are the decoder's ground: with them, or the encoder, trained, all of the decoder hands gradients on.
        return frozenset(PARTS[first:] if first < 3 else PARTS[3:])


SET_UPS = (
    SetUp("all"),
    SetUp("SAM frozen", PARTS[1:]),
    SetUp("encoder frozen", PARTS[3:]),
    SetUp("LoRA, rank 16", rank=16, targets=LANGUAGE, method=ADAPTERS),
)
AS_SET = "as it is set"
METHODS = (FP32, BF16, BF16_8BIT, ADAPTERS, QLORA)


def operations(config: ModelConfig, load: Load, set_up: SetUp = SET_UPS[0]) -> int:
    """The operations of a step. Those of an adapter itself are left out."""
    return with_backward(forward_operations(config, load), set_up)


def with_backward(forward: Mapping[str, int], set_up: SetUp) -> int:
    """The operations of a step from those of its forward pass by part: what is trained counts three times, what hands a gradient
    on twice, the rest once."""
    trained = set(set_up.whole)
    return sum(count * (3 if part in trained else 2 if part in set_up.through else 1) for part, count in forward.items())


def forward_operations(config: ModelConfig, load: Load) -> dict[str, int]:
    """The operations of a forward pass by part, those of the projector with CLIP's."""
    decoder = config.decoder
    tokens, mixtures = sum(load.lengths), decoder.depth - decoder.num_dense_layers
    sam = sum(flops.sam(config.sam, view) for view in load.views)
    experts = tokens * mixtures * 6 * decoder.width * decoder.expert_width * decoder.num_experts_per_token
    return {
        "sam": sam,
        "clip": sum(flops.view(config, view) for view in load.views) - sam,
        "experts": experts,
        "decoder": sum(flops.decoder(decoder, length, length) for length in load.lengths) - experts,
        "embeddings": flops.head(decoder, load.num_learned),
    }


def packed(config: ModelConfig, *layers: int) -> int:
    """The numbers of the decoder's `layers`, or of all of them, that are kept in 4 bits: linear layers' and experts'."""
    decoder = config.decoder
    chosen = layers or range(decoder.depth)
    names = tuple(f"model.layers.{n}." for n in chosen)
    linear = sum(a * b for name, (a, b) in linear_layers(config).items() if name.startswith(names))
    num_mixtures = sum(n >= decoder.num_dense_layers for n in chosen)
    return linear + num_mixtures * decoder.num_experts * 3 * decoder.width * decoder.expert_width


def frozen(how: Method, num: int, num_packed: int) -> int:
    """The bytes of `num` weights that aren't trained, of which `num_packed` are of the decoder's layers."""
    return round(how.frozen * num_packed) + 2 * (num - num_packed) if how.packed else round(how.frozen * num)
