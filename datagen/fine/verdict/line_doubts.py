"""Lines of a page that look or read differently from their region's label."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from datagen.coarse.answers import BY
from datagen.fine.structure.looks import Look, is_short, look_of, stands_alone, stands_out, usual_look
from datagen.fine.verdict.torn_regions import CLOSED
from datagen.fine.wording import TWO_LETTERS
from datagen.labels import HEADINGS, TEXTS, is_page_number
from datagen.page.line_breaks import has_one_width
from datagen.record import Box, Region
from datagen.writing import signs

_SECTION = re.compile(r"[#* ]*(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+[^\W\d_]")
# A line of code in any typeface: signs that sentences lack, or the end of a statement.
_CODE = re.compile(
    r"[\w:<>*&\[\] ]+\([^()]*\)\s*[;{]$|.*[\w)\]]\s?(?:==|!=|&&|\|\||\+=|->|::)\s?\w.*[;{)]$|[\w.\[\]]+ = [^.]+;$|[{}]+;?$"
    r"|(?:def|class) \w+\s?[(:].*|#include\s*[<\"].*|import [\w.]+(?: as \w+)?;?$|from [\w.]+ import .*|</?\w+[^<>]*>.*</?\w+>$"
)
_CIRCLED, _REMARK = re.compile("[①-⑳]"), re.compile("※")
_NAMED_NUMBER = re.compile(r"(\D{0,16}?)(\d{1,2})(?=[.．)）、:\s])")
_LETTERED = re.compile(r"()([a-hа-з])\)\s")
_DASHED = re.compile(r"[–—]\s+\S")
_TERM = re.compile(r"(?:\*\*)?[^\W\d_][\w. ]{1,24}(?::|\s[–—-])(?:\*\*)?\s+\S")
_MIN_TERMS = 2
_LARGER = 1.05  # times the text's size: even a point more counts
_ENTRY = re.compile(r"(?:[.·…‧_] ?){2,} ?[\divxlcIVXLC]+$|\s\d{1,3}$")
_MIN_ITEMS = 2
_EDGE, _EDGE_OF_NUMBERS = 0.1, 0.2  # of the page's height
_NUMBER_AT_END = re.compile(r"(?:[-–—|¦/]\s*|\s)\d{1,4}\s*[-–—|¦/]?$|^[-–—|]?\s*\d{1,4}\s*[-–—|]")
_MAX_RUNNING_CHARS = 60
_GAP_BELOW_EM = 0.5, 3.0  # of a heading
_UNSPACED_STOP = "。"
_INDENT_EM, _ALIGNED_EM = (0.8, 6.0), 0.3


def num_in_other_looks(regions: Sequence[Region]) -> int:
    """The number of texts that stand alone like headings, in a look that is larger than the page's text or stands out from it."""
    usual = usual_look(regions)
    if usual is None:
        return 0
    num = 0
    for i, region in enumerate(regions):
        look = look_of(region.lines)
        is_below_title = i > 0 and regions[i - 1].label == "title"  # a date or a name
        if region.label == "text" and look is not None and not is_below_title:
            is_larger = look.size > _LARGER * usual.size and look.colour == usual.colour
            is_alone = stands_alone(regions, i)
            num += (is_alone and (is_larger or stands_out(look, usual))) or (is_larger and _heads_column(regions, i, usual))
    return num


def _heads_column(regions: Sequence[Region], i: int, usual: Look) -> bool:
    """Whether region `i` is a short line above a paragraph in the usual look, with a gap between and the same edge."""
    region = regions[i]
    if not is_short(region) or len(region.lines) > 1 or i + 1 == len(regions) or CLOSED.search(region.text):
        return False
    below, em, side = regions[i + 1], region.box.y1 - region.box.y0, 2 if region.lines[0].direction == "rtl" else 0
    is_paragraph = below.label == "text" and len(below.lines) > 1 and look_of(below.lines) == usual
    is_apart = _GAP_BELOW_EM[0] * em < below.box.y0 - region.box.y1 < _GAP_BELOW_EM[1] * em
    return is_paragraph and is_apart and abs(below.box[side] - region.box[side]) < _ALIGNED_EM * em


