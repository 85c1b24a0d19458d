"""Levels of headings that engines read. The ink tells the size of their letters; the readers' boxes don't.

Boxes of lines in one size differ by half (27 and 42 pixels, for letters of 23.8 and 23.3 pixels). Letters of one size measured by
ink differ by at most 5%, and headings of two levels mostly by 15% and more.
"""

import itertools
import re
import statistics
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy

from datagen.coarse.answers import BY
from datagen.coarse.verdict.ink_fonts import cut_out
from datagen.fine.structure.heading_levels import CHAPTER, Headings, Place, Style, heading_levels
from datagen.fine.structure.section_numbers import number_of
from datagen.fine.structure.whole_regions import relabelled
from datagen.fine.verdict.bold_ink import BOLD, MAX_LINES, MIN_CHARS, MIN_LINES, may_be_heading, stroke
from datagen.fine.verdict.raised_ink import FORMS, ON_LINE, baseline, enlarged, letter_groups
from datagen.fine.wording import TWO_LETTERS, plain
from datagen.labels import HEADINGS
from datagen.markdown import markdown
from datagen.record import Line, Region, Sample
from datagen.writing.scripts import main_script

_WIDE = frozenset(("Hani", "Hans", "Hant", "Jpan", "Kore"))
_ROMAN, _SURELY_ROMAN, _LETTER = re.compile(r"[IVX]+\. "), re.compile(r"[IVX]{2,}\. "), re.compile(r"[A-Z]\. ")
_APART, _WIDE_APART = 1.08, 1.15  # least ratio of two sizes; the same for Chinese characters, which fill their cells unevenly
_ALIKE = 1.05  # a smaller ratio is one size; ratios between are in doubt
_LARGER = {"text": 1.15, "header": 1.3}  # times the text's size, from which a region may be a heading
_HEAVIER = 1.2  # times the width of the text's strokes
_MIN_GROUPS = 12  # a baseline may bend in lines with so many groups
_HIGH = frozenset("ijіїбфё")  # about as high as tall letters
_MIN_PIXELS = 4
_SMALL = 0.7  # of a tall letter's height, such as an x


def with_heading_levels(page: Sample, gray: numpy.ndarray) -> tuple[Sample, list[int]]:
    """The page with levels of its headings that engines read, from their numbers and letter sizes; and the indices of regions in
    doubt. In doubt are headings in nearly the size of another, or in its size with other strokes; headings in the type of the
    text; and short texts and running headers in larger letters. `gray` is the page, (H, W) bytes.

    A title that is no larger than another heading becomes a sub_title. A heading without a number is one level below larger
    headings, as on pages of files (`structure.heading_levels`). Nothing changes if the size of a heading isn't known. Sizes are
    measured for Latin, Cyrillic, Greek, Chinese, Japanese and Korean letters.
    """
    regions = list(page.regions)
    sizes = {i: _size(region, gray, page.lang) for i, region in enumerate(regions) if _is_heading(region)}
    chapters = set[int]()  # headings that are only a chapter's number, right before the chapter's name
    for i, j in itertools.pairwise(sizes):
        if j == i + 1 and not TWO_LETTERS.search(plain(regions[i])):  # a chapter's number may have any size
            sizes[i] = sizes[j]
            chapters.add(i)
        elif j == i + 1 and _is_chapters_number(plain(regions[i])):
            sizes[i] = sizes[j] = max(sizes[i], sizes[j])
            chapters.add(i)
    off = _out_of_type(regions, gray, page.lang)
    if not sizes or not all(sizes.values()):
        return page, off
    apart = _WIDE_APART if any(_script(regions[i].lines[0]) in _WIDE for i in sizes) else _APART
    for i in sizes:
        beside = [sizes[j] for j in sizes if regions[j].label == "sub_title" and j not in chapters]
        if regions[i].label == "title" and beside and sizes[i] < apart * max(beside):
            regions[i] = relabelled(regions[i], "sub_title", 2)
    levels = _levels(regions, sizes, apart)
    regions = [relabelled(region, region.label, levels.get(i, 0)) for i, region in enumerate(regions)]
    in_doubt = sorted({*off, *_unranked(regions, {i: size for i, size in sizes.items() if i not in chapters}, apart, gray)})
    if regions == [*page.regions]:
        return page, in_doubt
    return replace(page, regions=tuple(regions), text=markdown(regions)), in_doubt


def _is_chapters_number(text: str) -> bool:
    """Whether a heading is only a chapter's number, such as "Chapter 5", and the next heading has the name."""
    match = CHAPTER.match(text)
    return match is not None and not text[match.end() :].strip(" .:\u3000。：—–-")


def _is_heading(region: Region) -> bool:
    is_read = region.by != BY and not region.is_unread and region.format == "markdown"
    return region.label in HEADINGS and is_read and bool(region.lines) and region.lines[0].direction != "ttb"


