"""Contradictions between a page's labels and its looks and places: bold lines that are no headings, levels that contradict sizes,
captions that read like text, torn notes and items."""

import itertools
import re
import statistics
from collections import Counter
from collections.abc import Sequence

import regex

from datagen.fine.structure.looks import Look, is_short, look_of, usual_look
from datagen.fine.wording import FIGURE, HASHES, ITEM, MARK, OF_SECTION, TABLE, plain
from datagen.labels import CAPTIONS, HEADINGS, TEXTS
from datagen.page.boxes import height, overlap
from datagen.record import Box, Region
from datagen.writing import signs

_SMALLER, _LARGER, _MUCH_LARGER = 0.93, 1.08, 1.2  # than another heading's letters
_MAX_CAPTION_LINES = 3
_NEAR_EM, _BELOW_EM, _LINES_EM, _BESIDE = 1.5, (-0.5, 0.6), 0.35, 0.5
_ALIGNED_EM = 1.0
_WIDER = 1.4  # than the other lines of a text
_RAISED = re.compile(r"<sup>[^<]{1,3}</sup>")
_RAISED_NUMBER = re.compile(r"<sup>(\d{1,3})</sup>")
_SIGN = re.compile(rf"#{{1,6}} (?:[{signs.ITEM_SIGNS}]|o\s)\s*\S")
_BREAK = regex.compile(rf"[{signs.STOPS}]\n")


def doubts(regions: Sequence[Region]) -> Counter[str]:
    """The counts of contradictions of regions in reading order, by the kinds of `structure_doubts`."""
    return Counter(
        heading=num_bold_alone(regions) + num_levels_by_size(regions) + num_torn_headings(regions),
        torn=num_torn_notes(regions) + num_torn_lines(regions) + num_across_columns(regions),
        glued=num_breaks_within(regions) + num_notes_mixed(regions),
        captions=num_captions(regions),
    )


def num_bold_alone(regions: Sequence[Region]) -> int:
    """The number of short texts and items that are wholly bold, on a page whose text isn't bold."""
    usual = usual_look(regions)
    if usual is None or "bold" in usual.marks:
        return 0
    bold = [is_short(region, is_long=True) and "bold" in getattr(look_of(region.lines), "marks", ()) for region in regions]
    num = 0
    for i, region in enumerate(regions):
        is_below_title = i > 0 and regions[i - 1].label == "title"  # a date or a name
        if bold[i] and not is_below_title:
            has_alike = any(regions[j].label == "list" and bold[j] for j in (i - 1, i + 1) if 0 <= j < len(regions))
            num += region.label == "text" or (bool(ITEM.match(region.lines[0].text)) and not has_alike)
    return num


def num_levels_by_size(regions: Sequence[Region]) -> int:
    """The number of headings whose level contradicts their look. Such a heading has a deeper level than a smaller heading, or the
    level of a neighbouring heading of much different size, or isn't bold and has the level of the bold one before in its size."""
    headings: list[tuple[Look, int]] = []
    for region in regions:
        hashes, look = HASHES.match(region.text), look_of(region.lines)
        if region.label in HEADINGS and hashes and look is not None:
            headings.append((look, len(hashes[0]) - 1))
    num = sum(
        any(level > other_level and look.size > _LARGER * other.size for other, other_level in headings)
        for look, level in headings
    )
    for (a, level), (b, other_level) in itertools.pairwise(headings):
        is_part = max(a.size, b.size) > _MUCH_LARGER * min(a.size, b.size) or (a.size == b.size and "bold" in a.marks - b.marks)
        num += level == other_level and is_part
    return num


def num_captions(regions: Sequence[Region]) -> int:
    """The number of captions that read like running text, are long, look like a bold heading, or lie at two pictures side by
    side. Also the number of texts at a picture or table that begin like a caption, or stand below it in small, coloured or italic
    letters."""
    usual = usual_look(regions)
    pictures = [region.box for region in regions if region.label in ("image", "table")]
    bold = {look for region in regions if region.label in HEADINGS and (look := look_of(region.lines)) and "bold" in look.marks}
    num = 0
    for region in regions:
        if region.is_unread or not region.lines or region.lines[0].direction == "ttb":
            continue
        em = height(region.lines[0].box)
        text = plain(region)
        is_named = bool(FIGURE.match(text) or TABLE.match(text))
        if region.label in CAPTIONS and not is_named:
            is_usual = look_of(region.lines) == usual
            is_text = len(region.lines) > 1 and is_usual and signs.ends_sentence(text.rstrip("*"))
            at = [box for box in pictures if _is_at(region.box, box, em)]
            of_several = any(a.x1 < b.x0 and overlap(a, b, 1) > _BESIDE for a, b in itertools.permutations(at, 2))
            is_text |= look_of(region.lines) in bold
            num += is_text or len(region.lines) > _MAX_CAPTION_LINES or of_several
        elif region.label == "text" and not is_named and len(region.lines) == 1 and _is_set_back(look_of(region.lines), usual):
            num += any(_is_at(region.box, box, em) and region.box.y0 > box.y0 for box in pictures)
        elif region.label in TEXTS and is_named and len(region.lines) <= _MAX_CAPTION_LINES:
            num += any(_is_at(region.box, box, em) for box in pictures)
    return num


def _is_set_back(look: Look | None, usual: Look | None) -> bool:
    """Whether a look is smaller than the usual look, in another colour, or in italics."""
    if look is None or usual is None:
        return False
    return look.size < _SMALLER * usual.size or look.colour != usual.colour or "italic" in look.marks - usual.marks


def _is_at(box: Box, picture: Box, em: float) -> bool:
    """Whether a box stands right above or below a picture."""
    apart = max(box.y0 - picture.y1, picture.y0 - box.y1)
    return -em < apart < _NEAR_EM * em and min(box.x1, picture.x1) > max(box.x0, picture.x0)


