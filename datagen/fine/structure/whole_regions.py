"""What follows from a page's final labels: Markdown is renewed, torn regions are joined, and notes are put in order."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from datagen.fine.structure.looks import look_of
from datagen.fine.structure.section_numbers import number_of
from datagen.fine.wording import HASHES, ITEM, MARK, OF_SECTION, UNNUMBERED_TABLE, plain
from datagen.labels import HEADINGS, RUNNING
from datagen.page.boxes import around, height, overlap
from datagen.record import Region
from datagen.writing import signs
from datagen.writing.join_lines import joined

_STARRED = re.compile(r"(\*{1,3})([^*]+)\1")
_HEADING_GAP, _CLOSED_GAP, _PART_GAP, _BESIDE = 0.9, 1.2, 2.0, 0.7  # of the height of a heading's lines
_OVER, _LARGER = 0.3, 1.15
_BRACKETS = ("()", "（）", "《》", "「」", "【】")
_NOTE_GAP, _FULL_EM = (-0.5, 0.5), 3.0
_SIGN_ALONE, _SIGN_GAP = re.compile(f"[{signs.ITEM_SIGNS}]"), 4.0
_BLANK, _BRACKETED, _BLANK_GAP = re.compile(r"\.{5}|_{5}|…{2}"), re.compile(r"\([^()]+\)"), 3.0
_PART = re.compile(r"[^\W\d_]+\.? (?:\d{1,3}|[IVXLC]+)[.:]?")


def with_notes_in_order(regions: Sequence[Region]) -> list[Region]:
    """The regions, with footnotes that stand below each other sorted from the top, and a page number among footnotes put last."""
    result: list[Region] = []
    at = [i for i, region in enumerate(regions) if region.label == "footnote"]
    number = [region for region in regions[min(at, default=0) : max(at, default=0)] if region.label == "page_number"]
    regions = [region for region in regions if not any(region is other for other in number)] + number
    for is_note, run in itertools.groupby(regions, key=lambda region: region.label == "footnote"):
        notes = list(run)
        is_column = is_note and max(r.box.x0 for r in notes) < min(r.box.x1 for r in notes)
        result += sorted(notes, key=lambda r: r.box.y0) if is_column else notes
    return result


def with_heads_first(regions: Sequence[Region]) -> list[Region]:
    """The regions, with running headers put before the headings that stand below them."""
    return _moved_up(regions, lambda head, b: head.label in RUNNING and b.label in HEADINGS and b.box.y0 >= head.box.y1)


def _moved_up(regions: Sequence[Region], comes_before: Callable[[Region, Region], bool]) -> list[Region]:
    """The regions, with each region moved before the preceding regions that it `comes_before`."""
    result: list[Region] = []
    for region in regions:
        at = len(result)
        while at and comes_before(region, result[at - 1]):
            at -= 1
        result.insert(at, region)
    return result


def with_labels_by_neighbours(regions: Sequence[Region]) -> list[Region]:
    """The regions, with two labels changed. A heading right above a table becomes the table's caption if it begins with the word
    for a table and a sign. A one-line footnote in brackets right below a blank to fill in becomes text."""
    result = list(regions)
    for i, (region, below) in enumerate(itertools.pairwise(regions)):
        if region.label == "sub_title" and below.label == "table" and UNNUMBERED_TABLE.match(plain(region)):
            result[i] = relabelled(region, "table_caption", 0)
    blanks = [region.box for region in regions if any(_BLANK.search(line.text) for line in region.lines)]
    for i, region in enumerate(result):
        is_bracketed = region.label == "footnote" and len(region.lines) == 1 and bool(_BRACKETED.fullmatch(plain(region)))
        if is_bracketed and any(0 <= region.box.y0 - box.y1 < _BLANK_GAP * (region.box.y1 - region.box.y0) for box in blanks):
            result[i] = relabelled(region, "text", 0)
    return result


def with_whole_notes(regions: Sequence[Region]) -> list[Region]:
    """The regions, with each footnote that ends in a full line joined with the unmarked footnote right below in its type."""
    edge = max((line.box.x1 for region in regions if region.label == "footnote" for line in region.lines), default=0)
    return _put_together(regions, lambda a, b: _goes_on_as_note(a, b, edge), _together)


def _put_together(
    regions: Sequence[Region], goes_on: Callable[[Region, Region], bool], together: Callable[[Region, Region], Region]
) -> list[Region]:
    """The regions, with each region that `goes_on` from the one before joined to it by `together`."""
    result: list[Region] = []
    for region in regions:
        if result and goes_on(result[-1], region):
            result[-1] = together(result[-1], region)
        else:
            result.append(region)
    return result


def _goes_on_as_note(a: Region, b: Region, edge: int) -> bool:
    if not a.label == b.label == "footnote" or a.is_unread or b.is_unread or not a.lines or not b.lines:
        return False
    if MARK.match(b.text) or ITEM.match(plain(b)):
        return False
    last, first = a.lines[-1], b.lines[0]
    em = first.box.y1 - first.box.y0
    is_below = _NOTE_GAP[0] * em < first.box.y0 - last.box.y1 < _NOTE_GAP[1] * em and first.box.x0 < last.box.x1
    return is_below and last.font == first.font and last.direction == "ltr" and last.box.x1 > edge - _FULL_EM * em


def _together(a: Region, b: Region) -> Region:
    text = joined([a.text, b.text])
    return replace(a, box=around((a.box, b.box)), lines=a.lines + b.lines, text=text, continues=b.continues)


def with_whole_items(regions: Sequence[Region]) -> list[Region]:
    """The regions, with each item that is only a sign joined with the text beside the sign on the same line."""
    return _put_together(regions, _is_beside_its_sign, _with_sign)


def _with_sign(sign: Region, text: Region) -> Region:
    return replace(text, box=around((sign.box, text.box)), label="list", text=f"{sign.text} {text.text}")


def _is_beside_its_sign(sign: Region, text: Region) -> bool:
    if sign.label != "list" or text.label != "text" or sign.is_unread or text.is_unread or len(sign.lines) != 1 or not text.lines:
        return False
    a, b = sign.box, text.lines[0].box
    em = min(a.y1 - a.y0, b.y1 - b.y0)
    gap = a.x0 - b.x1 if b.x0 < a.x0 else b.x0 - a.x1
    is_level = min(a.y1, b.y1) - max(a.y0, b.y0) > _BESIDE * em
    return bool(_SIGN_ALONE.fullmatch(sign.text.strip())) and is_level and -0.3 * em < gap < _SIGN_GAP * em


def with_headings_in_place(regions: Sequence[Region]) -> list[Region]:
    """The regions, with each heading put before the regions below it in its column. Some files draw headings, and the colour
    behind them, last."""
    return _moved_up(regions, _is_above_its_text)


def _is_above_its_text(heading: Region, other: Region) -> bool:
    if heading.label not in HEADINGS or other.label in RUNNING:
        return False
    over = _OVER * height(heading.box)
    return overlap(heading.box, other.box, 0) > 0 and other.box.y0 >= heading.box.y1 - over


def with_heads_of_contents(regions: Sequence[Region]) -> list[Region]:
    """The regions, with the first line of a table of contents made a heading if it is larger than the entries."""
    result: list[Region] = []
    for region in regions:
        first, others = look_of(region.lines[:1]), [look_of([line]) for line in region.lines[1:]]
        is_contents = (
            region.label == "toc"
            and not region.is_unread
            and bool(region.lines)
            and region.text.startswith(f"{region.lines[0].text}\n")
        )
        if is_contents and first is not None and others and all(b is not None and first.size > _LARGER * b.size for b in others):
            head, lines = region.lines[:1], region.lines[1:]
            text = region.text.partition("\n")
            result.append(replace(region, box=head[0].box, label="sub_title", lines=head, text=f"## {text[0]}", continues=False))
            result.append(replace(region, box=around(line.box for line in lines), lines=lines, text=text[2]))
        else:
            result.append(region)
    return result


def with_whole_headings(regions: Sequence[Region], styles: Sequence[object]) -> list[Region]:
    """The regions, with each heading joined with the heading that continues it in the same type. That is the second line of a
    numbered heading, a line that closes the bracket of the line above or begins in lower case, or the name beside a word and
    its number, such as "Chapter 1"."""
    result: list[Region] = []
    last: object = None
    for region, style in zip(regions, styles, strict=True):
        if result and style is not None and style == last and _goes_on(result[-1], region):
            above = result[-1]
            text = joined([above.text, HASHES.sub("", region.text, count=1)])
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
    em = height(b.lines[0].box)
    if min(a.box.y1, b.box.y1) - max(a.box.y0, b.box.y0) > _BESIDE * em:
        return bool(_PART.fullmatch(above)) and 0 < b.box.x0 - a.box.x1 < _PART_GAP * em and below[0].isupper()
    is_closed = any(_is_closed_below(above, below, *pair) for pair in _BRACKETS)
    gap = _CLOSED_GAP if is_closed else _HEADING_GAP
    if not -0.5 * em < b.box.y0 - a.box.y1 < gap * em or ITEM.match(below):
        return False
    if is_closed:
        return True
    is_numbered = [bool(OF_SECTION.match(text) or number_of(text)) for text in (above, below)]
    return is_numbered == [True, False] or (not is_numbered[1] and below[0].islower())


def _is_closed_below(above: str, below: str, opening: str, closing: str) -> bool:
    return above.rfind(opening) > above.rfind(closing) and -1 < below.find(closing) < below.find(opening) % (len(below) + 1)


def relabelled(region: Region, label: str, level: int) -> Region:
    """The region with a new label and the label's Markdown: a heading has hashes in front and no stars."""
    if region.is_unread or region.format != "markdown":
        return region if region.label == label else replace(region, label=label)
    text = region.text
    if label in HEADINGS:
        hashes = HASHES.match(text)
        bare = text[hashes.end() :] if hashes else " ".join(_STARRED.sub(r"\2", text).split())
        depth = level if label == "sub_title" and level else len(hashes[0]) - 1 if hashes else 1 + (label == "sub_title")
        depth = 1 if label == "title" != region.label else depth
        text = f"{'#' * depth} {bare}"
    elif region.label in HEADINGS:
        text = HASHES.sub("", text, count=1)
    if label == "code" != region.label:
        text = "\n".join(line.text for line in region.lines)
    return region if (label, text) == (region.label, region.text) else replace(region, label=label, text=text)
