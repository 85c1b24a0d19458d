"""Pages of which doubted regions are painted over, so that image and label say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy
import simplejpeg

from datagen.labels import PICTURES
from datagen.markdown import lacks_text, markdown
from datagen.page.boxes import area, shared
from datagen.page.images import pixels
from datagen.page.pageink import PageInk
from datagen.record import Box, Masked, Region, Sample

_AROUND = 12  # pixels about a mask in which the paper's colour is looked for
_CUT = 0.3  # of a kept line's area: a mask that covers more would cut it
_QUALITY = 95


class Outcome(NamedTuple):
    """The page with its masks, or as it was, with the `reason` why it can't be masked; and the share of its text's ink that is in
    accepted regions, from 0 to 1."""

    page: Sample
    accepted_share: float
    reason: str = ""


def masked(page: Sample, doubted: Mapping[int, str], keep: float) -> Outcome:
    """The page without its `doubted` regions, whose reasons are given by index: they are painted over in the image in the colour
    of the paper around them, and are in `masked` in place of the regions and the text. A doubted region that goes on takes the
    region with it in which it goes on. An accepted one that goes on in a doubted one ends at the mask.

    Reasons why a page isn't masked: `too_much_doubted`, if less than the share `keep` of the ink of its text is accepted, and
    `mask_cuts_text`, if a doubted region lies over an accepted line. Pictures, rules and dirt are no ink of text. Raises
    `SampleError` for a damaged image."""
    assert page.image is not None
    if not doubted:
        return Outcome(page, 1.0)
    refused = {**doubted, **_gone_on(page.regions, doubted)}
    parts = [(box, i not in refused) for i, region in enumerate(page.regions) for box in _text_boxes(region)]
    ink = PageInk.of(pixels(page.image), [box for box, _ in parts])
    share = _accepted_share(ink, [is_accepted for _, is_accepted in parts])
    if share < keep:
        return Outcome(page, share, "too_much_doubted")
    masks = [page.regions[i].box for i in sorted(refused)]
    lines = [box for box, is_accepted in parts if is_accepted]
    if any(shared(mask, line) > _CUT * area(line) for mask in masks for line in lines):
        return Outcome(page, share, "mask_cuts_text")
    regions = tuple(_ended(region, i, page.regions, refused) for i, region in enumerate(page.regions) if i not in refused)
    made = replace(
        page,
        image=painted(ink.pixels, masks, lines),
        regions=regions,
        text=markdown(regions),
        masked=(*page.masked, *(Masked(page.regions[i].box, refused[i]) for i in sorted(refused))),
    )
    return Outcome(made, share)


def without_unread(image: bytes, regions: Sequence[Region]) -> bytes:
    """An encoded image without its unread `regions`, as a JPEG; the same bytes if none is unread. Raises `SampleError` for a
    damaged image."""
    unread = [region.box for region in regions if lacks_text(region)]
    others = [part.box for region in regions if not lacks_text(region) for part in (region.lines or [region])]
    return painted(pixels(image), unread, others) if unread else image


def painted(page: numpy.ndarray, masks: Sequence[Box], kept: Sequence[Box]) -> bytes:
    """A page, (H, W, 3) bytes, with `masks` painted over, as a JPEG. Ink of the boxes `kept` stays where they overlap."""
    ink = PageInk.of(page, [*masks, *kept])
    return simplejpeg.encode_jpeg(ink.without(dict(enumerate(masks)), around=_AROUND), _QUALITY, "RGB", "444", fastdct=False)


def _text_boxes(region: Region) -> Sequence[Box]:
    """The boxes of a region's text: those of its lines, or its own; none of a picture."""
    return () if region.label in PICTURES else [line.box for line in region.lines] or [region.box]


def _accepted_share(ink: PageInk, is_accepted: Sequence[bool]) -> float:
    num_pixels = numpy.bincount(ink.places.ravel(), minlength=len(ink.owners)).astype(float)
    owned = ink.owners >= 0
    accepted = numpy.array([*is_accepted, False])[ink.owners]
    return float(num_pixels[owned & accepted].sum() / max(1.0, num_pixels[owned].sum()))


def _gone_on(regions: Sequence[Region], doubted: Mapping[int, str]) -> dict[int, str]:
    """The regions in which doubted ones go on."""
    result: dict[int, str] = {}
    for i, region in enumerate(regions):
        if region.continues and (i in doubted or i in result):
            following = _next(regions, i)
            if following is not None and following not in doubted:
                result[following] = "goes_on_from_mask"
    return result


def _ended(region: Region, i: int, regions: Sequence[Region], refused: Mapping[int, str]) -> Region:
    return replace(region, continues=False) if region.continues and _next(regions, i) in refused else region


def _next(regions: Sequence[Region], i: int) -> int | None:
    """The region in which the region `i` goes on: the next one of its label."""
    return next((k for k in range(i + 1, len(regions)) if regions[k].label == regions[i].label), None)
