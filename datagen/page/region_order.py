"""The reading order of a page's regions, from their places and labels.

The page is cut along white gaps, again and again (XY-cut: Nagy and Seth, 1984). Plain XY-cut fails in three cases, which are
handled here. First, strips that share a gutter are one block of columns and are read column by column; a region across all
columns stands between such blocks (as in XY-Cut++, arXiv 2504.10258, without its masks). Second, equation numbers, labels of
items and cells are no column. Third, regions that no gap divides follow Breuel's rules (High Performance Document Layout
Analysis, 2003).
"""

import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from datagen.labels import HEADINGS
from datagen.page.boxes import area, around, distance, overlap, rows_of, shared
from datagen.record import Box, Line, Region
from datagen.writing.vertical_lines import FROM_LEFT

_CAPTIONS = frozenset(("image_caption", "table_caption", "table_footnote"))
_CAPTIONED = frozenset(("image", "table", "chart", "molecule", "geometry", "code"))
_SLACK_EM = 0.35  # boxes may reach so far into a gap, since detectors draw boxes too large
_APART_EM = 1.5  # a wider gap divides lines
_FAR_EM, _BULLETS_EM = 3.0, 2.5  # the gap behind bullets and numbers, and the width of these, at most
_NEAR_EM = 3.0  # a caption is no further from its picture
_LABELS_EM = 5.0  # a narrower column of single lines is a column of labels
_FEW_LINES = 3  # a column of text has at least so many
_FEW_PROSE, _PROSE_EM, _FULL, _DENSE = 4, 6.0, 0.6, 0.5  # of prose, at least: lines, width in em, shares of width and height
_TALL = 2.0  # a vertical heading is more than so many times as high as wide
_ROW_GAP_EM, _ROW_GAP_GUTTERS = 2.5, 1.5  # a gap between rows is cut before columns if it is so wide, in em and in gutters

_WIDE = 1.2  # a spread is at least so many times as wide as high
_NEAR_MIDDLE, _FOLD = 0.08, 0.03  # of a spread's width: the fold's distance from the middle, at most; the gutter there, at least

Frame = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class _Block:
    """Regions that are read one after another, in order, and their box, in a frame where text runs from left to right."""

    regions: tuple[Region, ...]
    box: Frame
    lines: tuple[Frame, ...] = ()
    line: Line | None = None

    @property
    def num_lines(self) -> int:
        return sum(max(1, len(region.lines)) for region in self.regions)

    @property
    def is_heading(self) -> bool:
        return bool(self.regions) and all(region.label in HEADINGS for region in self.regions)

    @property
    def is_picture(self) -> bool:
        return any(region.label in _CAPTIONED for region in self.regions)


_AreColumns = Callable[[Sequence[_Block], Sequence[_Block], float], bool]


def in_reading_order(regions: Sequence[Region], direction: str = "ltr", size: tuple[int, int] | None = None) -> list[Region]:
    """The regions in reading order, on a page whose text runs in `direction`: ltr, rtl, ttb (columns from the right), or
    `FROM_LEFT` (columns from the left).

    Running headers come first, footnotes after the text, and footers and page numbers last. A caption stands beside its picture.
    If `size`, the image's (width, height), and the regions show two pages side by side, each page is ordered by itself.
    """
    middle = _fold(regions, size) if size else None
    if middle is not None:
        left = [region for region in regions if region.box.x0 + region.box.x1 < 2 * middle]
        right = [region for region in regions if region.box.x0 + region.box.x1 >= 2 * middle]
        pages = (right, left) if direction in ("rtl", "ttb") else (left, right)
        return [region for page in pages for region in in_reading_order(page, direction)]
    foot = max((region.box.y1 for region in regions), default=0)
    heads: list[_Block] = []
    body: list[_Block] = []
    notes: list[_Block] = []
    feet: list[_Block] = []
    for region in regions:
        lines = tuple(_frame(line.box, direction) for line in region.lines)
        block = _Block((region,), _frame(region.box, direction), lines)
        if region.label in ("header", "page_number", "footer"):
            is_above = region.label == "header" or (region.label == "page_number" and region.box.y1 < foot / 2)
            (heads if is_above else feet).append(block)
        else:
            (notes if region.label == "footnote" else body).append(block)
    em = _em(regions, direction)
    ordered = [*_by_rows(heads), *_cut(_with_captions(body, em), em), *_cut(notes, em), *_by_rows(feet)]
    return [region for block in ordered for region in block.regions]


