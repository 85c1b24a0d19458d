"""Shares of a page: what engines read, what is unread, what lies in pictures."""

from collections import Counter
from collections.abc import Sequence

from datagen.coarse.answers import BY
from datagen.labels import PICTURES
from datagen.page.boxes import area
from datagen.record import Region, Sample


def is_read(page: Sample) -> bool:
    """Whether engines read most of the page's text."""
    by_engine = sum(len(region.text) for region in page.regions if region.by != BY)
    return 2 * by_engine > sum(len(region.text) for region in page.regions)


def unread_share(regions: Sequence[Region]) -> float:
    """The share of the regions' area that is unread."""
    return sum(area(region.box) for region in regions if region.is_unread) / max(1, sum(area(region.box) for region in regions))


def unread_text_share(regions: Sequence[Region]) -> float:
    """The share of the regions' area that is unread and neither a formula nor a table."""
    unread = [region for region in regions if region.is_unread and region.label not in ("equation", "table")]
    return sum(area(region.box) for region in unread) / max(1, sum(area(region.box) for region in regions))


def pictured_share(page: Sample) -> float:
    """The share of the lines' characters that are in pictures."""
    chars = Counter[bool]()
    for region in page.regions:
        chars[region.label in PICTURES] += sum(len(line.text) for line in region.lines)
    return chars[True] / max(1, chars.total())


def size(region: Region) -> float:
    """The area of a region's lines, in pixels; the area of the region if it has no lines."""
    return float(sum(area(line.box) for line in region.lines)) or float(area(region.box))


def weighted_mean(weighted: Sequence[tuple[float, int]]) -> float:
    """The mean of values by their weights."""
    return sum(value * weight for value, weight in weighted) / max(1, sum(weight for _, weight in weighted))
