"""CTC training of networks that read lines: batches of similar width, the loss, and a loop that goes on after a kill."""

import dataclasses
import itertools
import json
import logging
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datagen.disk.storage import Folder
from datagen.engines.compact import (
    HEIGHT,
    MAX_WIDTH,
    STEP,
    Alphabet,
    CompactNet,
    collate,
    has_fast_bf16,
    line_image,
    padded_width,
    symbols_of,
    threads,
)
from datagen.work import progress
from datagen.work.progress import State
from flywheel.lines.crops import Crop, degraded, shares_of
from flywheel.readers import symbol_places
from flywheel.step import Fit

DRAWN = 256
"""The number of lines that are drawn at a time and cut into batches."""

_REPORT_EVERY_S = 10.0
_SHORT = 10  # heights wide
_TOLD = 0.5  # the share of the loss on the places of symbols
_PASSED_OVER = 20  # steps in a row

# A step has many kernels for each shape of a batch. oneDNN keeps 1,024 by default, and compiled the others again and again. It
# reads this variable before the first kernel.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "4096")

log = logging.getLogger(__name__)

T = TypeVar("T")


def learn(
    net: nn.Module, config: Fit, batches: Iterator[T], loss_of: Callable[[int, T], Tensor | None], folder: Folder, mark: str
) -> None:
    """Train those of the network's weights that need gradients, a batch a step, on `config.threads` threads. `loss_of(step,
    batch)` is None for a batch that teaches nothing. After a kill the same call goes on from the checkpoint of the training
    `mark` in `folder`. A processor with another arithmetic begins anew, since a training on two kinds would give bytes that
    nobody can make again. A step with a gradient that isn't finite changes no weight. Raises `FloatingPointError` after 20 of
    these in a row."""
    checkpoint = f"checkpoint-{mark[:16]}{'-bf16' if has_fast_bf16() else ''}.safetensors"
    learned = {name: value for name, value in net.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(learned.values(), config.learning_rate, weight_decay=config.weight_decay, fused=True)
    first = _resume(folder, checkpoint, net, learned, optimizer)
    started, shown, losses, num_passed = time.monotonic(), time.monotonic(), [], 0
    with threads(config.threads):
        for step, batch in zip(range(first, config.steps), itertools.islice(batches, first, None), strict=False):
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * _schedule(step / config.steps, config.warmup)
            loss = loss_of(step, batch)
            if loss is None:
                continue
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(learned.values(), 5.0)
            if norm.isfinite():
                optimizer.step()
                losses.append(loss.item())
                num_passed = 0
            else:
                num_passed += 1
                log.warning("step %d: the gradient is %s, the loss %s: passed over", step, norm.item(), loss.item())
                if num_passed == _PASSED_OVER:
                    raise FloatingPointError(f"no finite gradient in {num_passed} steps: the learning rate may be too high")
            optimizer.zero_grad(set_to_none=True)
            if (step + 1) % config.checkpoint_every == 0 and step + 1 < config.steps:
                _save(folder, checkpoint, net, learned, optimizer, step + 1)
            if time.monotonic() - shown > _REPORT_EVERY_S:
                shown = time.monotonic()
                left = (shown - started) / (step + 1 - first) * (config.steps - step - 1)
                note = f"loss {numpy.mean(losses[-50:]):.2f} nats a character"
                progress.write(folder, State(step + 1, config.steps, "steps", note, left))


def is_there(folder: Folder, crops: Sequence[Crop], mark: str) -> bool:
    """Whether the folder has the reader of the training `mark`. Raises `ValueError` if it has another reader, or without
    `crops`."""
    if not crops:
        raise ValueError(f"no crops to train the reader in {folder.url} on")
    if not folder.exists("config.json"):
        return False
    if json.loads(folder.read("config.json"))["made"]["mark"] != mark:
        raise ValueError(f"{folder.url} holds a reader of another training: overwrite=1 replaces it, out=… leaves it alone")
    tidy(folder)
    return True


def made_by(config: Fit, crops: Sequence[Crop], mark: str) -> dict[str, Any]:
    """The training's entry in a reader's config.json."""
    return {"mark": mark, "fit": dataclasses.asdict(config), "languages": dict(Counter(crop.lang for crop in crops))}


def tidy(folder: Folder) -> None:
    """Remove files and folders that only a running training needs: checkpoints and progress."""
    for name in (*folder.names(), *folder.folders()):
        if name.startswith("checkpoint-") or name == progress.NAME:
            folder.remove(name)


def symbols_of_crop(crop: Crop) -> str:
    return symbols_of(crop.text, crop.script)


def loss_of_lines(
    net: CompactNet,
    alphabet: Alphabet,
    config: Fit,
    batch: Sequence[Crop],
    step: int,
    is_told: bool = False,
    line_symbols: Callable[[Crop], str] = symbols_of_crop,
) -> Tensor | None:
    """CTC's loss over lines, degraded as of this `step`, in nats a character; None if every line is too narrow for its text. With
    `is_told`, the loss includes the place of each symbol. `line_symbols` gives the symbols of a line, all of them in
    the alphabet."""
    random = numpy.random.default_rng([config.seed, 1, step])
    images, targets, lines = [], [], []
    for crop in batch:
        line = degraded(crop, random, config.typeset_share)
        image = line_image(line, float(random.uniform(0.85, 1.12)), net.height)
        symbols = line_symbols(crop)
        classes = alphabet.classes(symbols)
        if image.shape[1] // STEP * net.frames >= least_frames(classes):
            images.append(image)
            targets.append(classes)
            lines.append(symbols)
    if not images:
        return None
    image_B1HW, num_steps_B = collate(images)
    lengths_B = torch.tensor([len(t) for t in targets])
    with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bf16()):
        logp_BTA = net(image_B1HW, num_steps_B)
    flat = torch.tensor([c for t in targets for c in t])
    frames_B = num_steps_B * net.frames
    nll_B = F.ctc_loss(logp_BTA.transpose(0, 1), flat, frames_B, lengths_B, reduction="none", zero_infinity=True)
    nll = nll_B.sum() / lengths_B.sum()
    if not is_told:
        return nll
    return nll + _TOLD * symbol_places.loss(logp_BTA, targets, lines, num_steps_B.tolist())


