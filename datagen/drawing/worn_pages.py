"""Pages as scanners and cameras give them, with their boxes where the picture has them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from datagen.drawing import camera, wear
from datagen.drawing.camera import Points
from datagen.record import Box, Line, Polygon, Region

_BENT = 0.5  # of the photographs show a sheet that is bent, or was folded
_EDGE = 9  # places along each side of a box: a bent line's box follows its curve


@dataclass(frozen=True)
class Wear:
    """The shares of pages that become scans and photographs. The others stay as they are."""

    scans: float = 0.25
    photographs: float = 0.15

    def __post_init__(self) -> None:
        if min(self.scans, self.photographs) < 0 or self.scans + self.photographs > 1:
            raise ValueError(f"scans is {self.scans}, photographs {self.photographs}: shares of all pages, together at most 1")

    def drawn(self, random: numpy.random.Generator) -> str:
        """What happens to a page: "", "scan", "photograph" or "bent photograph"."""
        chance = random.random()
        if chance >= self.scans + self.photographs:
            return ""
        return "scan" if chance < self.scans else "photograph" if random.random() >= _BENT else "bent photograph"


def worn(
    kind: str, pixels: numpy.ndarray, regions: Sequence[Region], random: numpy.random.Generator, line_height: float
) -> tuple[numpy.ndarray, list[Region]]:
    """A page's (H, W, 3) bytes and its regions after what `Wear.drawn` has drawn."""
    if kind != "bent photograph":
        pixels, matrix = wear.worn(pixels, random, wear.SCAN if kind == "scan" else wear.CAMERA, line_height)
        return pixels, moved(regions, by_matrix(matrix), pixels.shape[1::-1])
    pixels, points = camera.photographed(pixels, _pose(random), random)
    pixels, _ = wear.worn(pixels, random, wear.CAMERA, line_height, may_move=False)
    return pixels, moved(regions, points, pixels.shape[1::-1])


def _pose(random: numpy.random.Generator) -> camera.Pose:
    degrees, pitch, yaw = (float(random.uniform(-most, most)) for most in (3, 9, 9))
    bend, crease = (float(random.uniform(0.02, 0.12)), 0.0) if random.random() < 0.7 else (0.0, float(random.uniform(5, 25)))
    return camera.Pose(0, degrees, pitch, yaw, bend, int(random.random() < 0.4), crease, float(random.uniform(0, 0.35)))


def by_matrix(matrix: numpy.ndarray) -> Points:
    """Where the (3, 3) matrix of `wear.worn` takes places."""

    def points(places: numpy.ndarray) -> numpy.ndarray:
        moved = numpy.column_stack([places, numpy.ones(len(places))]) @ matrix.T
        return moved[:, :2] / moved[:, 2:]

    return points


def moved(regions: Sequence[Region], points: Points, size: tuple[int, int]) -> list[Region]:
    """The regions and their lines where `points` takes them, in a picture of `size` (width, height). Each has a polygon."""
    out = []
    for region in regions:
        lines = tuple(_line(line, points, size) for line in region.lines)
        box, polygon = _moved(region.box, points, size)
        out.append(replace(region, box=box, polygon=polygon, lines=lines))
    return out


def _line(line: Line, points: Points, size: tuple[int, int]) -> Line:
    box, polygon = _moved(line.box, points, size)
    return replace(line, box=box, polygon=polygon)


def _moved(box: Box, points: Points, size: tuple[int, int]) -> tuple[Box, Polygon]:
    """The upright box around a moved box, and its corners."""
    x, y = numpy.linspace(box.x0, box.x1, _EDGE), numpy.linspace(box.y0, box.y1, _EDGE)
    sides = [(x, numpy.full(_EDGE, box.y0)), (numpy.full(_EDGE, box.x1), y), (x[::-1], numpy.full(_EDGE, box.y1))]
    places = points(numpy.concatenate([numpy.column_stack(side) for side in [*sides, (numpy.full(_EDGE, box.x0), y[::-1])]]))
    places = places.clip(0, size)
    (x0, y0), (x1, y1) = numpy.floor(places.min(0)).astype(int).tolist(), numpy.ceil(places.max(0)).astype(int).tolist()
    x0, y0 = min(x0, size[0] - 1), min(y0, size[1] - 1)
    corners = tuple((round(float(u), 1), round(float(v), 1)) for u, v in places[::_EDGE])
    return Box(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)), corners
