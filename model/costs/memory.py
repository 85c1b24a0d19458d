"""What a training takes, before it is started: a GPU's memory, and days. By formula.

stages(config, cut)           what each stage of a pipeline has, as `model/net/stages.py` cuts it
memory(config, …)             bytes on a GPU of a stage
table(config, …)              for people: parameters, time and memory on one GPU, by what is trained
table_of_layouts(config, …)   for people: memory and days on many GPUs
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.costs import plan
from model.costs.activations import TOWERS, Load, Towers, kept
from model.costs.plan import ADAPTERS, AS_SET, METHODS, PEAKS, QLORA, SET_UPS, Method, SetUp
from model.net.config import ModelConfig
from model.net.pipeline_cut import ONE_RANK, Cut, Layout

PAPER_TOKENS = (70e9, 90e9)
"""Tokens a day on 20 x 8 A100 of 40 GB (arXiv 2510.18234, 3.5.2): of images and text, and of text alone."""
PAPER_GPUS = 160
MFUS = (0.3, 0.4, 0.5)
USED = 0.85
"""The share of a card's memory that a plan fills: it is an estimate from below."""
CARDS_GB = (16, 24, 40, 48, 80, 141)
_CARDS_SHOWN = ("A100", "H100", "H200")
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Stage:
    """What a stage of a pipeline has: towers, embedding, the decoder's layers from `first` to before `stop`, norm and head."""

    sam: bool
    clip: bool
    embeds: bool
    first: int
    stop: int
    is_last: bool

    @property
    def num_layers(self) -> int:
        return self.stop - self.first

    def name(self) -> str:
        layers = f"layers {self.first} to {self.stop - 1}" if self.num_layers else ""
        parts = [("SAM", self.sam), ("CLIP", self.clip), ("embedding", self.embeds), (layers, layers), ("head", self.is_last)]
        return ", ".join(part for part, is_there in parts if is_there)

    def of(self, config: ModelConfig) -> ModelConfig:
        """The configuration of a network that has the layers of this stage alone; of one layer, if it has none."""
        dense = min(max(config.decoder.num_dense_layers - self.first, 0), self.num_layers)
        return replace(config, decoder=replace(config.decoder, depth=max(1, self.num_layers), num_dense_layers=dense))

    def parameters(self, config: ModelConfig) -> dict[str, int]:
        """The number of parameters of each part that this stage has."""
        own, ends = plan.parameters(self.of(config)), config.decoder.vocab_size * config.decoder.width
        norm = config.decoder.width
        return {
            "sam": own["sam"] * self.sam,
            "clip": own["clip"] * self.clip,
            "projector": own["projector"] * self.clip,
            "experts": own["experts"] * (self.num_layers > 0),
            "embeddings": ends * (self.embeds + self.is_last),
            "decoder": (own["decoder"] - norm) * (self.num_layers > 0) + norm * self.is_last,
        }

    def load(self, load: Load) -> Load:
        """What of `load` goes through this stage."""
        return Load(
            load.views if self.sam or self.clip else (),
            load.lengths if self.num_layers else (),
            load.num_learned if self.is_last else 0,
        )


def stages(config: ModelConfig, how: Cut) -> list[Stage]:
    """Raises `ValueError` if the network has other layers than the stages."""
    stage_of, last_of_encoder = how.stage_of_layers(config.decoder.depth), max(how.before - 1, 0)
    return [
        Stage(
            sam=number == 0,
            clip=number == last_of_encoder,
            embeds=number == last_of_encoder,
            first=sum(one < number for one in stage_of),
            stop=sum(one <= number for one in stage_of),
            is_last=number == how.stages - 1,
        )
        for number in range(how.stages)
    ]


@dataclass(frozen=True)
class Memory:
    """Bytes on a GPU. `gathered` is what it has for a while of the other GPUs' shares. `kept` are the activations of all batches
    that the stage has at a time."""

    weights: int
    copies: int
    gradients: int
    optimizer: int
    gathered: int
    kept: int

    @property
    def total(self) -> int:
        return self.weights + self.copies + self.gradients + self.optimizer + self.gathered + self.kept


