"""What an answer says against what a page's own lines say: what lacks, what is added, what is changed, and what stands elsewhere.

Both sides are compared by their letters and digits alone, without spaces, hyphens, marks of Markdown and tags, so that joined
lines, emphasis and tables make no difference. Formulas are left out: a text layer spells them otherwise.
"""

import bisect
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rapidfuzz import fuzz

from datagen.labels import is_page_number
from datagen.page.boxes import is_centred_in
from datagen.record import Box, Line, Region
from datagen.tables import cells

_FORMULA = re.compile(r"\\\[.*?\\\]|\\\(.*?\\\)|\$\$.*?\$\$|\$(?=\S)[^$\n]{1,200}(?<=\S)\$(?!\d)", re.DOTALL)
_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
_TAG = re.compile(
    r"</?(?:table|thead|tbody|tfoot|tr|td|th|caption|br|hr|p|div|span|b|i|u|s|em|strong|su[bp]|code|pre)\b[^<>]{0,80}>"
)
"""Others are text: `<package>_<version>.deb`."""
_ENTITY = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_DIGITS = re.compile(r"\d+")
_EDGE, _NUMBERS_EDGE = 0.08, 0.12  # of the page's height: running heads, feet and page numbers stand there, and may be left out
_LOOSE = 2  # letters and digits around what is like a line: a number before it is easily left out
_ALIKE = 80.0  # of 100: a line that is nearly so in the answer is altered, and not missing
_SHORT = 3  # letters and digits of a line that says too little to be looked for
_FEW_LINES = 3  # lines of a column, for it to be one that could come first or last
_OUT_OF_ORDER = 0.25  # of vertical lines
_SURE_CELL = 4  # letters and digits of a cell that is looked for among the lines


class Place(NamedTuple):
    """A line and where its letters and digits stand in the answer's: `start` is -1 where they don't."""

    line: Line
    squeezed: str
    start: int
    stop: int


@dataclass
class Comparison:
    """`missing`, `extra` and `altered` are shares of the letters and digits: of the page's lines that the answer lacks, of the
    answer that no line has, of lines that it has nearly. `num_digits` lines have other digits in it; `num_jumps` times it goes
    back to a column that it has left; `num_cells` cells of tables stand in another place than their lines. `agreement` is the
    share that both have."""

    missing: float = 0.0
    extra: float = 0.0
    altered: float = 0.0
    num_digits: int = 0
    num_jumps: int = 0
    num_cells: int = 0
    num_chars: int = 0
    agreement: float = 0.0
    lost: list[str] = field(default_factory=list)


def compared(
    text: str, regions: Sequence[Region], lines: Sequence[Line], size: tuple[int, int], hidden: Sequence[Box]
) -> Comparison:
    """What `text`, an answer's Markdown, says against a page's `lines`, on a page of this (width, height). Lines within the boxes
    `hidden` are pictures' and formulas', of which the answer says nothing."""
    said = squeezed(text)
    seen = [line for line in lines if not any(is_centred_in(line.box, box) for box in hidden)]
    places = _placed(seen, said, size)
    total = max(1, sum(len(place.squeezed) for place in places))
    result = Comparison(num_chars=total)
    covered = bytearray(len(said))
    for place in places:
        if place.start >= 0:
            covered[place.start : place.stop] = b"\1" * (place.stop - place.start)
    loose = _Loose(said, covered)
    for place in places:
        if place.start >= 0:
            continue
        found = loose.near(place.squeezed)
        if found is None:
            if not _may_lack(place.line, size):
                result.num_digits += place.squeezed.isdigit()
                result.missing += len(place.squeezed) / total
                result.lost.append(place.line.text)
        else:
            result.altered += len(place.squeezed) / total
            result.num_digits += _other_digits(found, place.squeezed)
    for letters, line in ((letters, line) for line in seen if 0 < len(letters := _letters(line.text)) < _SHORT):
        is_there = loose.cover(letters)
        result.num_digits += not is_there and len(letters) > 1 and letters.isdigit() and not _may_lack(line, size)
    both = sum(map(bool, covered))
    result.extra = (len(said) - both) / max(1, len(said))
    result.num_jumps = _jumps([place for place in places if place.start >= 0])
    result.num_cells = _misplaced(text, [place.line for place in places])
    result.agreement = 2 * both / max(1, len(said) + total)
    return result


def squeezed(text: str) -> str:
    """The letters and digits of Markdown, as they are compared."""
    text = _FORMULA.sub(" ", text)
    text = _TAG.sub("", text)
    for entity, sign in _ENTITY.items():
        text = text.replace(entity, sign)
    return _letters(text)


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] in "LNM")


def _may_lack(line: Line, size: tuple[int, int]) -> bool:
    """Whether an answer need not have a line: it stands where running heads and feet do, or is a page's number."""
    middle = (line.box.y0 + line.box.y1) / 2
    height = size[1]
    if is_page_number(line.text):
        return not _NUMBERS_EDGE * height < middle < (1 - _NUMBERS_EDGE) * height
    return not _EDGE * height < middle < (1 - _EDGE) * height


def _placed(lines: Sequence[Line], said: str, size: tuple[int, int]) -> list[Place]:
    """Each line with the first place in the answer, behind the line before it if there is one, that no other line has. Those that
    may lack come last: a running head may be what a heading below it says."""
    taken: dict[str, int] = {}
    places: dict[int, Place] = {}
    may_lack = [_may_lack(line, size) for line in lines]
    for which in (False, True):
        at = 0
        for i, line in enumerate(lines):
            letters = _letters(line.text)
            if may_lack[i] is not which or len(letters) < _SHORT:
                continue
            start = said.find(letters, at)
            if start < 0 or start < taken.get(letters, 0):
                start = said.find(letters, taken.get(letters, 0))
            stop = start + len(letters)
            if start >= 0:
                taken[letters], at = stop, stop
            places[i] = Place(line, letters, start, stop)
    return [places[i] for i in sorted(places)]


