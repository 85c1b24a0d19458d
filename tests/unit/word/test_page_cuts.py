"""Formulas and tables cut out of a page's image: all of their ink, and nothing of what stands around."""

import io

import numpy
import pytest
from PIL import Image

from datagen.coarse.page import OpenPage, rendered
from datagen.engines.light_pymupdf import pymupdf
from datagen.record import Box
from datagen.word.pages.page_cuts import cut, formula_ink, table_box

PLACE = (40.0, 40.0, 80.0, 60.0)


@pytest.fixture
def page() -> pymupdf.Page:
    return pymupdf.open().new_page(width=200, height=200)


def view(page: pymupdf.Page) -> OpenPage:
    """Its image, two pixels a point."""
    return rendered(page.parent, 0, 400, 5000)


def block(page: pymupdf.Page, *box: float) -> None:
    page.draw_rect(pymupdf.Rect(*box), color=None, fill=(0, 0, 0))


def test_ink_is_cut_whole_even_where_it_leaves_its_place(page: pymupdf.Page) -> None:
    block(page, 45, 45, 75, 55)
    block(page, 77, 45, 81.5, 50)  # an accent that hangs over

    ink = formula_ink(view(page), PLACE)

    assert ink is not None
    assert ink.box == Box(90, 90, 163, 110)
    assert ink.image.shape == (20, 73, 3)


def test_neighbours_that_reach_in_are_left_out(page: pymupdf.Page) -> None:
    block(page, 45, 45, 75, 55)
    block(page, 50, 30, 52, 43)  # the tail of a letter above
    block(page, 20, 39.5, 180, 40.5)  # the rule of a cell
    block(page, 85, 40, 95, 55)  # the next letter

    ink = formula_ink(view(page), PLACE)

    assert ink is not None
    assert ink.box == Box(90, 90, 150, 110)
    assert ink.image.max() == 0


def test_neighbour_within_the_box_is_painted_over(page: pymupdf.Page) -> None:
    block(page, 45, 55, 75, 59)
    block(page, 45, 41, 47, 50)
    block(page, 60, 30, 61, 44)  # a tail, between the formula's own signs

    ink = formula_ink(view(page), PLACE)

    assert ink is not None
    assert ink.image[: 2 * 4, 2 * 15 - 2 : 2 * 17 + 2].min() == 255


def test_formula_that_is_drawn_over_its_neighbours_has_no_cut(page: pymupdf.Page) -> None:
    block(page, 45, 45, 75, 55)
    block(page, 70, 45, 120, 55)

    assert formula_ink(view(page), PLACE) is None


def test_empty_place_has_no_cut(page: pymupdf.Page) -> None:
    assert formula_ink(view(page), PLACE) is None


def test_paper_may_have_a_colour(page: pymupdf.Page) -> None:
    page.draw_rect(page.rect, color=None, fill=(1, 1, 0.6))
    block(page, 45, 45, 75, 55)

    ink = formula_ink(view(page), PLACE)

    assert ink is not None
    assert ink.box == Box(90, 90, 150, 110)


def test_frame_of_a_table_is_in_its_box(page: pymupdf.Page) -> None:
    page.draw_rect(pymupdf.Rect(40, 40, 120, 90), color=(0, 0, 0), width=2)

    assert table_box(view(page), (40.0, 40.0, 120.0, 90.0)) == Box(78, 78, 242, 182)


def test_table_without_a_frame_keeps_to_its_cells(page: pymupdf.Page) -> None:
    block(page, 60, 60, 70, 70)

    assert table_box(view(page), (40.0, 40.0, 120.0, 90.0)) == Box(80, 80, 240, 180)


def test_cut_has_paper_around_it() -> None:
    image = numpy.full((20, 30, 3), 250, numpy.uint8)
    image[5:15, 10:20] = 0

    jpeg, size, inner = cut(image, 95)

    pixels = numpy.asarray(Image.open(io.BytesIO(jpeg)))
    assert size == (pixels.shape[1], pixels.shape[0])
    assert (inner.x1 - inner.x0, inner.y1 - inner.y0) == (30, 20)
    assert pixels[: inner.y0].min() > 240
    assert pixels[inner.y0 + 7, inner.x0 + 12].max() < 20
