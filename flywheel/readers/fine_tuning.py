"""Fine-tuning of a network that writes a line token by token: the common steps of `got_ocr` and `ours`.

Lines and weights depend on the values alone. A killed training goes on from its checkpoint: on a processor to the same bytes; on
a GPU the last bits may differ, as between two whole trainings.
"""

import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy
import torch
from torch import Tensor, nn

from datagen.disk.storage import Folder
from datagen.engines.compact import threads
from datagen.work import progress
from datagen.work.progress import State
from flywheel.lines.crops import Crop, degraded, shares_of
from flywheel.step import Fit, Pretrained
from model.train.checkpoint import Checkpoints, tensors
from model.train.optim import adamw, rate_at, update
from model.train.step import Optim, Schedule, Train

log = logging.getLogger(__name__)

_REPORT_EVERY_S = 10.0
_AHEAD = 2  # steps whose lines are prepared during earlier steps
_MAX_NOT_FINITE = 20
_CHECKPOINT = "checkpoint-"


class Learner(Protocol):
    @property
    def net(self) -> nn.Module: ...

    def prepared(self, lines: Sequence[tuple[numpy.ndarray, str]]) -> Any:
        """The input of `gradients`, from lines with their texts: (H, W) gray bytes. Called in another thread."""
        ...

    def gradients(self, prepared: Any) -> Tensor:
        """Compute gradients; returns the loss of a step's lines, in nats a token of their texts."""
        ...


def pretrained(config: Fit) -> Pretrained:
    """Raises `ValueError` if the values don't name the weights from which the training starts."""
    if config.pretrained is None:
        raise ValueError("pretrained is None: it must say which weights the training starts from")
    return config.pretrained


def device_of(values: Pretrained) -> str:
    return values.device or ("cuda" if torch.cuda.is_available() else "cpu")


def precision_of(values: Pretrained) -> str:
    return values.precision or ("bfloat16" if device_of(values) == "cuda" else "float32")


def learn(config: Fit, crops: Sequence[Crop], learner: Learner, folder: Folder, mark: str) -> list[float]:
    """Train for the steps of `config`, from the last checkpoint on; returns the loss of each new step. Raises `ValueError` if
    many steps in turn have no finite gradient, and `OSError` if a checkpoint can't be written."""
    values = _values(config)
    precision = precision_of(pretrained(config))
    checkpoints = Checkpoints(folder.sub(f"{_CHECKPOINT}{mark[:16]}-{precision}"), keep=1)
    torch.manual_seed(config.seed)
    optimizer = adamw(learner.net, values)
    saved = checkpoints.load(learner.net, optimizer)
    first = saved["step"] if saved else 0
    started, shown, losses, not_finite = time.monotonic(), time.monotonic(), list[float](), 0
    lines = _lines(config, crops)
    with threads(config.threads), ThreadPoolExecutor(1, "lines") as thread, contextlib.ExitStack() as ending:
        ending.callback(checkpoints.wait)  # checkpoints under way are written, however the steps end
        waiting: deque[Future[Any]] = deque()
        for step in range(first, config.steps):
            while len(waiting) < _AHEAD and step + len(waiting) < config.steps:
                waiting.append(thread.submit(lambda number: learner.prepared(lines(number)), step + len(waiting)))
            loss = learner.gradients(waiting.popleft().result())
            norm, (nats,), _ = update(optimizer, rate_at(values, step), values.optim.max_norm, loss[None])
            not_finite = 0 if math.isfinite(norm) and math.isfinite(nats) else not_finite + 1
            if not_finite >= _MAX_NOT_FINITE:
                raise ValueError(
                    f"{_MAX_NOT_FINITE} steps in turn, up to step {step + 1}, had no finite gradient: learning_rate is "
                    f"{config.learning_rate}, and a lower one may help"
                )
            losses.append(nats)
            if (step + 1) % config.checkpoint_every == 0 and step + 1 < config.steps:
                checkpoints.save(step + 1, tensors(learner.net, optimizer), {})
            if time.monotonic() - shown > _REPORT_EVERY_S:
                shown = time.monotonic()
                left = (shown - started) / (step + 1 - first) * (config.steps - step - 1)
                note = f"loss {numpy.mean(losses[-50:]):.2f} nats a token"
                progress.write(folder, State(step + 1, config.steps, "steps", note, left))
    return losses


def _values(config: Fit) -> Train:
    """The training's values in model/train's terms: rates, optimizer, bound on gradients."""
    return Train(
        datasets=(),
        seed=config.seed,
        schedule=Schedule(
            steps=config.steps, min_learning_rate=config.learning_rate / 100, warmup=max(1, round(config.warmup * config.steps))
        ),
        optim=Optim(learning_rate=config.learning_rate, weight_decay=config.weight_decay),
    )


def _lines(config: Fit, crops: Sequence[Crop]) -> Callable[[int], list[tuple[numpy.ndarray, str]]]:
    """The lines of a step, degraded, with their texts, by the step's number alone."""
    shares = shares_of(crops)
    num = pretrained(config).lines

    def of_step(step: int) -> list[tuple[numpy.ndarray, str]]:
        random = numpy.random.default_rng([config.seed, 1, step])
        drawn = [crops[i] for i in random.choice(len(crops), num, p=shares)]
        return [(degraded(crop, random, config.typeset_share), crop.text) for crop in drawn]

    return of_step


def most_tokens(lengths: Sequence[int]) -> int:
    """The most tokens of a reading: some more than the longest learned line has."""
    return max(lengths) * 5 // 4 + 8
