"""Lines that were read on a page's image, and the regions that layout engines saw there, put together: every line is in a region,
and every region of text has lines."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from datagen.labels import PICTURES
from datagen.order import columns_of
from datagen.record import Box, Line, Region
from datagen.regions import FoundLine, regions_of
from datagen.sources.pdf_pieces import Rect
from datagen.stages.annotate_lines import PageLines, mean_score
from datagen.text import joined, words_of

_INSIDE = 0.5  # of a line's area: it is in a region
_WHOLE = frozenset(("title", "sub_title", "header", "footer", "page_number", "image_caption", "table_caption"))
_NUMBER = re.compile(r"[\W_]*(?:\d{1,4}|[ivxlcdm]{1,7}|[IVXLCDM]{1,7})[\W_]*")
_ONLY_TEXT = 0.35  # of a picture's area under lines: it is a box with text


def put_together(
    page: PageLines,
    layout: Sequence[Region],
    equations: Sequence[Region],
    detected_by: str,
    is_clear: Callable[[Rect], bool],
) -> tuple[Region, ...]:
    """The page's regions, in no order. Its lines were found by the engine `detected_by`.

    A line belongs to the smallest region of the layout that half of it lies in; what is in none makes regions of its own. Regions
    without lines go, pictures aside. Formulas and tables keep their lines, and are unread.
    """
    regions = [*_without_doubles(layout)]
    regions += [
        e for e in equations if not any(r.label != "text" and _shared(e.box, r.box) > 0.2 * _area(e.box) for r in regions)
    ]
    lines_of: dict[int, list[Line]] = {n: [] for n in range(len(regions))}
    without: list[Line] = []
    for line in page.lines:
        around = [n for n, region in enumerate(regions) if _shared(line.box, region.box) >= _INSIDE * _area(line.box)]
        if around:
            best = min(around, key=lambda n: (regions[n].label in PICTURES, _area(regions[n].box), n))
            lines_of[best].append(line)
        else:
            without.append(line)
    made: list[Region] = []
    for n, region in enumerate(regions):
        of_region = lines_of[n]
        if region.label in PICTURES:
            if sum(_shared(line.box, region.box) for line in of_region) > _ONLY_TEXT * _area(region.box):
                region = replace(region, label="text")
            else:
                made.append(replace(region, is_unread=False))
                continue
        if region.label in ("table", "equation"):
            if of_region or region.label == "equation":
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
            replace(region, box=_around(rows), text=text, score=mean_score(rows), by=page.by, lines=tuple(rows), is_unread=False)
        ]
    if region.label == "text":
        return list(paragraphs)
    return [replace(paragraph, label=region.label) for paragraph in paragraphs]


def _paragraphs(lines: Sequence[Line], page: PageLines, detected_by: str, is_clear: Callable[[Rect], bool]) -> list[Region]:
    """The lines of a part of a page as paragraphs, column by column."""
    return [
        replace(paragraph, score=mean_score(paragraph.lines))
        for column in columns_of(lines, page.direction)
        for paragraph in regions_of(
            [FoundLine(line.box, (line,)) for line in column], page.script, page.by, detected_by, is_clear
        )
    ]


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
    for region in sorted(layout, key=lambda region: -_area(region.box)):
        if not any(o.label == region.label and _shared(o.box, region.box) > 0.8 * _area(region.box) for o in kept):
            kept.append(region)
    return kept


def _around(lines: Sequence[Line]) -> Box:
    x0s, y0s, x1s, y1s = zip(*(line.box for line in lines), strict=True)
    return Box(min(x0s), min(y0s), max(x1s), max(y1s))


def _shared(a: Box, b: Box) -> float:
    return max(0.0, min(a.x1, b.x1) - max(a.x0, b.x0)) * max(0.0, min(a.y1, b.y1) - max(a.y0, b.y0))


def _area(box: Box) -> float:
    return max(1, (box.x1 - box.x0) * (box.y1 - box.y0))
