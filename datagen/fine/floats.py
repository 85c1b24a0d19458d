"""Pictures and captions, which files draw first or last, where they stand."""

from collections.abc import Sequence

from datagen.page.line_pieces import Block
from datagen.page.region_order import in_reading_order
from datagen.record import Region
from datagen.writing.bidi import num_rtl

_FLOATS = frozenset({"image", "image_caption", "table_caption"})  # which stand anywhere


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
