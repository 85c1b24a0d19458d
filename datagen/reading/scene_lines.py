"""Lines cut out of scenes, and what they say: whichever way up they stand."""

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy
from rapidfuzz.fuzz import ratio

from datagen.engines import Quad
from datagen.record import Box, Line
from datagen.writing.direction import is_rtl
from datagen.writing.scripts import INVISIBLE, main_script
from datagen.writing.vertical_lines import TURNED, UPRIGHT, laid

_INVISIBLE = re.compile(f"[{INVISIBLE}]")  # Tesseract writes marks of direction
SURE = 0.85  # PP-OCR's score of lines that it knows, and that stand upright
_BETTER = 0.1  # another way up is believed if its score is so much higher
_TALL, _VERY_TALL = 1.5, 3.0  # times as high as wide: it may stand or lie on its side; it is no single letter
_STEEP = math.radians(60)
_SKEW = 0.08  # of a line's height, from its one end to the other: it is warped
_SAME_TEXT = 50.0  # of 100
_DOWN, _SURELY_DOWN = 0.5, 0.9  # what the classifier says of lines that were read badly, and well
_FEWEST, _MOST = 2, 4000  # pixels of a line's sides; what is smaller says nothing

Reading = tuple[str, float | None]
Read = Callable[[Sequence[numpy.ndarray]], Sequence[Reading]]
"""Reads lines, (H, W, 3) RGB bytes each."""
Turned = Callable[[Sequence[numpy.ndarray]], Sequence[float]]
"""Says from 0 to 1 whether lines are upside down."""


class Cut(NamedTuple):
    """A line cut out of a scene: its corners in pixels, clockwise from the top left one as the image shows it, and (H, W, 3) RGB
    bytes between them, made straight."""

    quad: Quad
    image: numpy.ndarray

    @property
    def is_tall(self) -> bool:
        return self.image.shape[0] >= _TALL * self.image.shape[1]


class LineRead(NamedTuple):
    """What a line says: its corners, clockwise from the top left one of its first character, as that stands upright; and the
    line itself, upright, as it was read."""

    quad: Quad
    text: str
    score: float | None
    direction: str
    image: numpy.ndarray

    def as_line(self, size: tuple[int, int]) -> Line:
        """The line in an image of that (width, height)."""
        xs, ys = [x for x, _ in self.quad], [y for _, y in self.quad]
        x0, y0 = (max(0, min(most - 1, math.floor(min(of)))) for of, most in zip((xs, ys), size, strict=True))
        box = Box(x0, y0, max(x0 + 1, min(size[0], math.ceil(max(xs)))), max(y0 + 1, min(size[1], math.ceil(max(ys)))))
        return Line(box, self.text, direction=self.direction, score=self.score, polygon=self.quad)


def cuts(image: numpy.ndarray, quads: Sequence[Quad]) -> list[Cut]:
    """The lines at `quads` of an image, (H, W, 3) RGB bytes, but those with a side under two pixels."""
    straight = [Cut(quad, _straight(image, quad)) for quad in map(_standing, quads)]
    return [cut for cut in straight if min(cut.image.shape[:2]) >= _FEWEST]


def read_lines(of_scenes: Sequence[Sequence[Cut]], read: Read, turned: Turned | None) -> list[list[LineRead]]:
    """What the lines of each scene say, read all together, in the same order.

    A line is read as it lies. One that is tall is read as if it ran down, first, then up, with its characters upright, and as it
    stands. One that is read badly, and that `turned` takes for upside down, is read the other way up, too; and if that is
    better, so is every line of the scene that it surely takes for such.
    """
    all_cuts = [cut for scene in of_scenes for cut in scene]
    views = [_down(cut) if cut.is_tall else LineRead(cut.quad, "", None, "ltr", cut.image) for cut in all_cuts]
    lines = _read(views, read)
    tall = [n for n, cut in enumerate(all_cuts) if cut.is_tall]
    for n, line in zip(tall, _read_tall([(all_cuts[n], lines[n]) for n in tall], read, turned), strict=True):
        lines[n] = line
    result, first = [], 0
    for scene in of_scenes:
        result.append(lines[first : first + len(scene)])
        first += len(scene)
    return _upright(result, read, turned) if turned else result


def _upright(scenes: list[list[LineRead]], read: Read, turned: Turned) -> list[list[LineRead]]:
    flat = [
        [n for n, line in enumerate(scene) if line.direction == "ltr" and line.image.shape[1] > line.image.shape[0]]
        for scene in scenes
    ]
    unsure = [(s, n) for s, numbers in enumerate(flat) for n in numbers if (scenes[s][n].score or 0.0) < SURE]
    better = _turn_better(scenes, unsure, _DOWN, read, turned)
    sure = [(s, n) for s in {s for s, _ in better} for n in flat[s] if (s, n) not in unsure]
    _turn_better(scenes, sure, _SURELY_DOWN, read, turned)
    return scenes


