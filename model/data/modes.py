"""Which image mode a sample gets: drawn by weight, and never above its image's pixels."""

import functools
from collections.abc import Mapping, Sequence

from model.image import MODES, tile_grid


def check(modes: Mapping[str, float]) -> None:
    """Raises `ValueError` unless these are modes with weights."""
    if unknown := sorted(set(modes) - set(MODES)):
        raise ValueError(f"modes has {', '.join(unknown)}: allowed are {', '.join(MODES)}")
    if not modes or min(modes.values()) < 0 or not sum(modes.values()):
        raise ValueError(f"modes is {dict(modes)}: give at least one a weight above 0, and none a weight under 0")


def drawn(modes: Mapping[str, float], u: float) -> str:
    """The mode of a sample whose number, from 0 to 1, is `u`."""
    left = u * sum(modes.values())
    for mode, weight in modes.items():
        left -= weight
        if left < 0:
            return mode
    return [mode for mode, weight in modes.items() if weight][-1]


def fitting(mode: str, modes: Sequence[str], width: int, height: int) -> str:
    """The mode of an image of so many pixels, if `mode` was drawn: that one, if the image has its pixels. Else the largest one
    without tiles that the image does fill, and the smallest if it fills none."""
    if not upsamples(mode, width, height):
        return mode
    by_size = sorted(modes, key=lambda name: (MODES[name].side, MODES[name].tile))
    whole = [name for name in by_size if not MODES[name].tile and not upsamples(name, width, height)]
    return whole[-1] if whole else by_size[0]


def upsamples(mode: str, width: int, height: int) -> bool:
    """Whether the mode is above the image's pixels: whether its longer side has fewer."""
    return max(width, height) < MODES[mode].side


def num_tokens(mode: str, width: int, height: int) -> int:
    """The number of placeholders of an image of so many pixels in `mode`."""
    tile = MODES[mode].tile
    return MODES[mode].num_tokens(tile_grid(width, height, tile) if tile else (0, 0))


@functools.lru_cache(maxsize=1 << 16)
def placeholders(mode: str, modes: tuple[str, ...], width: int, height: int) -> int:
    """The number of tokens of an image of so many pixels, if `mode` was drawn."""
    return num_tokens(fitting(mode, modes, width, height), width, height)
