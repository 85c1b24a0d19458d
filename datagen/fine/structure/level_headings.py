"""The levels of headings, made to agree through a whole document."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from datagen.coarse.answers import BY
from datagen.engines import Engines
from datagen.fine.structure.heading_levels import Headings, Place, Style, heading_levels
from datagen.fine.structure.looks import look_of
from datagen.labels import HEADINGS
from datagen.markdown import markdown
from datagen.page.wording import HASHES
from datagen.record import Drop, Region, Sample
from datagen.work.pipeline import DOCUMENT, Stage

_POINTS = 842.0  # of a page's longer side: sizes are compared as if all pages were as long
_SAME_PT = 0.7  # heights that differ less are one size, since boxes are whole pixels


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
