"""Pages without their doubted regions: what is painted over, what stays, and when a page can't be masked."""

from dataclasses import replace

import numpy
import pytest
from PIL import Image

from datagen import contract
from datagen.markdown import markdown
from datagen.page.images import pixels as pixels_of
from datagen.page.masked import masked
from datagen.record import Box, Masked, Region
from tests.inputs.samples import encoded, sample

PAPER, INK = (250, 245, 230), (20, 20, 30)
BOXES = (Box(50, 50, 350, 80), Box(50, 100, 350, 130), Box(50, 150, 350, 180), Box(50, 200, 350, 230))


def page(*regions: Region):
    pixels = numpy.full((400, 400, 3), PAPER, numpy.uint8)
    for region in regions:
        for x in range(region.box.x0 + 4, region.box.x1 - 10, 16):
            pixels[region.box.y0 + 6 : region.box.y1 - 6, x : x + 9] = INK
    image = encoded(Image.fromarray(pixels), "PNG")
    return sample(image=image, size=(400, 400), regions=regions, text=markdown(regions))


def texts(*labels: str, **of_first) -> list[Region]:
    made = [Region(box, label, f"text {i}", None, "pymupdf") for i, (box, label) in enumerate(zip(BOXES, labels, strict=False))]
    return [replace(made[0], **of_first), *made[1:]]


def has_ink(image: bytes, box: Box) -> bool:
    return bool((pixels_of(image)[box.y0 : box.y1, box.x0 : box.x1].min() < 128).any())


def test_a_doubted_region_leaves_image_text_and_regions_and_the_others_stay():
    whole = page(*texts("text", "table", "text", "text"))
    made, share, reason = masked(whole, {1: "unsure_table"}, 0.6)
    assert (made.masked, reason) == ((Masked(BOXES[1], "unsure_table"),), "")
    assert share == pytest.approx(0.75, abs=0.01)
    assert [region.text for region in made.regions] == ["text 0", "text 2", "text 3"] and made.text == markdown(made.regions)
    assert [has_ink(made.image, box) for box in BOXES] == [True, False, True, True]
    at = pixels_of(made.image)[BOXES[1].y0 : BOXES[1].y1, BOXES[1].x0 : BOXES[1].x1]
    assert numpy.abs(at.astype(int) - PAPER).max() <= 4
    contract.check(made)


def test_a_page_with_too_much_doubted_ink_stays_as_it_was():
    whole = page(*texts("text", "text", "text", "text"))
    made, share, reason = masked(whole, {0: "a", 2: "b"}, 0.6)
    assert (made, reason) == (whole, "too_much_doubted") and share == pytest.approx(0.5, abs=0.01)


def test_ink_of_pictures_is_no_ink_of_text():
    whole = page(*texts("image", "text", "text", "text"))
    made, share, reason = masked(whole, {0: "a"}, 1.0)
    assert (share, reason) == (1.0, "") and not has_ink(made.image, BOXES[0])


def test_what_a_masked_region_goes_on_in_is_masked_too():
    whole = page(*texts("text", "header", "text", "text", continues=True))
    made, _, reason = masked(whole, {0: "a"}, 0.3)
    assert made.masked == (Masked(BOXES[0], "a"), Masked(BOXES[2], "goes_on_from_mask")) and not reason
    assert [region.text for region in made.regions] == ["text 1", "text 3"]


def test_what_goes_on_in_a_masked_region_ends_there():
    whole = page(*texts("text", "header", "text", "text", continues=True))
    made, _, _ = masked(whole, {2: "a"}, 0.3)
    assert [region.continues for region in made.regions] == [False] * 3 and len(made.masked) == 1


def test_a_mask_that_would_cut_a_kept_line_isnt_made():
    first, second, *rest = texts("text", "text", "text", "text")
    whole = page(first, replace(second, box=Box(50, 90, 350, 175)), *rest)
    assert masked(whole, {1: "a"}, 0.3)[::2] == (whole, "mask_cuts_text")


def test_nothing_doubted_nothing_changed():
    whole = page(*texts("text", "text"))
    assert masked(whole, {}, 0.6) == (whole, 1.0, "")
