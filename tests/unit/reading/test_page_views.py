"""Which view of a page is read: what its lines say of how it lies, and that a model which doesn't fit is dropped."""

import math

import numpy
import pytest

from datagen.engines import Choice, Quad
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import PageLines
from datagen.reading.page_views import Looks, best_view, lean
from datagen.record import Box, Line


def rows(degrees: float, num: int = 6) -> list[Quad]:
    """Lines of 400 x 24 pixels that fall by an angle to the right."""
    dx, dy = 400 * math.cos(math.radians(degrees)), 400 * math.sin(math.radians(degrees))
    return [((50, y), (50 + dx, y + dy), (50 + dx, y + dy + 24), (50, y + 24)) for y in range(100, 100 + 60 * num, 60)]


class Looker:
    """Finds `quads`, takes the page for upright, and sees its sheet at `grid`."""

    def __init__(self, quads: list[Quad], grid: numpy.ndarray):
        self.quads, self.grid = quads, grid

    def get(self, name: str, **settings: object) -> "Looker":
        return self

    def detect(self, images):
        return [[(quad, 0.9) for quad in self.quads]]

    def quarters(self, images):
        return [(0, 0.9)]

    def grids(self, images):
        return [self.grid]


LOOKS = Looks(Choice("ppocr-detector"), Choice("page-orientation"), Choice("page-unwarping"))


def lying(width: int = 600, height: int = 600) -> numpy.ndarray:
    return numpy.stack(numpy.meshgrid(numpy.linspace(0, width - 1, 31), numpy.linspace(0, height - 1, 45)), -1)


def seen(quads: list[Quad], grid: numpy.ndarray, *scores: float, shade: int = 255):
    """The view in which a page is read whose lines have these scores, one reading after the other; and of each reading whether
    it was of the picture as it came."""
    picture = numpy.full((600, 600, 3), shade, numpy.uint8)
    asked = []

    def read(image, found):
        is_picture = image is picture
        asked.append(is_picture)
        lines = tuple(Line(Box(0, n, 9, n + 9), "ten letters", score=scores[len(asked) - 1]) for n in range(len(found)))
        return PageLines(lines, 0, "en", "Latn", Choice("ppocr"), 11 * len(found) * scores[len(asked) - 1])

    result = best_view(picture, LOOKS, LineReaders(Looker(quads, grid)), read)  # type: ignore[arg-type]
    return result, result.view.image is picture, asked


def test_a_page_that_lies_flat_is_read_once_as_it_came():
    result, is_picture, asked = seen(rows(0), lying(), 0.9)
    assert is_picture and asked == [True] and result.signals == {}


def test_a_page_whose_lines_lean_is_read_flat_and_level_only_if_that_is_not_sure():
    result, is_picture, asked = seen(rows(3), lying(), 0.97)
    assert not is_picture and asked == [False] and set(result.signals) == {"unwarped"}
    result, is_picture, asked = seen(rows(3), lying(), 0.6, 0.9)
    assert not is_picture and asked == [False, False] and set(result.signals) == {"unfit_sheet", "askew"}
    assert set(seen(rows(3), lying(), 0.85, 0.8)[0].signals) == {"unwarped"}


def test_the_lean_of_a_page_is_that_of_its_longer_lines_whichever_way_they_run():
    assert lean(rows(2.5)) == pytest.approx(2.5)
    standing = [tuple((600 - y, x) for x, y in quad) for quad in rows(2.5)]  # turned by a quarter
    standing = [(quad[3], *quad[:3]) for quad in standing]
    assert lean(standing) == pytest.approx(2.5)
    short = [((0, 0), (40, 20), (40, 40), (0, 20))] * 30
    assert lean([*rows(1), *short]) == pytest.approx(1) and lean(short) == lean([]) == 0
