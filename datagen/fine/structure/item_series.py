"""List items that the layout engine labels text: their numbers continue a list's numbers, or they begin with terms in bold. Also
single signs that are labelled list but are no items, and ends of references."""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from datagen.fine.wording import plain
from datagen.labels import HEADINGS, RUNNING, TEXTS
from datagen.record import Region

_NUMBER = re.compile(r"((?:\d{1,2}\.)*)(\d{1,2}|[a-z])(\s?\)|[.-]?)(?=\s+\S)")
_CIRCLED = re.compile("[①-⑳]")
_TIGHT = re.compile(r"(\d{1,2})([.)])(?=[^\W\d_])")
_TIGHT_SIGNS, _MIN_TIGHT = (".tight", ")tight"), 3
_TERM = re.compile(r"\*\*[^*\n]+\*\*:?\s+[^\s*]")
_ALIGNED_EM = 0.6
_HANGING_EM, _MIN_TERMS, _MIN_HANGING = (0.8, 6.0), 3, 2


class _Item(NamedTuple):
    """A numbered region: its index on the page, what stands before and behind the number, and the number."""

    at: int
    prefix: str
    sign: str
    number: int


def items_in_series(regions: Sequence[Region]) -> set[int]:
    """The indices of regions labelled text that are items of a numbered series. The numbers of a series follow each other, and
    its regions begin at the same edge. A region of the series must be labelled list, such as 1.3 before 1.4. But two regions in a
    row with letters and hyphens, such as a- and b-, need no such label. Nor do three right below each other without a space
    behind the number, such as 1.One, 2.Two and 3.Three."""
    numbered = [item for i, region in enumerate(regions) if (item := _item(i, region))]
    items: set[int] = set()
    series: list[list[_Item]] = []
    for item in numbered:
        last = next((one for one in reversed(series) if _follows(one[-1], item, regions)), None)
        if last is None:
            series.append([item])
        else:
            last.append(item)
    for one in series:
        labels = [regions[item.at].label for item in one]
        has_hyphens = one[0].sign == "-" and len(one) > 1
        is_tight = one[0].sign in _TIGHT_SIGNS and len(one) >= _MIN_TIGHT and one[-1].at - one[0].at == len(one) - 1
        if has_hyphens or is_tight or "list" in labels:
            items |= {item.at for item in one if regions[item.at].label == "text"}
    return items


def described_terms(regions: Sequence[Region]) -> set[int]:
    """The indices of regions labelled text that are items of a list of terms. At least three regions begin at one edge with a few
    words in bold. At least two of them have more lines, and these lines are indented."""
    terms = [i for i, region in enumerate(regions) if _is_term(region)]
    items: set[int] = set()
    for i in terms:
        edge, em = regions[i].lines[0].box.x0, regions[i].lines[0].box.y1 - regions[i].lines[0].box.y0
        alike = [j for j in terms if abs(regions[j].lines[0].box.x0 - edge) < _ALIGNED_EM * em]
        if len(alike) >= _MIN_TERMS and sum(len(regions[j].lines) > 1 for j in alike) >= _MIN_HANGING:
            items |= set(alike)
    return items


def separators(regions: Sequence[Region]) -> set[int]:
    """The indices of regions labelled list that are a sign alone in a line: nothing stands beside the sign, and no item comes
    right before or behind. Such a sign is a dash or an ornament between two parts of a title."""
    found: set[int] = set()
    for i, region in enumerate(regions):
        if region.label != "list" or region.is_unread or len(region.lines) != 1 or any(map(str.isalnum, plain(region))):
            continue
        em = region.box.y1 - region.box.y0
        others = [other for other in regions if other is not region and other.label not in RUNNING]
        is_beside = any(min(other.box.y1, region.box.y1) - max(other.box.y0, region.box.y0) > 0.3 * em for other in others)
        has_items = any(regions[j].label == "list" for j in (i - 1, i + 1) if 0 <= j < len(regions))
        found |= set() if is_beside or has_items else {i}
    return found


def tails_of_references(regions: Sequence[Region]) -> set[int]:
    """The index of the region that ends a reference from the page before. It is the page's first region, is labelled text, and
    stands right above references. Its lines are indented like the second lines of the references."""
    body = [i for i, region in enumerate(regions) if region.label not in RUNNING]
    if len(body) < _MIN_TERMS or any(not regions[i].lines or regions[i].is_unread for i in body[:2]):
        return set()
    first, entries = regions[body[0]], [regions[i] for i in body[1:] if regions[i].label == "reference"]
    if first.label != "text" or regions[body[1]].label != "reference" or first.lines[0].direction != "ltr":
        return set()
    em = first.lines[0].box.y1 - first.lines[0].box.y0
    hanging = [b.box.x0 for entry in entries for a, b in zip(entry.lines, entry.lines[1:2], strict=False) if b.box.x0 > a.box.x0]
    is_aligned = [any(abs(line.box.x0 - x) < _ALIGNED_EM * em for x in hanging) for line in first.lines]
    is_behind = all(min(entry.lines[0].box.x0 for entry in entries) < line.box.x0 - _ALIGNED_EM * em for line in first.lines)
    return {body[0]} if all(is_aligned) and is_behind else set()


def _is_term(region: Region) -> bool:
    if region.label != "text" or region.is_unread or not region.lines or not _TERM.match(region.text):
        return False
    first, em = region.lines[0], region.lines[0].box.y1 - region.lines[0].box.y0
    low, high = _HANGING_EM
    is_ltr = first.direction == "ltr"
    return is_ltr and all(low * em < line.box.x0 - first.box.x0 < high * em for line in region.lines[1:])


def _item(i: int, region: Region) -> _Item | None:
    is_text = region.label in TEXTS and region.lines and not region.is_unread and region.format == "markdown"
    text = plain(region) if is_text and region.lines[0].direction != "ttb" else ""
    if circled := _CIRCLED.match(text):
        return _Item(i, "", "①", ord(circled[0]))
    match = _NUMBER.match(text)
    if tight := _TIGHT.match(text):
        return _Item(i, "", f"{tight[2]}tight", int(tight[1]))
    if match is None or not (match[1] or match[3]) or (match[2].isalpha() and match[1]):
        return None
    return _Item(i, match[1], match[3].strip(), int(match[2]) if match[2].isdecimal() else ord(match[2]))


def _follows(a: _Item, b: _Item, regions: Sequence[Region]) -> bool:
    """Whether `b` has the next number after `a`, at the same edge, with no heading between."""
    if (a.prefix, a.sign, a.number + 1) != (b.prefix, b.sign, b.number):
        return False
    if any(region.label in HEADINGS for region in itertools.islice(regions, a.at + 1, b.at)):
        return False
    first, line = regions[a.at].lines[0], regions[b.at].lines[0]
    side = 2 if line.direction == "rtl" else 0
    return abs(first.box[side] - line.box[side]) < _ALIGNED_EM * (line.box.y1 - line.box.y0)
