"""Lines that were read on a page's image, and the regions that layout engines saw there, put together: every line is in a region,
and every region of text has lines."""

import itertools
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from datagen.fine.numbered_formulas import are_words, is_number, numbered_formulas
from datagen.labels import PICTURES
from datagen.page.boxes import area, around, shared
from datagen.page.line_pieces import Rect
from datagen.page.line_regions import FoundLine, regions_of
from datagen.page.region_order import columns_of
from datagen.reading.page_lines import PageLines, mean_score
from datagen.record import Box, Line, Region
from datagen.writing.join_lines import joined, words_of

_INSIDE = 0.5  # of a line's area: it is in a region
_WHOLE = frozenset(("title", "sub_title", "header", "footer", "page_number", "image_caption", "table_caption"))
_NUMBER = re.compile(r"[\W_]*(?:\d{1,4}|[ivxlcdm]{1,7}|[IVXLCDM]{1,7})[\W_]*")
_ROW = 0.4  # of a line's height: middles that are no further apart are of one row
_NEARLY = 0.25  # of the usual distance between two lines
_TALLER, _MUCH_TALLER = 1.4, 1.9  # times as high, at most, are lines of one size; and those that stand as close as all others
_FULL_OF_TEXT, _ONLY_TEXT = 0.3, 0.6  # of a picture's area, or of its ink, in lines: it is a box with text


def put_together(
    page: PageLines,
    layout: Sequence[Region],
    equations: Sequence[Region],
    detected_by: str,
    is_clear: Callable[[Rect], bool],
    ink_share: Callable[[Box, Sequence[Line]], float],
) -> tuple[Region, ...]:
    """The page's regions, in no order. Its lines were found by the engine `detected_by`. `is_clear` says whether a gap in a line
    parts nothing, and `ink_share` which share of the ink in a box lies in some lines.

    A line belongs to the smallest region of the layout that half of it lies in; what is in none makes regions of its own. Regions
    without lines go, pictures aside. Formulas and tables keep their lines, and are unread.
    """
    numbered = numbered_formulas(page.lines, detected_by)
    regions = [*numbered, *_without_doubles(layout)]
    regions += [e for e in equations if not any(r.label != "text" and shared(e.box, r.box) > 0.2 * area(e.box) for r in regions)]
    lines_of: dict[int, list[Line]] = {n: [] for n in range(len(regions))}
    without: list[Line] = []
    for line in page.lines:
        holders = [n for n, region in enumerate(regions) if shared(line.box, region.box) >= _INSIDE * area(line.box)]
        if holders:
            best = min(holders, key=lambda n: (n >= len(numbered), regions[n].label in PICTURES, area(regions[n].box), n))
            lines_of[best].append(line)
        else:
            without.append(line)
    made: list[Region] = []
    for n, region in enumerate(regions):
        of_region = lines_of[n]
        if region.label in PICTURES:
            covered = sum(shared(line.box, region.box) for line in of_region) / area(region.box)
            if of_region and (covered > _FULL_OF_TEXT or ink_share(region.box, of_region) > _ONLY_TEXT):
                region = replace(region, label="text")
            else:
                made.append(replace(region, is_unread=False))
                continue
        is_text = all(is_number(line.text) for line in of_region) or are_words(of_region)
        if region.label == "equation" and of_region and is_text:
            region = replace(region, label="text")
        if region.label in ("table", "equation"):
            is_alone = region.label == "equation" and not any(shared(line.box, region.box) for line in page.lines)
            if of_region or is_alone:
                made.append(_unread(region, of_region))
            continue
        if of_region:
            made += _of_text(region, of_region, page, is_clear)
    made += _paragraphs(without, page, detected_by, is_clear)
    return tuple(_numbered(region) for region in made)


def _of_text(region: Region, lines: Sequence[Line], page: PageLines, is_clear: Callable[[Rect], bool]) -> list[Region]:
    """The region of the layout as paragraphs; as one, if its label says that it is one."""
    paragraphs = _paragraphs(lines, page, region.detected_by, is_clear)
    if region.label in _WHOLE and len(paragraphs) > 1:
        rows = [line for paragraph in paragraphs for line in paragraph.lines]
        text = joined([line.text for line in rows], (), words_of([line.text for line in rows]))
        return [
            replace(
                region,
                box=around(line.box for line in rows),
                text=text,
                score=mean_score(rows),
                by=page.by,
                lines=tuple(rows),
                is_unread=False,
            )
        ]
    if region.label == "text":
        return [replace(p, label="text") if is_number(p.text) else p for p in paragraphs]
    return [replace(paragraph, label=region.label) for paragraph in paragraphs]


def _paragraphs(lines: Sequence[Line], page: PageLines, detected_by: str, is_clear: Callable[[Rect], bool]) -> list[Region]:
    """The lines of a part of a page as paragraphs, column by column. Lines from top to bottom are laid on their side for that."""
    made: list[Region] = []
    for standing in (False, True):
        of_kind = [line for line in lines if (line.direction == "ttb") is standing]
        right = max((line.box.x1 for line in of_kind), default=0)
        for column in columns_of(of_kind, "ttb" if standing else page.direction if page.direction != "ttb" else "ltr"):
            evened = _evened(column, right if standing else None)
            clear = (
                _always
                if standing
                else partial(_is_clear_there, is_clear, [(_middle(f.box), _middle(f.runs[0].box)) for f in evened])
            )
            made += regions_of(evened, page.script, page.by, detected_by, clear)
    return [replace(paragraph, score=mean_score(paragraph.lines)) for paragraph in made]


def _always(box: Rect) -> bool:
    return True


def _is_clear_there(is_clear: Callable[[Rect], bool], moved: Sequence[tuple[float, float]], box: Rect) -> bool:
    """Whether a gap is clear where it really is: `moved` has the middles of lines, as they are in paragraphs and on the page."""
    middle = (box[1] + box[3]) / 2
    by = min((abs(there - middle), real - there) for there, real in moved)[1]
    return is_clear((box[0], box[1] + by, box[2], box[3] + by))


def _evened(lines: Sequence[Line], right: int | None) -> list[FoundLine]:
    """The lines of a column at even distances and of even heights, where they nearly are. A detector is off by a pixel or two,
    and small print has no more between two paragraphs. Those that stand, the first one at `right`, are laid on their side."""
    boxes = [b if right is None else Box(b.y0, right - b.x1, b.y1, right - b.x0) for b in (line.box for line in lines)]
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


def _unread(region: Region, lines: Sequence[Line]) -> Region:
    """A table or a formula, which another engine reads."""
    kind = "html" if region.label == "table" else "latex"
    return replace(region, lines=tuple(lines), format=kind, is_unread=True, text="", score=None)


def _numbered(region: Region) -> Region:
    is_number = region.label in ("header", "footer") and _NUMBER.fullmatch(region.text)
    return replace(region, label="page_number") if is_number else region


def _without_doubles(layout: Sequence[Region]) -> list[Region]:
    """The regions without those that another one of their label holds."""
    kept: list[Region] = []
    for region in sorted(layout, key=lambda region: -area(region.box)):
        if not any(o.label == region.label and shared(o.box, region.box) > 0.8 * area(region.box) for o in kept):
            kept.append(region)
    return kept
