"""Apostrophes as they are drawn: PP-OCR writes all of them straight, Tesseract as it sees them."""

import re
from collections.abc import Iterable
from dataclasses import replace

from datagen.coarse.answers import BY
from datagen.fine.verdict.region_witness import Witnesses
from datagen.markdown import markdown
from datagen.record import Region, Sample

_STRAIGHT = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_MOSTLY = 4  # times as many of a page's are curved as straight: a page is set in one way


def as_drawn(page: Sample, found: Iterable[Witnesses]) -> Sample:
    """The page with the apostrophes between letters that an engine read curved, if their second reader saw most so.
    Listings stay, and what the file says."""
    seen = [line.apostrophes for witnesses in found for line in witnesses.all_lines]
    curved, straight = (sum(column) for column in zip(*seen, strict=True)) if seen else (0, 0)
    if curved <= _MOSTLY * straight:
        return page
    regions = tuple(map(_curved, page.regions))
    return replace(page, regions=regions, text=markdown(regions))


def _curved(region: Region) -> Region:
    if region.by == BY or region.label == "code" or region.format == "latex":
        return region
    lines = tuple(replace(line, text=_STRAIGHT.sub("’", line.text)) for line in region.lines)
    return replace(region, text=_STRAIGHT.sub("’", region.text), lines=lines)
