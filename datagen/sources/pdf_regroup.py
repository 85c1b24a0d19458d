"""A page's lines in another order than the file's, where the layout model shows that the file's is none."""

import itertools
from collections.abc import Mapping, Sequence

from datagen.bidi import num_rtl
from datagen.order import columns_of, in_reading_order
from datagen.record import Box, Line, Region
from datagen.sources import pdf_layout
from datagen.sources.pdf_order import by_columns, in_frame
from datagen.sources.pdf_pieces import Block, Piece, Rect

_MIN_UP, _UP_SHARE = 3, 0.15  # of lines that follow another in a block, those that stand above it where there is no order
_MIN_BACK, _BACK_SHARE = 2, 0.3  # of steps from block to block, those back to an earlier one
# What the order of a page is told by. Floats stand anywhere, and lines in tables have an order of their own.
_TELLING = frozenset({"title", "sub_title", "text", "list", "code"})
_FLOATS = frozenset({"image", "image_caption", "table_caption"})
_STEPS = 10  # of boxes, a point

Owners = Mapping[int, int]
"""Which of the model's blocks a piece is in, by its identity; -1 for none."""


def regrouped(blocks: Sequence[Block], owners: Owners, seen: Sequence[pdf_layout.Block], rtl: bool) -> list[Block] | None:
    """The lines of `blocks` by the model's blocks, these in reading order. None if the order of `blocks` holds: if it hardly goes
    up within one of the model's blocks, and hardly goes back from one to an earlier one."""
    pieces = [piece for block in blocks for piece in block]
    direction = direction_of(blocks, rtl)
    vertical = direction == "ttb"
    parts = _ordered(pieces, owners, seen, direction)
    telling = [p for p in pieces if owners[id(p)] >= 0 and (p.vertical or seen[owners[id(p)]].label in _TELLING)]
    rank = {id(piece): n for n, part in enumerate(parts) for piece in part}
    if not (_goes_up(telling, owners, vertical) or _goes_back([rank[id(piece)] for piece in telling])):
        return None
    placed = [[(piece, in_frame(piece.bbox, vertical)) for piece in part] for part in parts]
    return [[piece for piece, _ in by_columns(part, direction == "rtl")] for part in placed]


def direction_of(blocks: Sequence[Block], rtl: bool) -> str:
    """How most of a page's lines run: ltr, rtl or ttb."""
    pieces = [piece for block in blocks for piece in block]
    if sum(piece.vertical for piece in pieces) * 2 > len(pieces):
        return "ttb"
    return "rtl" if rtl and 2 * sum(num_rtl(piece.text) > 0 for piece in pieces) > len(pieces) else "ltr"


def with_floats_in_place(regions: Sequence[Region], direction: str) -> list[Region]:
    """The regions in their order, but for pictures and captions: files draw these first, or last. Each stands behind the region
    that is before it by the places of all."""
    floats = {id(region) for region in regions if region.label in _FLOATS}
    if not floats:
        return list(regions)
    behind: dict[int, list[Region]] = {}
    before = 0  # the region by its identity, 0 for the page's beginning
    for region in in_reading_order(regions, direction):
        if id(region) in floats:
            behind.setdefault(before, []).append(region)
        else:
            before = id(region)
    placed = list(behind.get(0, ()))
    for region in regions:
        if id(region) not in floats:
            placed += [region, *behind.get(id(region), ())]
    return placed


def _ordered(pieces: Sequence[Piece], owners: Owners, seen: Sequence[pdf_layout.Block], direction: str) -> list[list[Piece]]:
    """The lines by the model's blocks, and by columns in these, in the order in which they are read."""
    groups: dict[int, list[Piece]] = {}
    for n, piece in enumerate(pieces):
        owner = owners[id(piece)]
        groups.setdefault(owner if owner >= 0 else -1 - n, []).append(piece)
    of_region = {}
    for owner, group in groups.items():
        label = seen[owner].label if owner >= 0 and direction != "ttb" else "text"
        of_line = {id(line): (line, piece) for piece in group if (line := Line(_box(piece.bbox), piece.text))}
        lines = [line for line, _ in of_line.values()]
        for column in columns_of(lines, direction) if label in _TELLING else [lines]:
            region = Region(_around([line.box for line in column]), label, "", None, "", lines=tuple(column))
            of_region[id(region)] = region, [of_line[id(line)][1] for line in column]
    ordered = in_reading_order([region for region, _ in of_region.values()], direction)
    return [of_region[id(region)][1] for region in ordered]


def _goes_up(pieces: Sequence[Piece], owners: Owners, vertical: bool) -> bool:
    boxes = [in_frame(piece.bbox, vertical) for piece in pieces]
    same = [(a, b) for i, (a, b) in enumerate(itertools.pairwise(boxes)) if owners[id(pieces[i])] == owners[id(pieces[i + 1])]]
    return sum(b[3] < a[1] + 0.3 * (a[3] - a[1]) for a, b in same) >= max(_MIN_UP, _UP_SHARE * len(same))


def _goes_back(ranks: Sequence[int]) -> bool:
    """`ranks` are the parts' that lines are in, one line after the other."""
    steps = [a > b for a, b in itertools.pairwise(ranks) if a != b]
    return sum(steps) >= max(_MIN_BACK, _BACK_SHARE * len(steps))


def _box(box: Rect) -> Box:
    x0, y0, x1, y1 = (round(_STEPS * x) for x in box)
    return Box(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))


def _around(boxes: Sequence[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))
