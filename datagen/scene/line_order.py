"""The reading order of the lines of a scene (a photograph, a poster, a screen), from the places of the lines.

Lines of a page lie in rows and columns. Lines of a scene are on signs, each with its own slant and size. Some lines are vertical,
bend, or run from the right. So every line has a frame of its own: one axis along which the line is read, and one on which the
next line follows. In their frames all lines are alike. Pieces that follow each other along the first axis are a row, also around
a bend. Rows below each other on the second axis are a block. `datagen.page.region_order` orders the blocks, in the frame of most
of the text. Every limit is a multiple of the height of lines (of the width of vertical lines), since a scene has no scale in
pixels.
"""

import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy

from datagen.page.boxes import around, distance, overlap, rows_of
from datagen.page.region_order import in_reading_order
from datagen.record import Box, Line, Region
from datagen.scene.line_frames import Frame, are_alike, degrees, directions_of, frame_of, near_pairs, unit, way_of

_BENT, _PARALLEL, _SHORT = 40.0, 18.0, 30.0  # degrees at most: pieces of a row; rows of a block; short rows
_GAP, _BENT_GAP, _INTO = 1.3, 0.9, 0.6  # line heights: the gap between pieces of a row; around a bend; the overlap of pieces
_FAR = 8.0  # line heights: the gap between two pieces on one line that may be a gutter
_OFF = 0.45  # line heights: a piece may lie off its row by so much
# How many times as high one may be as the other: of two pieces of a row, two rows of a block, a heading and its text.
_ALIKE, _ALIKE_ROWS, _ANY = 1.8, 1.7, 4.0
_LEADING, _STANDING_LEADING = 1.1, 1.6  # line heights between rows of a block, and between columns of one
_SHARED = 0.25  # of the shorter row's length: so much lies under the other row
_FEW, _GUTTER = 3, 0.7  # gaps below each other that make a gutter; the gutter's width in line heights
_STUB = 2.0  # line heights: a row that is no longer shows no slant
_NUMBER = re.compile(r"[^\w\s]*\s?[^\W\d_]?[^\w\s]*\s?\d[\W\d]*[^\W\d_]{0,2}\W*")  # $3.50, 1.99 B, 12 km
_PAIRED, _NUMBERS = 0.7, 0.6  # of the rows of a column of numbers: so many have text beside them; so many are numbers
# Line heights between blocks of a sign: heights of the smaller lines for the first two, of the larger lines for the last.
_BESIDE_EM, _BELOW_EM, _HEADING_EM = 3.0, 1.6, 1.2
_BESIDE = 0.25  # of the smaller one's extent: two blocks or signs that overlap by more on an axis lie beside each other


class _Row(NamedTuple):
    """Pieces of text that are read one after another along a straight or bent line."""

    lines: tuple[Line, ...]
    frame: Frame


_Sign = list[list[_Row]]
"""Blocks that belong together."""


