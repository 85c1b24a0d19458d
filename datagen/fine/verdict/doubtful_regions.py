"""Regions that cause a page's doubts. If they are few, they become unread, and the rest of the page is free of doubt."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from datagen.fine.verdict import page_doubts, structure_doubts
from datagen.fine.verdict.mark_formulas import unread
from datagen.fine.verdict.page_shares import num_chars
from datagen.labels import PICTURES, RUNNING
from datagen.markdown import markdown
from datagen.record import Region, Sample

_MAX_REGIONS = 150  # of a page, because the doubts are counted once for each


def doubtful(page: Sample, known: Iterable[int], most: float) -> frozenset[int] | None:
    """The indices of the regions that cause a page's doubts (`structure_doubts`, `page_doubts`): without such a region, a count
    of doubts is lower. The regions `known` are doubtful for other reasons. If a region is doubtful, so is the region in which
    its paragraph continues, and the other way round.

    None if the page has doubts without these regions, too. None also if the doubtful and the unread regions hold more than `most`
    of the page's characters. In both cases the whole page stays in doubt.
    """
    sizes = [0 if region.label in PICTURES | RUNNING else num_chars(region) for region in page.regions]
    unread = {i for i, region in enumerate(page.regions) if region.is_unread}
    in_doubt = {*known} - unread
    of_text = [i for i, r in enumerate(page.regions) if r.lines and r.label not in PICTURES and i not in in_doubt | unread]
    counts = _doubts(page, in_doubt | unread)
    if len(of_text) > _MAX_REGIONS or "order" in counts or _doubts(page, {*of_text, *in_doubt, *unread}):
        return None
    left_out = in_doubt | unread
    for i in of_text if counts else ():
        fewer = _doubts(page, {i, *left_out})
        in_doubt |= {i} if any(fewer[name] < num for name, num in counts.items()) else set()
        if sum(sizes[j] for j in in_doubt | unread) > most * sum(sizes):
            return None
    in_doubt = _with_the_rest(page.regions, in_doubt)
    holds_little = sum(sizes[j] for j in in_doubt | unread) <= most * sum(sizes)
    return frozenset(in_doubt) if holds_little and not _doubts(page, in_doubt | unread) else None


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


def _doubts(page: Sample, without: Iterable[int]) -> Counter[str]:
    left_out = {*without}
    regions = tuple(
        replace(region, text="", lines=(), is_unread=True) if i in left_out else region for i, region in enumerate(page.regions)
    )
    rest = replace(page, regions=regions)
    return structure_doubts.doubts(rest) + page_doubts.doubts(rest)


def _with_the_rest(regions: Sequence[Region], in_doubt: Iterable[int]) -> set[int]:
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
