"""The order in which the lines of a scene are read, from where they lie: photographs, posters, screens.

Lines of a page lie in rows and columns. Those of a scene are on signs, each with its own slant and size, and some stand, bend or
run from the right. So every line has a frame of its own: one axis along which it is read, and one on which the next line follows.
In it, all of these are alike. Pieces that follow each other along the first axis are a row, if need be around a bend. Rows below
each other on the second one are a block. Blocks are put in order by `datagen.order`, in the frame of most of the text. Every
limit is a multiple of the height of lines (the width, where they stand): a scene has no scale, and no pixel is worth a thing.
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy

from datagen.engines.vertical import TURNED
from datagen.order import in_reading_order
from datagen.record import Box, Line, Region
from datagen.scripts import HAN, HANGUL, main_script

_BENT, _PARALLEL, _SHORT = 40.0, 18.0, 30.0  # degrees: between pieces of a row, rows of a block, and rows too short for a slant
_GAP, _BENT_GAP, _INTO = 1.3, 0.9, 0.6  # line heights: between pieces of a row, the same around a bend, and how far they overlap
_OFF = 0.45  # line heights that a piece may lie off the row
_ALIKE, _ALIKE_ROWS = 1.8, 1.7  # how many times as high one may be as the other: pieces of a row, rows of a block
_LEADING, _STANDING_LEADING = 1.1, 1.6  # line heights between rows of a block, and between columns of one
_SHARED = 0.25  # of the shorter row's length that lies under the other one
_FEW, _GUTTER = 3, 0.5  # rows at whose gaps, one below the other, a gutter runs; its width in line heights
_STUB = 2.0  # a row that is no longer, in line heights, shows no slant
_PAIRED, _NUMBERS = 0.7, 0.6  # of a column of numbers: the rows that have text beside them; those that are numbers
_SQUARE, _NEARER = 1.5, 0.7  # lengths of a single sign in heights; the gap below it, as a share of the gap beside it
_SQUARES = re.compile(f"[{HAN}{HANGUL}]")


class _Frame(NamedTuple):
    """Where a piece or a row of text lies: (x, y) in pixels. It is read from `start` over `middle` to `end`, the middles of its
    first and its last edge; `out` and `on` are the unit vectors in which it sets out there, and goes on. `height` is that of its
    lines, `under` the unit vector to the next line."""

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


class _Row(NamedTuple):
    """Pieces of text that are read one after another along a line, straight or bent."""

    lines: tuple[Line, ...]
    frame: _Frame


def blocks_in_order(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of a scene as blocks (a sign, a column, a paragraph) in reading order, each with its lines in reading order.

    A line lies where its polygon says, clockwise from the top left corner of its first character as that stands upright, so that
    the first half of the corners runs along the top of the letters; without a polygon, where its box says. It runs in its
    `direction`: lines that run from right to left are read from there, and those from top to bottom from the right, Mongolian
    ones from the left. The result doesn't depend on the order of `lines`.
    """
    if not lines:
        return []
    lines = sorted(lines, key=lambda line: (line.box, line.text, line.polygon))
    directions = _directions(lines)
    frames = [_frame(line, direction) for line, direction in zip(lines, directions, strict=True)]
    rows = [_row([lines[i] for i in chain], [frames[i] for i in chain]) for chain in _rows(frames)]
    blocks = _with_numbers([[rows[i] for i in chain] for chain in _stacks(rows)])
    return [[line for row in block for line in row.lines] for block in _ordered(blocks)]


def _directions(lines: Sequence[Line]) -> list[str]:
    """In which direction each line takes part. One without a letter, such as a number, goes along with the others; signs of
    Chinese, Japanese or Korean that were found one by one stand if they are nearer to those above and below."""
    chars = {direction: sum(len(line.text) for line in lines if line.direction == direction) for direction in ("ltr", "rtl")}
    usual = "rtl" if chars["rtl"] > chars["ltr"] else "ltr"
    directions = [
        usual if line.direction != "ttb" and not any(c.isalpha() for c in line.text) else line.direction for line in lines
    ]
    single = [i for i, line in enumerate(lines) if line.direction == "ltr" and _is_single(line)]
    frames = [_frame(lines[i], "ltr") for i in single]
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


