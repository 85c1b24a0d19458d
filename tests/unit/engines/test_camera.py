"""A page before a camera: each point of the page is known in the picture, however the sheet lies."""

import numpy
import pytest

from datagen.drawing.camera import Pose, photographed

PLACES = ((30, 40), (165, 45), (100, 140), (40, 235), (170, 250))
POSES = {
    "flat": Pose(),
    "a quarter": Pose(quarters=1, degrees=3),
    "bent": Pose(bend=0.2, yaw=5),
    "bent the other way": Pose(bend=0.15, bend_along=1),
    "creased": Pose(crease=25, pitch=-4),
    "in shadow": Pose(shadow=0.5),
}


@pytest.mark.parametrize("name", POSES)
def test_the_picture_shows_each_point_where_it_is_said_to_be(name):
    page = numpy.full((280, 200, 3), 255, numpy.uint8)
    for x, y in PLACES:
        page[y - 6 : y + 7, x - 6 : x + 7] = (255, 0, 0)
    picture, points = photographed(page, POSES[name], numpy.random.default_rng(3))
    assert picture.dtype == numpy.uint8 and 0.5 < picture.size / page.size < 2.5
    for x, y in points(numpy.array(PLACES, float) + 0.5):
        part = picture[int(y) - 12 : int(y) + 13, int(x) - 12 : int(x) + 13].astype(int)
        red = part[..., 0] > 1.6 * part[..., 1] + 8
        rows, columns = numpy.nonzero(red)
        assert len(rows) > 40 and abs(rows.mean() - 12) < 3 and abs(columns.mean() - 12) < 3
