"""The order in which a page's lines are read. It is the file's, or by columns if the file goes across them."""

import itertools
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence

import numpy

from datagen.page.boxes import middle_down, overlap, rows_of
from datagen.page.line_pieces import Block, Piece, Rect
from datagen.writing import scripts

_UNSPACED = re.compile(f"[{scripts.HAN}{scripts.PHRASED}]")
_CELL_CHARS = 7  # lines shorter than this don't show columns
_MIN_SIGNS = 4  # signs of a wrong order on a page that it takes to give the file's order up


def reading_order(blocks: Sequence[Block], rtl: bool) -> list[Block]:
    """The blocks in the file's order. If that is wrong, new blocks, column by column; from the right if `rtl`.

    A column is filled with lines of prose. Lines of a table, or of a list of terms, stand row by row, too, and are no columns.
    """
    pieces = [p for block in blocks for p in block]
    vertical = sum(p.vertical for p in pieces) * 2 > len(pieces)
    along = [p for p in pieces if (p.vertical if vertical else p.upright)]
    if len(along) < 2 * _MIN_SIGNS:
        return list(blocks)
    from_left = vertical and sum(p.from_left for p in along) * 2 > len(along)
    boxes = [_frame(p.bbox, vertical, from_left) for p in along]
    num_rows = num_up = 0
    for i, (a, b) in enumerate(itertools.pairwise(boxes)):
        if overlap(a, b, 1) > 0.5:
            num_rows += (b[0] > a[2] or b[2] < a[0]) and min(len(along[i].text), len(along[i + 1].text)) >= _CELL_CHARS
        elif b[3] < a[1] + 0.3 * (a[3] - a[1]) and overlap(a, b, 0) > 0.5:
            num_up += 1
    wrong = num_up >= max(_MIN_SIGNS, 0.15 * len(along))
    if not wrong and num_rows < _MIN_SIGNS:
        return list(blocks)
    placed = list(zip(along, boxes, strict=True))
    if not wrong and _gutter(placed) is None:
        return list(blocks)
    ordered = list(_cut(placed, rtl))
    if not wrong and _across(ordered, along) < _MIN_SIGNS:
        return list(blocks)
    others = [[p for p in block if not (p.vertical if vertical else p.upright)] for block in blocks]
    return [*_grouped(ordered), *(block for block in others if block)]


Placed = tuple[Piece, Rect]


def _cut(placed: Sequence[Placed], rtl: bool) -> Iterator[Placed]:
    """The pieces column by column. A piece across the columns stands between what is above and below it."""
    gutter = _gutter(placed)
    if gutter is None:
        yield from itertools.chain.from_iterable(rows_of(placed, lambda p: p[1], rtl=rtl))
        return
    left: list[Placed] = []
    right: list[Placed] = []
    for piece in sorted(placed, key=lambda p: middle_down(p[1])):
        if piece[1][2] <= gutter[0]:
            left.append(piece)
        elif piece[1][0] >= gutter[1]:
            right.append(piece)
        else:
            for column in (right, left) if rtl else (left, right):
                yield from _cut(column, rtl)
            left, right = [], []
            yield piece
    for column in (right, left) if rtl else (left, right):
        yield from _cut(column, rtl)


def _gutter(placed: Sequence[Placed]) -> tuple[float, float] | None:
    """The left and right edge of the gap between two columns of prose that hold most of the pieces. None without such columns."""
    if len(placed) < 2 * _MIN_SIGNS:
        return None
    boxes = numpy.array([box for _, box in placed])
    height = float(numpy.median(boxes[:, 3] - boxes[:, 1]))
    best = None
    for edge in sorted({round(float(x), 1) for x in boxes[:, 2]})[:1000]:
        left = boxes[:, 2] <= edge + 0.1
        right = boxes[:, 0] >= edge + 0.5 * height
        num_left, num_right = int(left.sum()), int(right.sum())
        crossing = len(placed) - num_left - num_right
        if min(num_left, num_right) < _MIN_SIGNS or crossing > 0.3 * len(placed):
            continue
        score = (-crossing, min(num_left, num_right))
        if (best is None or score > best[0]) and _is_prose(placed, left) and _is_prose(placed, right):
            top = max(boxes[left, 1].min(), boxes[right, 1].min())
            bottom = min(boxes[left, 3].max(), boxes[right, 3].max())
            if bottom - top > 2 * _MIN_SIGNS * height / 2:
                best = score, (edge + 0.1, edge + 0.5 * height)
    return best[1] if best else None


def _is_prose(placed: Sequence[Placed], chosen: numpy.ndarray) -> bool:
    """Whether most of the lines fill their common width, are too long for cells of a table, and stand close to the next line."""
    lines = [placed[i] for i in numpy.flatnonzero(chosen)]
    width = max(b[2] for _, b in lines) - min(b[0] for _, b in lines)
    if statistics.median(b[2] - b[0] for _, b in lines) <= 0.4 * width:
        return False
    heights = sorted((b[1], b[3]) for _, b in lines)
    pitch = statistics.median(b[0] - a[0] for a, b in itertools.pairwise(heights))
    if pitch > 2 * statistics.median(bottom - top for top, bottom in heights):
        return False
    long = sum(len(p.text) >= 8 if _UNSPACED.search(p.text) else p.text.count(" ") >= 2 and len(p.text) >= 15 for p, _ in lines)
    return long * 2 > len(lines)


def _across(ordered: Sequence[Placed], before: Sequence[Piece]) -> int:
    """The number of pieces that another piece follows than in the file."""
    follows = {id(a): id(b) for a, b in itertools.pairwise(before)}
    return sum(follows.get(id(a[0])) != id(b[0]) for a, b in itertools.pairwise(ordered))


def _grouped(ordered: Iterable[Placed]) -> Iterator[Block]:
    block: Block = []
    last: Rect | None = None
    for piece, box in ordered:
        if last is not None and block:
            height = min(last[3] - last[1], box[3] - box[1])
            close = -0.5 * height < box[1] - last[3] < 0.7 * height and overlap(last, box, 0) > 0
            if not close or not 0.8 < piece.size / max(block[-1].size, 0.01) < 1.25:
                yield block
                block = []
        block.append(piece)
        last = box
    if block:
        yield block


def _frame(box: Rect, vertical: bool, from_left: bool) -> Rect:
    """The box as if its text ran from left to right. The rightmost line of vertical text, or the leftmost one, becomes the top
    one."""
    if from_left:
        return box[1], box[0], box[3], box[2]
    return (box[1], -box[2], box[3], -box[0]) if vertical else box
