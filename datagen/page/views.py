"""Views of a page's picture that are easier to read: turned upright, made flat, evenly lit; and the way back, so that what was
found in a view gets its place in the picture as it came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy

from datagen.record import Box, Line, Polygon, Region

Points = Callable[[numpy.ndarray], numpy.ndarray]
"""Takes (N, 2) places in a view to those in the picture."""

_BEYOND = 1  # cells of a grid that are added at each edge: a model that finds the sheet may cut off what is near its edge
_MOST_GROWN = 1.5  # times the pixels of the picture, at most, has a flat view
_SMALL = 320  # pixels of the longer side on which the light is measured
_LIGHT = 0.06  # of that side: letters are smaller, shadows larger
_WHITE, _DIM = 245, 0.72  # what paper becomes; a page is dim or uneven whose paper has less than such a share of it somewhere
_SHADE, _COLOUR = 0.35, 0.25  # of the usual paper's brightness; saturation: what is farther off lies in no shadow
_MOST_GAIN = 5.0
_STEPS = 9  # places along each edge of a box that are taken back
_CURVED = 3.0  # pixels that they are off a straight edge


@dataclass(frozen=True)
class View:
    """An image, (H, W, 3) RGB bytes, of a picture of a page, and the way back to it; None if it is the picture itself."""

    image: numpy.ndarray
    back: Points | None = None

    def turned(self, quarters: int) -> "View":
        """The view turned anticlockwise by so many quarters."""
        if not quarters % 4:
            return self
        height, width = self.image.shape[:2]

        def back(points: numpy.ndarray) -> numpy.ndarray:
            x, y = points.T
            across, down = (width, height) if quarters % 2 == 0 else (height, width)
            for _ in range(quarters % 4):
                x, y, across, down = down - y, x, down, across
            return numpy.stack([x, y], 1)

        return View(numpy.ascontiguousarray(numpy.rot90(self.image, quarters)), self._after(back))

    def rotated(self, degrees: float) -> "View":
        """The view turned anticlockwise by an angle, as large as it needs to be to hold all of it."""
        height, width = self.image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        corners = numpy.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)]) @ matrix.T
        low, high = corners.min(0), corners.max(0)
        matrix = numpy.hstack([matrix[:, :2], matrix[:, 2:] - low[:, None]])
        size = tuple(numpy.ceil(high - low).astype(int).tolist())
        image = cv2.warpAffine(self.image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        inverse = cv2.invertAffineTransform(matrix)
        return View(image, self._after(lambda points: points @ inverse[:, :2].T + inverse[:, 2]))

    def flat(self, grid: numpy.ndarray) -> "View":
        """The sheet of which points at even distances lie at `grid`, (rows, columns, 2), in this view, made flat; with a little
        of what lies around it. Raises `ValueError` if the grid folds over, or leaves hardly anything of the view."""
        grid = _extended(grid.astype(numpy.float32))
        if folds(grid):
            raise ValueError("the sheet folds over")
        rows, columns = grid.shape[:2]
        wide = float(numpy.linalg.norm(numpy.diff(grid, axis=1), axis=2).sum(1).mean())
        high = float(numpy.linalg.norm(numpy.diff(grid, axis=0), axis=2).sum(0).mean())
        scale = min(1.0, (_MOST_GROWN * self.image.shape[0] * self.image.shape[1] / max(1.0, wide * high)) ** 0.5)
        width, height = max(2, round(wide * scale)), max(2, round(high * scale))
        if width * height < 0.05 * self.image.shape[0] * self.image.shape[1]:
            raise ValueError("the sheet is tiny")
        step = numpy.array([(columns - 1) / (width - 1), (rows - 1) / (height - 1)], numpy.float32)

        def back(points: numpy.ndarray) -> numpy.ndarray:
            at = (numpy.asarray(points, numpy.float32) * step)[None]
            return cv2.remap(grid, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0].astype(float)

        xs, ys = (numpy.arange(side, dtype=numpy.float32) * by for side, by in zip((width, height), step, strict=True))
        u, v = numpy.meshgrid(xs, ys)
        places = cv2.remap(grid, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        image = cv2.remap(self.image, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return View(image, self._after(back))

    def lit(self) -> "View":
        """The view as if the light were even and bright, if it isn't; itself if it is."""
        image = evenly_lit(self.image)
        return self if image is self.image else replace(self, image=image)

    def _after(self, step: Points) -> Points:
        """The way back from a view of this view, of which `step` is the last part."""
        before = self.back
        return step if before is None else lambda points: before(step(points))


