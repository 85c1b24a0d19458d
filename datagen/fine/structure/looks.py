"""The looks of a document's regions, and which looks are used for headings. `datagen.fine.line_looks` writes the looks."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from datagen.fine.wording import FIGURE, ITEM, TABLE, plain
from datagen.labels import HEADINGS, RUNNING, TEXTS
from datagen.record import Line, Region
from datagen.writing import signs

_LARGER, _SMALLER = 1.1, 0.93  # of the size of the text
_OTHER_COLOUR, _GREY = 0x50, 0x20  # differences: of two colours in one channel; of a grey's own channels
_MAX_LINES, _MAX_CHARS, _MIN_LETTERS, _MIN_ALIKE = 2, 100, 2, 2
_MAX_LONG_LINES, _MAX_LONG_CHARS = 4, 240  # of a heading that looks like other headings
_MIN_BELOW = 20  # characters
_BELOW_EM, _BESIDE, _NEAR_EM = (-0.5, 3.5), 0.5, 3.0
_IS_DATE = re.compile(r"(?:\S+ ){0,3}(?:1[5-9]|20)\d\d(?: \S+)?$")
_IS_ADDRESS = re.compile(r"\S*(?:://|www\.|@)\S*", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,2}[.)-]")
_BLOCKS = frozenset({"list", "code", "table", "image", "equation", "toc", *HEADINGS})


class Look(NamedTuple):
    """The look of letters: their size in points, their red, green and blue, and marks such as bold or underlined."""

    size: float
    colour: tuple[int, int, int]
    marks: frozenset[str]


def look_of(lines: Sequence[Line]) -> Look | None:
    """The look that lines share, with the marks that all lines have. None if the lines differ in size or colour, or if a line's
    look isn't known."""
    looks = {line.look for line in lines}
    if not looks or "" in looks or len({tuple(look.split()[:2]) for look in looks}) != 1:
        return None
    size, colour, *_ = min(looks).split()
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return Look(float(size), (red, green, blue), frozenset.intersection(*(frozenset(look.split()[2:]) for look in looks)))


def usual_look(regions: Iterable[Region]) -> Look | None:
    """The look of most characters of the regions that are texts."""
    num_chars: Counter[Look] = Counter()
    for region in regions:
        for line in region.lines if region.label in TEXTS else ():
            if (look := look_of([line])) is not None:
                num_chars[look] += len(line.text)
    return max(num_chars, key=lambda look: num_chars[look], default=None)


def stands_out(look: Look, usual: Look) -> bool:
    """Whether a look is larger than the usual look, in another colour, or bold, underlined or highlighted while the usual look
    isn't. Grey letters don't stand out. Smaller letters stand out by colour alone."""
    is_grey = max(look.colour) - min(look.colour) < _GREY
    is_coloured = max(abs(a - b) for a, b in zip(look.colour, usual.colour, strict=True)) > _OTHER_COLOUR and not is_grey
    if look.size < _SMALLER * usual.size:
        return is_coloured
    return is_coloured or look.size > _LARGER * usual.size or bool(look.marks - usual.marks - {"italic"})


def is_marked_twice(look: Look, usual: Look) -> bool:
    """Whether a look stands out by more than bold. A bold line with a colon or a list sign may belong to the text below."""
    return stands_out(look._replace(marks=look.marks - {"bold"}), usual)


def stands_alone(regions: Sequence[Region], i: int, is_long: bool = False) -> bool:
    """Whether region `i` of a page's regions, which are in reading order, stands alone like a heading.

    The region is short: two lines, or up to four if `is_long`. Nothing stands beside it, except pictures and running headers or
    footers. Right below stands a text of another look, a list, a picture or a heading. It doesn't end a sentence, unless it is
    the first line of a heading.
    """
    region = regions[i]
    if not is_short(region, is_long) or i + 1 == len(regions):
        return False
    box, em = region.box, region.lines[0].box.y1 - region.lines[0].box.y0
    below = next((other for other in regions[i + 1 :] if other.label != "image" or other.box.y1 > box.y1 + em), regions[i + 1])
    is_first_line = below.label in HEADINGS and look_of(below.lines) == look_of(region.lines) and below.box.y0 - box.y1 < em
    if _ends_clause(region) and not is_first_line:
        return False
    goes_on = below.label in TEXTS and look_of(below.lines) == look_of(region.lines)
    is_block = not goes_on and (below.label in _BLOCKS or len(below.lines) > 1 or len(below.text) >= _MIN_BELOW)
    if not is_block or not _BELOW_EM[0] * em < below.box.y0 - box.y1 < _BELOW_EM[1] * em:
        return False
    return not any(
        min(other.box.y1, box.y1) - max(other.box.y0, box.y0) > _BESIDE * em
        for other in regions
        if other is not region and other.label not in RUNNING and other.label != "image"
    )


