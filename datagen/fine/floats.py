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
    return _with_rows(placed)


def _with_rows(regions: Sequence[Region]) -> list[Region]:
    """The regions, in which a picture that is read between two texts, one right below the other, and stands above both, is read
    before them: it stands beside another one."""
    result = list(regions)
    for i, picture in enumerate(regions):
        at = i
        while picture.label == "image" and i + 1 < len(regions) and at and _is_above(picture, regions[at - 1], regions[i + 1]):
            at -= 1
        if at < i:
            result.insert(at, result.pop(i))
    return result


def _is_above(picture: Region, a: Region, b: Region) -> bool:
    """Whether a picture stands above the lines of `a`, which `b` goes on with below."""
    if a.label in _FLOATS or not a.lines or not b.lines:
        return False
    em = a.lines[0].box.y1 - a.lines[0].box.y0
    goes_on = b.box.y0 > a.box.y1 - 0.5 * em and min(a.box.x1, b.box.x1) > max(a.box.x0, b.box.x0)
    return goes_on and a.box.y0 > picture.box.y1 - 0.5 * em
