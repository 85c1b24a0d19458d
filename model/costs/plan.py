"""What is trained and how: the numbers of it, bytes a number, operations of a step. By formula, without torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from model.costs.pieces import PARTS, Load, Piece, forward_operations, linear_layers
from model.net.config import ModelConfig, full

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


def is_target(name: str, target: str) -> bool:
    """Whether the layer of the released name `name` is `target`, ends in it, or is one of `ALL_LINEAR`."""
    return name != "lm_head" if target == ALL_LINEAR else f".{name}".endswith(f".{target}")


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

    @property
    def of_adapters(self) -> bool:
        return self in (ADAPTERS, QLORA)

    def beneath(self, num: int, num_packed: int) -> int:
        """The bytes of `num` weights that aren't trained, of which `num_packed` are of the decoder's layers."""
        return round(self.frozen * num_packed) + 2 * (num - num_packed) if self.packed else round(self.frozen * num)


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

    def adapts(self, layers: Iterable[str]) -> list[str]:
        """Those of the layers that an adapter stands beside."""
        return [name for name in layers if self.rank and any(is_target(name, one) for one in self.targets)]

    def num_whole(self, some: Sequence[Piece]) -> int:
        """The number of the trained parameters of the pieces' own weights."""
        counts = (sum(one.parameters.get(part, 0) for part in self.whole) for one in some)
        return sum(counts) - sum(one.unused for one in some if "clip" in self.whole)

    def num_adapters(self, some: Sequence[Piece]) -> int:
        """The number of the parameters of the adapters of the pieces: `model.files.lora.adapt`'s."""
        return sum(self.rank * sum(one.linear[name]) for one in some for name in self.adapts(one.linear))

    def num_trained(self, some: Sequence[Piece]) -> int:
        """The number of parameters that are trained."""
        return self.num_whole(some) + self.num_adapters(some)

    @cached_property
    def through(self) -> frozenset[str]:
        """The parts that a gradient goes through or into: all from the first that is trained on."""
        first = {PARTS.index(part) for part in self.whole}
        for name in self.adapts(linear_layers(full())):
            part = next((part for beginning, part in _PART_OF_LAYERS.items() if name.startswith(beginning)), "decoder")
            first.add(PARTS.index(part))
        # Embeddings are the decoder's ground: with them, or the encoder, trained, all of the decoder hands gradients on.
        return frozenset(PARTS[min([*first, 3]) :])


SET_UPS = (
    SetUp("all"),
    SetUp("SAM frozen", PARTS[1:]),
    SetUp("encoder frozen", PARTS[3:]),
    SetUp("LoRA, rank 16", rank=16, targets=LANGUAGE, method=ADAPTERS),
)
AS_SET = "as it is set"
METHODS = (FP32, BF16, BF16_8BIT, ADAPTERS, QLORA)


def operations(config: ModelConfig, load: Load, set_up: SetUp = SET_UPS[0]) -> int:
    """The operations of a step: what is trained counts three times, what hands a gradient on twice, the rest once. Those of an
    adapter itself are left out."""
    passes = {part: 3 if part in set_up.whole else 2 if part in set_up.through else 1 for part in PARTS}
    return sum(count * passes[part] for part, count in forward_operations(config, load).items())
