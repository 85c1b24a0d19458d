"""Formulas and tables cut out of a page's image: all of their ink, and nothing of what stands around."""

import pytest

from datagen.coarse.page import OpenPage, rendered
from datagen.engines.light_pymupdf import pymupdf
from datagen.record import Box
from datagen.word.pages.page_cuts import formula_ink, table_box

PLACE = (40.0, 40.0, 80.0, 60.0)


@pytest.fixture
def page() -> pymupdf.Page:
    return pymupdf.open().new_page(width=200, height=200)


def view(page: pymupdf.Page) -> OpenPage:
    """Its image, two pixels a point."""
    return rendered(page.parent, 0, 400, 5000)


def block(page: pymupdf.Page, *box: float) -> None:
    page.draw_rect(pymupdf.Rect(*box), color=None, fill=(0, 0, 0))


SIGNS = (45, 45, 75, 55)


@pytest.mark.parametrize(
    ("blocks", "box"),
    [
        pytest.param([SIGNS, (77, 45, 81.5, 50)], Box(90, 90, 163, 110), id="an accent that leaves its place"),
        pytest.param(
            [SIGNS, (50, 30, 52, 43), (20, 39.5, 180, 40.5), (85, 40, 95, 55)],
            Box(90, 90, 150, 110),
            id="the tail of a letter above, the rule of a cell, and the next letter are left out",
        ),
        pytest.param([SIGNS, (70, 45, 120, 55)], None, id="drawn over its neighbours"),
        pytest.param([], None, id="empty"),
    ],
)
@pytest.mark.parametrize("paper", [(1, 1, 1), (1, 1, 0.6)])
def test_ink_of_a_formula_is_cut_whole_and_alone(page: pymupdf.Page, paper, blocks, box) -> None:
    page.draw_rect(page.rect, color=None, fill=paper)
    for one in blocks:
        block(page, *one)

    ink = formula_ink(view(page), PLACE)

    assert (ink and ink.box) == box
    assert ink is None or ink.image.shape == (box.y1 - box.y0, box.x1 - box.x0, 3)


def test_neighbour_within_the_box_is_painted_over(page: pymupdf.Page) -> None:
    block(page, 45, 55, 75, 59)
    block(page, 45, 41, 47, 50)
    block(page, 60, 30, 61, 44)  # a tail, between the formula's own signs

    ink = formula_ink(view(page), PLACE)

    assert ink is not None
    assert ink.image[: 2 * 4, 2 * 15 - 2 : 2 * 17 + 2].min() == 255


@pytest.mark.parametrize(("frame_width", "box"), [(2, Box(78, 78, 242, 182)), (0, Box(80, 80, 240, 180))])
def test_frame_of_a_table_is_in_its_box(page: pymupdf.Page, frame_width, box) -> None:
    block(page, 60, 60, 70, 70)
    if frame_width:
        page.draw_rect(pymupdf.Rect(40, 40, 120, 90), color=(0, 0, 0), width=frame_width)

    assert table_box(view(page), (40.0, 40.0, 120.0, 90.0)) == box