def least_frames(symbols: Sequence[int] | str) -> int:
    """The least number of frames that CTC needs: one for each symbol, and one between two equal ones."""
    return len(symbols) + sum(a == b for a, b in itertools.pairwise(symbols))


def batches_of(config: Fit, crops: Sequence[Crop], short_steps: int, height: int = HEIGHT) -> Iterator[list[Crop]]:
    """Batches without end, each of lines of similar width. The first `short_steps` batches have short lines only, on which CTC
    learns sooner that there is something to align."""
    weights = shares_of(crops)
    short = numpy.array([is_short(c) for c in crops])
    random, step = numpy.random.default_rng([config.seed, 0]), 0
    while True:
        p = weights * short if step < short_steps and short.any() else weights
        batches = by_width([crops[i] for i in random.choice(len(crops), DRAWN, p=p / p.sum())], config.batch_width, height)
        for i in random.permutation(len(batches)):
            yield batches[i]
        step += len(batches)


def by_width(crops: Iterable[Crop], batch_width: int, height: int = HEIGHT) -> list[list[Crop]]:
    """The lines in batches, wide ones first. A batch's lines have at most about `batch_width` pixels of width in all, at this
    height; a wider line is a batch of its own. Batches of lines of similar width have the same number of lines."""
    batches: list[list[Crop]] = []
    left = sorted(crops, key=_aspect, reverse=True)
    while left:
        width = min(_aspect(left[0]), MAX_WIDTH / HEIGHT) * height
        count = max(1, batch_width // padded_width(round(width)))
        batches.append(left[:count])
        left = left[count:]
    return batches


def is_short(crop: Crop) -> bool:
    return _aspect(crop) <= _SHORT


def _aspect(crop: Crop) -> float:
    return (crop.box.x1 - crop.box.x0) / (crop.box.y1 - crop.box.y0)


def _schedule(done: float, warmup: float) -> float:
    """Linear to 1 over the share `warmup` of the steps, then a cosine to 0.01."""
    if done < warmup:
        return (done + 1e-3) / warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def _save(
    folder: Folder, name: str, net: nn.Module, learned: dict[str, nn.Parameter], optimizer: torch.optim.AdamW, step: int
) -> None:
    tensors = {f"net/{key}": value for key, value in net.state_dict().items()}
    for key, parameter in learned.items():
        for moment, value in optimizer.state.get(parameter, {}).items():  # an unused head has none
            tensors[f"optimizer/{key}/{moment}"] = value
    tensors["step"] = torch.tensor(step)
    with folder.create(name) as file:
        file.write(safetensors.torch.save({key: value.contiguous() for key, value in tensors.items()}))


@torch.no_grad()
def _resume(folder: Folder, name: str, net: nn.Module, learned: dict[str, nn.Parameter], optimizer: torch.optim.AdamW) -> int:
    """Load the checkpoint, if there is one. Returns the number of finished steps."""
    if not folder.exists(name):
        return 0
    tensors = safetensors.torch.load(folder.read(name))
    net.load_state_dict({key.removeprefix("net/"): value for key, value in tensors.items() if key.startswith("net/")})
    for key, parameter in learned.items():
        if f"optimizer/{key}/step" not in tensors:
            continue
        state = {moment: tensors[f"optimizer/{key}/{moment}"] for moment in ("step", "exp_avg", "exp_avg_sq")}
        # The fused kernel walks through memory, so moments must have the layout of their weights: channels last.
        moments = {m: torch.empty_like(parameter).copy_(state[m]) for m in ("exp_avg", "exp_avg_sq")}
        optimizer.state[parameter] = state | moments
    return int(tensors["step"])