class _Loose:
    """The parts of an answer that no line has, in which lines are looked for that it has nearly."""

    def __init__(self, said: str, covered: bytearray):
        self._said, self._covered = said, covered
        self._parts = [(found.start(), found.end()) for found in re.finditer(rb"\0{3,}", bytes(covered))]

    def near(self, letters: str) -> str | None:
        """What stands in the line's place; it is taken then."""
        best: tuple[float, int, int] | None = None
        for start, stop in self._parts:
            part = self._said[start:stop]
            if 2 * len(part) < len(letters):
                continue
            found = fuzz.partial_ratio_alignment(letters, part, score_cutoff=_ALIKE)
            if found is not None and (best is None or found.score > best[0]):
                best = found.score, max(start, start + found.dest_start - _LOOSE), min(stop, start + found.dest_end + _LOOSE)
        if best is None:
            return None
        _, start, stop = best
        self._covered[start:stop] = b"\1" * (stop - start)
        self._parts = [(found.start(), found.end()) for found in re.finditer(rb"\0{3,}", bytes(self._covered))]
        return self._said[start:stop]

    def cover(self, letters: str) -> bool:
        """Take the place of a line that is too short to be looked for: a cell, an item's number. Whether there is one."""
        for found in re.finditer(rb"\0+", bytes(self._covered)):
            at = self._said.find(letters, found.start(), found.end())
            if at >= 0:
                self._covered[at : at + len(letters)] = b"\1" * len(letters)
                return True
        return False


def _jumps(places: Sequence[Place]) -> int:
    lines = [place.line for place in sorted(places, key=lambda place: place.start)]
    if any(line.direction == "ttb" for line in lines):
        return int(_disorder([place.start for place in places]) > _OUT_OF_ORDER)
    rtl = sum(line.direction == "rtl" for line in lines) > len(lines) / 2
    return jumps([line.box for line in lines], rtl, _FEW_LINES)


def _disorder(starts: Sequence[int]) -> float:
    """The share of lines that are not in the order in which the page's own text has them."""
    rising: list[int] = []  # the smallest ends of rising rows of each length
    for start in starts:
        at = bisect.bisect_left(rising, start)
        rising[at : at + 1] = [start]
    return 1 - len(rising) / max(1, len(starts))


def jumps(boxes: Sequence[Box], rtl: bool, few: int) -> int:
    """How often boxes, in the order in which they are read, go on in a column that stands before one that was read already, at
    the same height. A column has at least `few` of them."""
    runs: list[list[Box]] = []
    for box in boxes:
        if runs and box.y0 >= runs[-1][-1].y0 and min(box.x1, runs[-1][-1].x1) > max(box.x0, runs[-1][-1].x0):
            runs[-1].append(box)
        else:
            runs.append([box])
    columns = [_column(run) for run in runs if len(run) >= few]
    number = 0
    for i, first in enumerate(columns):
        for later in columns[i + 1 :]:
            before = later.x0 >= first.x1 - 2 if rtl else later.x1 <= first.x0 + 2
            height = min(first.y1, later.y1) - max(first.y0, later.y0)
            number += before and height > 0.5 * min(first.y1 - first.y0, later.y1 - later.y0)
    return number


def _column(boxes: Sequence[Box]) -> Box:
    """Where most of a column's lines are: a heading above it may be wider."""
    x0, x1 = statistics.median(box.x0 for box in boxes), statistics.median(box.x1 for box in boxes)
    return Box(round(x0), min(box.y0 for box in boxes), round(x1), max(box.y1 for box in boxes))


def _other_digits(said: str, wanted: str) -> bool:
    """Whether a line has other numbers where it has as many: what was said of it may have some of its neighbours', too."""
    one, other = Counter(_DIGITS.findall(said)), Counter(_DIGITS.findall(wanted))
    return one.total() >= other.total() and bool(other - one)


def _misplaced(text: str, lines: Sequence[Line]) -> int:
    """How many cells of the answer's tables stand above or beside another one than their lines do."""
    number = 0
    for html in _TABLE.findall(text):
        try:
            table = cells.parse(html)
        except ValueError:
            continue
        number += _misplaced_of(table, lines)
    return number


def _misplaced_of(table: cells.Table, lines: Sequence[Line]) -> int:
    letters = [_letters(line.text) for line in lines]
    at: dict[tuple[int, int], tuple[float, float, float]] = {}
    for cell in table.cells:
        wanted = _letters(cell.text)
        found = [i for i, of_line in enumerate(letters) if wanted in of_line] if len(wanted) >= _SURE_CELL else []
        if len(found) == 1 and letters[found[0]].count(wanted) == 1:
            line = lines[found[0]]
            share = (letters[found[0]].index(wanted) + len(wanted) / 2) / len(letters[found[0]])
            across = line.box.x0 + share * (line.box.x1 - line.box.x0)
            at[cell.row, cell.column] = across, (line.box.y0 + line.box.y1) / 2, line.box.y1 - line.box.y0
    wrong: set[tuple[int, int]] = set()
    rtl = sum(line.direction == "rtl" for line in lines) > len(lines) / 2
    for place, (x, y, height) in at.items():
        for other, (other_x, other_y, _) in at.items():
            if place[0] < other[0] and y > other_y + 0.6 * height:
                wrong |= {place, other}
            if place[0] == other[0] and place[1] < other[1] and abs(y - other_y) < 0.6 * height:
                is_behind = x < other_x if rtl else x > other_x
                if is_behind and abs(x - other_x) > height:
                    wrong |= {place, other}
    return len(wrong)