def blocks_in_order(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of a scene as blocks (a sign, a column, a paragraph) in reading order. The lines of a block are in reading order.

    A line's place is its polygon, or its box if it has no polygon. The polygon goes clockwise from the top left corner of the
    first character as that character stands upright, so the first half of the corners runs along the top of the letters. A line
    runs in its `direction`: "rtl" lines are read from the right. Columns of "ttb" lines are read from the right, Mongolian ones
    from the left. The result doesn't depend on the order of `lines`.
    """
    if not lines:
        return []
    lines = sorted(lines, key=lambda line: (line.box, line.text, line.polygon))
    directions = directions_of(lines)
    frames = [frame_of(line, direction) for line, direction in zip(lines, directions, strict=True)]
    rows = [_row([lines[i] for i in chain], [frames[i] for i in chain]) for chain in _rows(frames)]
    blocks = _with_numbers([[rows[i] for i in chain] for chain in _stacks(rows)])
    return [[line for row in block for line in row.lines] for block in _ordered(blocks)]


def order_agreement(lines: Sequence[Line]) -> float:
    """The share of the lines that follow the same line as in another order: the order of a page (`in_reading_order`), or row by
    row. The larger of the two shares; 1 for a single line."""
    if len(lines) < 2:
        return 1.0
    number = {id(line): n for n, line in enumerate(lines)}
    regions = [Region(line.box, "text", "", None, "") for line in lines]
    of_region = {id(region): n for n, region in enumerate(regions)}
    orders = (
        [of_region[id(region)] for region in in_reading_order(regions)],
        [number[id(line)] for row in rows_of(lines, lambda line: line.box) for line in row],
    )
    return max(sum(b == a + 1 for a, b in pairwise(order)) for order in orders) / (len(lines) - 1)


def _row(lines: Sequence[Line], frames: Sequence[Frame]) -> _Row:
    first, last = frames[0], frames[-1]
    under = unit(sum((frame.under for frame in frames), numpy.zeros(2)))
    height = float(numpy.mean([frame.height for frame in frames]))
    half = len(frames) // 2
    middle = frames[half].middle if len(frames) % 2 else (frames[half - 1].end + frames[half].start) / 2
    if degrees(first.out, last.on) <= _PARALLEL:
        middle = (first.start + last.end) / 2
    return _Row(tuple(lines), Frame(first.start, middle, last.end, first.out, last.on, under, height))


def _rows(frames: Sequence[Frame]) -> list[list[int]]:
    """The rows, as numbers of their pieces in order. A piece goes on in the piece nearest behind its end, if no other piece is
    nearer before that piece's start."""
    costs = numpy.full((len(frames), len(frames)), numpy.inf)
    is_close = numpy.zeros(costs.shape, bool)
    for i, j in near_pairs(frames, _FAR):
        a, b = frames[i], frames[j]
        turn = degrees(a.on, b.out)
        if turn > _BENT or not are_alike(a, b, _ALIKE):
            continue
        height, along = (a.height + b.height) / 2, unit(a.on + b.out)
        step = b.start - a.end
        gap, off = float(step @ along) / height, abs(float(step @ (-along[1], along[0]))) / height
        shorter = min(a.length, b.length) / height
        most = _GAP if turn <= _PARALLEL else _BENT_GAP
        if -min(_INTO, shorter / 2) <= gap <= _FAR and off <= _OFF:
            costs[i, j] = max(gap, 0.0) + off
            is_close[i, j] = gap <= most
    beside = {
        i: int(costs[i].argmin())
        for i in range(len(frames))
        if numpy.isfinite(costs[i].min()) and int(costs[:, costs[i].argmin()].argmin()) == i
    }
    parted = _at_gutters(frames, beside)
    return _chains(len(frames), {i: j for i, j in beside.items() if is_close[i, j] and i not in parted})


def _at_gutters(frames: Sequence[Frame], beside: dict[int, int]) -> set[int]:
    """The pieces behind which a gutter runs: pieces below each other end before one strip, and other pieces begin behind it."""
    at: set[int] = set()
    for i, j in beside.items():
        a, column = frames[i], [i]
        left, right = float(a.end @ a.on), float(frames[j].start @ a.on)
        away = {k: abs(float((frames[k].end - a.end) @ a.under)) for k in beside if k != i}
        for k in sorted(away, key=lambda k: away[k]):
            other = frames[k]
            if away[k] > 2 * _FEW * a.height or len(column) >= _FEW:
                break
            start, stop = float(other.end @ a.on), float(frames[beside[k]].start @ a.on)
            is_next = away[k] > _OFF * a.height and degrees(a.on, other.on) <= _PARALLEL
            if is_next and min(right, stop) - max(left, start) >= _GUTTER * max(a.height, other.height):
                left, right = max(left, start), min(right, stop)
                column.append(k)
        if len(column) >= _FEW:
            at.update(column)
    return at


def _stacks(rows: Sequence[_Row]) -> list[list[int]]:
    """The blocks, as numbers of their rows in order. A row goes on in the only row next below, if it is that row's only row next
    above. A row above two rows side by side ends its block."""
    below: dict[int, list[int]] = {i: [] for i in range(len(rows))}
    frames = [row.frame for row in rows]
    leading = [_STANDING_LEADING if row.lines[0].direction == "ttb" else _LEADING for row in rows]
    for i, j in near_pairs(frames, 2 * _STANDING_LEADING):
        if are_alike(frames[i], frames[j], _ANY) and _is_below(frames[i], frames[j], 2 * leading[j]):
            below[i].append(j)
    nearest = {i: [j for j in under if not any(j in below[k] for k in under if k != j)] for i, under in below.items()}
    num_above = Counter(j for under in nearest.values() for j in under)
    follows = {i: under[0] for i, under in nearest.items() if len(under) == 1 and num_above[under[0]] == 1}
    close = {
        i: j
        for i, j in follows.items()
        if are_alike(frames[i], frames[j], _ALIKE_ROWS) and _is_below(frames[i], frames[j], leading[j])
    }
    return _chains(len(rows), close)


def _is_below(a: Frame, b: Frame, leading: float) -> bool:
    """Whether row `b` lies below row `a`, at most `leading` line heights away."""
    ways = way_of(a), way_of(b)
    most = _SHORT if min(a.length / a.height, b.length / b.height) <= _STUB else _PARALLEL
    if degrees(*ways) > most:
        return False
    longer = ways[0] if a.length / a.height > b.length / b.height else ways[1]
    along = longer if most == _SHORT else unit(ways[0] + ways[1])
    under = unit(a.under + b.under)
    under = unit(under - (under @ along) * along)
    height, away = (a.height + b.height) / 2, b.middle - a.middle
    lower, aside = float(away @ under), float(away @ along)
    gap = lower - (a.height + b.height) / 2
    common = min(a.length / 2, aside + b.length / 2) - max(-a.length / 2, aside - b.length / 2)
    return lower > 0.4 * height and gap <= leading * height and common >= _SHARED * min(a.length, b.length)


def _with_numbers(blocks: Sequence[list[_Row]]) -> list[list[_Row]]:
    """The blocks. If most numbers of a block, such as prices, stand behind lines of text, they join the block of that text, line
    by line."""
    texts = [block for block in blocks if not _are_numbers(block)]
    more: dict[int, list[_Row]] = {}
    alone = []
    for numbers in blocks:
        if not _are_numbers(numbers):
            continue
        behind = [_text_of(number, texts, len(numbers) == 1) for number in numbers]
        if sum(n is not None for n in behind) >= _PAIRED * len(numbers):
            last = next(n for n in behind if n is not None)
            for number, n in zip(numbers, behind, strict=True):
                last = n if n is not None else last
                more.setdefault(last, []).append(number)
        else:
            alone.append(numbers)
    return [_by_lines([*block, *more[n]]) if n in more else block for n, block in enumerate(texts)] + alone


def _are_numbers(block: Sequence[_Row]) -> bool:
    texts = ["".join(line.text for line in row.lines) for row in block]
    return sum(bool(_NUMBER.fullmatch(text)) for text in texts) >= _NUMBERS * len(texts)


def _text_of(number: _Row, texts: Sequence[Sequence[_Row]], is_single: bool) -> int | None:
    """The index of the block with the nearest row before `number` on its line; None if there is none. A single number stands no
    further away than that row is long."""
    nearest: tuple[float, int] | None = None
    for n, block in enumerate(texts):
        for row in block:
            gap = float((number.frame.start - row.frame.end) @ way_of(row.frame))
            most = max(row.frame.length, _FEW * row.frame.height) if is_single else math.inf
            if -row.frame.height < gap <= most and _is_level(row.frame, number.frame) and (nearest is None or gap < nearest[0]):
                nearest = gap, n
    return nearest[1] if nearest else None


def _is_level(a: Frame, b: Frame) -> bool:
    """Whether two rows, however far apart, stand on one line."""
    way = way_of(a if a.length > b.length else b)
    off = abs(float((b.middle - a.middle) @ (-way[1], way[0])))
    return degrees(way_of(a), way_of(b)) <= _SHORT and off <= 0.5 * max(a.height, b.height) and are_alike(a, b, _ALIKE)


def _by_lines(rows: Sequence[_Row]) -> list[_Row]:
    """The rows line by line, each line's rows in the direction of reading."""
    longest = max(rows, key=lambda row: row.frame.length).frame
    way, under = way_of(longest), longest.under
    lines: list[list[_Row]] = []
    for row in sorted(rows, key=lambda row: float(row.frame.middle @ under)):
        if lines and _is_level(lines[-1][0].frame, row.frame):
            lines[-1].append(row)
        else:
            lines.append([row])
    return [row for line in lines for row in sorted(line, key=lambda row: float(row.frame.start @ way))]


def _ordered(blocks: Sequence[list[_Row]]) -> list[list[_Row]]:
    """The blocks in reading order. Signs are read in rows from the top. A row is read from the right if most of its text is. A
    sign's blocks are read as a page's, in the frame of most of the sign's text."""
    across, down, _ = _upright(blocks)
    # Text may slant on upright signs.
    axes = numpy.array((across, down))
    edges = numpy.round(axes / numpy.abs(axes).max(axis=1, keepdims=True) * 0.7)
    boxes = {id(block): around([_box(row, edges) for row in block]) for block in blocks}
    return [block for sign in _in_rows(_signs(blocks), boxes) for block in _in_page_order(sign)]


def _upright(blocks: Sequence[list[_Row]]) -> tuple[numpy.ndarray, numpy.ndarray, bool]:
    """The unit vectors to the right and down of most of the text, as its letters stand upright, and whether it is read from the
    right."""
    way, under, stands = _usual(blocks)
    down, on = (way, under) if stands else (under, way)
    across = numpy.array((down[1], -down[0]))
    return across, down, bool(on @ across < 0)


def _signs(blocks: Sequence[list[_Row]]) -> list[_Sign]:
    """The blocks in groups of near ones."""
    signs: list[_Sign] = []
    for block in blocks:
        near: list[_Sign] = []
        rest: list[_Sign] = []
        for sign in signs:
            (near if any(_are_near(block, other) for other in sign) else rest).append(sign)
        signs = [*rest, [*(other for sign in near for other in sign), block]]
    return signs


def _are_near(a: Sequence[_Row], b: Sequence[_Row]) -> bool:
    """Whether two blocks are so near that they are on one sign. Distances are measured in the frame of the block with the longer
    row."""
    way, under, stands = _usual([max(a, b, key=lambda block: max(row.frame.length for row in block))])
    box, other = (around([_box(row, numpy.array((way, under))) for row in block]) for block in (a, b))
    beside, below = (overlap(box, other, axis) for axis in ((0, 1) if stands else (1, 0)))
    heights = [statistics.median(row.frame.height for row in block) for block in (a, b)]
    if beside > _BESIDE:
        return distance(box, other) <= _BESIDE_EM * min(heights)
    most = max(_BELOW_EM * min(heights), _HEADING_EM * max(heights)) if below > _BESIDE else min(heights)
    return distance(box, other) <= most


def _in_rows(signs: Sequence[_Sign], boxes: dict[int, Box]) -> list[_Sign]:
    around_signs = [around([boxes[id(block)] for block in sign]) for sign in signs]
    for axis in (1, 0):
        strips: list[list[int]] = []
        for n in sorted(range(len(signs)), key=lambda n: around_signs[n][axis] + around_signs[n][axis + 2]):
            if strips and any(overlap(around_signs[n], around_signs[other], axis) > _BESIDE for other in strips[-1]):
                strips[-1].append(n)
            else:
                strips.append([n])
        if len(strips) > 1:
            if axis == 0 and _upright([block for sign in signs for block in sign])[2]:
                strips.reverse()
            return [sign for strip in strips for sign in _in_rows([signs[n] for n in strip], boxes)]
    return [[block for sign in signs for block in sign]]


def _in_page_order(sign: _Sign) -> list[list[_Row]]:
    way, under, _ = _usual(sign)
    by_region: dict[int, list[_Row]] = {}
    regions = []
    for block in sign:
        lines = tuple(Line(_box(row, numpy.array((way, under))), "") for row in block)
        region = Region(around([line.box for line in lines]), "text", "", None, "", lines=lines)
        by_region[id(region)] = block
        regions.append(region)
    return [by_region[id(region)] for region in in_reading_order(regions)]


def _usual(blocks: Sequence[Sequence[_Row]]) -> tuple[numpy.ndarray, numpy.ndarray, bool]:
    """The axes in which most of the text, by characters, is read: along a line, and to the next line; and whether the text is
    vertical."""
    rows = [(row.frame, sum(len(line.text) + 1 for line in row.lines)) for block in blocks for row in block]
    ways = numpy.array([way_of(frame) for frame, _ in rows])
    unders = numpy.array([frame.under for frame, _ in rows])
    weights = numpy.array([chars for _, chars in rows], float)
    like = ways @ ways.T > math.cos(math.radians(_SHORT))
    like &= unders @ unders.T > math.cos(math.radians(_SHORT))
    best = int((like @ weights).argmax())
    way = unit((ways[like[best]] * weights[like[best], None]).sum(axis=0))
    right = numpy.array((-way[1], way[0]))
    stands = [row.lines[0].direction == "ttb" for block in blocks for row in block]
    return way, right if right @ unders[best] > 0 else -right, stands[best]


def _box(row: _Row, axes: numpy.ndarray) -> Box:
    """The box around a row's lines, in pixels along two axes. `axes` has a unit vector in each row."""
    points = numpy.concatenate([line.corners for line in row.lines]) @ axes.T
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return Box(round(x0), round(y0), max(round(x1), round(x0) + 1), max(round(y1), round(y0) + 1))


def _chains(count: int, follows: dict[int, int]) -> list[list[int]]:
    """The numbers below `count` as chains: each number is followed by the number that `follows` names. A ring is opened at its
    least number."""
    behind = set(follows.values())
    chains, seen = [], set()
    for first in [*(i for i in range(count) if i not in behind), *range(count)]:
        chain = []
        at: int | None = first
        while at is not None and at not in seen:
            seen.add(at)
            chain.append(at)
            at = follows.get(at)
        if chain:
            chains.append(chain)
    return chains
