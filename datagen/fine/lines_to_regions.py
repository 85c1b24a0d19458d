"""Lines of a page's image as labelled regions in reading order. Every line is in a region, and every region of text has lines."""

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy

from datagen.fine.ink_looks import sizes_and_weights
from datagen.labels import PICTURES
from datagen.layouts.elements import Elements, LineElement, SeenBlock, distinct_pictures
from datagen.layouts.groups import NAME, Group
from datagen.page.boxes import area, around, shared
from datagen.page.given_order import in_order_of
from datagen.page.line_pieces import Rect
from datagen.page.line_regions import FoundLine, regions_of
from datagen.page.long_rules import long_rules
from datagen.page.region_order import columns_of
from datagen.reading.page_lines import PageLines, mean_score
from datagen.record import Box, Line, Region
from datagen.writing import scripts
from datagen.writing.join_lines import joined, words_of
from datagen.writing.vertical_lines import FROM_LEFT

_INSIDE = 0.5  # of the smaller one's area: two boxes that share so much are of one thing
_TWICE = 0.2  # of a formula's area: so much of it lies in a region that the layout engine saw as something else than text
_ROW = 0.4  # of a line's height: the middles of a row's lines are no further apart
_SAME = 0.8  # of the area of a table or a formula
_NEARLY = 0.25  # of the usual distance between two lines
_TALLER, _MUCH_TALLER = 1.4, 1.9  # how much taller a line of the same size may be; the second if it stands as close as all others


def with_equations(layout: Sequence[Region], equations: Sequence[Region]) -> list[Region]:
    """The layout's regions, and those of the equations that lie where the layout has text or nothing."""
    others = [r for r in layout if r.label != "text"]
    return [*layout, *(e for e in equations if not any(shared(e.box, r.box) > _TWICE * area(e.box) for r in others))]


def elements(page: PageLines, layout: Sequence[Region], image: numpy.ndarray) -> tuple[Elements, list[Line]]:
    """What the page `image`, (H, W, 3) bytes, consists of, in pixels; and its lines in the same order."""
    size = float(image.shape[1]), float(image.shape[0])
    lines = sorted(page.lines, key=lambda line: (line.box.y0 + line.box.y1, line.box.x0))
    looks = sizes_and_weights(lines, numpy.asarray(image[:, :, 1]), page.lang)
    found = [
        LineElement(line.box, line.text, size, bold, vertical=line.direction == "ttb")
        for line, (size, bold) in zip(lines, looks, strict=True)
    ]
    pictures = distinct_pictures([region.box for region in layout if region.label in PICTURES], size)
    blocks = [SeenBlock(region.box, region.label) for region in layout]
    is_rtl = page.script in scripts.RTL
    columns_from = {"ttb": "right", FROM_LEFT: "left"}.get(page.direction, "")
    return Elements(size, found, blocks, pictures, long_rules(image), is_rtl, has_fonts=False, columns_from=columns_from), lines


def put_together(
    groups: Sequence[Group],
    lines: Sequence[Line],
    pictures: Sequence[Rect],
    page: PageLines,
    layout: Sequence[Region],
    is_clear: Callable[[Rect], bool],
) -> list[Region]:
    """The groups as regions, in their order. `is_clear` says whether a gap in a line is no division.

    Formulas and tables keep their lines, and are unread. They are as large as what a layout engine saw at their place. A formula
    of the `layout` that no line touches is a region, too. A picture's lines are its text.
    """
    made: list[Region] = []
    for group in groups:
        own = [lines[i] for i in group.lines]
        if group.picture >= 0:
            made.append(_picture(Box(*map(round, pictures[group.picture])), own, page, layout))
        elif group.label in ("table", "equation"):
            unread = _unread(group.label, own, page, layout)
            there = [
                n for n, r in enumerate(made) if r.label == unread.label and shared(r.box, unread.box) > _SAME * area(unread.box)
            ]
            if there:  # two parts of what the layout saw as one
                whole = made[there[0]]
                made[there[0]] = replace(whole, box=around([whole.box, unread.box]), lines=(*whole.lines, *unread.lines))
            else:
                made.append(unread)
        else:
            made.append(_of_text(group, own, page, is_clear))
    taken = [line.box for line in lines] + [region.box for region in made]
    alone = [r for r in layout if r.label == "equation" and not any(shared(r.box, box) for box in taken)]
    formulas = [replace(region, format="latex", is_unread=True) for region in alone]
    return in_order_of(made, [*made, *formulas]) if made else formulas


def _picture(box: Box, lines: Sequence[Line], page: PageLines, layout: Sequence[Region]) -> Region:
    """A picture of the layout, with the lines in it as its text."""
    seen = next(region for region in layout if region.label in PICTURES and region.box == box)
    if not lines:
        return replace(seen, is_unread=False)
    text = "\n".join(line.text for line in lines)
    by = page.by_of(lines) if page.others else page.by
    return replace(seen, text=text, score=mean_score(lines), by=by, lines=tuple(lines), is_unread=False)