def _ends_clause(region: Region) -> bool:
    text = region.lines[-1].text
    return signs.ends_clause(text) and not signs.leads_on(text)


def is_short(region: Region, is_long: bool = False) -> bool:
    """Whether a text or an item is as short as a heading, has letters, and is no address, date or caption."""
    most_lines, most_chars = (_MAX_LONG_LINES, _MAX_LONG_CHARS) if is_long else (_MAX_LINES, _MAX_CHARS)
    if region.label not in TEXTS or region.is_unread or region.continues or region.format != "markdown":
        return False
    if len(region.lines) > _MAX_LINES and "\n" in region.text:  # as in a list of headings
        return False
    text = plain(region)
    if not 0 < len(region.lines) <= most_lines or not 2 < len(text) <= most_chars or region.lines[0].direction == "ttb":
        return False
    if sum(map(str.isalpha, text)) < _MIN_LETTERS or _IS_ADDRESS.search(text) or _IS_DATE.match(text):
        return False
    return not (FIGURE.match(text) or TABLE.match(text))


def headings_by_their_looks(pages: Sequence[Sequence[Region]]) -> set[tuple[int, int]]:
    """Which texts and items, by page and place, are headings. Each stands alone, in a look that stands out from the look of the
    document's text. No other text has this look. At least two texts stand alone in this look, or one text and one heading."""
    usual = usual_look(region for page in pages for region in page)
    if usual is None:
        return set()
    alone: dict[Look, list[tuple[int, int]]] = defaultdict(list)
    of_pages = (region for page in pages for region in page if region.label in HEADINGS)
    num_headings = Counter(look for region in of_pages if (look := look_of(region.lines)) is not None)
    others: set[Look] = set()
    for n, page in enumerate(pages):
        for i, region in enumerate(page):
            look = look_of(region.lines)
            if look is None or not stands_out(look, usual):
                continue
            if region.label in TEXTS and not region.is_unread:
                has_sign = signs.leads_on(region.lines[-1].text) or (
                    region.label == "list" and not ITEM.match(region.lines[0].text)
                )
                if stands_alone(page, i, is_long=num_headings[look] > 0) and (not has_sign or is_marked_twice(look, usual)):
                    alone[look].append((n, i))
                else:
                    others.add(look)
    return {
        place
        for look, places in alone.items()
        if look not in others and len(places) + (num_headings[look] > 0) >= _MIN_ALIKE
        for place in places
    }


def headings_as_furniture(pages: Sequence[Sequence[Region]], more: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which headers, and footers that begin with a number, by page and place, are headings. Each has the look of a section
    heading, or of a region at one of the places `more`. The look stands out from the look of the document's text. No other page
    has such a header or footer in this look."""
    usual = usual_look(region for page in pages for region in page)
    of_headings = {look_of(region.lines) for page in pages for region in page if region.label == "sub_title"}
    of_headings |= {look_of(pages[n][i].lines) for n, i in more}
    found: dict[Look, list[tuple[int, int]]] = defaultdict(list)
    for n, page in enumerate(pages):
        for i, region in enumerate(page):
            is_own = len(region.lines) == 1 and region.label in ("header", "footer")
            is_own = is_own and (region.label == "header" or bool(_NUMBER.match(region.lines[0].text)))
            look = look_of(region.lines) if is_own else None
            if look is not None and usual is not None and look in of_headings and stands_out(look, usual):
                found[look].append((n, i))
    alone = (places for places in found.values() if len({n for n, _ in places}) == 1)
    return {(n, i) for places in alone for n, i in places if is_short(replace(pages[n][i], label="text"))}


def larger_heads(regions: Sequence[Region], usual: Look | None) -> set[int]:
    """Which headers of a page are as short as headings, larger than the usual look, and right above a text or an item."""
    found: set[int] = set()
    for i, head in enumerate(regions):
        look = look_of(head.lines) if head.label == "header" else None
        if look is None or usual is None or look.size <= _LARGER * usual.size or not is_short(replace(head, label="text")):
            continue
        first = min((other for other in regions if other.box.y0 >= head.box.y1), key=lambda other: other.box.y0, default=head)
        is_near = first.box.y0 - head.box.y1 < _NEAR_EM * (head.lines[0].box.y1 - head.lines[0].box.y0)
        is_end = _ends_clause(head) or head.lines[0].text[0].islower()
        found |= {i} if first.label in TEXTS and is_near and not is_end else set()
    return found
