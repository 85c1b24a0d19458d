"""Views of a page's picture, and the way back: what is found in a view has its place in the picture as it came."""

import numpy
import pytest

from datagen.page.views import View, as_it_came, bend, evenly_lit, folds, straightened
from datagen.record import Box, Line, Region

WIDTH, HEIGHT = 300, 400


def marked(*places: tuple[int, int]) -> numpy.ndarray:
    """A white page with black squares of 9 pixels around these places, (x, y)."""
    page = numpy.full((HEIGHT, WIDTH, 3), 255, numpy.uint8)
    for x, y in places:
        page[y - 4 : y + 5, x - 4 : x + 5] = 0
    return page


def lying(margin: int = 0) -> numpy.ndarray:
    """The grid of a sheet that lies flat, so far from the edges of the picture."""
    xs, ys = numpy.linspace(margin, WIDTH - 1 - margin, 31), numpy.linspace(margin, HEIGHT - 1 - margin, 45)
    return numpy.stack(numpy.meshgrid(xs, ys), -1)


def found(image: numpy.ndarray) -> numpy.ndarray:
    """The middle of what is dark, (x, y)."""
    rows, columns = numpy.nonzero(image[..., 0] < 128)
    return numpy.array([columns.mean(), rows.mean()])


def bent(margin: int = 0) -> numpy.ndarray:
    grid = lying(margin)
    grid[..., 1] += 25 * numpy.sin(numpy.linspace(0, numpy.pi, 31))
    return grid


VIEWS = {
    "turned by 2": lambda view: view.turned(2),
    "rotated": lambda view: view.rotated(7.0),
    "turned and flat": lambda view: view.turned(2).flat(bent()),
    "rotated, turned and lit": lambda view: view.rotated(-5.0).turned(1).lit(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_what_lies_in_a_view_is_taken_back_to_where_it_lies_in_the_picture(name):
    for place in ((60, 90), (220, 130), (90, 310)):
        view = VIEWS[name](View(marked(place)))
        assert view.back(found(view.image)[None] + 0.5)[0] == pytest.approx(numpy.array(place) + 0.5, abs=1.5), place


def test_a_sheet_that_folds_over_is_refused_and_one_that_lies_flat_has_no_bend():
    assert not folds(bent()) and folds(lying()[:, ::-1])
    crossed = lying()
    crossed[:, 10] = crossed[:, 14]
    with pytest.raises(ValueError, match="folds over"):
        View(marked()).flat(crossed)
    with pytest.raises(ValueError, match="tiny"):
        View(marked()).flat(lying(140))
    assert bend(lying(20), (WIDTH, HEIGHT)) == pytest.approx(0, abs=1e-6)
    assert 0.015 < bend(bent(), (WIDTH, HEIGHT)) < 25 / HEIGHT


def test_uneven_light_is_made_even_and_even_light_is_left_alone():
    page = marked((60, 90), (220, 310))
    assert evenly_lit(page) is page
    shadow = numpy.linspace(0.35, 1, WIDTH)[None, :, None]
    lit = evenly_lit((page * shadow).astype(numpy.uint8))
    paper = lit[200, 20:-20].astype(int)
    assert paper.min() > 225 and lit[90, 60].max() < 40


def test_regions_get_corners_from_the_start_of_their_text_and_boxes_that_hold_it():
    view = View(marked()).turned(1)  # the text ran upwards
    line = Line(Box(50, 100, 250, 120), "text")
    (region,) = as_it_came([Region(line.box, "text", "text", None, "x", lines=(line,))], view, (WIDTH, HEIGHT))
    assert region.box == region.lines[0].box == Box(WIDTH - 120, 50, WIDTH - 100, 250)
    assert region.lines[0].polygon == ((200.0, 50.0), (200.0, 250.0), (180.0, 250.0), (180.0, 50.0))
    (same,) = as_it_came([region], View(marked()), (WIDTH, HEIGHT))
    assert same is region


def test_a_curved_line_has_a_box_around_its_curve():
    view = View(marked()).flat(bent(10))
    height, width = view.image.shape[:2]
    line = Line(Box(20, height // 2, width - 20, height // 2 + 10), "a long line")
    (region,) = as_it_came([Region(line.box, "text", "", None, "x", lines=(line,))], view, (WIDTH, HEIGHT))
    corners = region.lines[0].polygon
    assert region.box.y1 - region.box.y0 > 30 and len(corners) == 4 and abs(corners[0][1] - corners[1][1]) < 3
    upper, lower = region.polygon[:9], region.polygon[9:]
    assert upper[4][1] - upper[0][1] > 20 and all(8 < b[1] - a[1] < 13 for a, b in zip(upper, lower[::-1], strict=True))
    image, (moved,) = straightened(view.image, region.polygon, region.lines, 0)
    assert (image.shape[0], moved.box.x0) == (pytest.approx(10, abs=2), pytest.approx(0, abs=1))
