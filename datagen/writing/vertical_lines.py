"""Lines that run from top to bottom: which ones do, and how they are laid down, so that a reader sees them from left to right.

Mongolian letters lie on their side in a column: the column is turned by a quarter. Chinese and Japanese characters stand upright
in it, one below the other: they are cut apart and set side by side. This is the one place that lays lines down: a reader knows
horizontal lines alone, and all boxes on pages are those of columns.
"""

import itertools
import re
from collections.abc import Iterable, Sequence

import numpy

from datagen.record import Box, Line

TURNED = frozenset({"Mong", "Phag"})
UPRIGHT = frozenset("Bopo Hani Hans Hant Hira Jpan Kana".split())
"""Scripts (ISO 15924) whose columns are turned, and those whose characters stand upright in a column."""

FROM_LEFT = "ttb-from-left"
"""The direction of text in columns of which the leftmost is read first, as in Mongolian."""

_LYING = re.compile("[\u1820-\u18aa\ua840-\ua873]")  # letters of the turned ones
_TALL = 1.5  # times as high as wide
_PITCHES = (0.9, 1.7)  # from one character to the next, in widths of the column's ink
_NEAR = 0.3  # of a row's mean ink: what it costs a pitch to be twice as large as that width
_EVEN = 4.0  # of a row's mean ink: what it costs a cut to be a whole pitch off
_STEPS = (0.55, 1.6)  # from one cut to the next, in pitches
_SIGN = 0.45  # of a cell's height and width: a comma or a full stop is smaller, and a small kana isn't
_INKED = 0.5  # of the column's darkest ink
_ENDS = 0.2  # how much of a missing pitch counts at the ends of a column


def stands(box: Box, script: str) -> bool:
    """Whether a line in a text of `script` that lies at `box` runs from top to bottom."""
    return script in TURNED | UPRIGHT and box.y1 - box.y0 > _TALL * (box.x1 - box.x0)


def is_from_left(column: str) -> bool:
    """Whether the column behind one with this text stands to the right of it, as in Mongolian."""
    return _LYING.search(column) is not None


def direction_of(lines: Iterable[Line]) -> str:
    """How most of the lines run, by their characters: ltr, rtl, ttb or `FROM_LEFT`; ltr if there are none."""
    chars: dict[str, int] = {}
    for line in lines:
        direction = FROM_LEFT if line.direction == "ttb" and is_from_left(line.text) else line.direction
        chars[direction] = chars.get(direction, 0) + len(line.text)
    return max(sorted(chars), key=lambda direction: chars[direction], default="ltr")


def laid(gray: numpy.ndarray, box: Box, script: str) -> tuple[numpy.ndarray, Box]:
    """The line that stands at `box` of `gray`, (H, W) bytes, as one that runs from left to right, and its box.

    A turned one brings all of `gray` along. Characters that are set side by side have paper around them, as wide as the column is
    away from the edge of `gray`.
    """
    if script in TURNED:
        width = gray.shape[1]
        return turned(gray), Box(box.y0, width - box.x1, box.y1, width - box.x0)
    cut = [box.y0 + y for y in cells(gray[box.y0 : box.y1, box.x0 : box.x1])]
    row = in_a_row(gray[:, box.x0 : box.x1], cut)
    pad = max(box.x0, gray.shape[1] - box.x1)
    framed = numpy.pad(row, pad, constant_values=paper(gray))
    return framed, Box(pad, pad, pad + row.shape[1], pad + row.shape[0])


def along(box: Box) -> Box:
    """A column's box with its height as width, as far from the left as it is from the top."""
    return Box(box.y0, box.x0, box.y1, box.x1)


def turned(gray: numpy.ndarray) -> numpy.ndarray:
    """The image turned by a quarter, so that its top comes to the left."""
    return numpy.rot90(gray)


def in_a_row(column: numpy.ndarray, cuts: Sequence[int]) -> numpy.ndarray:
    """The parts of a column between the rows `cuts`, side by side, on paper. What is lower than the others stands in the middle;
    the first one stands at the bottom and the last one on top, since a column begins and ends with ink.

    Commas and full stops move from the upper right corner, where a column has them, to the lower left one, where a line does."""
    parts = [column[top:bottom] for top, bottom in itertools.pairwise(cuts)]
    height, width = max(part.shape[0] for part in parts), column.shape[1]
    tone = paper(column)
    row = numpy.full((height, width * len(parts)), tone, column.dtype)
    for number, part in enumerate(parts):
        free = height - part.shape[0]
        is_first, is_last = number == 0, number == len(parts) - 1
        top = free // 2 if is_first == is_last else free if is_first else 0
        cell = row[:, number * width : (number + 1) * width]
        cell[top : top + part.shape[0]] = part
        if number:
            _move_sign(cell, tone, column)
    return row