def _fold(regions: Sequence[Region], size: tuple[int, int]) -> float | None:
    """The x of a spread's fold: near the middle, in a gutter wider than all others, with text on both sides. None if there is
    none."""
    width, height = size
    if width < _WIDE * height or len(regions) < 2:
        return None
    edges = sorted((region.box.x0, region.box.x1) for region in regions)
    gaps, end = [], edges[0][1]
    for x0, x1 in edges[1:]:
        gaps.append((x0 - end, (x0 + end) / 2))
        end = max(end, x1)
    near = [gap for gap in gaps if abs(gap[1] / width - 0.5) < _NEAR_MIDDLE]
    gutter, middle = max(near, default=(0.0, 0.0))
    if gutter < _FOLD * width or any(gap > 0.8 * gutter for gap, at in gaps if at != middle):
        return None
    left = sum(len(r.text) for r in regions if r.box.x1 <= middle) / max(1, sum(len(r.text) for r in regions))
    return middle if 0.25 <= left <= 0.75 else None


def columns_of(lines: Sequence[Line], direction: str = "ltr") -> list[list[Line]]:
    """The lines of a part of a page as columns, in reading order. Gutters between columns of prose divide columns, and so do wide
    gaps from top to bottom."""
    if not lines:
        return []
    frames = [_frame(line.box, direction) for line in lines]
    em = statistics.median(frame[3] - frame[1] for frame in frames)
    blocks = [_Block((), frame, (frame,), line) for frame, line in zip(frames, lines, strict=True)]
    return [[block.line for block in column if block.line] for column in _parted(blocks, em)]


def _parted(blocks: Sequence[_Block], em: float) -> Iterator[list[_Block]]:
    parts = _columns(blocks, em, _are_prose)
    if len(parts) == 1:
        parts = []
        for section in _sections(_strips(blocks, 1, em), em, _are_prose):
            # Neighbouring sections without columns are one section.
            if parts and len(_columns(parts[-1], em, _are_prose)) == len(_columns(section, em, _are_prose)) == 1:
                parts[-1] += section
            else:
                parts.append(section)
    if len(parts) == 1:
        yield from _far_apart(blocks, em)
        return
    for part in parts:
        yield from _parted(part, em)


def _far_apart(blocks: Sequence[_Block], em: float) -> list[list[_Block]]:
    """The lines, divided by wide gaps that run from top to bottom."""
    strips = _strips(blocks, 0, em)
    parts = strips[:1]
    for (gap, _), strip in zip(_gaps(strips, 0), strips[1:], strict=True):
        x0, _, x1, _ = around([block.box for block in parts[-1]])
        if gap > (_FAR_EM if x1 - x0 < _BULLETS_EM * em else _APART_EM) * em:
            parts.append(strip)
        else:
            parts[-1] += strip
    return parts


def _frame(box: Box, direction: str) -> Frame:
    """The box in a frame where text runs from left to right. rtl is mirrored. Vertical text is turned: its first column is on
    top."""
    x0, y0, x1, y1 = map(float, box)
    if direction == "rtl":
        return -x1, y0, -x0, y1
    if direction == FROM_LEFT:
        return y0, x0, y1, x1
    return (y0, -x1, y1, -x0) if direction == "ttb" else (x0, y0, x1, y1)


def _em(regions: Sequence[Region], direction: str) -> float:
    """The median height of lines; the median height of regions if no lines are known."""
    boxes = [line.box for region in regions for line in region.lines] or [region.box for region in regions]
    heights = [box[3] - box[1] for box in (_frame(box, direction) for box in boxes)]
    return statistics.median(heights) if heights else 1.0


def _with_captions(blocks: Sequence[_Block], em: float) -> list[_Block]:
    """The blocks, with each caption joined with the picture or table beside it, unless another block would lie in the joined
    box."""
    captioned: dict[int, list[_Block]] = {}
    for block in blocks:
        if block.regions[0].label in _CAPTIONS:
            near = [(distance(block.box, other.box), n) for n, other in enumerate(blocks) if other.is_picture]
            if near and min(near)[0] <= _NEAR_EM * em:
                captioned.setdefault(min(near)[1], []).append(block)
    gone: set[int] = set()
    instead: dict[int, _Block] = {}
    for n, captions in captioned.items():
        for caption in sorted(captions, key=lambda block: distance(block.box, blocks[n].box)):
            parts = [*(instead[n] if n in instead else blocks[n]).regions, *caption.regions]
            box = tuple(map(float, around([(instead[n] if n in instead else blocks[n]).box, caption.box])))
            members = {id(region) for region in parts}
            others = [other for other in blocks if id(other.regions[0]) not in members]
            if any(shared(box, other.box) > 0.2 * area(other.box) for other in others):
                continue
            boxes = {id(b.regions[0]): b.box for b in blocks}
            whole = _by_rows([_Block((region,), boxes[id(region)]) for region in parts])
            instead[n] = _Block(tuple(region for b in whole for region in b.regions), box)  # type: ignore[arg-type]
            gone.add(id(caption))
    return [instead.get(n, block) for n, block in enumerate(blocks) if id(block) not in gone]


