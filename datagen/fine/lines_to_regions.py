"""Lines of a page's image as labelled regions in reading order. Every line is in a region, and every region of text has lines.

No file tells the looks of these lines; their ink does. Boxes of lines in one size differ by half (27 and 42 pixels, for letters
of 23.8 and 23.3 pixels). Letters of one size measured by ink differ by at most 5%, and headings of two levels mostly by 15% and
more.
"""

import itertools
import statistics
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy

from datagen.coarse.verdict.ink_fonts import cut_out
from datagen.fine.verdict.raised_ink import FORMS, ON_LINE, baseline, enlarged, letter_groups
from datagen.labels import PICTURES
from datagen.layouts.elements import Elements, LineElement, SeenBlock, distinct_pictures
from datagen.layouts.groups import NAME, Group
from datagen.page.boxes import area, around, distance, line_height, shared
from datagen.page.line_pieces import Rect
from datagen.page.line_regions import FoundLine, regions_of
from datagen.page.long_rules import long_rules
from datagen.page.region_order import columns_of
from datagen.reading.page_lines import PageLines, mean_score
from datagen.record import Box, Line, Region
from datagen.writing import scripts
from datagen.writing.join_lines import joined, words_of
from datagen.writing.scripts import main_script
from datagen.writing.vertical_lines import FROM_LEFT

_INSIDE = 0.5  # of the smaller one's area: two boxes that share so much are of one thing
_TWICE = 0.2  # of a formula's area: so much of it lies in a region that the layout engine saw as something else than text
_ROW = 0.4  # of a line's height: the middles of a row's lines are no further apart
_SAME = 0.8  # of the area of a table or a formula
_NEARLY = 0.25  # of the usual distance between two lines
_TALLER, _MUCH_TALLER = 1.4, 1.9  # how much taller a line of the same size may be; the second if it stands as close as all others
_WIDE = frozenset(("Hani", "Hans", "Hant", "Jpan", "Kore"))
_MIN_GROUPS = 12  # a baseline may bend in lines with so many groups
_HIGH = frozenset("ijіїбфё")  # about as high as tall letters
_MIN_PIXELS = 4
_SMALL = 0.7  # of a tall letter's height, such as an x
_MIN_CONTRAST, _MIN_RUNS = 60, 12
_HEAVY = 1.4  # times the width of the usual stroke for letters of this size: they are bold


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
            picture = _picture(Box(*map(round, pictures[group.picture])), own, page, layout)
            made.append(replace(picture, structure=group.is_right))
        elif group.label in ("table", "equation"):
            unread = replace(_unread(group.label, own, page, layout), structure=group.is_right)
            there = [
                n for n, r in enumerate(made) if r.label == unread.label and shared(r.box, unread.box) > _SAME * area(unread.box)
            ]
            if there:  # two parts of what the layout saw as one
                whole = made[there[0]]
                box, structure = around([whole.box, unread.box]), min(whole.structure or 0.0, group.is_right)
                made[there[0]] = replace(whole, box=box, lines=(*whole.lines, *unread.lines), structure=structure)
            else:
                made.append(unread)
        else:
            made.append(replace(_of_text(group, own, page, is_clear), structure=group.is_right))
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


def sizes_and_weights(lines: Sequence[Line], gray: numpy.ndarray, lang: str) -> list[tuple[float, float]]:
    """Of each line the height of its letters, in pixels, and 1 if they are bold, else 0. Lines that can't be measured have the
    height of their box, as much smaller as the page's other boxes are than their letters; and no weight."""
    heights = [letter_height(line, gray, lang) for line in lines]
    ratios = [height / max(1.0, line_height(line)) for line, height in zip(lines, heights, strict=True) if height]
    usual = statistics.median(ratios) if ratios else 1.0
    strokes = [stroke(line, gray) / max(1.0, height) for line, height in zip(lines, heights, strict=True)]
    known = [share for share, height in zip(strokes, heights, strict=True) if share and height]
    middle = statistics.median(known) if known else 0.0
    return [
        (height or usual * line_height(line), float(bool(height) and 0 < _HEAVY * middle < share))
        for line, height, share in zip(lines, heights, strokes, strict=True)
    ]


