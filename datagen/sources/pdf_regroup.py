"""A page's lines in another order than the file's, where the layout model shows that the file's is none."""

import itertools
from collections.abc import Mapping, Sequence

from datagen.bidi import num_rtl
from datagen.labels import RUNNING
from datagen.order import in_reading_order
from datagen.record import Box, Line, Region
from datagen.sources import pdf_layout
from datagen.sources.pdf_order import by_columns, in_frame
from datagen.sources.pdf_pieces import Block, Piece, Rect, overlap

_LEAST, _SHARE = 3, 0.15  # of lines that follow another: signs that it takes to give the order up
_INNER = frozenset({"table", "image", "equation"})  # in these, lines stand in an order of their own
_STEPS = 10  # of boxes, a point

Owners = Mapping[int, int]
"""Which of the model's blocks a piece is in, by its identity; -1 for none."""


def regrouped(blocks: Sequence[Block], owners: Owners, seen: Sequence[pdf_layout.Block], rtl: bool) -> list[Block] | None:
    """The lines of `blocks` by the model's blocks, these in reading order. None if the order of `blocks` holds: it hardly comes
    back to one of the model's blocks that it had left, and hardly goes up."""
    pieces = [piece for block in blocks for piece in block]
    vertical = sum(piece.vertical for piece in pieces) * 2 > len(pieces)
    if not _is_in_disorder(pieces, owners, seen, vertical):
        return None
    groups: dict[int, list[Piece]] = {}
    for n, piece in enumerate(pieces):
        owner = owners[id(piece)]
        groups.setdefault(owner if owner >= 0 else -1 - n, []).append(piece)
    in_rtl = rtl and 2 * sum(num_rtl(piece.text) > 0 for piece in pieces) > len(pieces)
    members = {}
    for owner, group in groups.items():
        lines = tuple(Line(_box(piece.bbox), piece.text) for piece in group)
        label = seen[owner].label if owner >= 0 else "text"
        region = Region(_around([line.box for line in lines]), label, "", None, "", lines=lines)
        placed = by_columns([(piece, in_frame(piece.bbox, vertical)) for piece in group], in_rtl)
        members[id(region)] = region, [piece for piece, _ in placed]
    ordered = in_reading_order([region for region, _ in members.values()], "ttb" if vertical else "rtl" if in_rtl else "ltr")
    return [members[id(region)][1] for region in ordered]


def _is_in_disorder(pieces: Sequence[Piece], owners: Owners, seen: Sequence[pdf_layout.Block], vertical: bool) -> bool:
    left: set[int] = set()
    num = num_signs = 0
    for a, b in itertools.pairwise(pieces):
        before, owner = owners[id(a)], owners[id(b)]
        if owner < 0 or seen[owner].label in _INNER | RUNNING:
            continue
        num += 1
        first, second = in_frame(a.bbox, vertical), in_frame(b.bbox, vertical)
        goes_up = second[3] < first[1] + 0.3 * (first[3] - first[1])
        if owner == before:
            num_signs += goes_up
        else:
            num_signs += owner in left or (goes_up and overlap(first, second, 0) > 0.5)
            left.add(before)
    return num_signs >= max(_LEAST, _SHARE * num)


def _box(box: Rect) -> Box:
    x0, y0, x1, y1 = (round(_STEPS * x) for x in box)
    return Box(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))


def _around(boxes: Sequence[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))
