"""The levels of headings, from their numbers, type and size, made to agree through a whole document."""

import itertools
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

from datagen.coarse.answers import BY
from datagen.engines import Engines
from datagen.labels import HEADINGS
from datagen.markdown import markdown
from datagen.page.wording import HASHES, OF_SECTION, plain
from datagen.record import Drop, Line, Region, Sample
from datagen.work.pipeline import DOCUMENT, Stage

_POINTS = 842.0  # of a page's longer side: sizes are compared as if all pages were as long
_SAME_PT = 0.7  # heights that differ less are one size, since boxes are whole pixels
NUMBERED = re.compile(r"(?:[\dA-Z]{1,3}\.)+\d{1,3}\.?\s+\S")
"""The number of a section within a chapter; hardly anything else is numbered like this."""
CHAPTER = re.compile(
    r"第\s*[\d一二三四五六七八九十]+\s*章|(?:chapter|kapitel|chapitre|cap[ií]t?[ou]lo|capitolo|hoofdstuk|глава|розділ|rozdział|kapitola"
    r"|fejezet|bölüm|bab|chương) [\dIVXLC]+\b",
    re.IGNORECASE,
)
_NAMED_NUMBER = re.compile(r"([^\W\d_]{2,}\.?) (?:\d{1,3}|[IVXLC]+)(?=[.:\s]|$)")
_FIRST_NUMBER = re.compile(r"[§ ]*(\d{1,3})")
_SMALLER, _PLAINLY_LARGER, _A_PIXEL = 0.93, 1.08, 1.045  # ratios to another heading's size; equal sizes may differ by the last


class Look(NamedTuple):
    """The look of letters: their size in points, their red, green and blue, and marks such as bold or underlined."""

    size: float
    colour: tuple[int, int, int]
    marks: frozenset[str]


class Style(NamedTuple):
    """A font, and the rank of its size among the document's sizes of this font, from the smallest."""

    font: str
    size: int


class Place(NamedTuple):
    page: int
    region: int


class Headings(NamedTuple):
    """A document's headings, by place, with their types and line heights."""

    regions: Mapping[Place, Region]
    styles: Mapping[Place, Style]
    heights: Mapping[Place, float]

    def region(self, place: Place) -> Region:
        return self.regions[place]


@dataclass(frozen=True)
class LevelHeadings(Stage):
    """Gives headings of a file's text that look alike one level, by numbers and sizes: see `heading_levels`. Renews the pages'
    Markdown. The labeller sees one page at a time, so it knows no other page's sizes. Headings that were read from an image keep
    the labeller's level."""

    version: ClassVar[int] = 1
    batch_size: int = field(default=DOCUMENT, init=False)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        headings = {
            Place(n, i): region
            for n, page in enumerate(batch)
            for i, region in enumerate(page.regions)
            if page.task == "page" and region.label == "sub_title" and region.by == BY and not region.is_unread
        }
        levels = heading_levels(_headings(batch, headings)) if headings else {}
        for n, page in enumerate(batch):
            regions = tuple(_at_level(region, levels.get(Place(n, i), 0)) for i, region in enumerate(page.regions))
            yield page if regions == page.regions else replace(page, regions=regions, text=markdown(regions))


def _headings(pages: Sequence[Sample], headings: Mapping[Place, Region]) -> Headings:
    heights = {place: _height(region, pages[place.page]) for place, region in headings.items()}
    looks = {place: look_of(region.lines) for place, region in headings.items()}
    sizes = {place: look.size for place, look in looks.items() if look is not None}
    return Headings(headings, _styles(headings, heights), sizes if len(sizes) == len(headings) else heights)


def _height(region: Region, page: Sample) -> float:
    return statistics.median(line.box.y1 - line.box.y0 for line in region.lines) * _POINTS / max(page.size)


def _styles(headings: Mapping[Place, Region], heights: Mapping[Place, float]) -> dict[Place, Style]:
    """The style of each heading: its font, and a number for its size. Sizes that differ only by pixels have one number."""
    by_font: dict[str, list[Place]] = defaultdict(list)
    for place, region in headings.items():
        by_font[Counter(line.font for line in region.lines).most_common(1)[0][0]].append(place)
    styles = {}
    for font, places in by_font.items():
        number, first = 0, 0.0
        for place in sorted(places, key=lambda p: (heights[p], p)):
            if heights[place] > first + _SAME_PT:
                number, first = number + 1, heights[place]
            styles[place] = Style(font, number)
    return styles


def _at_level(region: Region, level: int) -> Region:
    if not level or region.label not in HEADINGS:
        return region
    return replace(region, text=f"{'#' * level} {HASHES.sub('', region.text, count=1)}")