def _turn_better(
    scenes: list[list[LineRead]], numbers: Sequence[tuple[int, int]], least: float, read: Read, turned: Turned
) -> list[tuple[int, int]]:
    """Turn those of the lines that `turned` takes for upside down, and that are read better so; and say which these are."""
    if not numbers:
        return []
    angles = turned([scenes[s][n].image for s, n in numbers])
    asked = [number for number, angle in zip(numbers, angles, strict=True) if angle > least]
    lines = _read([_turned(scenes[s][n]) for s, n in asked], read)
    better = []
    for (s, n), line in zip(asked, lines, strict=True):
        if (line.score or 0.0) > (scenes[s][n].score or 0.0) + (_BETTER if least < _SURELY_DOWN else 0.0):
            scenes[s][n] = line
            better.append((s, n))
    return better


def _read_tall(tall: Sequence[tuple[Cut, LineRead]], read: Read, turned: Turned | None) -> list[LineRead]:
    """The best reading of each tall line, of which it is known what it says if it runs down."""
    views: list[list[LineRead]] = []
    angles = turned([down.image for _, down in tall]) if turned and tall else [0.0] * len(tall)
    for (cut, down), angle in zip(tall, angles, strict=True):
        more = []
        script = main_script(down.text)[0]
        is_sure = (down.score or 0.0) >= SURE
        if not is_sure or script in UPRIGHT:
            gray = cv2.cvtColor(cut.image, cv2.COLOR_RGB2GRAY)
            row = laid(gray, Box(0, 0, gray.shape[1], gray.shape[0]), "Jpan")[0]
            more.append(LineRead(cut.quad, "", None, "ttb", cv2.cvtColor(row, cv2.COLOR_GRAY2RGB)))
        if not is_sure or angle > _DOWN:
            more.append(_turned(down))
        if not is_sure and cut.image.shape[0] <= _VERY_TALL * cut.image.shape[1]:
            more.append(LineRead(cut.quad, "", None, "ltr", cut.image))
        views.append(more)
    others = iter(_read([view for more in views for view in more], read))
    return [_best(cut, down, [next(others) for _ in more]) for (cut, down), more in zip(tall, views, strict=True)]


def _best(cut: Cut, down: LineRead, others: Sequence[LineRead]) -> LineRead:
    best = max([down, *others], key=lambda line: (line.score or 0.0, len(line.text)))
    if len(best.text) < 2:
        return best._replace(quad=cut.quad, direction="ltr")
    # PP-OCR reads a column that was turned, too. What its characters say that were set side by side tells that it is one.
    stands = any(line.direction == "ttb" and ratio(line.text, best.text) > _SAME_TEXT for line in others)
    if main_script(best.text)[0] in TURNED or (stands and main_script(best.text)[0] in UPRIGHT):
        return best._replace(quad=cut.quad, direction="ttb")
    return best


def _read(views: Sequence[LineRead], read: Read) -> list[LineRead]:
    readings = read([view.image for view in views]) if views else []
    return [with_text(view, text, score) for view, (text, score) in zip(views, readings, strict=True)]


def with_text(line: LineRead, text: str, score: float | None) -> LineRead:
    text = " ".join(_INVISIBLE.sub("", text).split())
    direction = "rtl" if line.direction != "ttb" and is_rtl(text, main_script(text)[0]) else line.direction
    return line._replace(text=text, score=score, direction=direction)


def _down(cut: Cut) -> LineRead:
    """A tall line as one that runs from top to bottom, letters lying on their right side."""
    return LineRead((*cut.quad[1:], cut.quad[0]), "", None, "ltr", numpy.ascontiguousarray(numpy.rot90(cut.image)))


def _turned(line: LineRead) -> LineRead:
    """The line upside down."""
    image = numpy.ascontiguousarray(line.image[::-1, ::-1])
    return LineRead((*line.quad[2:], *line.quad[:2]), "", None, "ltr", image)


def _standing(quad: Quad) -> Quad:
    """The corners of a line; of a steep one from the end that is on top, so that it is a tall one."""
    (x0, y0), (x1, y1), (x3, y3) = quad[0], quad[1], quad[3]
    wide, high = math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)
    angle = math.atan2(y1 - y0, x1 - x0)
    if wide < _TALL * high or abs(angle) < _STEEP:
        return quad
    return (quad[3], *quad[:3]) if angle > 0 else (*quad[1:], quad[0])


def _straight(image: numpy.ndarray, quad: Quad) -> numpy.ndarray:
    """What lies between four corners, (H, W, 3) bytes."""
    height, width = image.shape[:2]
    corners = numpy.array(quad, numpy.float32)
    wide = float(max(numpy.linalg.norm(corners[1] - corners[0]), numpy.linalg.norm(corners[2] - corners[3])))
    high = float(max(numpy.linalg.norm(corners[3] - corners[0]), numpy.linalg.norm(corners[2] - corners[1])))
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    tops = max(abs(corners[1][1] - corners[0][1]), abs(corners[2][1] - corners[3][1]))
    sides = max(abs(corners[3][0] - corners[0][0]), abs(corners[2][0] - corners[1][0]))
    if max(tops, sides) <= 1 + _SKEW * min(wide, high):
        left, top = max(0, int(x0)), max(0, int(y0))
        return numpy.ascontiguousarray(image[top : min(height, round(float(y1))), left : min(width, round(float(x1)))])
    size = min(_MOST, max(1, round(wide))), min(_MOST, max(1, round(high)))
    straight = numpy.array([(0, 0), (size[0], 0), size, (0, size[1])], numpy.float32)
    turn = cv2.getPerspectiveTransform(corners, straight)
    return cv2.warpPerspective(image, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