def folds(grid: numpy.ndarray) -> bool:
    """Whether the sheet whose points lie at `grid`, (rows, columns, 2), lies over itself or is turned over: a cell's corners
    don't go round as those of a page do."""
    right, down = numpy.diff(grid, axis=1)[:-1], numpy.diff(grid, axis=0)[:, :-1]
    return bool((right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0] <= 0).any())


def bend(grid: numpy.ndarray, size: tuple[int, int]) -> float:
    """How far the sheet at `grid`, (rows, columns, 2), is from one that lies flat and straight on a scanner's glass: the 90th
    percentile of the distances of its points, of a picture's (width, height), as a share of its longer side."""
    rows, columns = grid.shape[:2]
    u, v = numpy.meshgrid(numpy.linspace(0, 1, columns), numpy.linspace(0, 1, rows))
    off = []
    for along, places in ((u, grid[..., 0]), (v, grid[..., 1])):
        slope, start = numpy.polyfit(along.ravel(), places.ravel(), 1)
        off.append(places - slope * along - start)
    return float(numpy.percentile(numpy.hypot(*off), 90)) / max(size)


def evenly_lit(image: numpy.ndarray) -> numpy.ndarray:
    """The image, (H, W, 3) bytes, with the same bright paper everywhere; the image itself where its paper is so already, or where
    it has hardly any. What is brighter than its surroundings is taken for paper, unless it is far darker than the paper of the
    page or of another colour, as a picture is, or a band with light letters: that is as bright as it was beside the paper."""
    height, width = image.shape[:2]
    scale = _SMALL / max(height, width)
    small = cv2.resize(image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
    reach = 2 * round(_LIGHT * _SMALL / 2) + 1
    paper = cv2.medianBlur(cv2.dilate(small, numpy.ones((reach // 2, reach // 2), numpy.uint8)), reach)
    gray = paper.max(axis=2).astype(numpy.float32)
    colour = 1 - paper.min(axis=2) / numpy.maximum(1, gray)
    bright = gray >= numpy.percentile(gray, 90)
    usual = numpy.median(paper[bright], axis=0)
    is_paper = (gray >= _SHADE * usual.max()) & (numpy.abs(colour - numpy.median(colour[bright])) < _COLOUR)
    if numpy.percentile(gray[is_paper], 10) >= _DIM * _WHITE:
        return image
    paper = numpy.where(is_paper[..., None], paper, usual).astype(numpy.uint8)
    paper = cv2.GaussianBlur(paper, (0, 0), reach / 3)
    gain = numpy.clip(_WHITE / numpy.maximum(1.0, paper.astype(numpy.float32)), 1.0, _MOST_GAIN)
    return cv2.multiply(image, cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR), dtype=cv2.CV_8U)


def smaller(image: numpy.ndarray, long_side: int) -> numpy.ndarray:
    """An image with at most `long_side` pixels along its longer side; itself, if it has no more."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return image if scale >= 1 else numpy.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def as_it_came(regions: Sequence[Region], view: View, size: tuple[int, int]) -> tuple[Region, ...]:
    """Regions of a view with their places in the picture, of this (width, height). Polygons have the corners, from the top left
    one of the text as it is read; a region's has more points along its upper and its lower edge, as many on both, where these
    are curved. Boxes hold all of the edges."""
    if view.back is None:
        return tuple(regions)
    made = []
    for region in regions:
        of_region = _corners(region.polygon, region.box)
        box, corners = _placed(of_region, view.back, size)
        polygon = _along(of_region, view.back, size, corners)
        lines = []
        for line in region.lines:
            of_line, corners = _placed(line.corners, view.back, size)
            lines.append(replace(line, box=of_line, polygon=corners))
        made.append(replace(region, box=box, polygon=polygon, lines=tuple(lines)))
    return tuple(made)


def straightened(image: numpy.ndarray, polygon: Polygon, lines: Sequence[Line], margin: int) -> tuple[numpy.ndarray, list[Line]]:
    """What is between the four corners of a `polygon` of an image, and so many pixels around, as if it were seen from the front;
    and `lines` with their places there. Of a polygon with more points these are the ends of its upper and its lower edge."""
    half = len(polygon) // 2
    corners = numpy.array([polygon[n] for n in (0, half - 1, half, -1)], numpy.float32)
    wide = max(2, round(float(max(numpy.linalg.norm(corners[1] - corners[0]), numpy.linalg.norm(corners[2] - corners[3])))))
    high = max(2, round(float(max(numpy.linalg.norm(corners[3] - corners[0]), numpy.linalg.norm(corners[2] - corners[1])))))
    x, y = margin + wide, margin + high
    target = numpy.array([(margin, margin), (x, margin), (x, y), (margin, y)], numpy.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    size = wide + 2 * margin, high + 2 * margin
    made = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    moved = []
    for line in lines:
        places = cv2.perspectiveTransform(numpy.array([line.corners], numpy.float32), matrix)[0]
        moved.append(replace(line, box=_box(places, size), polygon=()))
    return made, moved


def _placed(corners: Polygon, back: Points, size: tuple[int, int]) -> tuple[Box, Polygon]:
    """The box around what is between corners of a view, and where these lie, in the picture."""
    at = numpy.array(corners, float)
    shares = numpy.linspace(0, 1, _STEPS)[:, None]
    edges = numpy.concatenate([a + shares * (b - a) for a, b in zip(at, numpy.roll(at, -1, axis=0), strict=True)])
    polygon = tuple((round(float(x), 1), round(float(y), 1)) for x, y in numpy.clip(back(at), 0, size))
    return _box(back(edges), size), polygon


def _along(corners: Polygon, back: Points, size: tuple[int, int], straight: Polygon) -> Polygon:
    """The upper edge between corners of a view, and back along the lower one, in the picture: `straight` where it is so."""
    top_left, top_right, bottom_right, bottom_left = numpy.array(corners, float)
    shares = numpy.linspace(0, 1, _STEPS)[:, None]
    places = numpy.concatenate([top_left + shares * (top_right - top_left), bottom_right + shares * (bottom_left - bottom_right)])
    at = numpy.clip(back(places), 0, size)
    ends = numpy.array(straight)
    chords = numpy.concatenate([ends[0] + shares * (ends[1] - ends[0]), ends[2] + shares * (ends[3] - ends[2])])
    if numpy.abs(at - chords).max() < _CURVED:
        return straight
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in at)


def _box(places: numpy.ndarray, size: tuple[int, int]) -> Box:
    low, high = numpy.floor(places.min(0)).astype(int), numpy.ceil(places.max(0)).astype(int)
    x0, y0 = (max(0, min(most - 1, int(value))) for value, most in zip(low, size, strict=True))
    return Box(x0, y0, max(x0 + 1, min(size[0], int(high[0]))), max(y0 + 1, min(size[1], int(high[1]))))


def _corners(polygon: Polygon, box: Box) -> Polygon:
    x0, y0, x1, y1 = map(float, box)
    return polygon or ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def _extended(grid: numpy.ndarray) -> numpy.ndarray:
    """The grid with more cells at its edges, as large as the last ones."""
    for axis in (0, 1):
        grid = numpy.moveaxis(grid, axis, 0)
        before, behind = grid[:1] - _BEYOND * (grid[1:2] - grid[:1]), grid[-1:] + _BEYOND * (grid[-1:] - grid[-2:-1])
        grid = numpy.moveaxis(numpy.concatenate([before, grid, behind]), 0, axis)
    return numpy.ascontiguousarray(grid)
