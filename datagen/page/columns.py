"""What a gap between two runs of a row does, by the lines around it: columns and cells go on above and below."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from enum import Enum

from datagen.page.line_pieces import STRETCHED_EM, Rect
from datagen.page.rows import LETTER, TOUCHING_EM, Row, Run, gap_box
from datagen.writing import scripts, signs

_LABEL_GAP_EM = 4.0  # between a number or a bullet and its text, at most
_LONE_GAP_EM = 8.0  # between parts of a line of one block, at most, where no other line has a gap in the same place
_ITEMS_GAP_EM, _HANGING_EM = 1.0, 3.0  # between two items on a row, at least; of their other lines behind their signs, at most
_EDGE_EM = 0.15  # edges no further apart than this are aligned
_EXACT_EM = 0.05
_STRIP_EM = 0.5  # a strip between columns or cells is wider than this
_LEADING_EM = 2.5  # between a line and the next one of a column or table, at most
_NUM_LINES = 6  # lines that are looked at above a gap, and below it
_MIN_LINES = 3  # of a column or table, where its edges aren't exact
_MANY_LINES = 5  # have no gap in the same place by chance

_LISTING_EM = 0.75  # letters of one width are no wider than this, but for Chinese ones
_PROSE_WORDS = 4

_LEADER = re.compile(f"(?:[{scripts.LEADER_DOTS}]\\s*){{4}}")
_WORD = re.compile(r"[^\W\d_]{3}")
_NUMBER = r"\s*(?:\d{1,4}|[ivxlc]{1,8})\s*"
_ENTRY = re.compile(f"{_LEADER.pattern}{_NUMBER}$|^{_NUMBER}{_LEADER.pattern}")  # of a contents page, with the number of its page
_PAGE_NUMBER = re.compile(_NUMBER)
_NUMBERING = re.compile(
    r"[(\[]?(?:(?:[^\W\d_]{1,2}[.-]?)?\d{1,3}(?:[.-]\d{1,3}|[.-]?[^\W\d_])*[.)\]:、]*|(?:[^\W\d_]|[ivxIVX]{2,5})[.)\]])"
)


class Gap(Enum):
    """A label, such as a bullet or a number, joins what follows, unless that is the first of several cells."""

    JOINS = 0
    PARTS = 1
    BEHIND_LABEL = 2


def gaps(page: Sequence[Row], at: int, rtl: bool, entries: Row, is_clear: Callable[[Rect], bool]) -> list[Gap]:
    """What each gap of a row does, in the order in which the row is read, from the right if `rtl`."""
    row = page[at]
    kinds = [_gap(page, at, k, rtl, entries, is_clear) for k in range(1, len(row))]
    if rtl:
        kinds.reverse()
    labelled = kinds[0] is Gap.BEHIND_LABEL
    for k, kind in enumerate(kinds):
        if kind is Gap.BEHIND_LABEL:
            begins = k == 0 or (labelled and kinds[k - 1] is Gap.PARTS)
            cells = kinds[k + 1 : k + 2] == [Gap.PARTS] and kinds[k + 2 : k + 3] != [Gap.BEHIND_LABEL]
            kinds[k] = Gap.JOINS if begins and not cells else Gap.PARTS
    return kinds


def with_leaders(page: Sequence[Row]) -> Row:
    """The runs that hold leaders."""
    return [run for row in page for run in row if _LEADER.search(run.text)]


def _gap(page: Sequence[Row], at: int, k: int, rtl: bool, entries: Row, is_clear: Callable[[Rect], bool]) -> Gap:
    """What the gap in front of run `k` of a row does: by these two runs, if they say it, else by the lines above and below."""
    left, right = page[at][k - 1], page[at][k]
    em = max(left.size, right.size)
    width = right.box[0] - left.box[2]
    if width < -TOUCHING_EM * em:
        return Gap.PARTS
    box = gap_box(left, right)
    if box is not None and not is_clear(box):
        return Gap.PARTS
    first, second = (right, left) if rtl else (left, right)
    if _ENTRY.search(first.text) or (width > _ITEMS_GAP_EM * em and _parts_items(page, at, k, rtl)):
        return Gap.PARTS
    is_numbered = width < _LABEL_GAP_EM * em and _is_numbered(first, second)
    begins = k == (len(page[at]) - 1 if rtl else 1)
    if _is_page_number(second, rtl, entries) or (is_numbered and (len(page[at]) == 2 or _is_surely_label(first, second, begins))):
        return Gap.JOINS
    lefts, rights = _bordering(page, at, left, right)
    labels, labelled = (rights, lefts) if rtl else (lefts, rights)
    if not _is_column(lefts, rights, em):
        lone = min(len(lefts), len(rights)) == 1
        widest = _LONE_GAP_EM if left.block == right.block else _LABEL_GAP_EM
        return Gap.PARTS if lone and width > widest * em and not _have_colons(labels) else Gap.JOINS
    ends = k == (1 if rtl else len(page[at]) - 1)
    if ends and len(page[at]) < 4 and _is_contents(labels, labelled):
        return Gap.JOINS
    if _is_listing(page[at]) and not (_is_prose(lefts) and _is_prose(rights)):
        return Gap.JOINS
    return Gap.BEHIND_LABEL if is_numbered or _have_colons(labels) else Gap.PARTS


def _bordering(page: Sequence[Row], at: int, left: Run, right: Run) -> tuple[Row, Row]:
    """What stands on the left and on the right of a gap, line by line, as long as nothing stands across it."""
    lefts, rights = [left], [right]
    small, large = sorted((left.size, right.size))
    for others in (range(at - 1, -1, -1), range(at + 1, len(page))):
        start, stop, near = left.box[2], right.box[0], right.box
        num = 0
        for i in others:
            reached = [r for r in page[i] if r.box[2] > left.box[0] and r.box[0] < right.box[2]]
            if not reached:
                continue
            # What stands alone within the gap is of a column that this gap goes across.
            before = [r for r in reached if r.box[0] <= start and r.box[0] + r.box[2] < start + stop]
            behind = [r for r in reached if r.box[2] >= stop and r.box[0] + r.box[2] >= start + stop]
            if not (before or behind):
                continue
            start, stop = max([start, *(r.box[2] for r in before)]), min([stop, *(r.box[0] for r in behind)])
            box = reached[0].box
            if stop - start < _STRIP_EM * small or max(box[1] - near[3], near[1] - box[3]) > _LEADING_EM * large:
                break
            near = box
            lefts += before[-1:]
            rights += behind[:1]
            num += 1
            if num == _NUM_LINES:
                break
    return lefts, rights


def _is_column(lefts: Row, rights: Row, em: float) -> bool:
    """Whether what stands beside a gap are columns or cells.

    Either the gap is too wide in all lines for one between words; or many lines have it; or a few have it, are aligned along it,
    and have no such gap between any other words.
    """
    fewer, more = sorted((len(lefts), len(rights)))
    if more >= _MIN_LINES and min(r.box[0] for r in rights) - max(r.box[2] for r in lefts) > STRETCHED_EM * em:
        return True
    if fewer < 2 or (fewer < _MANY_LINES and rights[0].is_stretched):
        return False
    if fewer < _MIN_LINES:
        if rights[0].pieces[0].vertical:  # characters in squares are aligned by chance
            return False
        return all(_num_aligned(side, _EXACT_EM * em) == len(side) for side in (lefts, rights))
    return all(_num_aligned(side, _EDGE_EM * em) >= max(_MIN_LINES, 0.5 * len(side)) for side in (lefts, rights))


def _num_aligned(side: Row, near: float) -> int:
    """How many runs share their left edge, their right one, or their middle."""
    edges = ([r.box[0] for r in side], [r.box[2] for r in side], [(r.box[0] + r.box[2]) / 2 for r in side])
    return max(bisect_right(places, x + near) - i for places in map(sorted, edges) for i, x in enumerate(places))


def _is_numbered(label: Run, text: Run) -> bool:
    """Whether the first run is the bullet or the number of the second."""
    mark = label.text.strip()
    if not (len(mark) == 1 and not mark.isalnum()) and not _NUMBERING.fullmatch(mark):
        return False
    return bool(LETTER.search(text.text))


def _parts_items(page: Sequence[Row], at: int, k: int, rtl: bool) -> bool:
    """Whether items stand on both sides of a gap, in its row or, with the gap between them above or below it, in the next one."""
    if _are_items(page[at], k, rtl):
        return True
    left, right = page[at][k - 1], page[at][k]
    em = max(left.size, right.size)
    for row in (page[i] for i in (at - 1, at + 1) if 0 <= i < len(page)):
        for j in range(1, len(row)):
            start, stop = max(left.box[2], row[j - 1].box[2]), min(right.box[0], row[j].box[0])
            near = max(row[j].box[1] - right.box[3], right.box[1] - row[j].box[3]) < _LEADING_EM * em
            is_aligned = abs(row[j].box[0] - right.box[0]) < _HANGING_EM * em
            if near and is_aligned and stop - start > _ITEMS_GAP_EM * em and _are_items(row, j, rtl):
                return True
    return False


def _are_items(row: Row, k: int, rtl: bool) -> bool:
    """Whether items with one bullet stand on both sides of the gap in front of run `k` of a row."""
    sides = [row[:k], row[k:]]
    first, second = (("".join(run.text for run in side)).strip() for side in (sides[::-1] if rtl else sides))
    return first[:1] == second[:1] and first[:1] in tuple(signs.BULLETS) and min(len(first), len(second)) > 1


def _is_surely_label(label: Run, text: Run, begins: bool) -> bool:
    """Whether the bullet or number can't be what a cell of a table says. `begins`: a row begins with it."""
    mark = label.text.strip()
    if not begins:
        return mark in signs.BULLETS or bool(_LEADER.search(text.text))
    return not mark[-1].isalnum() or mark.count(".") > 1 or bool(_LEADER.search(text.text))


