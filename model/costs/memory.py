"""Estimates before a training starts: a GPU's memory, and days. By formula.

memory(config, …)             bytes on a GPU of a stage
table(config, …)              for people: parameters, time and memory on one GPU, for each choice of trained parts
table_of_layouts(config, …)   for people: memory and days on many GPUs
"""

import itertools
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from model.costs import plan
from model.costs.pieces import TOWERS, Load, Piece, forward_operations, parameters, pieces, stages
from model.costs.plan import AS_SET, METHODS, PEAKS, SET_UPS, SetUp
from model.net.config import ModelConfig
from model.net.pipeline_cut import ONE_RANK, Layout

PAPER_TOKENS = 70e9
"""Tokens a day, of images and text, on 20 x 8 A100 of 40 GB (arXiv 2510.18234, 3.5.2)."""
PAPER_GPUS = 160
MFUS = (0.3, 0.4, 0.5)
USED = 0.85
"""The share of a card's memory that a plan fills, since the estimate is a lower bound."""
CARDS_GB = (16, 24, 40, 48, 80, 141)
_CARDS_SHOWN = ("A100", "H100", "H200")
_DAY_S = 86_400.0
_COLUMNS = ("weights", "bf16 copies", "gradients", "optimizer", "gathered", "activations", "peak")


@dataclass(frozen=True)
class Memory:
    """Bytes on a GPU. `gathered` are other GPUs' shares that it has for a while. `kept` are the activations of all batches that
    are in the stage at a time."""

    weights: int
    copies: int
    gradients: int
    optimizer: int
    gathered: int
    kept: int

    @property
    def total(self) -> int:
        total: int = sum(astuple(self))
        return total

    def cells(self, unit: float) -> list[str]:
        """The values of `_COLUMNS` for people."""
        return [f"{size / unit:,.3g}" for size in (*astuple(self), self.total)]


