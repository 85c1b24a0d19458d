"""Contradictions between labels and neighbouring lines: headers whose sentence continues in the text, sections among items,
names that are read as a sentence."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from datagen.fine.structure.looks import look_of
from datagen.fine.structure.section_numbers import number_of
from datagen.fine.verdict.torn_regions import CLOSED
from datagen.fine.wording import TWO_LETTERS
from datagen.labels import HEADINGS, RUNNING, TEXTS
from datagen.page.boxes import height, is_right_below
from datagen.record import Region
from datagen.writing import scripts, signs

_SIGN_WITHIN = re.compile(rf"\s([{signs.SURE_SIGNS}])\s+\S")
_SIGN_BEHIND = re.compile(rf"[^\W\d_]\S*\s+[{signs.SURE_SIGNS}]$")
_CHINESE_SECTION = re.compile(r"[一二三四五六七八九十]{1,3}、")
_SECTION = re.compile(r"\d{1,2}(?:\.\d{1,2}){1,3}\.(?=\s)")
_ITEM = re.compile(r"(\d{1,2})[.)]\s+(?=[^\W\d_])")
_UNSPACED = re.compile(f"[{scripts.HAN}{scripts.PHRASED}]")
_MAX_HEADING_CHARS, _MAX_NAMES = 60, 4
_NEAR_EM, _ALIGNED_EM = 0.8, 0.5
_INSET_EM, _NARROW = 2.0, 0.6  # of the width of the page's texts
_MIN_SECTIONS, _MIN_ABOVE_TEXT, _FEW_LINES = 3, 2, 3


def doubts(regions: Sequence[Region]) -> Counter[str]:
    """The counts of contradictions of a page's regions, with headers and footers, in reading order, by the kinds of
    `structure_doubts`."""
    body = [region for region in regions if region.label not in RUNNING]
    return Counter(
        running=num_heads_of_sentences(regions) + num_lone_heads(regions),
        heading=num_signs_behind(body) + num_sections_as_items(body),
        glued=num_signs_within(body) + num_sections_within(body) + num_names_as_sentences(body),
        torn=num_ends_as_code(body),
    )


def num_heads_of_sentences(regions: Sequence[Region]) -> int:
    """The number of headers that continue in mid-sentence, in the same look, in the text right below."""
    num = 0
    for head in regions:
        if head.label != "header" or not head.lines or CLOSED.search(head.text):
            continue
        em, look = height(head.lines[0].box), look_of(head.lines)
        below = (one for one in regions if one.label in TEXTS and one.lines and look_of(one.lines[:1]) == look is not None)
        num += any(one.lines[0].text[:1].islower() and is_right_below(head.box, one.box, -em / 2, _NEAR_EM * em) for one in below)
    return num


def num_lone_heads(regions: Sequence[Region]) -> int:
    """The number of headers with words on a page with only a line or two besides. They may be the end of a letter."""
    body = [region for region in regions if region.label not in RUNNING]
    heads = [region for region in regions if region.label == "header" and TWO_LETTERS.search(region.text)]
    num_lines = sum(len(region.lines) for region in body)
    is_of_text = all(region.label in TEXTS | HEADINGS for region in body)
    return len(heads) if is_of_text and 0 < num_lines < _FEW_LINES else 0


def num_signs_behind(regions: Sequence[Region]) -> int:
    """The number of headings that end in an item's sign. In right-to-left text, the sign stands at the beginning of the line."""
    return sum(region.label in HEADINGS and bool(_SIGN_BEHIND.search(region.text)) for region in regions)


