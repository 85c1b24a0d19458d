"""Headings that the layout engine labels text or list, found by their look: a line of its own above running text."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from datagen.fine.wording import ITALIC, ITEM, TWO_LETTERS, plain
from datagen.labels import TEXTS
from datagen.page.boldness import is_bold
from datagen.record import Region
from datagen.writing import signs

_SECTION = re.compile(r"(?:\d{1,2}[.-]){1,4}\d{1,2}\.?\s+[^\W\d_]")
_CHINESE = re.compile(r"([(（]?)([一二三四五六七八九十]{1,3})([)）、．.])")
_CHINESE_DIGITS = {sign: n for n, sign in enumerate("一二三四五六七八九", 1)}
_MAX_CHARS = 120
_LARGER, _NOT_LARGER = 1.07, 1.15  # of the height of the text's lines
_GAP_EM = 0.5  # above and below a heading, of its height
_MIN_LARGER, _MIN_BOLD, _MIN_ITALIC, _MIN_CHINESE = 3, 2, 2, 2  # of a look, in a document
_GOES_ON = signs.COMMAS + signs.SEMICOLONS


class Set(NamedTuple):
    """A region, with its page and the font and height of its lines."""

    page: int
    region: Region
    font: str
    height: float


def headings_by_look(shown: Sequence[Set], usual_font: str, usual_height: float) -> set[int]:
    """The indices of a document's regions that are headings though they are labelled text or list. They are single lines above
    running text in the usual type, of one of these kinds:

    - Lines with a section number, such as 1.2.2, that are larger than the text or in another font.
    - At least three lines in slightly larger type, if the document uses this type only for short lines with gaps around. Running
      text must follow at least two of them.
    - At least two lines in italics that don't end like sentences.
    - At least two items in bold, and items whose Chinese numbers continue the numbers of the engine's headings."""
    alone = [i for i, one in enumerate(shown) if _is_line(one)]
    lines = [i for i in alone if _stands_above_text(shown, i, usual_font, usual_height)]
    found = {i for i in lines if _is_section(shown[i], usual_font, usual_height)}
    found |= set(_in_larger_type(shown, alone, lines, usual_height))
    italic = [i for i in lines if _is_in_italics(shown[i], usual_font)]
    found |= set(italic) if len(italic) >= _MIN_ITALIC else set()
    items = [i for i in lines if shown[i].region.label == "list" and not signs.ends_clause(plain(shown[i].region))]
    bold = [i for i in items if is_bold(shown[i].font) and not is_bold(usual_font) and ITEM.match(plain(shown[i].region))]
    found |= set(bold) if len(bold) >= _MIN_BOLD else set()
    return found | set(_with_chinese_numbers(shown, items))


def _is_line(one: Set) -> bool:
    region = one.region
    if region.label not in TEXTS or len(region.lines) != 1 or region.is_unread or region.continues:
        return False
    text = plain(region)
    is_plain = region.format == "markdown" and region.lines[0].direction != "ttb"
    return is_plain and 2 < len(text) <= _MAX_CHARS and text[-1] not in _GOES_ON and bool(TWO_LETTERS.search(text))


def _stands_above_text(shown: Sequence[Set], i: int, usual_font: str, usual_height: float) -> bool:
    """Whether running text in the document's usual type stands right below a region."""
    if i + 1 == len(shown) or shown[i + 1].page != shown[i].page:
        return False
    one, below = shown[i], shown[i + 1]
    is_text = below.region.label == "text" and (len(below.region.lines) > 1 or len(plain(below.region)) > _MAX_CHARS // 2)
    is_usual = below.font == usual_font and below.height < _NOT_LARGER * usual_height
    em = one.region.lines[0].box.y1 - one.region.lines[0].box.y0
    return is_text and is_usual and -0.3 * em < below.region.box.y0 - one.region.box.y1 < 3 * em


def _is_section(one: Set, usual_font: str, usual_height: float) -> bool:
    text = plain(one.region)
    is_set_apart = one.font != usual_font or one.height > _LARGER * usual_height
    return is_set_apart and bool(_SECTION.match(text)) and not signs.leads_on(text)


def _is_in_italics(one: Set, usual_font: str) -> bool:
    text, is_italic = plain(one.region), ITALIC.search(one.font) and not ITALIC.search(usual_font)
    return bool(is_italic) and one.region.label == "text" and not signs.ends_clause(text) and text[0].isupper()


def _in_larger_type(shown: Sequence[Set], alone: Sequence[int], lines: Sequence[int], usual_height: float) -> Iterator[int]:
    fonts: dict[str, list[int]] = defaultdict(list)
    for i, one in enumerate(shown):
        if one.region.label in TEXTS and one.height > _LARGER * usual_height > 0:
            fonts[one.font].append(i)
    for alike in fonts.values():
        num_apart = sum(_is_apart(shown, i) for i in alike)
        if all(i in alone for i in alike) and num_apart >= _MIN_LARGER and sum(i in lines for i in alike) > 1:
            yield from alike


def _is_apart(shown: Sequence[Set], i: int) -> bool:
    box = shown[i].region.box
    gap = _GAP_EM * (box.y1 - box.y0)
    beside = [one.region.box for one in shown if one.page == shown[i].page and one is not shown[i]]
    near = (other for other in beside if other.x0 < box.x1 and box.x0 < other.x1)
    return all(other.y0 - box.y1 > gap or box.y0 - other.y1 > gap for other in near)


def _with_chinese_numbers(shown: Sequence[Set], items: Sequence[int]) -> Iterator[int]:
    """Items and the engine's headings whose Chinese numbers, in the same brackets, follow each other through the document."""
    numbered: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for i, one in enumerate(shown):
        match = _CHINESE.match(plain(one.region)) if one.region.label == "sub_title" or i in items else None
        if match:
            numbered[match[1], match[3]][i] = _number(match[2])
    for places in numbered.values():
        numbers = list(places.values())
        num_headings = sum(shown[i].region.label == "sub_title" for i in places)
        if num_headings >= _MIN_CHINESE and all(a < b for a, b in itertools.pairwise(numbers)):
            yield from places


def _number(text: str) -> int:
    """The number that Chinese digits write, up to 99."""
    tens, ten, ones = text.rpartition("十")
    return (10 * _CHINESE_DIGITS.get(tens, 1) if ten else 0) + _CHINESE_DIGITS.get(ones, 0)
