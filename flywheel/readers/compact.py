"""Training of the compact reader: crops in, a reader's folder out.

A killed training goes on from its checkpoint, to the same bytes.
"""

import dataclasses
import itertools
import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F

from datagen.disk.storage import Folder
from datagen.engines.compact import (
    HEIGHT,
    MAX_WIDTH,
    STEP,
    Alphabet,
    CompactConfig,
    CompactNet,
    Reader,
    collate,
    has_fast_bf16,
    line_image,
    symbols_of,
    threads,
)
from datagen.work import progress
from datagen.work.progress import State
from flywheel.lines.crops import Crop, degraded, tallness
from flywheel.readers import symbol_places
from flywheel.readers.line_shares import shares_of
from flywheel.step import Fit

_REPORT_EVERY_S = 10.0
_SHORT = 10  # heights wide
_TOLD = 0.5  # of the loss that says where symbols stand
_SAMPLE, _ENOUGH_ROOM = 100, 1.8  # lines that are looked at; frames for each one that is needed
_HIGH, _TALL = 48, 1.5  # pixels that lines are seen in, in place of 32, if they are so many times as high as plain letters


def fit(config: Fit, crops: Sequence[Crop], folder: Folder, start: Folder | None, mark: str) -> Reader:
    """A reader trained on `crops`, which are of one script, and saved in `folder`. A reader that is there already is returned.

    The training starts from the weights of the reader in `start`, if there is one. Symbols that this one lacks begin with random
    weights. `mark` tells this training from others, and a checkpoint of another training is not used. Raises `ValueError` if
    there are no crops, or if the folder has a reader of another training.
    """
    if not crops:
        raise ValueError(f"no crops to train the reader in {folder.url} on")
    if folder.exists("config.json"):
        if json.loads(folder.read("config.json"))["made"]["mark"] != mark:
            raise ValueError(f"{folder.url} holds a reader of another training: overwrite=1 replaces it, out=… leaves it alone")
        _tidy(folder)
        return Reader.load(folder)
    # A processor with another arithmetic begins anew: half a training of each kind would give bytes that nobody can make again.
    checkpoint = f"checkpoint-{mark[:16]}{'-bf16' if has_fast_bf16() else ''}.safetensors"
    with threads(config.threads):
        reader = _fit(config, crops, folder, start, checkpoint)
    made = {"mark": mark, "fit": dataclasses.asdict(config), "languages": dict(Counter(c.lang for c in crops))}
    reader.save(folder, made)
    _tidy(folder)
    return reader


def _fit(config: Fit, crops: Sequence[Crop], folder: Folder, start: Folder | None, checkpoint: str) -> Reader:
    torch.manual_seed(config.seed)
    alphabet = Alphabet.of(crops[0].script, (c.text for c in crops))
    before = None if start is None else Reader.load(start)
    network = before.config if before else _network(config, crops)
    net = CompactNet(network, len(alphabet.symbols) + 1)
    if before is not None:
        _inherit(net, alphabet, before)
    net = net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    bf16 = has_fast_bf16()
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True)
    first = _resume(folder, checkpoint, net, optimizer)
    started, shown, losses = time.monotonic(), time.monotonic(), []
    drawn = _batches(config, crops, 0 if start else config.short_steps, network.height)
    batches = itertools.islice(drawn, first, None)
    for step, batch in zip(range(first, config.steps), batches, strict=False):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _schedule(step / config.steps, config.warmup)
        is_told = start is None and step < config.told_share * config.steps
        loss = _loss(net, alphabet, config, batch, numpy.random.default_rng([config.seed, 1, step]), bf16, is_told)
        if loss is None:
            continue
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if (step + 1) % config.checkpoint_every == 0 and step + 1 < config.steps:
            _save(folder, checkpoint, net, optimizer, step + 1)
        if time.monotonic() - shown > _REPORT_EVERY_S:
            shown = time.monotonic()
            left = (shown - started) / (step + 1 - first) * (config.steps - step - 1)
            note = f"loss {numpy.mean(losses[-50:]):.2f} nats a character"
            progress.write(folder, State(step + 1, config.steps, "steps", note, left))
    return Reader(net, alphabet, network, bf16)


def _tidy(folder: Folder) -> None:
    """Remove the files that are only needed while a reader is trained."""
    for name in folder.names():
        if name.startswith("checkpoint-") or name == progress.NAME:
            folder.remove(name)


def _loss(
    net: CompactNet,
    alphabet: Alphabet,
    config: Fit,
    batch: Sequence[Crop],
    random: numpy.random.Generator,
    bf16: bool,
    is_told: bool = False,
) -> Tensor | None:
    """CTC's loss over degraded lines, in nats a character; None if every line is too narrow for its text. A reader that `is_told`
    learns, too, about where each symbol stands."""
    images, targets, texts = [], [], []
    for crop in batch:
        line = degraded(crop, random, config.typeset_share)
        image = line_image(line, float(random.uniform(0.85, 1.12)), net.height)
        classes = alphabet.encode(crop.text)
        if image.shape[1] // STEP * net.frames >= _least_frames(classes):
            images.append(image)
            targets.append(classes)
            texts.append(crop.text)
    if not images:
        return None
    image_B1HW, num_steps_B = collate(images)
    lengths_B = torch.tensor([len(t) for t in targets])
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logp_BTA = net(image_B1HW, num_steps_B)
    flat = torch.tensor([c for t in targets for c in t])
    frames_B = num_steps_B * net.frames
    nll_B = F.ctc_loss(logp_BTA.transpose(0, 1), flat, frames_B, lengths_B, reduction="none", zero_infinity=True)
    nll = nll_B.sum() / lengths_B.sum()
    if not is_told:
        return nll
    symbols = [symbols_of(text, alphabet.script) for text in texts]
    return nll + _TOLD * symbol_places.loss(logp_BTA, targets, symbols, num_steps_B.tolist())


