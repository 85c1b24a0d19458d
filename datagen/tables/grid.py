"""The cells of a table, found from the places of its text lines and rules. All places are in pixels."""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy

from datagen.record import Line
from datagen.tables.axes import FRAME_SHARE, RULED_SHARE, Axis, Block, Cutter, Field
from datagen.tables.cells import Cell, Table, plain
from datagen.tables.rules import Rule
from datagen.writing import scripts
from datagen.writing.join_lines import joined

_SAME_ROW_EM = 0.45  # the distance between the middles of two lines in a row, at most
_LACKING = 0.4  # of a slot's side: if a rule covers less of it, the slot has no rule there
_FILLED_SHARE = 0.25  # of the cells have text, at least
_ALIGNED_EM = 0.35
_TIGHT = 0.87  # of the distance of rows: the lines of a cell are closer
_LEADING_EM = 1.3
_ROOM_EM = 1.5  # room at a line's end in which one more sign would have fitted
_WRAPPED_EM = 5.0  # narrower lines aren't wrapped
_PHRASED = re.compile(f"[{scripts.PHRASED}]")
_UNSPACED = re.compile(f"[{scripts.HAN}{scripts.KANA}{scripts.PHRASED}]")
_WIDE = re.compile(f"[{scripts.IDEOGRAPHS}{scripts.KANA}]")
_ITEM = re.compile(r"[(\uff08]?\d{1,2}[.)\uff09\u3001]\D")

Slot = tuple[int, int]


def table(
    lines: Sequence[Line], horizontal: Sequence[Rule], vertical: Sequence[Rule], words: Collection[str] = ()
) -> Table | None:
    """The table whose text is `lines`, each in one cell, with its rules (see `tables.rules`). None if the cells aren't clear.

    Rules divide columns and rows, and so do gaps through nearly all of the table. If the table has a rule at each row, only rules
    divide. A line continues the cell line above if its first word had no room there. A cell spans the columns and rows into which
    its text reaches, the columns that a rule below it underlines, and slots between which a rule of the table is missing. `words`
    are the page's words, for `joined`.
    """
    lines = [line for line in lines if line.text.strip()]
    em = line_height(lines)
    if len(lines) < 2 or not em:
        return None
    return _Grid(lines, em, horizontal, vertical, words).table()


def table_at(lines: Sequence[Line], columns: Sequence[float], rows: Sequence[float]) -> Table | None:
    """The table whose text is `lines`, with given cuts: the x between columns, and the y between rows. A cell spans the
    columns and rows into which its text reaches. None if there are too few lines or too few cells with text."""
    lines = [line for line in lines if line.text.strip()]
    em = line_height(lines)
    if len(lines) < 2 or not em:
        return None
    return _Grid(lines, em, (), ()).table_at(columns, rows)