def num_torn_notes(regions: Sequence[Region]) -> int:
    """The number of unmarked footnotes right below a marked one, texts right before references, and references that are no
    entries."""
    num = 0
    for a, b in itertools.pairwise(regions):
        if a.label == b.label == "footnote" and b.lines and a.lines:
            em = height(b.lines[0].box)
            is_below = _BELOW_EM[0] * em < b.box.y0 - a.box.y1 < _BELOW_EM[1] * em
            num += is_below and not MARK.match(b.text) and not ITEM.match(b.lines[0].text) and bool(MARK.match(a.text))
        num += a.label == "text" and b.label == "reference" and len(a.lines) > 0
    entries = [region for region in regions if region.label == "reference" and region.lines]
    return (
        num + sum(bool(_RAISED.match(entry.text)) for entry in entries) + sum(_is_tail(entry, entries) for entry in entries[1:])
    )


def _is_tail(entry: Region, entries: Sequence[Region]) -> bool:
    """Whether a reference begins at the indent of the other references' second lines, so that it is the rest of an entry."""
    near = _ALIGNED_EM * height(entry.lines[0].box) / 2
    beside = [other for other in entries if other is not entry and other.box.x0 < entry.box.x1 and entry.box.x0 < other.box.x1]
    hanging = [other for other in beside if len(other.lines) > 1 and abs(other.lines[1].box.x0 - entry.lines[0].box.x0) < near]
    is_behind = [other.lines[0].box.x0 < entry.lines[0].box.x0 - near for other in hanging]
    return entry.lines[0].direction == "ltr" and 2 * sum(is_behind) > len(beside) > 1


def num_notes_mixed(regions: Sequence[Region]) -> int:
    """The number of footnotes that contain the next footnote, and of texts between footnotes."""
    num = 0
    for region in (region for region in regions if region.label == "footnote"):
        marks = [int(mark) for mark in _RAISED_NUMBER.findall(region.text)]
        num += any(a + 1 == b for a, b in itertools.pairwise(marks)) and bool(_RAISED.match(region.text))
    return num + sum(
        above.label == below.label == "footnote" and region.label in TEXTS
        for above, region, below in zip(regions, regions[1:], regions[2:], strict=False)
    )


def num_torn_lines(regions: Sequence[Region]) -> int:
    """The number of texts and items that continue in the next region. Either the next region begins beside their last line and
    goes on below it, or a full line of text is followed by a line of the same look at the distance of a paragraph's lines."""
    texts = [region for region in regions if region.label in TEXTS and region.lines and not region.is_unread]
    pitches = [b.box.y0 - a.box.y0 for region in texts for a, b in itertools.pairwise(region.lines)]
    pitch = statistics.median(pitches) if pitches else 0.0
    edge = max((line.box.x1 for region in texts if len(region.lines) > 1 for line in region.lines), default=0)
    num = 0
    for a, b in itertools.pairwise(texts):
        last, first, em = a.lines[-1], b.lines[0], height(b.lines[0].box)
        if overlap(last.box, first.box, 1) > _BESIDE and first.box.x0 > last.box.x1 and len(b.lines) > 1:
            num += b.lines[1].box.x0 < last.box.x1 and b.lines[1].box.y0 > last.box.y0 + 0.5 * em
        elif len(a.lines) == 1 and a.label == "text" and last.direction == first.direction == "ltr":
            is_near = 0 < first.box.y0 - last.box.y0 < pitch + 0.3 * em
            is_full = last.box.x1 > edge - em and last.text[-1:].isalnum()
            num += is_near and is_full and b.label == "text" and look_of([last]) == look_of([first]) is not None
    return num


def num_torn_headings(regions: Sequence[Region]) -> int:
    """The number of headings that begin with an item's sign, of titles after another heading, and of headings right below another
    in its look, as near as the lines of one heading."""
    headings = [region for region in regions if region.label in HEADINGS]
    num = sum(bool(_SIGN.match(heading.text)) for heading in headings)
    num += sum(heading.label == "title" for heading in headings[1:])
    for a, b in itertools.pairwise(regions):
        if a.label == b.label == "sub_title" and a.lines and b.lines and look_of(a.lines) is not None:
            gap = b.box.y0 - a.box.y1
            is_alike = look_of(a.lines) == look_of(b.lines) and not OF_SECTION.match(b.lines[0].text)
            num += is_alike and _BELOW_EM[0] * height(b.lines[0].box) < gap < _LINES_EM * height(b.lines[0].box)
    return num


def num_breaks_within(regions: Sequence[Region]) -> int:
    """The number of texts with line breaks that look wrong: only some lines end with a break, or a line break follows the end of
    a sentence. Addresses and verse have a break after each line, and no sentence ends before one."""
    num = 0
    for region in regions:
        num_breaks = region.text.count("\n")
        if region.label == "text" and not region.is_unread and num_breaks:
            num += num_breaks < len(region.lines) - 1 or bool(_BREAK.search(region.text))
    return num


def num_across_columns(regions: Sequence[Region]) -> int:
    """The number of lines of texts that are much longer than their text's other lines, and reach into the column beside."""
    num = 0
    for region in (region for region in regions if region.label in TEXTS and len(region.lines) > 1):
        for line in region.lines:
            edge = max(other.box.x1 for other in region.lines if other is not line)
            is_wide = line.box.x1 - region.box.x0 > _WIDER * (edge - region.box.x0)
            beside = (other for other in regions if other.label in TEXTS and other.box.x0 > edge and len(other.lines) > 1)
            num += is_wide and any(other.box.x0 < line.box.x1 for other in beside)
    return num
