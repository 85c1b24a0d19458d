"""Regions of a page once their labels are settled: with the Markdown of these, headings of two lines as one, notes in order."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from datagen.fine.structure.section_numbers import number_of
from datagen.fine.wording import ITEM, OF_SECTION
from datagen.page.boxes import around
from datagen.record import Region
from datagen.writing.join_lines import joined

_HEADINGS = frozenset({"title", "sub_title"})
_HASHES = re.compile(r"#{1,6} ")
_STARRED = re.compile(r"(\*{1,3})([^*]+)\1")
_HEADING_GAP, _PART_GAP, _BESIDE = 0.9, 2.0, 0.7  # of the height of a heading's lines
_PART = re.compile(r"[^\W\d_]+\.? (?:\d{1,3}|[IVXLC]+)[.:]?")


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
    """The regions, in which what goes on with a heading, in the same type, is no heading of its own: the second line of one with
    a number, one that closes the bracket of the line above or begins small, and the name beside a word and its number."""
    result: list[Region] = []
    last: object = None
    for region, style in zip(regions, styles, strict=True):
        if result and style is not None and style == last and _goes_on(result[-1], region):
            above = result[-1]
            text = joined([above.text, _HASHES.sub("", region.text, count=1)])
            box, lines = around((above.box, region.box)), above.lines + region.lines
            result[-1] = replace(above, box=box, lines=lines, text=text)
        else:
            result.append(region)
            last = style
    return result


def _goes_on(a: Region, b: Region) -> bool:
    if not a.label == b.label == "sub_title" or a.is_unread or b.is_unread:
        return False
    above, below = plain(a), plain(b)
    height = b.lines[0].box.y1 - b.lines[0].box.y0
    if min(a.box.y1, b.box.y1) - max(a.box.y0, b.box.y0) > _BESIDE * height:
        return bool(_PART.fullmatch(above)) and 0 < b.box.x0 - a.box.x1 < _PART_GAP * height and below[0].isupper()
    if not -0.5 * height < b.box.y0 - a.box.y1 < _HEADING_GAP * height or ITEM.match(below):
        return False
    if above.rfind("(") > above.rfind(")") and -1 < below.find(")") < (below.find("(") if "(" in below else len(below)):
        return True
    is_numbered = [bool(OF_SECTION.match(text) or number_of(text)) for text in (above, below)]
    return is_numbered == [True, False] or (not is_numbered[1] and below[0].islower())


def plain(region: Region) -> str:
    """The text of a region's lines, without Markdown."""
    return " ".join(line.text for line in region.lines)


def relabelled(region: Region, label: str, level: int) -> Region:
    """The region with a label, and with the Markdown of that label: hashes before a heading, no stars in one."""
    if region.is_unread or region.format != "markdown":
        return region if region.label == label else replace(region, label=label)
    text = region.text
    if label in _HEADINGS:
        hashes = _HASHES.match(text)
        bare = text[hashes.end() :] if hashes else " ".join(_STARRED.sub(r"\2", text).split())
        depth = level if label == "sub_title" and level else len(hashes[0]) - 1 if hashes else 1 + (label == "sub_title")
        depth = 1 if label == "title" != region.label else depth
        text = f"{'#' * depth} {bare}"
    elif region.label in _HEADINGS:
        text = _HASHES.sub("", text, count=1)
    if label == "code" != region.label:
        text = "\n".join(line.text for line in region.lines)
    return region if (label, text) == (region.label, region.text) else replace(region, label=label, text=text)