def _cut(blocks: Sequence[_Block], em: float) -> Iterator[_Block]:
    """The blocks in reading order."""
    if len(blocks) < 2:
        yield from blocks
        return
    columns, rows = _columns(blocks, em, _read_down), _strips(blocks, 1, em)
    parts: list[list[_Block]] = []
    if len(columns) > 1:
        parts = _parted_by_a_wide_gap(rows, columns, em) or sorted(
            columns, key=lambda part: not _is_standing_heading(part, blocks)
        )
    elif len(rows) > 1:
        parts = _sections(rows, em, _read_down)
    if len(parts) > 1:
        for part in parts:
            yield from _cut(part, em)
    elif len(_strips(blocks, 0, em)) > 1:
        yield from _by_rows(blocks)  # side by side, but not as columns
    else:
        yield from _woven(blocks, em)


def _strips(blocks: Sequence[_Block], axis: int, em: float) -> list[list[_Block]]:
    """The blocks, divided by white gaps through all of them: into parts side by side for axis 0, into rows for axis 1."""
    slack = _SLACK_EM * em
    strips: list[list[_Block]] = []
    end = -float("inf")
    for block in sorted(blocks, key=lambda block: block.box[axis]):
        start, stop = block.box[axis], block.box[axis + 2]
        inset = min(slack, (stop - start) / 4)
        if start + inset >= end:
            strips.append([])
        strips[-1].append(block)
        end = max(end, stop - inset)
    return strips


def _columns(blocks: Sequence[_Block], em: float, are_columns: _AreColumns) -> list[list[_Block]]:
    """The blocks as columns, from left to right; one column if there are no others. `are_columns` judges two neighbouring
    parts."""
    columns: list[list[_Block]] = []
    for strip in _strips(blocks, 0, em):
        if columns and not are_columns(columns[-1], strip, em):
            columns[-1] += strip
        else:
            columns.append(strip)
    return columns


def _read_down(left: Sequence[_Block], right: Sequence[_Block], em: float) -> bool:
    """Whether two parts side by side are read as columns: one from top to bottom, then the other."""
    if _are_prose(left, right, em):
        return True
    for part, other in ((left, right), (right, left)):
        if any(block.is_picture for block in part) or _is_standing_heading(part, [*part, *other]):
            continue
        x0, _, x1, _ = around([block.box for block in part])
        is_narrow = x1 - x0 < _LABELS_EM * em
        single = all(block.num_lines == 1 for block in part)
        if single and (is_narrow or sum(_has_beside(block, other) for block in part) > 0.7 * len(part)):
            return False
        if sum(block.num_lines for block in part) < _FEW_LINES and len(other) > 1 and all(_has_beside(b, other) for b in part):
            return False
    return True


def _are_prose(left: Sequence[_Block], right: Sequence[_Block], em: float) -> bool:
    return _is_prose(left, em) and _is_prose(right, em)


def _is_prose(part: Sequence[_Block], em: float) -> bool:
    """Whether the lines of a part are running text: they are close below each other, and most are nearly as wide as the part.
    Words of a line with wide gaps may come as separate lines."""
    lines = _rows([line for block in part for line in block.lines])
    box = around([block.box for block in part])
    if len(lines) < _FEW_PROSE or box.x1 - box.x0 < _PROSE_EM * em:
        return False
    width = statistics.median(line[2] - line[0] for line in lines)
    height = sum(line[3] - line[1] for line in lines)
    return width > _FULL * (box.x1 - box.x0) and height > _DENSE * (box.y1 - box.y0)


