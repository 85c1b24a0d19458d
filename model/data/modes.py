"""The image mode of a sample: drawn by weight, and never above its image's pixels."""

import functools
from collections.abc import Mapping, Sequence

from model.net.image_modes import MODES, num_tokens

LINE_HEIGHT = 96
"""The most pixels of height of a line of text. A line gets the line mode, if a training has it."""


def check(modes: Mapping[str, float]) -> None:
    """Raises `ValueError` unless these are modes with weights."""
    if unknown := sorted(set(modes) - set(MODES)):
        raise ValueError(f"modes has {', '.join(unknown)}: allowed are {', '.join(MODES)}")
    if not modes or min(modes.values()) < 0 or not sum(modes.values()):
        raise ValueError(f"modes is {dict(modes)}: give at least one a weight above 0, and none a weight under 0")


def drawn(modes: Mapping[str, float], u: float) -> str:
    """The mode of a sample whose number, from 0 to 1, is `u`. The line mode isn't drawn if there are others."""
    weights = {mode: weight for mode, weight in modes.items() if not MODES[mode].line} or dict(modes)
    left = u * sum(weights.values())
    for mode, weight in weights.items():
        left -= weight
        if left < 0:
            return mode
    return [mode for mode, weight in weights.items() if weight][-1]


def fitting(mode: str, modes: Sequence[str], width: int, height: int) -> str:
    """The mode of an image of (`width`, `height`) pixels if `mode` was drawn: that mode if the image has its pixels. Else the
    largest mode without tiles that the image fills, or the smallest mode."""
    lines = [name for name in modes if MODES[name].line]
    others = sorted((name for name in modes if not MODES[name].line), key=lambda name: (MODES[name].side, MODES[name].tile))
    if lines and (not others or height <= min(LINE_HEIGHT, width)):
        return lines[0]
    if not MODES[mode].line and not MODES[mode].upsamples(width, height):
        return mode
    whole = [name for name in others if not MODES[name].tile and not MODES[name].upsamples(width, height)]
    return whole[-1] if whole else others[0]


@functools.lru_cache(maxsize=1 << 16)
def placeholders(mode: str, modes: tuple[str, ...], width: int, height: int) -> int:
    """The number of tokens of an image of (`width`, `height`) pixels if `mode` was drawn."""
    return num_tokens(fitting(mode, modes, width, height), width, height)