def _have_colons(labels: Row) -> bool:
    """Whether the first of these is a few words with a colon, and most of them have one."""
    num = sum(signs.leads_on(r.text.rstrip()) for r in labels)
    text = labels[0].text.rstrip()
    return signs.leads_on(text) and text.count(" ") < _PROSE_WORDS and 2 * num > len(labels)


def _is_page_number(run: Run, rtl: bool, entries: Row) -> bool:
    """Whether it is the number of a page at the end of a line, in line with those that stand behind leaders."""
    edge = 0 if rtl else 2
    near = _EDGE_EM * run.size
    return bool(_PAGE_NUMBER.fullmatch(run.text)) and any(abs(run.box[edge] - r.box[edge]) < near for r in entries)


def _is_contents(titles: Row, numbers: Row) -> bool:
    """Whether these are titles and the numbers of their pages, which go up."""
    texts = [r.text.strip() for r in sorted(numbers, key=lambda r: r.baseline)]
    if len(texts) <= _MIN_LINES or not all(map(_PAGE_NUMBER.fullmatch, texts)):
        return False
    pages = [int(text) for text in texts if text.isdecimal()]
    return pages == sorted(pages) and all(LETTER.search(r.text) for r in titles)


def _is_listing(row: Row) -> bool:
    """Whether the row is of letters of one width, and its pieces stand a whole number of letters apart."""
    pieces = [p for run in row for p in run.pieces]
    first = pieces[0]
    advances = [(p.bbox[2] - p.bbox[0]) / len(p.text) for p in pieces]
    if not first.upright or not 0 < advances[0] < _LISTING_EM * first.size or any(p.font != first.font for p in pieces):
        return False
    if any(abs(a - advances[0]) > 0.01 * advances[0] for a in advances) or not any(_WORD.search(p.text) for p in pieces):
        return False
    places = ((p.bbox[0] - first.bbox[0]) / advances[0] for p in pieces)
    return all(abs(place - round(place)) < 0.05 for place in places)


def _is_prose(side: Row) -> bool:
    return 2 * sum(r.text.count(" ") >= _PROSE_WORDS - 1 for r in side) > len(side)
