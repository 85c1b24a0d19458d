"""What a drawn formula is, what decides how it is drawn, and why one may not be. `render` draws, and loads what that takes."""

import functools
import importlib.metadata
from typing import NamedTuple

import numpy

EM = 48
"""Pixels of the drawing that an em takes."""
RULE = "rule"
"""The name of what is no glyph: the line of a fraction, of a root, of a table."""


class NotDrawn(ValueError):
    """Why a formula can't be drawn: `reason` is `unknown_command`, `unknown_character`, `not_parsed`, `signs_lost` (ziamath
    passed over some), `too_long`, `too_nested`, `too_large` or `empty`."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Symbol(NamedTuple):
    """What one glyph, or one rule, covers, in pixels of the drawing. `name` is the character that it stands for, or `RULE`."""

    name: str
    x0: float
    y0: float
    x1: float
    y1: float


class Drawing(NamedTuple):
    """`ink`: (H, W) bytes, ink 255, cut to the symbols, which are in the order in which they stand in the LaTeX."""

    ink: numpy.ndarray
    symbols: tuple[Symbol, ...]


@functools.cache
def versions() -> dict[str, str]:
    """What decides how a formula is drawn."""
    return {name: importlib.metadata.version(name) for name in ("ziamath", "ziafont", "latex2mathml")}
