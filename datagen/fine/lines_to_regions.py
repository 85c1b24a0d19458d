"""Lines of a page's image, put into the regions that layout engines saw. Every line is in a region, and every region of text has
lines."""

import itertools
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from datagen.labels import PICTURES
from datagen.page.boxes import area, around, overlap, shared
from datagen.page.line_pieces import Rect
from datagen.page.line_regions import FoundLine, regions_of
from datagen.page.region_order import columns_of
from datagen.reading.page_lines import PageLines, mean_score
from datagen.record import Box, Line, Region
from datagen.writing.join_lines import joined, words_of
from datagen.writing.vertical_lines import FROM_LEFT

_INSIDE = 0.5  # of a line's area: so much of a line lies in its region
_WHOLE = frozenset(("title", "sub_title", "header", "footer", "page_number", "image_caption", "table_caption"))
_NUMBER = re.compile(r"[\W_]*(?:\d{1,4}|[ivxlcdm]{1,7}|[IVXLCDM]{1,7})[\W_]*")
_ROW = 0.4  # of a line's height: the middles of a row's lines are no further apart
_NEARLY = 0.25  # of the usual distance between two lines
_TALLER, _MUCH_TALLER = 1.4, 1.9  # how much taller a line of the same size may be; the second if it stands as close as all others
_MOSTLY_STANDS = 0.9  # of the characters
_FEW_PROSE, _LONG_LINE = 4, 7.0  # running text has so many lines, and its median line is so many times as long as high
_FORMULAS_NUMBER = re.compile(r"[(（]\s*[A-Z]?\.?\d{1,3}(?:[.–-]\d{1,3}){0,2}\s*[a-z]?['′]?\s*[)）]")
_SIGNS = re.compile(r"[=≡≠≈≃≅∝<>≤≥≪≫∈⊂∑∏∫∂∇±×→⇒↦^]")
_CONTINUES = re.compile(r"[=≡≈+×·−–-]")
_FEW_WORDS, _LETTERS = 4, 0.85
_GAP_EM, _INDENT_EM, _BELOW_EM = 1.5, 0.8, 1.2
_FULL_OF_TEXT, _ONLY_TEXT = 0.3, 0.6  # of a picture's area, of its ink: if more is in lines, the picture is a box with text


def put_together(
    page: PageLines,
    layout: Sequence[Region],
    equations: Sequence[Region],
    detected_by: str,
    is_clear: Callable[[Rect], bool],
    ink_share: Callable[[Box, Sequence[Line]], float],
) -> tuple[Region, ...]:
    """The page's regions, in no order. The engine `detected_by` found the lines. `is_clear` says whether a gap in a line is no
    division. `ink_share` is the share of the ink in a box that lies in some lines.

    A line belongs to the smallest layout region that holds half of the line. Lines in no region become paragraphs. Regions
    without lines are dropped, except pictures, and formulas that no line touches. Formulas and tables keep their lines, and are
    unread. But a table of standing columns of running text is text. A picture's lines are its text; if the lines are running
    text, they are paragraphs beside the picture.
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
            elif is_prose(of_region):
                made.append(replace(region, is_unread=False))
                made += _paragraphs(of_region, page, detected_by, is_clear)
                continue
            else:
                made.append(_picture(region, of_region, page))
                continue
        if region.label == "table" and _are_columns(of_region):
            region = replace(region, label="text")
        is_text = all(is_number(line.text) for line in of_region) or are_words(of_region)
        if region.label == "equation" and of_region and is_text:
            region = replace(region, label="text")
        if region.label in ("table", "equation"):
            is_alone = region.label == "equation" and not any(shared(line.box, region.box) for line in page.lines)
            if of_region or is_alone:
                made.append(_unread(region, of_region, page.by))
            continue
        if of_region:
            made += _of_text(region, of_region, page, is_clear)
    made += _paragraphs(without, page, detected_by, is_clear)
    placed = {id(line) for region in made for line in region.lines}
    made += [_alone(line, page, detected_by) for line in page.lines if id(line) not in placed]
    return tuple(_numbered(_read_by(region, page)) for region in made)


def lines_placed(page: PageLines, regions: Sequence[Region], surely: float) -> float:
    """The share of surely read lines that are placed. A line is surely read if its score is at least `surely`, or if its reader
    gives no scores. It is placed if its region's text has its characters, or if its region is still unread. 1 if no line is
    surely read."""
    read = {id(line) for line in page.lines if line.score is None or line.score >= surely}
    placed = 0
    for region in regions:
        text = _letters(region.text)
        placed += sum(id(line) in read and (region.is_unread or _letters(line.text) in text) for line in region.lines)
    return placed / len(read) if read else 1.0


def is_prose(lines: Sequence[Line]) -> bool:
    """Whether lines are running text, and not words in a figure: there are several lines, and most are long."""
    return len(lines) >= _FEW_PROSE and statistics.median(_length(line) for line in lines) >= _LONG_LINE


def _are_columns(lines: Sequence[Line]) -> bool:
    """Whether nearly all characters are in vertical columns of running text, which no table has in its cells."""
    standing = [line for line in lines if line.direction == "ttb"]
    num_chars = sum(len(line.text) for line in lines)
    return is_prose(standing) and sum(len(line.text) for line in standing) > _MOSTLY_STANDS * num_chars


def _length(line: Line) -> float:
    """The length of a line, in multiples of its height."""
    x0, y0, x1, y1 = line.box
    wide, high = max(1, x1 - x0), max(1, y1 - y0)
    return max(wide / high, high / wide) if line.direction == "ttb" else wide / high


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _read_by(region: Region, page: PageLines) -> Region:
    """The region, with the reader of most of its lines in `by`."""
    return replace(region, by=page.by_of(region.lines)) if page.others and region.by == page.by else region


def _picture(region: Region, lines: Sequence[Line], page: PageLines) -> Region:
    """A picture, with the lines in it as its text."""
    if not lines:
        return replace(region, is_unread=False)
    rows = sorted(lines, key=lambda line: (line.box.y0 + line.box.y1, line.box.x0))
    text = "\n".join(line.text for line in rows)
    return replace(region, text=text, score=mean_score(rows), by=page.by, lines=tuple(rows), is_unread=False)


def _alone(line: Line, page: PageLines, detected_by: str) -> Region:
    """A region of one line that is in no paragraph."""
    return Region(line.box, "text", line.text, line.score, page.by, (), (line,), detected_by=detected_by)


def _of_text(region: Region, lines: Sequence[Line], page: PageLines, is_clear: Callable[[Rect], bool]) -> list[Region]:
    """The layout region as paragraphs; as one region if its label allows only one, such as a title's."""
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
            made += regions_of(evened, page.script, page.by, detected_by, clear)
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


