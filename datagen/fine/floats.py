"""Puts pictures and captions where they stand in the reading order; files often draw them first or last."""

from collections.abc import Sequence

from datagen.page.boxes import overlap
from datagen.page.line_pieces import Block
from datagen.page.region_order import in_reading_order
from datagen.record import Region
from datagen.writing.bidi import num_rtl
from datagen.writing.vertical_lines import FROM_LEFT

_FLOATS = frozenset({"image", "image_caption", "table_caption"})  # which stand anywhere
_FURNITURE = frozenset({"header", "footer", "page_number", "footnote"})
_SLACK, _SAME_ROW, _FAR = 0.35, 0.5, 20.0  # of a line's height


def direction_of(blocks: Sequence[Block], rtl: bool) -> str:
    """The direction of most of a page's lines: ltr, rtl, ttb or `FROM_LEFT`."""
    pieces = [piece for block in blocks for piece in block]
    if sum(piece.vertical for piece in pieces) * 2 > len(pieces):
        return FROM_LEFT if any(piece.from_left for piece in pieces) else "ttb"
    return "rtl" if rtl and 2 * sum(num_rtl(piece.text) > 0 for piece in pieces) > len(pieces) else "ltr"


def with_floats_in_place(regions: Sequence[Region], direction: str) -> list[Region]:
    """The regions in their order, with pictures, captions and stray tables moved, which files draw first or last. Each is put
    behind the region that precedes it in the order by places."""
    floats = {id(region) for region in regions if region.label in _FLOATS}
    if direction not in ("ttb", FROM_LEFT):
        body = [region for region in regions if region.label not in _FURNITURE and id(region) not in floats]
        floats |= {id(region) for n, region in enumerate(body) if _is_table_astray(n, body)}
        if feet := [region for n, region in enumerate(body) if _parts_a_row(n, body)]:
            regions = _behind(body[-1], feet, regions)
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


def _is_table_astray(n: int, body: Sequence[Region]) -> bool:
    """Whether a table comes last in a page's body but stands above the rest, or comes first but stands below the rest."""
    table, others = body[n], [*body[:n], *body[n + 1 :]]
    if table.label != "table" or not others:
        return False
    return (n == len(others) and all(_lies_above(table, o) for o in others)) or (
        n == 0 and all(_lies_above(o, table) for o in others)
    )


def _parts_a_row(n: int, body: Sequence[Region]) -> bool:
    """Whether a line at the bottom of a page, such as a footer, comes between two lines of one row far above."""
    if not 0 < n < len(body) - 1 or any(len(region.lines) != 1 for region in body[n - 1 : n + 2]):
        return False
    is_below = all(_lies_above(other, body[n]) for other in body if other is not body[n])
    height = body[n].lines[0].box.y1 - body[n].lines[0].box.y0
    is_far = body[n].box.y0 - body[n + 1].box.y1 > _FAR * height
    return is_below and is_far and overlap(body[n - 1].box, body[n + 1].box, 1) > _SAME_ROW


def _lies_above(a: Region, b: Region) -> bool:
    heights = [line.box.y1 - line.box.y0 for line in (*a.lines, *b.lines)]
    return a.box.y1 < b.box.y0 + _SLACK * min(heights, default=0)


def _behind(last: Region, moved: Sequence[Region], regions: Sequence[Region]) -> list[Region]:
    """The regions, with some of them moved behind another region."""
    kept = [region for region in regions if not any(region is other for other in moved)]
    at = next(n for n, region in enumerate(kept) if region is last) + 1
    return [*kept[:at], *moved, *kept[at:]]


def _with_rows(regions: Sequence[Region]) -> list[Region]:
    """The regions, with a picture between two texts moved before both, if the texts follow right below each other and the
    picture stands above them. Such a picture stands beside another picture."""
    result = list(regions)
    for i, picture in enumerate(regions):
        at = i
        while picture.label == "image" and i + 1 < len(regions) and at and _is_above(picture, regions[at - 1], regions[i + 1]):
            at -= 1
        if at < i:
            result.insert(at, result.pop(i))
    return result


def _is_above(picture: Region, a: Region, b: Region) -> bool:
    """Whether a picture stands above the lines of `a`, and `b` continues `a` below."""
    if a.label in _FLOATS or not a.lines or not b.lines:
        return False
    em = a.lines[0].box.y1 - a.lines[0].box.y0
    goes_on = b.box.y0 > a.box.y1 - 0.5 * em and min(a.box.x1, b.box.x1) > max(a.box.x0, b.box.x0)
    return goes_on and a.box.y0 > picture.box.y1 - 0.5 * em