def num_sections_as_items(regions: Sequence[Region]) -> int:
    """The number of one-line items that may be sections: their numbers follow each other, each stands right above something that
    is no numbered item, and several stand above paragraphs."""
    found: list[int] = []
    num_above_text = 0
    for item, below in itertools.pairwise(regions):
        number = _ITEM.match(item.lines[0].text) if item.label == "list" and len(item.lines) == 1 else None
        is_short = number is not None and len(item.text) <= _MAX_HEADING_CHARS and not CLOSED.search(item.text)
        if number is not None and is_short and below.label in TEXTS and below.lines and not _ITEM.match(below.lines[0].text):
            found.append(int(number[1]))
            num_above_text += below.label == "text" and (len(below.lines) > 1 or len(below.text) > _MAX_HEADING_CHARS)
    numbers = [int(m[1]) for r in regions if r.label == "list" and r.lines and (m := _ITEM.match(r.lines[0].text))]
    goes_on = all(a + 1 == b for a, b in itertools.pairwise(found))
    is_sure = len(found) >= _MIN_SECTIONS and goes_on and numbers == found and num_above_text >= _MIN_ABOVE_TEXT
    return len(found) if is_sure else 0


def num_signs_within(regions: Sequence[Region]) -> int:
    """The number of items with a line in which another item begins with the same sign. It may be an item of the next column."""
    num = 0
    for region in (region for region in regions if region.label == "list" and region.lines and not region.is_unread):
        within = {match[1] for line in region.lines for match in _SIGN_WITHIN.finditer(line.text)}
        num += region.lines[0].text[:1] in within
    return num


def num_sections_within(regions: Sequence[Region]) -> int:
    """The number of lines within texts that begin with a Chinese section number, or with the number after the text's own section
    number."""
    num = 0
    for region in (region for region in regions if region.label in TEXTS and len(region.lines) > 1 and not region.is_unread):
        texts = [line.text for line in region.lines]
        num += sum(bool(_CHINESE_SECTION.match(text)) for text in texts[1:]) if "\n" in region.text else 0
        numbers = [number_of(text) for text in texts if _SECTION.match(text)]
        is_first = bool(numbers) and bool(_SECTION.match(texts[0]))
        num += is_first and any(a[:-1] == b[:-1] and a[-1] + 1 == b[-1] for a, b in itertools.pairwise(numbers))
    return num


def num_names_as_sentences(regions: Sequence[Region]) -> int:
    """The number of texts of a few short lines, far from both edges or centred, that were joined to one sentence in a script
    without spaces. They may be names below each other, or a letterhead."""
    texts = [region for region in regions if region.label == "text" and region.lines and not region.is_unread]
    left, right = min((r.box.x0 for r in texts), default=0), max((r.box.x1 for r in texts), default=0)
    num = 0
    for region in (region for region in texts if 1 < len(region.lines) <= _MAX_NAMES and "\n" not in region.text):
        (x0, _, x1, _), em = region.box, height(region.lines[0].box)
        is_unspaced = all(_UNSPACED.match(line.text[-1:]) and _UNSPACED.match(line.text[:1]) for line in region.lines)
        is_open = not any(signs.ends_clause(line.text) for line in region.lines)
        is_narrow = x1 - x0 < _NARROW * (right - left) and not _is_column(region, texts)
        num += is_unspaced and is_open and is_narrow and x0 > left + _INSET_EM * em and region.lines[0].direction != "ttb"
    return num


def _is_column(region: Region, texts: Sequence[Region]) -> bool:
    """Whether other texts of several lines begin at the edge of this region."""
    near = _ALIGNED_EM * height(region.lines[0].box)
    return any(abs(o.box.x0 - region.box.x0) < near and len(o.lines) > 1 for o in texts if o is not region)


def num_ends_as_code(regions: Sequence[Region]) -> int:
    """The number of one-line code regions that end the sentence of the text right above, such as a file name."""
    num = 0
    for text, code in itertools.pairwise(regions):
        is_line = text.label == "text" and code.label == "code" and len(code.lines) == 1 and bool(text.lines)
        if is_line and not CLOSED.search(text.text) and code.text.rstrip()[-1:] in (".", ","):
            em = height(code.lines[0].box)
            num += is_right_below(text.box, code.box, -em / 2, _NEAR_EM * em)
    return num