def _levels(regions: Sequence[Region], sizes: Mapping[int, float], apart: float) -> dict[int, int]:
    styles: dict[Place, Style] = {}
    number, first = 0, 0.0
    for i in sorted(sizes, key=lambda i: sizes[i]):
        if sizes[i] >= apart * first:
            number, first = number + 1, sizes[i]
        styles[Place(0, i)] = Style("", number)
    places = {Place(0, i): regions[i] for i in sizes if regions[i].label == "sub_title"}
    heights = {place: sizes[place.region] for place in places}
    levels = heading_levels(Headings(places, styles, heights, {}), dict.fromkeys(places, "sub_title"))
    result = {place.region: level for place, level in levels.items()}
    for i in sorted(result, key=lambda i: -sizes[i]):
        smaller = [j for j in result if sizes[i] >= apart * sizes[j]]
        if smaller and not number_of(plain(regions[i])) and (lacking := 1 + result[i] - min(result[j] for j in smaller)) > 0:
            result |= {j: min(6, result[j] + lacking) for j in smaller}
    return _as_ranked(result, {i: plain(regions[i]) for i in result})


def _as_ranked(levels: Mapping[int, int], texts: Mapping[int, str]) -> dict[int, int]:
    """The levels, with Roman-numbered sections above lettered sections: small capitals hide the difference in size."""
    letters, romans = set[int](), set[int]()
    last = ""  # the letter of the last lettered section
    for i, text in sorted(texts.items()):
        if _ROMAN.match(text) and not (last and ord(text[0]) == ord(last) + 1):  # after H, I is a letter
            romans.add(i)
        elif _LETTER.match(text):
            letters.add(i)
            last = text[0]
    if not letters or not any(_SURELY_ROMAN.match(texts[i]) for i in romans):
        return dict(levels)
    highest = min(levels[i] for i in letters | romans)
    return {**levels, **dict.fromkeys(romans, highest), **dict.fromkeys(letters, min(6, highest + 1))}


def _unranked(regions: Sequence[Region], sizes: Mapping[int, float], apart: float, gray: numpy.ndarray) -> set[int]:
    """Unnumbered headings in nearly the size of another heading, or in its size with other strokes: their levels are unclear."""
    in_doubt: set[int] = set()
    strokes = {i: stroke(regions[i].lines[0], gray) for i in sizes}
    for i, j in itertools.combinations(sizes, 2):
        unnumbered = {n for n in (i, j) if not number_of(plain(regions[n])) and regions[n].label == "sub_title"}
        ratio = max(sizes[i], sizes[j]) / min(sizes[i], sizes[j])
        bolder = max(strokes[i], strokes[j]) > BOLD * min(strokes[i], strokes[j]) > 0
        if unnumbered and (_ALIKE * apart / _APART < ratio < apart or (ratio < apart and bolder)):
            in_doubt |= unnumbered
    return in_doubt


def _usual(regions: Sequence[Region], gray: numpy.ndarray, lang: str) -> tuple[float, float]:
    """The height of the text's letters and the width of their strokes; 0 if too few lines could be measured."""
    texts = [region for region in regions if region.label == "text" and not region.is_unread and region.by != BY]
    lines = [line for region in texts for line in region.lines if len(line.text) >= MIN_CHARS][:MAX_LINES]
    sizes = [size for line in lines if (size := letter_height(line, gray, lang))]
    strokes = [width for line in lines if (width := stroke(line, gray))]
    size, weight = (statistics.median(of) if len(of) >= MIN_LINES else 0.0 for of in (sizes, strokes))
    return size, weight


def _out_of_type(regions: Sequence[Region], gray: numpy.ndarray, lang: str) -> list[int]:
    """The indices of regions whose type contradicts their label. A one-line text or running header that is much larger than the
    text may be a heading. A heading in the text's size and weight, without a number such as 2.1, may be none."""
    size, weight = _usual(regions, gray, lang)
    if not size or not weight:
        return []
    in_doubt = []
    for i, region in enumerate(regions):
        if region.by == BY or region.is_unread or len(region.lines) != 1:
            continue
        line = region.lines[0]
        if region.label in _LARGER and may_be_heading(region):
            in_doubt += [i] * (letter_height(line, gray, lang) > _LARGER[region.label] * size)
        elif region.label in HEADINGS and len(number_of(line.text)) < 2 and not line.text.isupper():
            is_plain = 0 < letter_height(line, gray, lang) < _ALIKE * size and 0 < stroke(line, gray) < _HEAVIER * weight
            in_doubt += [i] * is_plain
    return in_doubt


def _size(region: Region, gray: numpy.ndarray, lang: str) -> float:
    sizes = [size for line in region.lines if (size := letter_height(line, gray, lang))]
    return statistics.median(sizes) if sizes else 0.0


def _script(line: Line) -> str:
    return main_script(line.text)[0]


def letter_height(line: Line, gray: numpy.ndarray, lang: str) -> float:
    """The height, in pixels, of a line's tall letters or Chinese characters; 0 if it can't be measured. `gray` is the page, (H,
    W) bytes, and `lang` its language (BCP-47)."""
    script = _script(line)
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