def memory(
    config: ModelConfig, load: Load, set_up: SetUp, layout: Layout, number: int, num_micros: int, checkpointing: Sequence[str]
) -> Memory:
    """The memory of a GPU of stage `number` at a step's peak, by the set-up's method; products in bf16. Towers in `checkpointing`
    recompute their activations, one block after the other. The encoder isn't sharded, whatever the layout. Before a stage
    finishes its first batch, it has begun one batch for each stage from it to the last."""
    stage, how = stages(config, layout.cut, load)[number], set_up.method
    encoder = [piece for piece in stage if piece.tower != "decoder"]
    shared = [piece for piece in stage if piece.tower == "decoder"]
    num_shared, num_packed = sum(piece.size for piece in shared), sum(piece.num_packed for piece in shared) * how.packed
    learned = set_up.num_trained(encoder) + -(-set_up.num_trained(shared) // layout.shard)
    frozen_encoder = sum(piece.size for piece in encoder) - set_up.num_whole(encoder)
    frozen_shared = num_shared - set_up.num_whole(shared)
    beneath = how.beneath(frozen_encoder, 0) + -(-how.beneath(frozen_shared, num_packed) // layout.shard)
    copied, unpacked = 0, 0
    if num_packed:
        copied = max(piece.num_packed for piece in shared)
        unpacked = 2 * (num_packed - copied) if "decoder" not in checkpointing else 0
    elif how.frozen == 4:
        # Sharded layers come in bf16, the embedding isn't multiplied, and experts are narrowed one by one.
        narrow = {"experts", "embeddings"} | ({"decoder"} if layout.shard > 1 else set())
        copied = sum(piece.parameters.get(part, 0) for piece in stage for part in set_up.through - narrow)
        copied += sum(piece.parameters["embeddings"] for piece in stage if piece.name == "head")
    activations, largest = unpacked, 0
    for piece in stage:
        if piece.tower not in set_up.through:
            continue
        activations += piece.ends + sum(piece.again if piece.tower in checkpointing else piece.blocks)
        if piece.tower in checkpointing:
            largest = max(largest, *piece.blocks, 0)
        if piece.name == "head" and not set_up.rank:
            activations += 4 * piece.parameters["embeddings"]  # the head's gradients, made with the loss
    return Memory(
        weights=beneath + how.weight * learned,
        copies=2 * copied,
        gradients=how.gradient * learned,
        optimizer=how.optimizer * learned,
        gathered=_gathered(shared, set_up, layout) if layout.shard > 1 else 0,
        kept=activations * min(layout.pipeline - number, num_micros) + largest,
    )


def _gathered(shared: Sequence[Piece], set_up: SetUp, layout: Layout) -> int:
    """Bytes gathered from other GPUs: two layers (one comes while the other is used) in bf16, and the parts around the layers in
    their own precision; also the fp32 gradients of one layer and of these parts. A pipeline's stage keeps all of its weights and
    trained gradients: torch's stage (torch/distributed/pipelining/stage.py, `backward_maybe_with_nosync`) shards none before the
    step's last batch is through."""
    layers = [piece.size for piece in shared if piece.blocks]
    around, trained = sum(piece.size for piece in shared) - sum(layers), set_up.num_trained(shared)
    own = (4 if set_up.method.frozen == 4 else 2) * around
    if layout.pipeline > 1:
        return own + 4 * trained + 2 * (sum(layers) + set_up.num_adapters(shared))
    largest = max(layers, default=0)
    return own + 2 * min(2, len(layers)) * largest + (trained > 0) * (4 * around + 6 * largest)


def cheapest(
    config: ModelConfig, load: Load, set_up: SetUp, layout: Layout, number: int, num_micros: int, room: float
) -> tuple[str, ...]:
    """The towers that must recompute their activations so that a GPU of stage `number` needs at most `room` bytes: the choice
    with the fewest operations; all towers if none is enough."""
    forward = forward_operations(config, load)
    again = {"sam": forward["sam"], "clip": forward["clip"], "decoder": forward["decoder"] + forward["experts"]}
    choices = [some for num in range(len(TOWERS) + 1) for some in itertools.combinations(TOWERS, num)]
    for some in sorted(choices, key=lambda some: sum(again[tower] for tower in some)):
        if memory(config, load, set_up, layout, number, num_micros, some).total <= room:
            return some
    return TOWERS


def table(config: ModelConfig, load: Load, steps: int, loads_a_step: int = 1, set_ups: Sequence[SetUp] = SET_UPS) -> str:
    """Lines for people about one GPU. `load` goes through the network at a time, `loads_a_step` times a step."""
    counts, tokens = parameters(config), sum(load.lengths)
    total = sum(counts.values())
    rows = [["parameters", "", "share"]]
    rows += [[f"  {part}", f"{num:,}", f"{num / total:.1%}"] for part, num in counts.items() if num]
    lines = columns([*rows, ["  together", f"{total:,}", ""]])
    lines += [
        "",
        f"a step: {loads_a_step} x {tokens:,} tokens in {len(load.lengths)} samples, {len(load.views)} views of images, "
        f"{load.num_learned:,} learned",
    ]
    rows = [["trained", "parameters", "GFLOP a token", *(f"time, {card}" for card in _CARDS_SHOWN)]]
    for one in set_ups:
        done = plan.operations(config, load, one)
        times = [_time(steps * loads_a_step * done / (MFUS[0] * PEAKS[card])) for card in _CARDS_SHOWN]
        rows.append([one.name, f"{one.num_trained(pieces(config)):,}", f"{done / tokens / 1e9:,.3g}", *times])
    last = f"  time is that of {steps:,} steps on one GPU at {MFUS[0]:.0%} of its peak in bf16; the paper's rate was 8%"
    lines += ["", *columns(rows), last]
    unit, name = (1e9, "GB") if total > 1e8 else (1e6, "MB")
    for method in dict.fromkeys([*(one.method for one in set_ups), *METHODS]):
        rows = [[f"memory, {name}", *_COLUMNS, "checkpointed", "peak", "on a card of"]]
        for one in set_ups:
            if one.method.of_adapters != method.of_adapters:
                continue
            title = "the same" if one.name == AS_SET and one.method != method else one.name
            by_method = replace(one, method=method)
            plain, again = (memory(config, load, by_method, ONE_RANK, 0, loads_a_step, towers) for towers in ((), TOWERS))
            card = next((f"{size} GB" for size in CARDS_GB if again.total <= USED * 1e9 * size), "none")
            rows.append([title, *plain.cells(unit), *again.cells(unit)[-2:], card])
        lines += ["", method.name, *columns(rows)] if len(rows) > 1 else []
    return "\n".join([*lines, "products in bf16. An estimate from below: allocators and kernels take more"])


def _time(seconds: float) -> str:
    for unit, name in ((_DAY_S, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:,.3g} {name}"
    return f"{seconds:.2g} s"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, the first column aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return lines


def table_of_layouts(
    config: ModelConfig,
    load: Load,
    set_up: SetUp,
    layouts: Sequence[Layout],
    rows_per_step: int,
    micro_rows: int,
    checkpointing: Sequence[str],
    num_samples: int,
) -> str:
    """Lines for people. `load` is a batch of `micro_rows` rows. All `layouts` have the same number of GPUs. The training has
    `num_samples` samples like those of `load`."""
    lines: list[str] = []
    for layout in layouts:
        num_micros = -(-rows_per_step // (layout.copies * micro_rows))
        rows = [["memory a GPU, GB", *_COLUMNS]]
        for number, stage in enumerate(stages(config, layout.cut)):
            size = memory(config, load, set_up, layout, number, num_micros, checkpointing)
            rows.append([stage_name(stage) if layout.pipeline > 1 else "all", *size.cells(1e9)])
        title = f"pipeline {layout.pipeline} x replicate {layout.replicate} x shard {layout.shard}, {num_micros} batches a step"
        lines += [title, *columns(rows), ""]
    num_gpus, peak = layouts[0].pipeline * layouts[0].copies, PEAKS["A100"]
    num_tokens = num_samples * sum(load.lengths) / len(load.lengths)
    a_token = plan.operations(config, load, set_up) / sum(load.lengths)
    paper = PAPER_TOKENS / _DAY_S / PAPER_GPUS * a_token / peak
    rows = [["share of the peak", "tokens a day", "days for this training"]]
    for share, mark in ((paper, " (the paper's)"), *((one, "") for one in MFUS)):
        a_day = share * peak * num_gpus * _DAY_S / a_token
        rows.append([f"{share:.1%}{mark}", f"{a_day / 1e9:,.3g}B", f"{num_tokens / a_day:,.3g}"])
    lines += [f"{num_gpus} GPUs of {peak / 1e12:.0f} TFLOP/s", *columns(rows)]
    lines += [
        f"the paper's {PAPER_TOKENS / 1e9:.0f}B tokens a day on {PAPER_GPUS} A100 are {paper:.1%} of the peak by this count"
    ]
    lines += [f"this training: {num_samples:,} samples, taken for such pages: {num_tokens / 1e9:,.3g}B tokens"]
    return "\n".join(lines)


def stage_name(stage: Sequence[Piece]) -> str:
    """The parts of a stage, its layers as a range."""
    layers = [piece.name.removeprefix("layer ") for piece in stage if piece.name.startswith("layer ")]
    names = [piece.name for piece in stage if not piece.name.startswith("layer ")]
    if layers:
        names.insert(len(names) - ("head" in names), f"layers {layers[0]} to {layers[-1]}")
    return ", ".join(names)