def _unread(region: Region, lines: Sequence[Line], by: str) -> Region:
    """A table or a formula that another engine reads later. Until then `by` is the reader of its lines."""
    kind = "html" if region.label == "table" else "latex"
    return replace(region, lines=tuple(lines), format=kind, is_unread=True, text="", score=None, by=by)


def _numbered(region: Region) -> Region:
    is_pages = region.label in ("header", "footer") and _NUMBER.fullmatch(region.text)
    return replace(region, label="page_number") if is_pages else region


def _without_doubles(layout: Sequence[Region]) -> list[Region]:
    """The regions, without those that lie in a larger region of the same label."""
    kept: list[Region] = []
    for region in sorted(layout, key=lambda region: -area(region.box)):
        if not any(o.label == region.label and shared(o.box, region.box) > 0.8 * area(region.box) for o in kept):
            kept.append(region)
    return kept


def is_number(text: str) -> bool:
    """Whether a line is only the number of a formula, such as (12) or (A.3)."""
    return bool(_FORMULAS_NUMBER.fullmatch(text.strip()))


def are_words(lines: Sequence[Line]) -> bool:
    """Whether lines that an engine labels a formula are several words, such as verse, without signs of relations or operators."""
    text = " ".join(line.text for line in lines)
    num_letters = sum(char.isalpha() or char.isspace() for char in text)
    return len(text.split()) >= _FEW_WORDS and not _SIGNS.search(text) and num_letters > _LETTERS * len(text)


def numbered_formulas(lines: Sequence[Line], detected_by: str) -> list[Region]:
    """Regions of numbered formulas. The lines of a formula stand apart from the left margin, have a sign of a relation, and
    have a number far to the right. If the first line begins with an operator, the formula has the lines above, too."""
    if not lines:
        return []
    em = statistics.median(line.box.y1 - line.box.y0 for line in lines)
    numbers = [line for line in lines if is_number(line.text)]
    regions = []
    for number in numbers:
        before = [line for line in lines if line.box.x0 < number.box.x0]
        beside = [line for line in before if overlap(line.box, number.box, 1) > 0.5]
        if not beside or max(line.box.x1 for line in beside) > number.box.x0 - _GAP_EM * em:
            continue
        column = [line for line in lines if line.box.x1 <= number.box.x1 + em and line.box.x1 > beside[0].box.x0]
        left = min(line.box.x0 for line in column) + _INDENT_EM * em
        own = [line for line in beside if any(overlap(line.box, other.box, 0) > 0 for other in column)]
        if not own or min(line.box.x0 for line in own) < left or not any(_SIGNS.search(line.text) for line in own):
            continue
        while True:
            top, first = min(line.box.y0 for line in own), min(own, key=lambda line: line.box.x0)
            above = [
                line
                for line in column
                if line not in own and line.box.x0 >= left and _SIGNS.search(line.text) and not is_number(line.text)
                if top - _BELOW_EM * em < line.box.y1 < top + 0.5 * em and overlap(line.box, first.box, 0) > 0
            ]
            if not above or not _CONTINUES.match(first.text):
                break
            own += above
        regions.append(
            Region(around(line.box for line in own), "equation", "", None, detected_by, format="latex", is_unread=True)
        )
    return regions
