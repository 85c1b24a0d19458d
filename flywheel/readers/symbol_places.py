"""The approximate place of each symbol of a line, for a reader's first steps.

CTC leaves the places of symbols open, and an untrained reader answers blank for hundreds of steps before it aligns anything.
Letters are about equally wide, so a symbol's index in the text tells about where it is.
"""

import unicodedata
from collections.abc import Sequence

import numpy
import torch
from torch import Tensor

from datagen.engines.compact import STEP

_MARGIN = 4  # pixels of paper at each end of a line, about
_NEAR = 8  # pixels that a symbol may be off its place
_JAMO = range(0x1100, 0x1200)


def frames(symbols: str, num_steps: int, frames_of_step: int) -> numpy.ndarray:
    """The approximate frame of each symbol of a line."""
    widths = numpy.array([_width(symbol) for symbol in symbols])
    middle = (numpy.cumsum(widths) - widths / 2) / max(widths.sum(), 0.5)
    x = _MARGIN + middle * (num_steps * STEP - 2 * _MARGIN)
    return (x * frames_of_step / STEP).astype(int).clip(0, num_steps * frames_of_step - 1)


def loss(logp_BTA: Tensor, targets: Sequence[Sequence[int]], symbols: Sequence[str], steps: Sequence[int]) -> Tensor:
    """The negative log-probability of each symbol near its place: in nats, the mean over all symbols. `steps` are the lines'
    lengths."""
    frames_of_step = logp_BTA.shape[1] // max(steps)
    near = numpy.arange(-_NEAR * frames_of_step // STEP, _NEAR * frames_of_step // STEP + 1)
    lines: list[int] = []
    classes: list[int] = []
    windows = []
    for line, (target, text, num_steps) in enumerate(zip(targets, symbols, steps, strict=True)):
        windows.append((frames(text, num_steps, frames_of_step)[:, None] + near).clip(0, num_steps * frames_of_step - 1))
        lines += [line] * len(target)
        classes += target
    seen = logp_BTA[torch.tensor(lines)[:, None], torch.from_numpy(numpy.concatenate(windows)), torch.tensor(classes)[:, None]]
    return -seen.logsumexp(1).clamp(max=0).mean()


def _width(symbol: str) -> float:
    category = unicodedata.category(symbol)
    if category in ("Mn", "Me", "Cf"):
        return 0.0
    if category[0] in "PZ" or ord(symbol) in _JAMO:
        return 0.5
    return 1.25 if category == "Lu" else 1.0