def is_ruled(lines: Sequence[Line], horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> bool:
    """Whether rules go around the table of these `lines`, and through it both ways."""
    if not lines:
        return False
    field = _field(lines, line_height(lines), horizontal, vertical)
    return field.is_boxed and all(
        sum(rule.covered(*field.ends[1 - way]) > FRAME_SHARE for rule in field.rules[way]) > 2 for way in (0, 1)
    )


def line_height(lines: Iterable[Line]) -> float:
    """The median height of the lines, which is the `em` of this module. 0 without lines."""
    heights = [line.box.x1 - line.box.x0 if line.direction == "ttb" else line.box.y1 - line.box.y0 for line in lines]
    return float(numpy.median(heights)) if heights else 0.0


def cell_text(lines: Sequence[Line], words: Collection[str] = ()) -> str:
    """The text of a cell's lines, row by row. Lines side by side are in the order of their script. `words` are the page's words,
    see `joined`."""
    is_rtl = sum(line.direction == "rtl" for line in lines) * 2 > len(lines)
    if all(line.direction == "ttb" for line in lines):
        texts = [line.text for line in sorted(lines, key=lambda line: (-line.box.x1, line.box.y0))]
    else:
        rows = text_rows(lines, line_height(lines))
        texts = [_beside_each_other(row[::-1] if is_rtl else row) for row in rows]
        end = max(line.box.x1 for line in lines)
        soft = [is_rtl or not _is_ended(a, b, end) for a, b in itertools.pairwise(rows)]
        return plain(joined(texts, soft, words).split("\n"))
    return plain(joined(texts, (), words).split("\n"))


def _is_ended(a: Sequence[Line], b: Sequence[Line], end: int) -> bool:
    """Whether row `a` of a Chinese or Japanese cell ends a paragraph: the first sign or item number of row `b` would have fitted
    before `end`, the right edge of the cell's lines. Such rows need a break, because no space would separate them."""
    last, first = a[-1], b[0]
    is_joined = _WIDE.match(last.text[-1:]) and (_WIDE.match(first.text[:1]) or _ITEM.match(first.text))
    em = last.box.y1 - last.box.y0
    is_left = len(a) == len(b) == 1 and abs(last.box.x0 - first.box.x0) < _ALIGNED_EM * em
    return bool(is_joined) and is_left and end - last.box.x1 > _ROOM_EM * em


def _beside_each_other(row: Sequence[Line]) -> str:
    """The text of lines side by side. A gap between lines is a space, also in scripts with spaces only between phrases."""
    text = row[0].text
    for line in row[1:]:
        text = f"{text} {line.text}" if _PHRASED.match(line.text) else joined([text, line.text])
    return text


def text_rows(lines: Iterable[Line], em: float) -> list[list[Line]]:
    """The lines as rows from top to bottom, each from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.box.y0 + line.box.y1):
        middle = sum(other.box.y0 + other.box.y1 for other in rows[-1]) / len(rows[-1]) if rows else 0.0
        if rows and line.box.y0 + line.box.y1 - middle < 2 * _SAME_ROW_EM * em:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.box.x0) for row in rows]


class _Grid:
    """A table under construction: `columns` and `rows` are its axes, and `blocks` are the texts in its cells."""

    def __init__(
        self, lines: Sequence[Line], em: float, horizontal: Sequence[Rule], vertical: Sequence[Rule], words: Collection[str] = ()
    ):
        self.lines, self.em, self.words = lines, em, words
        self.field = _field(lines, em, horizontal, vertical)

    def table(self) -> Table | None:
        self.blocks = [_block([line]) for line in self.lines]
        rows = _beside(self.blocks)
        rows_of = [[n for n, row in enumerate(rows) if i in row] for i in range(len(self.blocks))]
        in_rows = [sorted((self.blocks[i] for i in row), key=lambda block: block.spans[0]) for row in rows]
        self.columns = Cutter(self.field, 0, self.blocks, in_rows, rows_of).axis()
        if not self.columns.cuts:
            return None
        self.blocks = self._wrapped()
        reaches = [self.columns.reach(block.spans[0], self.field.slack) for block in self.blocks]
        lanes: list[list[Block]] = [[] for _ in range(len(self.columns.cuts) + 1)]
        for block, (first, last) in sorted(zip(self.blocks, reaches, strict=True), key=lambda pair: pair[0].spans[1]):
            for lane in lanes[first : last + 1]:
                lane.append(block)
        self.rows = Cutter(self.field, 1, self.blocks, lanes, [list(range(first, last + 1)) for first, last in reaches]).axis()
        owners = self._owners() if self.rows.cuts else None
        return self._filled(owners) if owners else None

    def table_at(self, columns: Sequence[float], rows: Sequence[float]) -> Table | None:
        self.blocks = [_block([line]) for line in self.lines]
        self.columns, self.rows = Axis(list(columns), [None] * len(columns)), Axis(list(rows), [None] * len(rows))
        union = _Union((r, c) for r in range(len(rows) + 1) for c in range(len(columns) + 1))
        for block in self.blocks:
            (c0, c1), (r0, r1) = self._place(block)
            union.merge([(r, c) for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)], has_text=True)
        owners = union.owners()
        return self._filled(owners) if owners else None

    def _wrapped(self) -> list[Block]:
        """The lines as blocks. A line that continues the line above is in the same block."""
        lines = sorted(self.lines, key=lambda line: (line.box.y0 + line.box.y1, line.box.x0))
        reaches = [self.columns.reach(_spans([line])[0], self.field.slack) for line in lines]
        middles = [(line.box.y0 + line.box.y1) / 2 for line in lines]
        usual = self._pitch(reaches, middles)
        levels = numpy.array([_spans([line])[1] for line in lines])
        whole: list[list[int]] = []
        near: list[list[int]] = []  # blocks that the next line may continue
        rooms: dict[tuple[int, int], int] = {}
        for i, (first, last) in enumerate(reaches):
            beside = numpy.flatnonzero((levels[:, 0] < middles[i]) & (middles[i] < levels[:, 1])).tolist()
            near = [block for block in near if middles[i] - middles[block[-1]] < _LEADING_EM * self.em]
            above = [
                block
                for block in near
                for a, b in [reaches[block[-1]]]
                if a <= first and last <= b and _SAME_ROW_EM * self.em < middles[i] - middles[block[-1]]
                if not any(a <= reaches[j][1] and reaches[j][0] <= b for j in beside if j != i)
            ]
            over = max(above, key=lambda block: middles[block[-1]], default=None)
            is_full = 2 * len(beside) > len(self.columns.cuts) + 1
            if over:
                reach = reaches[over[-1]]
                if reach not in rooms:
                    rooms[reach] = _room([line for line, other in zip(lines, reaches, strict=True) if _is_within(other, reach)])
                if self._goes_on(lines[over[-1]], lines[i], rooms[reach], usual, is_full):
                    over.append(i)
                    continue
            whole.append([i])
            near.append(whole[-1])
        return [_block([lines[i] for i in block]) for block in whole]

    def _pitch(self, reaches: Sequence[tuple[int, int]], middles: Sequence[float]) -> float:
        """The usual distance of rows: a quantile of the distances of lines in one column, few of which continue the line
        above."""
        pitches = []
        last: dict[tuple[int, int], float] = {}
        for reach, middle in zip(reaches, middles, strict=True):
            if reach in last:
                pitches.append(middle - last[reach])
            last[reach] = middle
        return float(numpy.quantile(pitches, 0.6)) if pitches else 0.0

    def _goes_on(self, over: Line, line: Line, room: int, usual: float, is_full: bool) -> bool:
        """Whether a line continues the line `over` it, in which its first word had no room. `room` is the width of the column's
        text, `usual` the distance of rows. `is_full`: most columns have text beside the line."""
        pitch = (line.box.y0 + line.box.y1 - over.box.y0 - over.box.y1) / 2
        width = over.box.x1 - over.box.x0
        word = line.text[:1] if _UNSPACED.match(line.text) else line.text.split()[0]
        needed = (line.box.x1 - line.box.x0) * (len(word) + 1) / len(line.text)
        is_text = " " in over.text.strip() or _UNSPACED.search(over.text) or (len(over.text) > 3 and over.text.isalpha())
        if not is_text or needed <= room - width or any(c.isdigit() for c in over.text[-1]):
            return False
        middle = (over.box.y0 + over.box.y1) / 2
        if any(
            middle < rule.at < middle + pitch and rule.covered(over.box.x0, over.box.x1) > 0.5 for rule in self.field.rules[1]
        ):
            return False
        return pitch < _TIGHT * usual or (not is_full and width > _WRAPPED_EM * self.em)

    # Cells

    def _owners(self) -> dict[Slot, Slot] | None:
        """For each slot, the first slot of its cell. None if a cell would be no rectangle."""
        num_rows, num_columns = len(self.rows.cuts) + 1, len(self.columns.cuts) + 1
        union = _Union((r, c) for r in range(num_rows) for c in range(num_columns))
        for block in self.blocks:
            (c0, c1), (r0, r1) = self._place(block)
            union.merge([(r, c) for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)], has_text=True)
        if not self.field.is_boxed:  # in a boxed table rules alone show spans
            self._merge_underlined(union)
            self._merge_centred(union)
        for way, axis in enumerate((self.columns, self.rows)):
            for i, rule in enumerate(axis.rules):
                if rule is None or not rule.is_stroke:  # a missing edge of a shaded area shows no span
                    continue
                if not self.field.is_boxed and (way == 1 or rule.covered(*self.field.ends[1]) < RULED_SHARE):
                    continue
                for n, (first, stop) in enumerate(self._sides(1 - way)):
                    slots = [(n, i), (n, i + 1)] if way == 0 else [(i, n), (i + 1, n)]
                    is_one = self.field.is_boxed or not all(map(union.has_text, slots))
                    if is_one and rule.covered(first, stop) < _LACKING:
                        union.merge(slots)
        return union.owners()

    def _place(self, block: Block) -> tuple[tuple[int, int], tuple[int, int]]:
        """The first and last column, and the first and last row, of a block."""
        return self.columns.reach(block.spans[0], self.field.slack), self.rows.reach(block.spans[1], self.field.slack)

    def _sides(self, axis: int) -> list[tuple[float, float]]:
        """The start and end of each column (axis 0) or row (axis 1)."""
        cuts = (self.columns, self.rows)[axis].cuts
        return list(zip((float(self.field.ends[axis][0]), *cuts), (*cuts, float(self.field.ends[axis][1])), strict=True))

    def _merge_underlined(self, union: "_Union") -> None:
        """Merge the columns above a part of a rule, if only one text stands above this part."""
        for r, rule in enumerate(self.rows.rules):
            if rule is None or rule.covered(*self.field.ends[0]) > 0.95:
                continue
            places = [self._place(block) for block in self.blocks]
            above = [columns for columns, (_, last) in places if last == r]
            for first, stop in rule.parts:
                over = [c for c, (a, b) in enumerate(self._sides(0)) if min(b, stop) - max(a, first) > 0.5 * (b - a)]
                inside = [columns for columns in above if over and columns[0] >= over[0] and columns[1] <= over[-1]]
                if len(inside) == 1 and len(over) > 1:
                    union.merge([(r, c) for c in over])

    def _merge_centred(self, union: "_Union") -> None:
        """Merge neighbouring columns if a text is centred over them and aligned with no other text of its own column."""
        places = [self._place(block) for block in self.blocks]
        sides: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for block, ((first, last), _) in zip(self.blocks, places, strict=True):
            if first == last:
                sides[first].append(block.spans[0])
        if set(sides) != set(range(len(self.columns.cuts) + 1)):
            return
        ends = [(min(a for a, _ in of), max(b for _, b in of)) for _, of in sorted(sides.items())]
        for block, ((column, last), (r0, r1)) in zip(self.blocks, places, strict=True):
            if column != last or self._is_aligned(block.spans[0], sides[column]):
                continue
            for first, stop in ((column - 1, column), (column, column + 1), (column - 1, column + 1)):
                others = [(r, c) for r in range(r0, r1 + 1) for c in range(first, stop + 1) if c != column]
                if first < 0 or stop >= len(ends) or any(map(union.has_text, others)):
                    continue
                if abs(ends[first][0] + ends[stop][1] - sum(block.spans[0])) < 2 * _ALIGNED_EM * self.em:
                    union.merge([*others, *((r, column) for r in range(r0, r1 + 1))])
                    break

    def _is_aligned(self, span: tuple[int, int], of_column: Sequence[tuple[int, int]]) -> bool:
        """Whether the start, end or middle of a text is aligned with another text of its column."""
        near = _ALIGNED_EM * self.em
        others = [other for other in of_column if other != span]
        return not others or any(
            abs(a - span[0]) < near or abs(b - span[1]) < near or abs(a + b - sum(span)) < 2 * near for a, b in others
        )

    def _filled(self, owners: dict[Slot, Slot]) -> Table | None:
        by_cell: dict[Slot, list[Line]] = defaultdict(list)
        for block in self.blocks:
            (c, _), (r, _) = self._place(block)
            by_cell[owners[r, c]] += block.lines
        ends: dict[Slot, Slot] = {}
        for slot, owner in owners.items():
            ends[owner] = max(ends.get(owner, slot), slot)
        cells = [
            Cell(
                *owner,
                cell_text(by_cell[owner], self.words) if by_cell[owner] else "",
                end[0] - owner[0] + 1,
                end[1] - owner[1] + 1,
            )
            for owner, end in sorted(ends.items())
        ]
        num_filled = sum(1 for cell in cells if cell.text)
        if num_filled < max(2, _FILLED_SHARE * len(cells)) or any(map(self._is_mixed, by_cell.values())):
            return None
        if sum(line.direction == "rtl" for line in self.lines) * 2 > len(self.lines):
            last = len(self.columns.cuts)
            cells = [Cell(c.row, last - c.column - c.columns + 1, c.text, c.rows, c.columns) for c in cells]
        return Table(tuple(sorted(cells))).compact()

    def _is_mixed(self, lines: list[Line]) -> bool:
        """Whether lines of a cell stand so far apart that they may belong to two cells."""
        return any(b.box.x0 - a.box.x1 > 3 * self.em for row in text_rows(lines, self.em) for a, b in itertools.pairwise(row))


def _room(lines: Sequence[Line]) -> int:
    """The width of the lines together, from the leftmost edge to the rightmost edge."""
    return max(line.box.x1 for line in lines) - min(line.box.x0 for line in lines)


def _is_within(reach: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] <= reach[0] and reach[1] <= other[1]


def _field(lines: Sequence[Line], em: float, horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> Field:
    across, down = _spans(lines)
    is_boxed = sum(rule.covered(*down) > FRAME_SHARE for rule in vertical) > 1
    return Field(em, (across, down), (vertical, horizontal), is_boxed)


class _Union:
    """Slots that are merged into cells."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        self._parents = {slot: slot for slot in slots}
        self._filled: set[Slot] = set()

    def root(self, slot: Slot) -> Slot:
        while self._parents[slot] != slot:
            slot = self._parents[slot]
        return slot

    def has_text(self, slot: Slot) -> bool:
        return self.root(slot) in self._filled

    def merge(self, slots: Iterable[Slot], has_text: bool = False) -> None:
        roots = sorted({self.root(slot) for slot in slots})
        is_filled = has_text or any(root in self._filled for root in roots)
        self._parents.update(dict.fromkeys(roots, roots[0]))
        if is_filled:
            self._filled.add(roots[0])

    def owners(self) -> dict[Slot, Slot] | None:
        """For each slot, the first slot of its cell. None if merged slots are no rectangle."""
        groups: dict[Slot, list[Slot]] = defaultdict(list)
        for slot in self._parents:
            groups[self.root(slot)].append(slot)
        for slots in groups.values():
            if len(slots) != len({r for r, _ in slots}) * len({c for _, c in slots}):
                return None
        return {slot: min(slots) for slots in groups.values() for slot in slots}


def _block(lines: Sequence[Line]) -> Block:
    return Block(_spans(lines), tuple(lines))


def _beside(blocks: Sequence[Block]) -> list[frozenset[int]]:
    """The sets of blocks, by index, that one horizontal line crosses. Sets within another set are left out."""
    down = numpy.array([block.spans[1] for block in blocks])
    levels = down.sum(axis=1) / 2
    crossed = (down[:, 0] < levels[:, None]) & (levels[:, None] < down[:, 1])
    sets = sorted({frozenset(numpy.flatnonzero(row).tolist()) for row in crossed}, key=lambda of: (-len(of), sorted(of)))
    kept: list[frozenset[int]] = []
    for of in sets:
        if not any(of <= other for other in kept):
            kept.append(of)
    return kept


def _spans(lines: Sequence[Line]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The extent of lines: (left, right) and (top, bottom)."""
    boxes = [line.box for line in lines]
    across = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    return across, (min(box.y0 for box in boxes), max(box.y1 for box in boxes))
