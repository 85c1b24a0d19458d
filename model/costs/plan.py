"""The trained parameters and the method of training: their numbers, bytes a number, operations of a step. By formula, without
torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from model.costs.pieces import PARTS, Load, Piece, forward_operations, linear_layers
from model.net.config import ModelConfig, full

PEAKS = {"A100": 312e12, "H100": 989e12, "H200": 989e12, "L40S": 362e12, "RTX 4090": 165e12}
"""Operations a second in bf16, dense, by the makers' data sheets, and by a piece of a card's name."""
LANGUAGE = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The decoder's linear layers, shared experts included: the ends of their released names."""
ALL_LINEAR = "all-linear"
"""peft's name for all linear layers but the head."""
_PART_OF_LAYERS = {
    "model.sam_model": "sam",
    "model.vision_model": "clip",
    "model.projector": "projector",
    "lm_head": "embeddings",
}


def is_target(name: str, target: str) -> bool:
    """Whether the layer of the released name `name` is `target`, ends in it, or is covered by `ALL_LINEAR`."""
    return name != "lm_head" if target == ALL_LINEAR else f".{name}".endswith(f".{target}")


@dataclass(frozen=True)
class Method:
    """Bytes a number. `frozen` is for weights that aren't trained; if they are `packed`, only for those of the decoder's layers.
    `weight`, `gradient` and `optimizer` are for trained weights."""

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
        """The bytes of `num` frozen weights, of which `num_packed` are in the decoder's layers."""
        return round(self.frozen * num_packed) + 2 * (num - num_packed) if self.packed else round(self.frozen * num)


FP32 = Method("weights, gradients and moments in fp32")
FP32_8BIT = Method("weights and gradients in fp32, moments in 8 bits", optimizer=2)
BF16 = Method("weights and gradients in bf16, moments and the rest of the weights in fp32", 2, 2, 2, 10)
BF16_8BIT = Method("weights and gradients in bf16, the rest of the weights kept, moments in 8 bits", 2, 2, 2, 4)
ADAPTERS = Method("adapters in fp32, the weights beneath in bf16", frozen=2)
QLORA = Method("adapters in fp32, the decoder's layers beneath in 4 bits, the rest in bf16", frozen=0.5 + 4 / 64, packed=True)
"""In 4 bits, 64 numbers share a scale in fp32."""


@dataclass(frozen=True)
class SetUp:
    """What is trained, and by which method: `parts`, or an adapter of `rank` beside the layers `targets`, with the parts `beside`
    it."""

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
        """The layers that get an adapter."""
        return [name for name in layers if self.rank and any(is_target(name, one) for one in self.targets)]

    def num_whole(self, some: Sequence[Piece]) -> int:
        """The number of trained parameters of the pieces' own weights."""
        counts = (sum(one.parameters.get(part, 0) for part in self.whole) for one in some)
        return sum(counts) - sum(one.unused for one in some if "clip" in self.whole)

    def num_adapters(self, some: Sequence[Piece]) -> int:
        """The number of parameters of the pieces' adapters, as of `model.files.lora.adapt`."""
        return sum(self.rank * sum(one.linear[name]) for one in some for name in self.adapts(one.linear))

    def num_trained(self, some: Sequence[Piece]) -> int:
        return self.num_whole(some) + self.num_adapters(some)

    @cached_property
    def through(self) -> frozenset[str]:
        """The parts through or into which a gradient goes: all parts from the first trained one on."""
        first = {PARTS.index(part) for part in self.whole}
        for name in self.adapts(linear_layers(full())):
            part = next((part for beginning, part in _PART_OF_LAYERS.items() if name.startswith(beginning)), "decoder")
            first.add(PARTS.index(part))
        # With embeddings or the encoder trained, all of the decoder passes gradients on.
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
    """The operations of a step: trained parts count three times, parts that pass a gradient on twice, the others once. An
    adapter's own operations don't count."""
    passes = {part: 3 if part in set_up.whole else 2 if part in set_up.through else 1 for part in PARTS}
    return sum(count * passes[part] for part, count in forward_operations(config, load).items())