def heading_levels(headings: Headings) -> dict[Place, int]:
    """The levels of a document's headings. A section number tells the level. A heading without a number has the level of most
    headings of its type. Headings without numbers that share a look have one level: the one most of them have. Chapters have a
    higher level than the sections numbered within them (`_has_chapters`)."""
    of_style: dict[Style, Counter[int]] = defaultdict(Counter)
    places = list(headings.regions)
    for place in places:
        text = headings.region(place).text
        if number := OF_SECTION.match(plain(headings.region(place))):
            of_style[headings.styles[place]][min(6, 2 + number[0].strip("§. ").count("."))] += 1
        elif headings.region(place).label != "title" and (hashes := HASHES.match(text)):
            of_style[headings.styles[place]][len(hashes[0]) - 1] += 0
    by_size = _levels_by_size(headings, places, of_style)
    levels: dict[Place, int] = {}
    section: Place | None = None  # the last heading with a number
    chapter = 0
    chapters = _has_chapters(headings, places)
    for place in sorted(places):
        text = plain(headings.region(place))
        number, first = OF_SECTION.match(text), _FIRST_NUMBER.match(text)
        depth = 1 + number[0].strip("§. ").count(".") if number and first else 0
        if chapters and CHAPTER.match(text):
            levels[place], section, chapter = 2, None, -1
            continue
        if depth and first and not (depth == 1 and int(first[1]) <= chapter):  # as in "1 hour", below 4.1
            levels[place] = min(6, 1 + depth)
            section, chapter = place, int(first[1])
        elif section is not None and headings.heights[place] < _SMALLER * headings.heights[section]:
            levels[place] = min(6, levels[section] + 1)  # such as the head of a note
        else:
            levels[place] = by_size[headings.styles[place]]
    named: dict[str, list[Place]] = defaultdict(list)
    for place in levels:
        if match := _NAMED_NUMBER.match(plain(headings.region(place))):
            named[match[1]].append(place)
    of_look: dict[Look, list[Place]] = defaultdict(list)
    for place in levels:
        look = look_of(headings.region(place).lines)
        if look is not None and not OF_SECTION.match(plain(headings.region(place))):
            of_look[look].append(place)
    for alike in (*of_look.values(), *named.values()):  # such as Art. 5 and Art. 6, whose type differs by a word in italics
        levels |= dict.fromkeys(alike, statistics.mode(levels[place] for place in alike))
    return levels


def _has_chapters(headings: Headings, places: Sequence[Place]) -> bool:
    """Whether a document has chapters, and sections numbered within chapters, and no such section is larger than a chapter."""
    chapters = [headings.heights[p] for p in places if CHAPTER.match(plain(headings.region(p)))]
    sections = [headings.heights[p] for p in places if NUMBERED.match(plain(headings.region(p)))]
    return bool(chapters and sections) and max(sections) < _A_PIXEL * min(chapters)


def _levels_by_size(headings: Headings, places: Sequence[Place], of_style: Mapping[Style, Counter[int]]) -> dict[Style, int]:
    """The level of each style: the level of most of its numbered headings. A style without numbered headings has the level of a
    style in the same font and nearly the same size. Else it is one level below the larger headings on its pages."""
    of_page: dict[int, list[Place]] = defaultdict(list)
    heights: dict[Style, list[float]] = defaultdict(list)
    for place in sorted(places):
        of_page[place.page].append(place)
        heights[headings.styles[place]].append(headings.heights[place])
    result: dict[Style, int] = {}
    usual = {style: statistics.median(of_one) for style, of_one in heights.items()}
    for style in sorted(usual, key=lambda style: -usual[style]):
        known = of_style.get(style, Counter())
        result[style] = min(known, key=lambda level: (-known[level], level), default=2)
        if not any(known.values()):
            of_larger = [
                result[headings.styles[a]]
                for together in of_page.values()
                for a, b in itertools.permutations(together, 2)
                if headings.styles[b] == style
                and headings.heights[a] > _PLAINLY_LARGER * headings.heights[b]
                and headings.styles[a] in result
                and "<sup>" not in headings.region(a).text  # which makes a line's box higher
            ]
            twins = (t for t in result if t.font == style.font and t != style and not any(of_style.get(t, Counter()).values()))
            twin = next((t for t in twins if usual[t] < _A_PIXEL * usual[style]), None)
            result[style] = result[twin] if twin else min(6, 1 + max(of_larger)) if of_larger else result[style]
    return result


def look_of(lines: Sequence[Line]) -> Look | None:
    """The look that lines share, with the marks that all lines have. None if the lines differ in size or colour, or if a line's
    look isn't known."""
    looks = {line.look for line in lines}
    if not looks or "" in looks or len({tuple(look.split()[:2]) for look in looks}) != 1:
        return None
    size, colour, *_ = min(looks).split()
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return Look(float(size), (red, green, blue), frozenset.intersection(*(frozenset(look.split()[2:]) for look in looks)))