def _least_frames(symbols: Sequence[int] | str) -> int:
    """How many frames CTC needs for these: one each, and one between two that are equal."""
    return len(symbols) + sum(a == b for a, b in itertools.pairwise(symbols))


def _network(config: Fit, crops: Sequence[Crop]) -> CompactConfig:
    """The network for lines like these. It sees them higher if most are tall: stacked letters, as Khmer's, would else be two
    thirds as large as Cyrillic ones. A step has 2 frames, or 4 where lines with so many hardly have room for their symbols."""
    random = numpy.random.default_rng([config.seed, 2])
    drawn = [crops[i] for i in random.choice(len(crops), _SAMPLE, p=shares_of(crops))]
    height = _HIGH if numpy.median([tallness(crop, random) for crop in drawn]) > _TALL else HEIGHT
    widths = [line_image(degraded(crop, random, config.typeset_share), height=height).shape[1] for crop in drawn]
    room = [2 * width / STEP / _least_frames(symbols_of(c.text, c.script)) for width, c in zip(widths, drawn, strict=True)]
    return CompactConfig(frames=2 if numpy.quantile(room, 0.1) >= _ENOUGH_ROOM else 4, height=height)


def _batches(config: Fit, crops: Sequence[Crop], short_steps: int, height: int = HEIGHT) -> Iterator[list[Crop]]:
    """Batches without end. The lines of a batch are about equally wide. The first `short_steps` batches have short lines alone:
    CTC learns sooner on them that there is something to align."""
    weights = shares_of(crops)
    short = numpy.array([_aspect(c) <= _SHORT for c in crops])
    random, step = numpy.random.default_rng([config.seed, 0]), 0
    while True:
        p = weights * short if step < short_steps and short.any() else weights
        drawn = [crops[i] for i in random.choice(len(crops), 256, p=p / p.sum())]
        batches: list[list[Crop]] = []
        room = 0.0
        for crop in sorted(drawn, key=lambda c: (_aspect(c), c.key)):
            width = min(_aspect(crop) * height, MAX_WIDTH * height / HEIGHT)
            if width > room:
                batches.append([])
                room = float(config.batch_width)
            batches[-1].append(crop)
            room -= width
        for i in random.permutation(len(batches)):
            yield batches[i]
        step += len(batches)


def _aspect(crop: Crop) -> float:
    return (crop.box.x1 - crop.box.x0) / (crop.box.y1 - crop.box.y0)


def _schedule(done: float, warmup: float) -> float:
    """Linear to 1 over the share `warmup` of the steps, then a cosine to 0.01."""
    if done < warmup:
        return (done + 1e-3) / warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def _inherit(net: CompactNet, alphabet: Alphabet, start: Reader) -> None:
    """Copy the weights of the reader `start`. The weights of a class follow its symbol."""
    state = net.state_dict()
    old = {symbol: i + 1 for i, symbol in enumerate(start.alphabet.symbols)}
    pairs = [(0, 0), *((i + 1, old[s]) for i, s in enumerate(alphabet.symbols) if s in old)]
    ours, theirs = (torch.tensor(side) for side in zip(*pairs, strict=True))
    for name, value in start.net.state_dict().items():
        if name.startswith("head."):
            state[name][ours] = value[theirs]
        else:
            state[name] = value
    net.load_state_dict(state)


def _save(folder: Folder, name: str, net: CompactNet, optimizer: torch.optim.AdamW, step: int) -> None:
    tensors = {f"net/{key}": value for key, value in net.state_dict().items()}
    for key, parameter in net.named_parameters():
        for moment, value in optimizer.state[parameter].items():
            tensors[f"optimizer/{key}/{moment}"] = value
    tensors["step"] = torch.tensor(step)
    with folder.create(name) as file:
        file.write(safetensors.torch.save({key: value.contiguous() for key, value in tensors.items()}))


@torch.no_grad()
def _resume(folder: Folder, name: str, net: CompactNet, optimizer: torch.optim.AdamW) -> int:
    """Load the checkpoint, if there is one. Returns the number of steps that are done."""
    if not folder.exists(name):
        return 0
    tensors = safetensors.torch.load(folder.read(name))
    net.load_state_dict({key.removeprefix("net/"): value for key, value in tensors.items() if key.startswith("net/")})
    for key, parameter in net.named_parameters():
        state = {moment: tensors[f"optimizer/{key}/{moment}"] for moment in ("step", "exp_avg", "exp_avg_sq")}
        # The fused kernel walks through memory, so moments must lie there as their weights do: channels last.
        moments = {m: torch.empty_like(parameter).copy_(state[m]) for m in ("exp_avg", "exp_avg_sq")}
        optimizer.state[parameter] = state | moments
    return int(tensors["step"])