def _unread(label: str, lines: Sequence[Line], page: PageLines, layout: Sequence[Region]) -> Region:
    """A table or a formula that another engine reads later. Until then `by` is the reader of its lines."""
    box = around(line.box for line in lines)
    seen = [r for r in layout if r.label == label and shared(r.box, box) > _INSIDE * min(area(r.box), area(box))]
    box = around([box, *(region.box for region in seen)])
    kind = "html" if label == "table" else "latex"
    by = page.by_of(lines) if page.others else page.by
    return Region(box, label, "", None, by, (), tuple(lines), kind, NAME, is_unread=True)


def _of_text(group: Group, lines: Sequence[Line], page: PageLines, is_clear: Callable[[Rect], bool]) -> Region:
    """The lines as one region, whose text says where an author ended lines."""
    paragraphs = _paragraphs(lines, page, is_clear)
    rows = [line for paragraph in paragraphs for line in paragraph.lines]
    placed = {id(line) for line in rows}
    rows += [line for line in lines if id(line) not in placed]
    by = page.by_of(rows) if page.others else page.by
    if len(paragraphs) == 1 and len(rows) == len(paragraphs[0].lines):
        text = paragraphs[0].text
    elif group.label in ("code", "toc"):
        text = "\n".join(line.text for line in rows)
    else:
        texts = [line.text for line in rows]
        text = joined(texts, (True,) * (len(texts) - 1), words_of(texts))
    if group.level:
        text = f"{'#' * group.level} {' '.join(text.split())}"
    continues = bool(paragraphs) and paragraphs[-1].continues
    box = around(line.box for line in rows)
    return Region(box, group.label, text, mean_score(rows), by, (), tuple(rows), detected_by=NAME, continues=continues)


def _paragraphs(lines: Sequence[Line], page: PageLines, is_clear: Callable[[Rect], bool]) -> list[Region]:
    """The lines of a part of a page as paragraphs, column by column. Vertical lines are turned by a quarter for this."""
    made: list[Region] = []
    for standing in (False, True):
        of_kind = [line for line in lines if (line.direction == "ttb") is standing]
        right = max((line.box.x1 for line in of_kind), default=0)
        down = page.direction if page.direction in ("ttb", FROM_LEFT) else "ttb"
        across = "ltr" if page.direction in ("ttb", FROM_LEFT) else page.direction
        for column in columns_of(of_kind, down if standing else across):
            evened = _evened(column, (0 if down == FROM_LEFT else right) if standing else None, down == FROM_LEFT)
            clear = (
                (lambda box: True)
                if standing
                else partial(_is_clear_there, is_clear, [(_middle(f.box), _middle(f.runs[0].box)) for f in evened])
            )
            made += regions_of(evened, page.script, page.by, NAME, clear)
    return [replace(paragraph, score=mean_score(paragraph.lines)) for paragraph in made]


def _is_clear_there(is_clear: Callable[[Rect], bool], moved: Sequence[tuple[float, float]], box: Rect) -> bool:
    """Whether a gap is clear at its place on the page. `moved` has each line's middle, as evened and as on the page."""
    middle = (box[1] + box[3]) / 2
    by = min((abs(there - middle), real - there) for there, real in moved)[1]
    return is_clear((box[0], box[1] + by, box[2], box[3] + by))


def _evened(lines: Sequence[Line], right: int | None, from_left: bool = False) -> list[FoundLine]:
    """The lines of a column, with distances and heights made equal if they are nearly equal. A detector's boxes are off by a
    pixel or two, and in small print the gap between paragraphs is no larger than this.

    `right` is None for horizontal lines. Vertical lines are turned by a quarter. The first vertical line is the one at the x
    `right`, or the leftmost one if `from_left`.
    """
    boxes = [line.box for line in lines]
    if right is not None:
        boxes = [Box(y0, x0, y1, x1) if from_left else Box(y0, right - x1, y1, right - x0) for x0, y0, x1, y1 in boxes]
    height = statistics.median(box.y1 - box.y0 for box in boxes)
    ordered = sorted(zip(boxes, lines, strict=True), key=lambda placed: _middle(placed[0]))
    steps = [b - a for a, b in itertools.pairwise(_middle(box) for box, _ in ordered)]
    pitch = statistics.median([step for step in steps if step > _ROW * height] or [height])
    regular = [step <= _ROW * height or abs(step - pitch) <= _NEARLY * pitch for step in [0.0, *steps, 0.0]]
    at, evened = _middle(ordered[0][0]), []
    for n, ((box, line), step) in enumerate(zip(ordered, [0.0, *steps], strict=True)):
        at += 0.0 if step <= _ROW * height else pitch if regular[n] else step
        own = box.y1 - box.y0
        # A heading stands further from the lines around it.
        taller = _MUCH_TALLER if regular[n] and regular[n + 1] else _TALLER
        half = (height if height / taller < own < taller * height else own) / 2
        evened.append(FoundLine(Box(box.x0, round(at - half), box.x1, round(at + half)), (line,)))
    return evened


def _middle(box: Box) -> float:
    return (box.y0 + box.y1) / 2
