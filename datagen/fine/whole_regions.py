"""Regions of a page put together or in order once their labels are settled: headings of two lines, and footnotes."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from datagen.fine.section_numbers import number_of
from datagen.fine.wording import ITEM, OF_SECTION
from datagen.page.boxes import around
from datagen.record import Region
from datagen.writing.join_lines import joined

_HASHES = re.compile(r"#{1,6} ")
_HEADING_GAP = 0.9  # between the lines of a heading, of their height


def with_notes_in_order(regions: Sequence[Region]) -> list[Region]:
    """The regions, in which footnotes below each other that follow each other stand from the top, and the page's number last."""
    result: list[Region] = []
    at = [i for i, region in enumerate(regions) if region.label == "footnote"]
    number = [region for region in regions[min(at, default=0) : max(at, default=0)] if region.label == "page_number"]
    regions = [region for region in regions if not any(region is other for other in number)] + number
    for is_note, run in itertools.groupby(regions, key=lambda region: region.label == "footnote"):
        notes = list(run)
        is_column = is_note and max(r.box.x0 for r in notes) < min(r.box.x1 for r in notes)
        result += sorted(notes, key=lambda r: r.box.y0) if is_column else notes
    return result


def with_whole_headings(regions: Sequence[Region], styles: Sequence[object]) -> list[Region]:
    """The regions, in which the second line of a numbered heading, of the same type and right below, is no heading of its own."""
    result: list[Region] = []
    last: object = None
    for region, style in zip(regions, styles, strict=True):
        if result and style is not None and style == last and _goes_on_below(result[-1], region):
            above = result[-1]
            text = joined([above.text, _HASHES.sub("", region.text, count=1)])
            box, lines = around((above.box, region.box)), above.lines + region.lines
            result[-1] = replace(above, box=box, lines=lines, text=text)
        else:
            result.append(region)
            last = style
    return result


def _goes_on_below(a: Region, b: Region) -> bool:
    if not a.label == b.label == "sub_title" or a.is_unread or b.is_unread:
        return False
    height = b.lines[0].box.y1 - b.lines[0].box.y0
    is_near = -0.5 * height < b.box.y0 - a.box.y1 < _HEADING_GAP * height
    is_numbered = [bool(OF_SECTION.match(plain(region)) or number_of(plain(region))) for region in (a, b)]
    return is_near and is_numbered == [True, False] and not ITEM.match(plain(b))


def plain(region: Region) -> str:
    """The text of a region's lines, without Markdown."""
    return " ".join(line.text for line in region.lines)
