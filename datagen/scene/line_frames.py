"""The frames of a scene's lines. A frame has one axis along which its line is read, and one on which the next line follows,
however the line slants, bends or runs. All limits are multiples of the height of lines."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy

from datagen.record import Line
from datagen.writing.scripts import HAN, HANGUL, main_script
from datagen.writing.vertical_lines import TURNED

_SQUARE, _NEARER = 1.5, 0.7  # the longer side of a single sign in shorter ones; the gap below it as a share of the gap beside it
_SQUARES = re.compile(f"[{HAN}{HANGUL}]")


class Frame(NamedTuple):
    """The place of a piece or a row of text: (x, y) in pixels. The text is read from `start`, the middle of its first edge, over
    `middle` to `end`, the middle of its last edge. `out` is the unit vector of reading at `start`, `on` at `end`. `height` is the
    height of the lines, `under` the unit vector to the next line."""

    start: numpy.ndarray
    middle: numpy.ndarray
    end: numpy.ndarray
    out: numpy.ndarray
    on: numpy.ndarray
    under: numpy.ndarray
    height: float

    @property
    def length(self) -> float:
        return float(math.dist(self.start, self.end))


def directions_of(lines: Sequence[Line]) -> list[str]:
    """The direction of each line. A line without a letter, such as a number, takes the usual direction of the others. Signs of
    Chinese, Japanese or Korean that were found one by one are vertical if they are nearer to the signs above and below."""
    chars = {direction: sum(len(line.text) for line in lines if line.direction == direction) for direction in ("ltr", "rtl")}
    usual = "rtl" if chars["rtl"] > chars["ltr"] else "ltr"
    directions = [
        usual if line.direction != "ttb" and not any(c.isalpha() for c in line.text) else line.direction for line in lines
    ]
    single = [i for i, line in enumerate(lines) if line.direction == "ltr" and _SQUARES.fullmatch(line.text.strip())]
    frames = [frame_of(lines[i], "ltr") for i in single]
    for i, frame in zip(single, frames, strict=True):
        if frame.length > _SQUARE * frame.height or frame.height > _SQUARE * frame.length:
            continue
        size = max(frame.length, frame.height)
        beside, below = math.inf, math.inf
        for other in frames:
            away = other.middle - frame.middle
            along, across = abs(away @ frame.out), abs(away @ frame.under)
            if other is not frame and across < size / 2:
                beside = min(beside, along)
            if other is not frame and along < size / 2:
                below = min(below, across)
        if below < 2 * size and below - size * _NEARER < _NEARER * (beside - size * _NEARER):
            directions[i] = "ttb"
    return directions


def frame_of(line: Line, direction: str) -> Frame:
    """The frame of a line that runs in a direction."""
    corners = numpy.array(line.corners)
    half = len(corners) // 2
    top, bottom = corners[:half], corners[: half - 1 : -1][:half]
    left, right = (top[0] + bottom[0]) / 2, (top[-1] + bottom[-1]) / 2
    # Both axes tell the slant; the longer one tells it better.
    side = (bottom[0] - top[0]) + (bottom[-1] - top[-1])
    across = unit((top[-1] - top[0]) + (bottom[-1] - bottom[0]) + (side[1], -side[0]))
    down = numpy.array((-across[1], across[0]))
    if direction == "ttb":
        over, under = top.mean(axis=0), bottom.mean(axis=0)
        width = abs(float((right - left) @ across))
        return Frame(
            over,
            (over + under) / 2,
            under,
            down,
            down,
            across if main_script(line.text)[0] in TURNED else -across,
            max(width, 1e-3),
        )
    middles = (top + bottom) / 2
    height = max(float(numpy.linalg.norm(bottom - top, axis=1).mean()), 1e-3)
    begin, finish = (unit(middles[1] - middles[0]), unit(middles[-1] - middles[-2])) if half > 2 else (across, across)
    middle = (middles[half // 2] + middles[(half - 1) // 2]) / 2
    if direction == "rtl":
        return Frame(right, middle, left, -finish, -begin, down, height)
    return Frame(left, middle, right, begin, finish, down, height)


def near_pairs(frames: Sequence[Frame], within: float) -> Iterator[tuple[int, int]]:
    """The pairs of frames, both ways round, that are roughly no further apart than `within` line heights."""
    middles = numpy.array([frame.middle for frame in frames])
    reach = numpy.array([frame.length / 2 for frame in frames])
    heights = numpy.array([frame.height for frame in frames])
    away = numpy.linalg.norm(middles[:, None] - middles[None], axis=2)
    near = away - reach[:, None] - reach[None] <= within * numpy.maximum(heights[:, None], heights[None]) * 1.5
    numpy.fill_diagonal(near, False)
    for i, j in zip(*numpy.nonzero(near), strict=True):
        yield int(i), int(j)


def way_of(frame: Frame) -> numpy.ndarray:
    """The unit vector from a frame's start to its end; for a short frame, the unit vector of reading at its start."""
    return unit(frame.end - frame.start) if frame.length > frame.height else frame.out


def are_alike(a: Frame, b: Frame, most: float) -> bool:
    return max(a.height, b.height) <= most * min(a.height, b.height)


def unit(vector: numpy.ndarray) -> numpy.ndarray:
    length = math.hypot(*vector)
    return vector / length if length > 1e-9 else numpy.array((1.0, 0.0))


def degrees(a: numpy.ndarray, b: numpy.ndarray) -> float:
    return math.degrees(math.acos(max(-1.0, min(1.0, float(a @ b)))))