def num_no_headings(regions: Sequence[Region]) -> int:
    """The number of headings that end like a Chinese or Japanese sentence, have lines in several looks, or are followed by text
    in their own bold look, as at the end of a letter."""
    usual = usual_look(regions)
    num = 0
    for region in (region for region in regions if region.label in HEADINGS and not region.is_unread):
        looks = {line.look for line in region.lines}
        num += region.text.rstrip().endswith(_UNSPACED_STOP) or (len(looks) > 1 and "" not in looks)
    for heading, text in itertools.pairwise(regions):
        look = look_of(heading.lines) if heading.label == "sub_title" and text.label == "text" else None
        is_usual = usual is not None and "bold" in usual.marks
        num += look is not None and "bold" in look.marks and look_of(text.lines) == look and not is_usual
    return num


def num_glued_lines(regions: Sequence[Region]) -> int:
    """The number of texts that are several lines of equations, plus the lines within texts that begin a paragraph: they are
    indented like the first lines of other texts."""
    texts = [region for region in regions if region.label == "text" and region.lines and not region.is_unread]
    num = 0
    for region in texts:
        lines, em = region.lines, region.lines[0].box.y1 - region.lines[0].box.y0
        if len(lines) < 2 or "\n" in region.text or lines[0].direction != "ltr":
            continue
        equals = [line.text.count("=") for line in lines]
        num += all(equals) and sum(equals) > 2
        for first, second in itertools.pairwise(lines[1:]):
            is_indented = _INDENT_EM[0] * em < first.box.x0 - second.box.x0 < _INDENT_EM[1] * em
            is_flush = abs(second.box.x0 - region.box.x0) < _ALIGNED_EM * em
            alike = (abs(other.lines[0].box.x0 - first.box.x0) < _ALIGNED_EM * em for other in texts if other is not region)
            num += is_indented and is_flush and any(alike)
    return num


def num_feet_that_lead_on(regions: Sequence[Region]) -> int:
    """The number of headers and footers that end in a colon. They lead on to text, so they are text."""
    return sum(region.label in ("header", "footer") and signs.leads_on(region.text.rstrip()) for region in regions)


def num_heads_in_series(regions: Sequence[Region]) -> int:
    """The number of headers, labelled by an engine, whose section number comes right before the number of the page's first
    numbered heading. On a single page nothing distinguishes a running header from a heading."""
    numbers = [match[1].split(".") for region in regions if region.label in HEADINGS and (match := _SECTION.match(region.text))]
    heads = [match[1].split(".") for region in regions if _is_read_head(region) and (match := _SECTION.match(region.text))]
    return sum(number[:-1] == head[:-1] and int(number[-1]) == int(head[-1]) + 1 for head in heads for number in numbers[:1])


def _is_read_head(region: Region) -> bool:
    return region.label == "header" and region.by != BY and not region.is_unread


def num_headings_in_tables(regions: Sequence[Region]) -> int:
    """The number of headings within a table. The rows below such a heading are another table."""
    tables = [region.box for region in regions if region.label == "table"]
    headings = [region.box for region in regions if region.label in HEADINGS]
    return sum(_stands_within(heading, table) for heading in headings for table in tables)


def _stands_within(heading: Box, table: Box) -> bool:
    is_beside = min(heading.x1, table.x1) > max(heading.x0, table.x0)
    return is_beside and table.y0 < heading.y0 and heading.y1 < table.y1


def num_captions_of_signs(regions: Sequence[Region]) -> int:
    """The number of captions that are only a number or a sign. They are written in a picture."""
    return sum(
        region.label == "image_caption" and not region.is_unread and not TWO_LETTERS.search(region.text) for region in regions
    )