def _rows(frames: Sequence[Frame]) -> list[Frame]:
    """The boxes around frames that lie side by side, from top to bottom."""
    rows: list[Frame] = []
    for frame in sorted(frames, key=lambda frame: frame[1] + frame[3]):
        if rows and overlap(rows[-1], frame, 1) > 0.5:
            x0, y0, x1, y1 = around([rows[-1], frame])
            rows[-1] = x0, y0, x1, y1
        else:
            rows.append(frame)
    return rows


def _has_beside(block: _Block, others: Sequence[_Block]) -> bool:
    """Whether one of `others` has a single line, on the same line as `block`."""
    return any(other.num_lines == 1 and overlap(block.box, other.box, 1) > 0.5 for other in others)


def _is_standing_heading(part: Sequence[_Block], among: Sequence[_Block]) -> bool:
    """Whether a part is a vertical heading beside its text."""
    tall = all(block.is_heading and block.box[3] - block.box[1] > _TALL * (block.box[2] - block.box[0]) for block in part)
    box, whole = around([block.box for block in part]), around([block.box for block in among])
    return tall and box.y1 - box.y0 > 0.5 * (whole.y1 - whole.y0)


def _parted_by_a_wide_gap(rows: Sequence[list[_Block]], columns: Sequence[list[_Block]], em: float) -> list[list[_Block]] | None:
    """The blocks above and below the widest gap between rows, if this gap is much wider than the narrowest gutter; else None."""
    if len(rows) < 2:
        return None
    gap, at = max(_gaps(rows, 1))
    gutter = min(_gaps(columns, 0))[0]
    if gap < max(_ROW_GAP_EM * em, _ROW_GAP_GUTTERS * gutter):
        return None
    parts = [list(itertools.chain(*rows[: at + 1])), list(itertools.chain(*rows[at + 1 :]))]
    # The gap must divide more than one column.
    return parts if all(len(_strips(part, 0, em)) > 1 for part in parts) else None


def _gaps(parts: Sequence[Sequence[_Block]], axis: int) -> list[tuple[float, int]]:
    """The width of the gap after each part except the last, and the part's index."""
    boxes = [around([block.box for block in part]) for part in parts]
    return [(b[axis] - a[axis + 2], n) for n, (a, b) in enumerate(itertools.pairwise(boxes))]


def _sections(rows: Sequence[list[_Block]], em: float, are_columns: _AreColumns) -> list[list[_Block]]:
    """The rows, with neighbouring rows that share columns joined to one section."""
    sections: list[list[_Block]] = []
    first = 0
    while first < len(rows):
        section, last = list(rows[first]), first + 1
        while last < len(rows) and len(_strips([*section, *rows[last]], 0, em)) > 1:
            section += rows[last]
            last += 1
        if last - first > 1 and len(_columns(section, em, are_columns)) == 1:
            last = first + 1
        # A heading at the end belongs to the row below, which runs across.
        while last - first > 1 and last < len(rows) and all(block.is_heading for block in rows[last - 1]):
            last -= 1
        sections.append(list(itertools.chain(*rows[first:last])))
        first = last
    return sections


def _by_rows(blocks: Sequence[_Block]) -> list[_Block]:
    """The blocks from top to bottom, and blocks on one line from left to right."""
    rows = rows_of(blocks, lambda block: block.box, down=lambda box: (box[1], box[0]))
    return [block for row in rows for block in row]


def _woven(blocks: Sequence[_Block], em: float) -> Iterator[_Block]:
    """The order of blocks that no gap divides. A block comes before the blocks below it. It also comes before a block to its
    right, unless a third block that overlaps both lies between them."""
    slack = _SLACK_EM * em
    left = list(_by_rows(blocks))

    def across(a: Frame, b: Frame) -> bool:
        return min(a[2], b[2]) - max(a[0], b[0]) > slack

    def comes_before(a: _Block, b: _Block) -> bool:
        if across(a.box, b.box):
            return a.box[1] + a.box[3] < b.box[1] + b.box[3]
        if a.box[0] > b.box[0]:
            return False
        top, bottom = min(a.box[3], b.box[3]), max(a.box[1], b.box[1])
        return not any(
            across(c.box, a.box) and across(c.box, b.box) and top - slack <= c.box[1] and c.box[3] <= bottom + slack
            for c in blocks
            if c is not a and c is not b
        )

    waits = {id(b): {id(a) for a in blocks if a is not b and comes_before(a, b)} for b in blocks}
    while left:
        # In a cycle, the block comes first that waits for the fewest.
        block = min(left, key=lambda b: len(waits[id(b)]))
        left.remove(block)
        for others in waits.values():
            others.discard(id(block))
        yield block
