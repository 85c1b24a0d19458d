"""Regions in doubt become unread, so that the rest of a page is free of doubt."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from datagen.fine.verdict.mark_formulas import unread
from datagen.labels import RUNNING
from datagen.markdown import markdown
from datagen.record import Region, Sample


def set_aside(page: Sample, doubtful: Iterable[int]) -> Sample:
    """The page with these regions unread. A header or footer among them becomes text, since it may belong to the page's text."""
    regions = list(page.regions)
    for i in doubtful:
        label = "text" if regions[i].label in RUNNING else regions[i].label
        regions[i] = replace(unread(regions[i]), label=label)
    return replace(page, regions=tuple(regions), text=markdown(regions))


def scored(region: Region, reason: str, share: tuple[float, int] | None) -> Region:
    """The region with its score times its `share`; unread if there is a `reason` for doubt."""
    if share is not None:
        region = replace(region, score=share[0] * (1.0 if region.score is None else region.score))
    return unread(region) if reason else region


def with_the_rest(regions: Sequence[Region], in_doubt: Iterable[int]) -> set[int]:
    """The regions in doubt, with the regions that continue in them and the regions in which they continue."""
    whole = {*in_doubt}
    links = []
    for i, region in enumerate(regions):
        following = (j for j in range(i + 1, len(regions)) if regions[j].label == region.label)
        if region.continues and (rest := next(following, None)) is not None:
            links.append({i, rest})
    for link in (*links, *reversed(links)):
        if whole & link:
            whole |= link
    return whole