def num_as_code(regions: Sequence[Region]) -> int:
    """The number of texts with a line that is a statement of code, or that are monospaced while the page's text isn't."""
    fonts = Counter(line.font for region in regions for line in region.lines for _ in line.text)
    usual = max(fonts, key=lambda font: fonts[font], default="")
    num = 0
    for region in regions:
        if region.label not in TEXTS | {"image_caption"} or region.is_unread or not region.lines:
            continue
        is_set = not has_one_width(usual) and len(region.lines) > 1 and all(has_one_width(line.font) for line in region.lines)
        num += is_set or any(_CODE.match(line.text.strip()) for line in region.lines)
    return num


def num_signs_within(region: Region) -> int:
    """The number of lines within a text that begin like the next item: with a circled number, a reference mark, a dash, the next
    letter, or the next number behind the same words."""
    lines = [line.text.strip() for line in region.lines]
    if region.label not in TEXTS or region.is_unread or len(lines) < _MIN_ITEMS or region.lines[0].direction == "ttb":
        return 0
    num = sum(bool(_CIRCLED.match(text) or _REMARK.match(text)) for text in lines[1:])
    for sign in (_NAMED_NUMBER, _LETTERED):
        numbers = [(match[1], _value(match[2])) for text in lines if (match := sign.match(text))]
        num += sum(a == b and i + 1 == j for (a, i), (b, j) in itertools.pairwise(numbers))
    return num + max(0, sum(bool(_DASHED.match(text)) for text in lines) - 1)


def num_terms_within(regions: Sequence[Region]) -> int:
    """The number of lines within texts that begin with a term: a few words and a colon or a dash, such as a speaker's name. They
    count if the text's first line begins so, and if other terms are regions of their own or the line is joined to the one
    above."""
    alone = sum(region.label in TEXTS and bool(_TERM.match(region.text)) for region in regions)
    num = 0
    for region in regions:
        texts = [line.text.strip() for line in region.lines] if region.label == "text" and not region.is_unread else []
        terms = [text for text in texts if _TERM.match(text)]
        if len(terms) >= _MIN_ITEMS and texts[0] == terms[0]:
            is_joined = any(f" {' '.join(text.split()[:2])}" in region.text.replace("*", "") for text in terms[1:])
            num += len(terms) - 1 if alone > _MIN_TERMS or is_joined else 0
    return num


def _value(number: str) -> int:
    return int(number) if number.isdecimal() else ord(number)


def num_heads_in_contents(regions: Sequence[Region]) -> int:
    """The number of tables of contents whose first line is no entry and looks different from the other lines."""
    num = 0
    for region in regions:
        if region.label == "toc" and len(region.lines) > _MIN_ITEMS and not _ENTRY.search(region.lines[0].text):
            first, others = look_of(region.lines[:1]), {look_of([line]) for line in region.lines[1:]}
            num += first is not None and first not in others
    return num


def num_running(regions: Sequence[Region], height: int) -> int:
    """The number of one-line texts with a number at an end that are the first or last on the page, near its edge."""
    body = [region for region in regions if region.lines]
    num = 0
    for region in body:
        text = region.lines[0].text.strip()
        is_short = region.label in TEXTS and len(region.lines) == 1 and len(text) < _MAX_RUNNING_CHARS
        if not is_short or not (is_page_number(text) or _NUMBER_AT_END.search(text)):
            continue
        edge = _EDGE_OF_NUMBERS if is_page_number(text) else _EDGE
        num += _is_at_edge(region.box, [other.box for other in body if other is not region], edge, height)
    return num


def _is_at_edge(box: Box, others: Sequence[Box], edge: float, height: int) -> bool:
    is_first = box.y1 < edge * height and all(other.y0 >= box.y0 for other in others)
    return is_first or (box.y0 > (1 - edge) * height and all(other.y1 <= box.y1 for other in others))
