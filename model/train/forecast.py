"""Estimates of a training's memory and time, for people, before it starts."""

import contextlib
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from datagen.disk.storage import Folder
from model.costs import memory, pieces, plan
from model.costs.pieces import TOWERS, Load
from model.data import modes
from model.data.words import TEXT
from model.files import hub
from model.net.config import ModelConfig
from model.net.image_modes import MODES, tile_grid
from model.net.pipeline_cut import ONE_RANK, Layout
from model.train.layout import copied, filled, layout
from model.train.step import Train

if TYPE_CHECKING:
    import torch

    from model.train.ranks import Ranks

PAGE = (1240, 1754)  # A4 at 150 dpi
PAGE_TOKENS = 1_000  # tokens of a page's text and prompt
LINE, LINE_TOKENS = (640, 48), 30
_FOR_A_GPU = 100_000_000  # parameters
_CARDS_GB = (40, 80)
PAPER_MACHINES, PAPER_STAGES = (20, 8), 4


def planned(step: Train, nodes: int = 0, gpus: int = 0) -> str:
    """The tables of `model.costs.memory` for `step`, or a sentence that tells why there are none. Data isn't read: rows count as
    full of pages. The second table is for `nodes` machines of `gpus` GPUs; without these, for the paper's machines, if a step has
    rows for all of them."""
    modes.check(dict(step.batches.modes))
    step = filled(step, nodes * gpus)
    try:
        config = sizes(step)
    except (OSError, ValueError) as error:
        return f"  its memory and time can't be told: {error}"
    load = typical(config, step)
    if not load.lengths:
        names = ", ".join(dict(step.batches.modes))
        return f"  its memory and time can't be told: not one page fits into {step.batches.length} tokens in {names}"
    layers = pieces.linear_layers(config)
    for target in step.weights.lora_targets if step.weights.lora else ():
        if not any(plan.is_target(layer, target) for layer in layers):
            some = ", ".join((plan.ALL_LINEAR, *plan.LANGUAGE))
            raise ValueError(f"lora_targets has {target!r}, which is no linear layer: there are {some}, and longer names")
    own = set_up(step)
    network = pieces.pieces(config)
    others = (one for one in plan.SET_UPS if own is None or one.num_trained(network) != own.num_trained(network))
    rows = step.batches
    num_loads = -(-rows.rows_per_step // rows.micro_rows)
    text = memory.table(config, load, step.schedule.steps, num_loads, [*([own] if own else []), *others])
    text += _on_one(step, config, load, own or plan.SET_UPS[0], num_loads)
    text += _on_many(step, config, load, own or plan.SET_UPS[0], nodes or 1, gpus)
    num_samples = _num_samples(step, load)
    notes = [f"{step.schedule.steps:,} steps of {rows.rows_per_step} rows learn from about {num_samples:,} such samples"]
    notes += [f"rows are taken to be full of pages with {PAGE_TOKENS:,} tokens of text, or of lines with {LINE_TOKENS}"]
    if step.schedule.epochs:
        notes.append(f"it ends after {step.schedule.epochs:g} epochs, if that is before {step.schedule.steps:,} steps")
    if patterns := [one for one in (*step.weights.frozen, *step.weights.beside) if one not in pieces.PARTS]:
        notes.append(f"what the patterns {', '.join(patterns)} freeze or train isn't counted")
    return "\n".join([text, *notes])


def missing(step: Train) -> list[str]:
    """The local paths in the training's data that don't exist. Names in the output or of a hub are skipped, since they may come
    later."""
    paths = [one.where for one in step.data if one.drawn is None and one.group != TEXT and one.is_elsewhere]
    paths = [where for where in paths if not hub.is_name(where)]
    plain = [where for where in paths if "://" not in where and not set(where) & set("*?[{")]
    placed = [(where, posixpath.split(where.rstrip("/"))) for where in plain]
    return [where for where, (parent, name) in placed if not Folder(parent or ".").exists(name)]


def sizes(step: Train) -> ModelConfig:
    """The sizes of the network at the training's start. A fresh tokenizer may make its vocabulary smaller. Weights from another
    training of the output count as having the sizes of `step.model`. Raises `FileNotFoundError`, and `BadCheckpoint` for a folder
    without a good `config.json`."""
    given, config = step.weights, step.model
    if not any("/" in where for where in (given.start, given.start_decoder, given.encoder_folder)):
        return config
    from model.files import weights  # loads torch

    if "/" in given.start:
        return weights.read_config(hub.folder(given.start, hub.CONFIG_ALONE))
    if "/" in given.start_decoder:
        config = replace(config, decoder=weights.read_config(hub.folder(given.start_decoder, hub.CONFIG_ALONE)).decoder)
    if "/" in given.encoder_folder:
        theirs = weights.read_config(hub.folder(given.encoder_folder, hub.CONFIG_ALONE))
        config = replace(config, sam=theirs.sam, clip=theirs.clip)
    return config


def _num_samples(step: Train, load: Load) -> int:
    return step.schedule.steps * step.batches.rows_per_step * len(load.lengths) // step.batches.micro_rows


def _on_one(step: Train, config: ModelConfig, load: Load, trained: plan.SetUp, num_loads: int) -> str:
    """The activations that one GPU must recompute, by its memory; "" for networks that are small enough for a processor."""
    if sum(pieces.parameters(config).values()) < _FOR_A_GPU:
        return ""
    lines = []
    for card in _CARDS_GB:
        towers = step.compute.checkpointing
        if towers is None:
            towers = memory.cheapest(config, load, trained, ONE_RANK, 0, num_loads, memory.USED * card * 1e9)
        needed = memory.memory(config, load, trained, ONE_RANK, 0, num_loads, towers).total / 1e9
        again = ", ".join(towers) or "nothing"
        lines.append(f"  {card} GB: {again} computed again, {needed:.3g} GB" + (": too much for one" if needed > card else ""))
    return "\n\non one GPU\n" + "\n".join(lines)


def _on_many(step: Train, config: ModelConfig, load: Load, trained: plan.SetUp, nodes: int, gpus: int) -> str:
    """The table for these GPUs, by default the paper's; "" for one GPU, or if the rows can't be divided."""
    if nodes * gpus <= 1:
        nodes, gpus = PAPER_MACHINES
    layouts = _layouts(step, nodes, gpus)
    if not layouts:
        return ""
    towers = TOWERS if step.compute.checkpointing is None else step.compute.checkpointing
    rows = (step.batches.rows_per_step, step.batches.micro_rows, towers)
    table = memory.table_of_layouts(config, load, trained, layouts, *rows, _num_samples(step, load))
    note = ""
    try:
        layout(copied(step, nodes, nodes * gpus), nodes * gpus)
    except ValueError as error:
        note = f"\nits own layout isn't among these: {error}"
    whole = 4 * sum(pieces.parameters(config).values()) / 1e9
    last = f"while it measures, each GPU has all weights beside its share of them, of a pipeline the first: {whole:.3g} GB"
    if step.compute.checkpointing is None:
        last = f"activations count as computed again; where they have room they are kept\n{last}"
    return f"\n\non {nodes} x {gpus} GPUs{note}\n{table}\n{last}"


def _layouts(step: Train, nodes: int, gpus: int) -> list[Layout]:
    """The step's own layout, and recipes' others: a copy on each machine or GPU, as one stage or as the paper's. Only layouts
    that divide its rows."""
    layouts: list[Layout] = []
    for pipeline, layers in ((step.parallel.pipeline, step.parallel.stage_layers), (1, ()), (PAPER_STAGES, ())):
        step = step.but(pipeline=pipeline, stage_layers=layers)
        own = copied(step, nodes, nodes * gpus).parallel.replicate
        for replicate in (own, nodes, nodes * gpus // pipeline):
            with contextlib.suppress(ValueError):
                layouts.append(layout(step.but(replicate=replicate), nodes * gpus))
    return list(dict.fromkeys(layouts))


def checkpointed(
    step: Train, config: ModelConfig, trained: plan.SetUp, ranks: "Ranks", device: "torch.device"
) -> tuple[str, ...]:
    """The towers whose activations this rank recomputes: those of `step`, or on a GPU as few as its memory needs."""
    if step.compute.checkpointing is not None:
        return step.compute.checkpointing
    if device.type != "cuda":
        return ()
    import torch

    of, load = ranks.layout, typical(config, step)
    num_micros = -(-step.batches.rows_per_step // (of.copies * step.batches.micro_rows))
    room = memory.USED * torch.cuda.get_device_properties(device).total_memory
    return memory.cheapest(config, load, trained, of, ranks.stage, num_micros, room)


def set_up(step: Train) -> plan.SetUp | None:
    """The trained parts of `step`; None if there are none. Parameters frozen by patterns count as trained."""
    trained = tuple(part for part in pieces.PARTS if part not in step.weights.frozen)
    given = step.weights
    beside = tuple(part for part in pieces.PARTS if part in given.beside)
    if not trained and not given.lora:
        return None
    narrow = plan.BF16 if step.optim.is_narrow else plan.FP32
    in_8_bits = plan.BF16_8BIT if step.optim.is_narrow else plan.FP32_8BIT
    adapters = plan.QLORA if given.packed else plan.ADAPTERS
    method = adapters if given.lora else narrow if step.optim.moment_bits == 32 else in_8_bits
    return plan.SetUp(plan.AS_SET, trained, given.lora, given.lora_targets, beside, method)


def typical(config: ModelConfig, step: Train) -> Load:
    """The input of one pass: `micro_rows` rows, full of pages or lines, in the step's modes by weight."""
    views: list[tuple[int, int]] = []
    lengths: list[int] = []
    num_learned, owed = 0, dict.fromkeys((mode for mode, weight in step.batches.modes if weight), 0.0)
    for _ in range(step.batches.micro_rows):
        room = step.batches.length
        while True:
            owed = {mode: owed[mode] + weight for mode, weight in step.batches.modes if weight}
            mode = max(owed, key=lambda name: owed[name])
            owed[mode] -= sum(weight for _, weight in step.batches.modes)
            seen, num_image, num_text = _image(mode)
            if num_image + num_text > room:
                num_text = room - num_image  # the last one fills the room
            if num_text <= 0:
                break
            views += seen
            lengths.append(num_image + num_text)
            num_learned += num_text
            room -= num_image + num_text
    return Load(tuple(views), tuple(lengths), num_learned)


def _image(mode: str) -> tuple[list[tuple[int, int]], int, int]:
    """The views, (height, width) in pixels, of an image in `mode`, its placeholders, and the tokens of its text."""
    chosen = MODES[mode]
    size, num_text = (LINE, LINE_TOKENS) if chosen.line else (PAGE, PAGE_TOKENS)
    grid = tile_grid(*size, chosen.tile) if chosen.tile else (0, 0)
    width, height = chosen.whole(*size)
    return (
        [(chosen.tile, chosen.tile)] * (grid[0] * grid[1]) + [(height, width)],
        chosen.num_tokens(grid, (width, height)),
        num_text,
    )