def _is_single(line: Line) -> bool:
    """Whether this is one sign of a script that is set in squares."""
    text = line.text.strip()
    return len(text) == 1 and bool(_SQUARES.match(text))


def _frame(line: Line, direction: str) -> _Frame:
    """The frame of a line that runs in a direction."""
    x0, y0, x1, y1 = line.box
    corners = numpy.array(line.polygon or ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), float)
    half = len(corners) // 2
    top, bottom = corners[:half], corners[: half - 1 : -1][:half]
    left, right = (top[0] + bottom[0]) / 2, (top[-1] + bottom[-1]) / 2
    # Both axes tell the slant, the longer one better.
    side = (bottom[0] - top[0]) + (bottom[-1] - top[-1])
    across = _unit((top[-1] - top[0]) + (bottom[-1] - bottom[0]) + (side[1], -side[0]))
    down = numpy.array((-across[1], across[0]))
    if direction == "ttb":
        over, under = top.mean(axis=0), bottom.mean(axis=0)
        width = abs(float((right - left) @ across))
        return _Frame(
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
    begin, finish = (_unit(middles[1] - middles[0]), _unit(middles[-1] - middles[-2])) if half > 2 else (across, across)
    middle = (middles[half // 2] + middles[(half - 1) // 2]) / 2
    if direction == "rtl":
        return _Frame(right, middle, left, -finish, -begin, down, height)
    return _Frame(left, middle, right, begin, finish, down, height)


def _row(lines: Sequence[Line], frames: Sequence[_Frame]) -> _Row:
    first, last = frames[0], frames[-1]
    under = _unit(sum((frame.under for frame in frames), numpy.zeros(2)))
    height = float(numpy.mean([frame.height for frame in frames]))
    half = len(frames) // 2
    middle = frames[half].middle if len(frames) % 2 else (frames[half - 1].end + frames[half].start) / 2
    if _degrees(first.out, last.on) <= _PARALLEL:
        middle = (first.start + last.end) / 2
    return _Row(tuple(lines), _Frame(first.start, middle, last.end, first.out, last.on, under, height))


def _rows(frames: Sequence[_Frame]) -> list[list[int]]:
    """The numbers of pieces that are a row each, in order: every piece goes on in the one that lies nearest behind its end, if it
    is nearest before that one's start."""
    costs = numpy.full((len(frames), len(frames)), numpy.inf)
    gaps: dict[tuple[int, int], float] = {}
    for i, j in _near(frames, _GAP + _INTO):
        a, b = frames[i], frames[j]
        turn = _degrees(a.on, b.out)
        if turn > _BENT or not _are_alike(a, b, _ALIKE):
            continue
        height, along = (a.height + b.height) / 2, _unit(a.on + b.out)
        step = b.start - a.end
        gap, off = float(step @ along) / height, abs(float(step @ (-along[1], along[0]))) / height
        shorter = min(a.length, b.length) / height
        most = _GAP if turn <= _PARALLEL else _BENT_GAP
        if -min(_INTO, shorter / 2) <= gap <= most and off <= _OFF:
            costs[i, j] = max(gap, 0.0) + off
            gaps[i, j] = gap
    follows = {
        i: int(costs[i].argmin())
        for i in range(len(frames))
        if numpy.isfinite(costs[i].min()) and int(costs[:, costs[i].argmin()].argmin()) == i
    }
    for i in _at_gutters(frames, follows):
        del follows[i]
    return _chains(len(frames), follows)


def _at_gutters(frames: Sequence[_Frame], follows: dict[int, int]) -> set[int]:
    """The pieces behind which a gutter runs: where pieces below each other end before one strip, and go on behind it."""
    bounds = {}
    for i, j in follows.items():
        a, b = frames[i], frames[j]
        axis = _unit(a.on + b.out)
        bounds[i] = (float(a.end @ axis), float(b.start @ axis), float((a.end + b.start) / 2 @ a.under), a.height, a)
    at: set[int] = set()
    for i, (left, right, depth, height, frame) in bounds.items():
        column = [i]
        for other, (start, stop, other_depth, other_height, other_frame) in sorted(bounds.items(), key=lambda item: item[1][2]):
            is_next = abs(other_depth - depth) < 2 * _FEW * height and _degrees(frame.on, other_frame.on) <= _PARALLEL
            if other != i and is_next and min(right, stop) - max(left, start) >= _GUTTER * max(height, other_height):
                left, right = max(left, start), min(right, stop)
                column.append(other)
        if len(column) >= _FEW:
            at.update(column)
    return at


def _stacks(rows: Sequence[_Row]) -> list[list[int]]:
    """The numbers of rows that are a block each, in order: rows below each other, of which each has one above and one below it. A
    row above two that lie side by side is a block of its own."""
    below: dict[int, list[int]] = {i: [] for i in range(len(rows))}
    frames = [row.frame for row in rows]
    for i, j in _near(frames, _STANDING_LEADING + 1):
        if _is_below(frames[i], frames[j], rows[j].lines[0].direction == "ttb"):
            below[i].append(j)
    nearest = {i: [j for j in under if not any(j in below[k] for k in under if k != j)] for i, under in below.items()}
    above: dict[int, list[int]] = {i: [] for i in range(len(rows))}
    for i, under in nearest.items():
        for j in under:
            above[j].append(i)
    return _chains(len(rows), {i: under[0] for i, under in nearest.items() if len(under) == 1 and len(above[under[0]]) == 1})


def _is_below(a: _Frame, b: _Frame, stands: bool) -> bool:
    """Whether row `b` is the next line below row `a`, or may be."""
    ways = _way(a), _way(b)
    most = _SHORT if min(a.length / a.height, b.length / b.height) <= _STUB else _PARALLEL
    if _degrees(*ways) > most or not _are_alike(a, b, _ALIKE_ROWS):
        return False
    longer = ways[0] if a.length / a.height > b.length / b.height else ways[1]
    along = longer if most == _SHORT else _unit(ways[0] + ways[1])
    under = _unit(a.under + b.under)
    under = _unit(under - (under @ along) * along)
    height, away = (a.height + b.height) / 2, b.middle - a.middle
    lower, aside = float(away @ under), float(away @ along)
    gap = lower - (a.height + b.height) / 2
    common = min(a.length / 2, aside + b.length / 2) - max(-a.length / 2, aside - b.length / 2)
    leading = _STANDING_LEADING if stands else _LEADING
    return lower > 0.4 * height and gap <= leading * height and common >= _SHARED * min(a.length, b.length)


def _with_numbers(blocks: Sequence[list[_Row]]) -> list[list[_Row]]:
    """The blocks; numbers, such as prices, are read with the text that they stand behind, line by line, if most of them do."""
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
    return sum(any(map(str.isdigit, t)) and sum(map(str.isalpha, t)) < 3 for t in texts) >= _NUMBERS * len(texts)


def _text_of(number: _Row, texts: Sequence[Sequence[_Row]], is_single: bool) -> int | None:
    """The number of the block with the row behind which this one stands, the nearest one; None if there is none. A single number
    stands no further away than that row is long."""
    nearest: tuple[float, int] | None = None
    for n, block in enumerate(texts):
        for row in block:
            gap = float((number.frame.start - row.frame.end) @ _way(row.frame))
            most = max(row.frame.length, _FEW * row.frame.height) if is_single else math.inf
            if -row.frame.height < gap <= most and _is_level(row.frame, number.frame) and (nearest is None or gap < nearest[0]):
                nearest = gap, n
    return nearest[1] if nearest else None


def _is_level(a: _Frame, b: _Frame) -> bool:
    """Whether two rows, however far apart, stand on one line."""
    way = _way(a if a.length > b.length else b)
    off = abs(float((b.middle - a.middle) @ (-way[1], way[0])))
    return _degrees(_way(a), _way(b)) <= _SHORT and off <= 0.5 * max(a.height, b.height) and _are_alike(a, b, _ALIKE)


def _by_lines(rows: Sequence[_Row]) -> list[_Row]:
    """Rows, those first that stand first on a line, line by line."""
    longest = max(rows, key=lambda row: row.frame.length).frame
    way, under = _way(longest), longest.under
    lines: list[list[_Row]] = []
    for row in sorted(rows, key=lambda row: float(row.frame.middle @ under)):
        if lines and _is_level(lines[-1][0].frame, row.frame):
            lines[-1].append(row)
        else:
            lines.append([row])
    return [row for line in lines for row in sorted(line, key=lambda row: float(row.frame.start @ way))]


def _ordered(blocks: Sequence[list[_Row]]) -> list[list[_Row]]:
    """The blocks in the order in which they are read, as `datagen.order` has it, in the frame of most of the text."""
    way, under = _usual(blocks)
    by_region: dict[int, list[_Row]] = {}
    regions = []
    for block in blocks:
        boxes = [_box(row, way, under) for row in block]
        box = Box(min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes))
        region = Region(box, "text", "", None, "", lines=tuple(Line(b, "") for b in boxes))
        by_region[id(region)] = block
        regions.append(region)
    return [by_region[id(region)] for region in in_reading_order(regions)]


def _usual(blocks: Sequence[Sequence[_Row]]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The axes in which most of the text, by characters, is read: along a line, and on to the next."""
    rows = [(row.frame, sum(len(line.text) + 1 for line in row.lines)) for block in blocks for row in block]
    ways = numpy.array([_way(frame) for frame, _ in rows])
    unders = numpy.array([frame.under for frame, _ in rows])
    weights = numpy.array([chars for _, chars in rows], float)
    like = ways @ ways.T > math.cos(math.radians(_SHORT))
    like &= unders @ unders.T > math.cos(math.radians(_SHORT))
    best = int((like @ weights).argmax())
    way = _unit((ways[like[best]] * weights[like[best], None]).sum(axis=0))
    right = numpy.array((-way[1], way[0]))
    return way, right if right @ unders[best] > 0 else -right


def _box(row: _Row, way: numpy.ndarray, under: numpy.ndarray) -> Box:
    """Around a row's lines, in pixels along the two axes."""
    points = numpy.concatenate([_corners(line) for line in row.lines]) @ numpy.array((way, under)).T
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return Box(round(x0), round(y0), max(round(x1), round(x0) + 1), max(round(y1), round(y0) + 1))


def _corners(line: Line) -> numpy.ndarray:
    x0, y0, x1, y1 = line.box
    return numpy.array(line.polygon or ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), float)


def _near(frames: Sequence[_Frame], within: float) -> Iterator[tuple[int, int]]:
    """The pairs, both ways, that are no further apart than `within` line heights, roughly."""
    middles = numpy.array([frame.middle for frame in frames])
    reach = numpy.array([frame.length / 2 for frame in frames])
    heights = numpy.array([frame.height for frame in frames])
    away = numpy.linalg.norm(middles[:, None] - middles[None], axis=2)
    near = away - reach[:, None] - reach[None] <= within * numpy.maximum(heights[:, None], heights[None]) * 1.5
    numpy.fill_diagonal(near, False)
    for i, j in zip(*numpy.nonzero(near), strict=True):
        yield int(i), int(j)


def _chains(count: int, follows: dict[int, int]) -> list[list[int]]:
    """The numbers below `count` as chains, each followed by the one that follows it. A ring is opened at its least number."""
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


def _way(frame: _Frame) -> numpy.ndarray:
    """The unit vector in which a piece or row is read, from its start to its end; where it is short, in which it sets out."""
    return _unit(frame.end - frame.start) if frame.length > frame.height else frame.out


def _are_alike(a: _Frame, b: _Frame, most: float) -> bool:
    return max(a.height, b.height) <= most * min(a.height, b.height)


def _unit(vector: numpy.ndarray) -> numpy.ndarray:
    length = math.hypot(*vector)
    return vector / length if length > 1e-9 else numpy.array((1.0, 0.0))


def _degrees(a: numpy.ndarray, b: numpy.ndarray) -> float:
    return math.degrees(math.acos(max(-1.0, min(1.0, float(a @ b)))))