def letter_height(line: Line, gray: numpy.ndarray, lang: str) -> float:
    """The height, in pixels, of a line's tall letters or Chinese characters; 0 if it can't be measured. `gray` is the page, (H,
    W) bytes, and `lang` its language (BCP-47)."""
    script = main_script(line.text)[0]
    x0, y0, x1, y1 = line.box
    if line.direction == "ttb" or script not in _WIDE | ON_LINE or min(x1 - x0, y1 - y0) < _MIN_PIXELS:
        return 0.0
    crop = cut_out(gray, line, lang).crop
    if not crop.size:
        return 0.0
    crop, scale = enlarged(crop)
    groups = letter_groups(crop, cv2.threshold(crop, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
    if len(groups) < 2:
        return 0.0
    top_N, bottom_N = (numpy.array([group[side] for group in groups], float) for side in (1, 3))
    if script in _WIDE:
        return float(numpy.percentile(bottom_N - top_N, 90)) / scale
    x_N = numpy.array([(group.x0 + group.x1) / 2 for group in groups])
    usual = float(numpy.median(bottom_N - top_N))
    base_N = baseline(x_N, bottom_N, usual) if len(groups) >= _MIN_GROUPS else numpy.full(len(groups), numpy.median(bottom_N))
    above_N = numpy.sort(base_N - top_N)[::-1]
    letters = [unicodedata.normalize("NFD", char) for char in line.text]
    is_higher = [letter[0].isupper() and len(letter) > 1 for letter in letters]  # an accented capital
    is_tall = [letter[0].isupper() or FORMS.get(letter[0], "") == "t" or letter[0] in _HIGH for letter in letters]
    above_N = above_N[sum(is_higher) :]
    num_tall = sum(tall and not higher for tall, higher in zip(is_tall, is_higher, strict=True))
    tall_N = above_N[:num_tall] if num_tall else above_N / _SMALL
    return max(0.0, float(numpy.percentile(tall_N, 50, method="lower")) / scale) if len(tall_N) else 0.0


def stroke(line: Line, gray: numpy.ndarray) -> float:
    """How wide the strokes of a line are, in pixels: the middle half of the runs of its ink. 0 where that can't be told."""
    x0, y0, x1, y1 = line.box
    crop = gray[y0:y1, x0:x1]
    if not crop.size:
        return 0.0
    low, high = numpy.percentile(crop, (1, 99))
    if high - low < _MIN_CONTRAST:
        return 0.0
    ink = crop < (low + high) / 2
    if ink.mean() > 0.5:  # light letters
        ink = ~ink
    steps = numpy.diff(numpy.pad(ink, ((0, 0), (1, 1))).astype(numpy.int8), axis=1)
    runs = numpy.sort(numpy.nonzero(steps == -1)[1] - numpy.nonzero(steps == 1)[1])
    return float(runs[len(runs) // 4 : 3 * len(runs) // 4].mean()) if len(runs) >= _MIN_RUNS else 0.0


def in_order_of(own: Sequence[Region], regions: Sequence[Region]) -> list[Region]:
    """`regions`, those of `own` among them in its order, and each other one behind the nearest of these, or before it if it lies
    above. It is for engines that know the order of what they find, and not that of the rest."""
    if not own:
        return list(regions)
    among = {id(region) for region in own}
    before: list[list[Region]] = [[] for _ in own]
    behind: list[list[Region]] = [[] for _ in own]
    for region in regions:
        if id(region) not in among:
            place = min(range(len(own)), key=lambda n: _apart(region.box, own[n].box))
            is_above = region.box.y0 + region.box.y1 < own[place].box.y0 + own[place].box.y1
            (before if is_above else behind)[place].append(region)
    return [one for place, region in enumerate(own) for one in (*before[place], region, *behind[place])]


def _apart(a: Box, b: Box) -> tuple[float, float]:
    """How far two boxes are apart, and the way from the middle of one to that of the other, twice, along both axes."""
    return distance(a, b), abs(a.x0 + a.x1 - b.x0 - b.x1) + abs(a.y0 + a.y1 - b.y0 - b.y1)
