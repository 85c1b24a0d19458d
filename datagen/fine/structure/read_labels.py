"""Labels of a page that engines read, where its words, places and sizes say more than the layout engine did."""

import re
import statistics
from collections.abc import Mapping, Sequence

from datagen.fine.wording import FIGURE, MARK, NAMED, TABLE, plain
from datagen.labels import CAPTIONS, HEADINGS, RUNNING, TEXTS, is_page_number
from datagen.page.boxes import line_height
from datagen.record import Region, Sample

_MAX_CAPTION_LINES, _MAX_TITLE_LINES = 4, 3
_DATE = re.compile(r"\d{1,2}\. [^\W\d_]+ (?:1[5-9]|20)\d\d\.?$")
_EDGE = 0.1  # of the page's height
_HUGE, _LARGE, _LARGER, _SMALL = 2.0, 1.4, 1.12, 0.9  # of the height of the text's lines; than any other heading's
_UPPER, _LOWER = 0.5, 0.6  # of the page's height


def labels(page: Sample) -> Mapping[int, str]:
    """By the index of a region, the label that it should have, where that is another.

    - What begins with the word for a figure or a table, and a number, is that caption.
    - A number alone at the page's upper or lower edge is its number; in letters twice as high as the text's it is a chapter's.
    - One heading that is much larger than the text, and than all others, and stands first, is the title.
    - A date such as 28. Juni 2019 is no item, if no other one stands beside it.
    - Below all other text, what begins with a mark, in smaller letters, is a footnote.
    """
    heights = {i: _height(region) for i, region in enumerate(page.regions) if region.lines and region.format == "markdown"}
    texts = [heights[i] for i in heights if page.regions[i].label == "text" for _ in page.regions[i].lines]
    usual = statistics.median(texts) if texts else 0.0
    result: dict[int, str] = {}
    for i in heights:
        if label := caption(page.regions[i]) or _number(page.regions[i], page.size[1]):
            result[i] = label
        elif _is_date_alone(page.regions, i):
            result[i] = "text"
        elif page.regions[i].label == "page_number" and heights[i] > _HUGE * usual > 0:
            result[i] = "sub_title"
    if (title := _title(page, heights, usual)) is not None:
        result[title] = "title"
    body = {i: height for i, height in heights.items() if i not in result}
    result |= dict.fromkeys(_notes(page, body, usual), "footnote")
    return {i: label for i, label in result.items() if label != page.regions[i].label}


def _height(region: Region) -> float:
    return statistics.median(map(line_height, region.lines))


def caption(region: Region) -> str:
    """The label of a region that begins with the word for a figure or a table, and a number, as its caption does; else ""."""
    text = plain(region)
    says = "table_caption" if TABLE.match(text) else "image_caption" if FIGURE.match(text) else ""
    if (
        not says
        or region.label not in (*CAPTIONS, *HEADINGS, "text", "list", "header", "footer")
        or len(region.lines) > _MAX_CAPTION_LINES
    ):
        return ""
    return says if region.label in CAPTIONS or NAMED.match(text) else ""


def _number(region: Region, height: int) -> str:
    at_edge = region.box.y1 < _EDGE * height or region.box.y0 > (1 - _EDGE) * height
    return "page_number" if at_edge and region.label in TEXTS and is_page_number(region.text) else ""


def _is_date_alone(regions: Sequence[Region], i: int) -> bool:
    beside = [regions[j].label for j in (i - 1, i + 1) if 0 <= j < len(regions)]
    return regions[i].label == "list" and "list" not in beside and bool(_DATE.match(regions[i].text))


def _title(page: Sample, heights: Mapping[int, float], usual: float) -> int | None:
    if not usual or any(region.label == "title" for region in page.regions):
        return None
    headings = [i for i in heights if page.regions[i].label in HEADINGS and page.regions[i].lines[0].direction != "ttb"]
    if not headings:
        return None
    first, others = headings[0], headings[1:]
    is_large = heights[first] > max(_LARGE * usual, _LARGER * max((heights[i] for i in others), default=0.0))
    is_high = page.regions[first].box.y1 < _UPPER * page.size[1] and len(page.regions[first].lines) <= _MAX_TITLE_LINES
    return first if is_large and is_high and not any(map(_is_body, page.regions[:first])) else None


def _is_body(region: Region) -> bool:
    return region.label not in RUNNING and region.label not in ("image", *CAPTIONS)


def _notes(page: Sample, heights: Mapping[int, float], usual: float) -> Sequence[int]:
    """From the page's foot upwards, as far as they go."""
    notes = []
    places = sorted((i for i in heights if _is_body(page.regions[i])), key=lambda i: -page.regions[i].box.y0)
    for i in places:
        region = page.regions[i]
        is_note = region.label in ("text", "list", "footnote") and bool(MARK.match(region.lines[0].text))
        if not is_note or heights[i] > _SMALL * usual or region.box.y0 < _LOWER * page.size[1]:
            break
        notes.append(i)
    return notes
