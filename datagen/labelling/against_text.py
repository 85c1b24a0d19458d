"""Compare an answer with a page's own lines: which text is missing, added, changed, or in another place.

Only letters and digits are compared, without spaces, hyphens, marks of Markdown and tags. So joined lines, emphasis and tables
make no difference. Formulas are left out, since a text layer spells them differently.
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
"""Other names in angle brackets are text: `<package>_<version>.deb`."""
_ENTITY = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_DIGITS = re.compile(r"\d+")
_EDGE, _NUMBERS_EDGE = 0.08, 0.12  # of the page's height: answers may leave out running heads, feet and page numbers there
_LOOSE = 2  # letters and digits around a passage that is like a line: a number before it is easily left out
_ALIKE = 80.0  # of 100: a line so similar to a passage of the answer is altered, not missing
_SHORT = 3  # letters and digits: a shorter line says too little to be looked for
_FEW_LINES = 3  # lines: a column has at least so many
_OUT_OF_ORDER = 0.25  # of vertical lines
_SURE_CELL = 4  # letters and digits: a shorter cell isn't looked for among the lines


class Place(NamedTuple):
    """A line, and the place of its letters and digits among the answer's. `start` is -1 if the answer lacks them."""

    line: Line
    squeezed: str
    start: int
    stop: int


@dataclass
class Comparison:
    """`missing` and `altered` are shares of the lines' letters and digits: in lines that the answer lacks, and in lines that it
    has nearly. `extra` is the share of the answer's letters and digits that no line has. `num_digits` lines have other digits in
    the answer. `num_jumps` counts the answer's returns to a column that it had passed. `num_cells` cells of tables stand in
    another place than their lines. `num_chars` counts the lines' letters and digits. `agreement` is the share that both have."""

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
    """Compares `text`, an answer's Markdown, with the `lines` of a page of `size` (width, height). Lines within the boxes
    `hidden` belong to pictures and formulas and are left out."""
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
    """The letters and digits of Markdown, in the form that is compared."""
    text = _FORMULA.sub(" ", text)
    text = _TAG.sub("", text)
    for entity, sign in _ENTITY.items():
        text = text.replace(entity, sign)
    return _letters(text)


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] in "LNM")


def _may_lack(line: Line, size: tuple[int, int]) -> bool:
    """Whether an answer may leave a line out: the line stands where running heads, feet or page numbers stand."""
    middle = (line.box.y0 + line.box.y1) / 2
    height = size[1]
    if is_page_number(line.text):
        return not _NUMBERS_EDGE * height < middle < (1 - _NUMBERS_EDGE) * height
    return not _EDGE * height < middle < (1 - _EDGE) * height


def _placed(lines: Sequence[Line], said: str, size: tuple[int, int]) -> list[Place]:
    """Each line with its place in the answer: the first place behind the line before, or else the first place anywhere, that no
    equal line has taken. Lines that an answer may leave out are placed last, since a running head may repeat a heading."""
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
    """The parts of an answer that no line covers. Lines that the answer has nearly are looked for in them."""

    def __init__(self, said: str, covered: bytearray):
        self._said, self._covered = said, covered
        self._parts = [(found.start(), found.end()) for found in re.finditer(rb"\0{3,}", bytes(covered))]

    def near(self, letters: str) -> str | None:
        """The passage that is most like the line, which covers it then; None if no passage is alike."""
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
        """Covers the first equal passage for a line that is too short for `near`: a cell, an item's number. Returns whether there
        is such a passage."""
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
    """The share of lines that the answer has in another order than the page's own text."""
    rising: list[int] = []  # the smallest end of a rising sequence of each length
    for start in starts:
        at = bisect.bisect_left(rising, start)
        rising[at : at + 1] = [start]
    return 1 - len(rising) / max(1, len(starts))


def jumps(boxes: Sequence[Box], rtl: bool, few: int) -> int:
    """The number of pairs of columns that are read in the wrong order. `boxes` are in the order of reading, and a column has at
    least `few` boxes. The later column stands before the earlier one, at the same height."""
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
    """The box of a column, as wide as most of its lines: a heading above them may be wider."""
    x0, x1 = statistics.median(box.x0 for box in boxes), statistics.median(box.x1 for box in boxes)
    return Box(round(x0), min(box.y0 for box in boxes), round(x1), max(box.y1 for box in boxes))


def _other_digits(said: str, wanted: str) -> bool:
    """Whether the answer's passage lacks a number of the line though it has as many numbers. The passage may also have numbers of
    the line's neighbours."""
    one, other = Counter(_DIGITS.findall(said)), Counter(_DIGITS.findall(wanted))
    return one.total() >= other.total() and bool(other - one)


def _misplaced(text: str, lines: Sequence[Line]) -> int:
    """The number of cells in the answer's tables whose order, above or beside each other, isn't that of their lines."""
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
