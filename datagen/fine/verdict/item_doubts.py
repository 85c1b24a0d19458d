"""List items that may be wrong: single signs, notes, lines of a letterhead that begin like items, torn items, and items that
contain the following text."""

import itertools
import re
import statistics
from collections import Counter
from collections.abc import Sequence

from datagen.fine.structure.section_numbers import number_of
from datagen.fine.verdict.torn_regions import CLOSED
from datagen.labels import HEADINGS, TEXTS
from datagen.page.boxes import height
from datagen.record import Region

_DASHED, _STARRED = re.compile(r"[-–—]\s+\S"), re.compile(r"\*\s*\S")
_COLON = re.compile(r"[:：][*)\]]*$")
_ALIGNED_EM, _ROOM_EM, _HANGING_EM, _SAME_PITCH_EM = 0.3, 8.0, 0.5, 0.2
_CENTRED_EM, _APART_EM = 1.0, 1.0
_MIN_HANGING = 2


def doubts(regions: Sequence[Region]) -> Counter[str]:
    """The counts of contradictions of items among regions in reading order, by the kinds of `structure_doubts`."""
    return Counter(
        items=num_signs_alone(regions) + num_starred_alone(regions) + num_dashed_alone(regions),
        heading=num_sections_as_items(regions),
        glued=num_lines_behind(regions),
        torn=num_tails(regions),
    )


def num_signs_alone(regions: Sequence[Region]) -> int:
    """The number of items without letters and digits."""
    return sum(_is_item(region) and not any(map(str.isalnum, region.text)) for region in regions)


def num_starred_alone(regions: Sequence[Region]) -> int:
    """1 if a single item begins with an asterisk, like a note below a table; else 0."""
    return int(sum(_is_item(region) and bool(_STARRED.match(region.lines[0].text)) for region in regions) == 1)


def num_dashed_alone(regions: Sequence[Region]) -> int:
    """The number of single items with a dash that are centred like a neighbour with another start. They may be lines of a
    letterhead."""
    num = 0
    for i, region in enumerate(regions):
        if not _is_item(region) or len(region.lines) != 1 or not _DASHED.match(region.lines[0].text):
            continue
        near = [regions[j] for j in (i - 1, i + 1) if 0 <= j < len(regions)]
        num += not any(other.label == "list" for other in near) and any(_are_centred(region, other) for other in regions)
    return num


def _are_centred(a: Region, b: Region) -> bool:
    em = height(a.lines[0].box)
    is_near = max(a.box.y0 - b.box.y1, b.box.y0 - a.box.y1) < 2 * em and a is not b and len(b.lines) == 1
    middles = abs(a.box.x0 + a.box.x1 - b.box.x0 - b.box.x1) / 2
    return is_near and middles < _CENTRED_EM * em and abs(a.box.x0 - b.box.x0) > _APART_EM * em


def num_sections_as_items(regions: Sequence[Region]) -> int:
    """The number of one-line items whose number is the first within the section of a heading before them, or the next."""
    numbers: set[tuple[int, ...]] = set()
    num = 0
    for region in regions:
        number = number_of(region.lines[0].text) if region.lines and not region.is_unread else ()
        if region.label in HEADINGS and number:
            numbers.add(number)
        elif len(number) > 1 and _is_item(region) and len(region.lines) == 1 and not CLOSED.search(region.text):
            before = (*number[:-1], number[-1] - 1) if number[-1] > 1 else number[:-1]
            num += before in numbers
    return num


def num_lines_behind(regions: Sequence[Region]) -> int:
    """The number of lines of items that begin at the item's sign, below a line with much room. They aren't part of the item."""
    texts = (region for region in regions if region.label in TEXTS)
    edge = max((line.box.x1 for region in texts for line in region.lines), default=0)
    num = 0
    for region in (region for region in regions if _is_item(region) and region.lines[0].direction == "ltr"):
        em, start = height(region.lines[0].box), region.lines[0].box.x0
        for above, line in itertools.pairwise(region.lines):
            num += abs(line.box.x0 - start) < _ALIGNED_EM * em and edge - above.box.x1 > _ROOM_EM * em
    return num


def num_tails(regions: Sequence[Region]) -> int:
    """The number of texts that continue an open item, or one that ends in a colon. Such a text stands right below at the pitch of
    the item's lines, and begins where the second lines of items begin."""
    items = [region for region in regions if _is_item(region) and len(region.lines) > 1 and region.lines[0].direction == "ltr"]
    pitches = [b.box.y0 - a.box.y0 for region in items for a, b in itertools.pairwise(region.lines)]
    num = 0
    for item, text in itertools.pairwise(regions):
        if not _is_item(item) or text.label != "text" or not text.lines or text.is_unread or not pitches:
            continue
        em, start = height(text.lines[0].box), text.lines[0].box.x0
        is_open = not CLOSED.search(item.text) or bool(_COLON.search(item.text))
        hanging = [one for one in items if abs(one.lines[1].box.x0 - start) < _ALIGNED_EM * em]
        hanging = [one for one in hanging if one.lines[1].box.x0 - one.lines[0].box.x0 > _HANGING_EM * em]
        pitch = text.lines[0].box.y0 - item.lines[-1].box.y0
        is_near = abs(pitch - statistics.median(pitches)) < _SAME_PITCH_EM * em
        num += is_open and is_near and len(hanging) >= _MIN_HANGING and start - item.lines[0].box.x0 > _HANGING_EM * em
    return num


def _is_item(region: Region) -> bool:
    return region.label == "list" and bool(region.lines) and not region.is_unread