def memory(
    config: ModelConfig, load: Load, set_up: SetUp, layout: Layout, number: int, num_micros: int, checkpointing: Towers
) -> Memory:
    """What a GPU of stage `number` holds at a step's peak, by the set-up's method; products in bf16.

    The encoder isn't sharded, whatever the layout. A stage has begun with as many batches as there are stages from it to the
    last, before it is done with the first.
    """
    stage, how = stages(config, layout.cut)[number], set_up.method
    counts, through = stage.parameters(config), set_up.through
    encoder = sum(counts[part] for part in plan.ENCODER)
    shared = sum(counts.values()) - encoder
    trained = {part: counts[part] * (part in set_up.whole) for part in counts}
    trained["clip"] -= plan.unused(config) * (trained["clip"] > 0)
    trained_encoder = sum(trained[part] for part in plan.ENCODER)
    trained_shared = sum(trained.values()) - trained_encoder
    frozen_encoder, frozen_shared = encoder - trained_encoder, shared - trained_shared
    if set_up.rank:
        adapters = plan.adapter_parameters(stage.of(config), set_up.rank, set_up.targets)
        of_encoder = adapters["sam"] * stage.sam + (adapters["clip"] + adapters["projector"]) * stage.clip
        of_shared = adapters["decoder"] * (stage.num_layers > 0) + adapters["embeddings"] * stage.is_last
        trained_encoder, trained_shared = trained_encoder + of_encoder, trained_shared + of_shared
        shared += of_shared
    learned = trained_encoder + -(-trained_shared // layout.shard)
    num_packed = plan.packed(config, *range(stage.first, stage.stop)) if how.packed and stage.num_layers else 0
    kept_still = plan.frozen(how, frozen_encoder, 0) + -(-plan.frozen(how, frozen_shared, num_packed) // layout.shard)
    head = config.decoder.vocab_size * config.decoder.width * stage.is_last
    # Layers that are sharded come in bf16 as they are.
    narrow = {"experts", "embeddings"} | ({"decoder"} if layout.shard > 1 else set())
    copied = sum(counts[part] for part in through - narrow) + head if how.frozen == 4 else 0
    unpacked = 0
    if num_packed:
        copied = max(plan.packed(config, n) for n in range(stage.first, stage.stop))
        unpacked = 2 * (num_packed - copied) if "decoder" not in checkpointing else 0
    seen = stage.load(load) if "clip" in through else replace(stage.load(load), views=())
    activations = kept(stage.of(config), seen, 2, checkpointing, "sam" in through and stage.sam, not set_up.rank)
    of_batch = activations.sam * stage.sam + (activations.clip + activations.projector) * stage.clip
    of_batch += activations.decoder + activations.head * stage.is_last
    at_a_time = min(layout.pipeline - number, num_micros)
    return Memory(
        weights=kept_still + how.weight * learned,
        copies=2 * copied,
        gradients=how.gradient * learned,
        optimizer=how.optimizer * learned,
        gathered=_gathered(config, stage, shared, trained_shared, layout, how) if layout.shard > 1 else 0,
        kept=(of_batch + unpacked) * at_a_time + activations.once * (of_batch > 0),
    )


def cheapest(
    config: ModelConfig, load: Load, set_up: SetUp, layout: Layout, number: int, num_micros: int, room: float
) -> tuple[str, ...]:
    """The towers whose activations must be computed again so that a GPU of stage `number` gets by with `room` bytes: those that
    cost the fewest operations; all of them if nothing is enough."""
    forward = plan.forward_operations(config, load)
    again = {"sam": forward["sam"], "clip": forward["clip"], "decoder": forward["decoder"] + forward["experts"]}
    choices = [some for num in range(len(TOWERS) + 1) for some in itertools.combinations(TOWERS, num)]
    for some in sorted(choices, key=lambda some: sum(again[tower] for tower in some)):
        if memory(config, load, set_up, layout, number, num_micros, some).total <= room:
            return some
    return TOWERS


def _gathered(config: ModelConfig, stage: Stage, shared: int, trained: int, layout: Layout, how: Method) -> int:
    """Bytes of what is around the layers, and of two layers, of which one comes while the other is used; and of the gradients of
    one, and of what is around. Layers come in bf16, what is around them as it is; gradients are added up in fp32. A pipeline's
    stage keeps all of its `shared` weights and of the gradients of those that are `trained`: torch's stage
    (torch/distributed/pipelining/stage.py, `backward_maybe_with_nosync`) shares out none before the step's last batch is through.
    """
    counts, decoder = stage.parameters(config), config.decoder
    around = counts["embeddings"] + decoder.width * stage.is_last
    own = 4 if how.frozen == 4 else 2
    if layout.pipeline > 1:
        return own * around + 4 * trained + 2 * max(0, shared - around)
    each = (Stage(False, False, False, n, n + 1, False) for n in range(stage.first, stage.stop))
    layers = [sum(one.parameters(config).values()) for one in each]
    largest = max(layers, default=0)
    return own * around + 2 * min(2, len(layers)) * largest + (trained > 0) * (4 * around + 6 * largest)


def table(
    config: ModelConfig,
    load: Load,
    steps: int,
    loads_a_step: int = 1,
    set_ups: Sequence[SetUp] = SET_UPS,
    mfu: float = MFUS[0],
) -> str:
    """Lines for people, of one GPU. `load` is what goes through the network at a time, `loads_a_step` times before the weights
    move."""
    counts, tokens = plan.parameters(config), sum(load.lengths)
    total = sum(counts.values())
    rows: list[tuple[str, ...]] = [("parameters", "", "share")]
    rows += [(f"  {part}", f"{num:,}", f"{num / total:.1%}") for part, num in counts.items() if num]
    rows += [("  together", f"{total:,}", "")]
    lines = [*columns(rows), ""]
    lines += [
        f"a step: {loads_a_step} x {tokens:,} tokens in {len(load.lengths)} samples, {len(load.views)} views of images, "
        f"{load.num_learned:,} learned"
    ]
    rows = [("trained", "parameters", "GFLOP a token", *(f"time, {card}" for card in _CARDS_SHOWN))]
    for set_up in set_ups:
        done = plan.operations(config, load, set_up)
        times = (_time(steps * loads_a_step * done / (mfu * PEAKS[card])) for card in _CARDS_SHOWN)
        rows.append((set_up.name, f"{set_up.num_trained(config):,}", f"{done / tokens / 1e9:,.3g}", *times))
    lines += [
        "",
        *columns(rows),
        f"  time is that of {steps:,} steps on one GPU at {mfu:.0%} of its peak in bf16; the paper's rate was 8%",
    ]
    by_method = {
        method: [_as(one, method) for one in set_ups if (method in (ADAPTERS, QLORA)) == bool(one.rank)]
        for method in dict.fromkeys([*(one.method for one in set_ups), *METHODS])
    }
    sizes = {one: _plain_and_checkpointed(config, load, one, loads_a_step) for some in by_method.values() for one in some}
    most = max(plain.total for plain, _ in sizes.values())
    unit, name = (1e9, "GB") if most > 1e9 else (1e6, "MB")
    header = ("weights", "bf16 copies", "gradients", "optimizer", "activations", "peak", "checkpointed", "peak", "on a card of")
    for method, some in by_method.items():
        rows = [(f"memory, {name}", *header)]
        for one in some:
            m, again = sizes[one]
            row = (m.weights, m.copies, m.gradients, m.optimizer, m.kept, m.total, again.kept, again.total)
            rows.append((one.name, *(f"{size / unit:,.3g}" for size in row), _card(again.total)))
        lines += ["", method.name, *columns(rows)] if some else []
    return "\n".join([*lines, "products in bf16. An estimate from below: allocators and kernels take more"])


def _plain_and_checkpointed(config: ModelConfig, load: Load, set_up: SetUp, loads_a_step: int) -> tuple[Memory, Memory]:
    plain, checkpointed = (memory(config, load, set_up, ONE_RANK, 0, loads_a_step, towers) for towers in ((), TOWERS))
    return plain, checkpointed


def _as(one: SetUp, method: Method) -> SetUp:
    return one if one.method == method else replace(one, method=method, name="the same" if one.name == AS_SET else one.name)


def _card(num_bytes: int) -> str:
    return next((f"{size} GB" for size in CARDS_GB if num_bytes <= USED * 1e9 * size), "none")


def _time(seconds: float) -> str:
    for unit, name in ((_DAY_S, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:,.3g} {name}"
    return f"{seconds:.2g} s"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]


def table_of_layouts(
    config: ModelConfig,
    load: Load,
    set_up: SetUp,
    layouts: Sequence[Layout],
    rows_per_step: int,
    micro_rows: int,
    checkpointing: Towers,
    num_samples: int = 0,
    length: int = 8192,
    peak: float = PEAKS["A100"],
    mfus: Sequence[float] = MFUS,
) -> str:
    """Lines for people. `load` is a batch of `micro_rows` rows. The `layouts` are of one number of GPUs. The training
    is of `num_samples` like those of `load`; text alone comes `length` tokens at a time."""
    num_gpus = layouts[0].pipeline * layouts[0].copies
    lines: list[str] = []
    header = ("memory a GPU, GB", "weights", "bf16 copies", "gradients", "optimizer", "gathered", "activations", "peak")
    for layout in layouts:
        num_micros = -(-rows_per_step // (layout.copies * micro_rows))
        rows: list[tuple[str, ...]] = [header]
        for number, stage in enumerate(stages(config, layout.cut)):
            m = memory(config, load, set_up, layout, number, num_micros, checkpointing)
            sizes = (m.weights, m.copies, m.gradients, m.optimizer, m.gathered, m.kept, m.total)
            rows.append((stage.name() if layout.pipeline > 1 else "all", *(f"{size / 1e9:.3g}" for size in sizes)))
        title = f"pipeline {layout.pipeline} x replicate {layout.replicate} x shard {layout.shard}, {num_micros} batches a step"
        lines += ["", title, *columns(rows)]
    lines += ["", *_days(config, load, set_up, num_gpus, num_samples, length, peak, mfus)]
    return "\n".join(lines[1:])


def _days(
    config: ModelConfig,
    load: Load,
    set_up: SetUp,
    num_gpus: int,
    num_samples: int,
    length: int,
    peak: float,
    mfus: Sequence[float],
) -> list[str]:
    text = Load((), (length,), length)
    of_image, of_text = (plan.operations(config, one, set_up) / sum(one.lengths) for one in (load, text))
    tokens = num_samples * sum(load.lengths) / len(load.lengths)
    paper = [
        rate / _DAY_S / PAPER_GPUS * one / PEAKS["A100"] for rate, one in zip(PAPER_TOKENS, (of_image, of_text), strict=True)
    ]
    header = ("share of the peak", "tokens a day", "of text alone", "days for this training")
    rows: list[tuple[str, ...]] = [header if tokens else header[:-1]]
    for mfu, mark in ((paper[0], " (the paper's)"), *((one, "") for one in mfus)):
        per_day = mfu * peak * num_gpus * _DAY_S
        days = [f"{tokens * of_image / per_day:,.3g}"] if tokens else []
        rows.append((f"{mfu:.1%}{mark}", f"{per_day / of_image / 1e9:,.3g}B", f"{per_day / of_text / 1e9:,.3g}B", *days))
    images, texts = (f"{rate / 1e9:.0f}B" for rate in PAPER_TOKENS)
    notes = [
        f"the paper's {images} tokens a day of images and text on {PAPER_GPUS} A100 are {paper[0]:.1%} of the peak by this "
        f"count, its {texts} of text alone {paper[1]:.1%}"
    ]
    if tokens:
        notes.append(f"this training: {num_samples:,} samples, taken for such pages: {tokens / 1e9:,.3g}B tokens")
    return [f"{num_gpus} GPUs of {peak / 1e12:.0f} TFLOP/s", *columns(rows), *notes]