def _move_sign(cell: numpy.ndarray, tone: int, column: numpy.ndarray) -> None:
    """Move what stands in a cell to the opposite corner, if it is as small as a comma and in the upper right one."""
    dark = numpy.abs(cell.astype(numpy.int16) - tone)
    if dark.max() < _INKED * numpy.abs(column.astype(numpy.int16) - tone).max():
        return
    height, width = cell.shape
    (top, bottom), (left, right) = _extent(dark, axis=1), _extent(dark, axis=0)
    is_small = bottom - top < _SIGN * height and right - left < _SIGN * width
    if is_small and top + bottom < height and left + right > width:
        top, left, bottom, right = max(0, top - 1), max(0, left - 1), min(height, bottom + 1), min(width, right + 1)
        ink = cell[top:bottom, left:right].copy()
        cell[:] = tone
        cell[height - bottom : height - top, width - right : width - left] = ink


def paper(gray: numpy.ndarray) -> int:
    """The commonest of the tones between ink and paper."""
    return int(numpy.median(gray))


def cells(column: numpy.ndarray) -> list[int]:
    """The rows between which a column's characters stand, its first and its last one included: (H, W) bytes.

    Cuts lie where there is least ink, and about as far from each other as characters do in this column.
    """
    dark = numpy.abs(column.astype(numpy.float32) - paper(column))
    top, bottom = _extent(dark, axis=1)
    left, right = _extent(dark, axis=0)
    ink = dark[top:bottom].mean(axis=1) / max(1.0, float(dark[top:bottom].mean()))
    pitch = _pitch(ink, right - left)
    last, near, far = len(ink), max(1, round(_STEPS[0] * pitch)), round(_STEPS[1] * pitch)
    cost = numpy.full(last + 1, numpy.inf)
    before = numpy.zeros(last + 1, numpy.int64)
    cost[0] = 0.0
    at_cut = numpy.minimum(numpy.append(ink, 0.0), numpy.insert(ink, 0, 0.0))
    at_cut[0] = at_cut[-1] = 0.0
    for row in range(1, last + 1):
        # The column begins and ends with ink, so the first and the last character may be lower than the others.
        starts = numpy.arange(0 if row <= far else row - far, max(1, row - (1 if row == last else near) + 1))
        off = (row - starts) / pitch - 1
        off[(starts == 0) & (off < 0)] *= _ENDS
        if row == last:
            off[off < 0] *= _ENDS
        costs = cost[starts] + _EVEN * off**2
        best = int(costs.argmin())
        cost[row], before[row] = costs[best] + at_cut[row], starts[best]
    cuts = [last]
    while cuts[-1]:
        cuts.append(int(before[cuts[-1]]))
    return [0, *(top + cut for cut in cuts[-2:0:-1]), len(column)]


def _extent(dark: numpy.ndarray, axis: int) -> tuple[int, int]:
    """The first row or column with ink, and the one behind the last: all of them where there is none."""
    inked = numpy.flatnonzero(dark.max(axis=axis) > dark.max() / 2)
    return (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, dark.shape[1 - axis])


def _pitch(ink: numpy.ndarray, width: int) -> float:
    """From one character to the next, in rows: cuts that are so far from each other cross the least ink; else the ink's width."""
    best = (numpy.inf, float(width))
    for pitch in numpy.arange(_PITCHES[0] * width, _PITCHES[1] * width, 0.5):
        count = int(len(ink) / pitch)
        if count < 2:
            break
        rows = numpy.arange(0, pitch, 1.0)[:, None] + pitch * numpy.arange(count)
        crossed = ink[numpy.minimum(rows.astype(numpy.int64), len(ink) - 1)].mean(axis=1).min()
        best = min(best, (float(crossed) + _NEAR * abs(float(numpy.log2(pitch / width))), float(pitch)))
    return best[1]
