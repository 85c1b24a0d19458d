"""Lines cut out of scenes, and what they say: whichever way up they stand."""

import math
import re
from collections.abc import Callable, Sequence

import numpy

from datagen.engines import Quad
from datagen.reading.cuts import SURE, TALL, VERY_TALL, LineView, best, cut, on_its_side, side_by_side, upside_down
from datagen.record import Box, Line
from datagen.writing.direction import is_rtl
from datagen.writing.scripts import INVISIBLE, main_script
from datagen.writing.vertical_lines import TURNED, UPRIGHT

_INVISIBLE = re.compile(f"[{INVISIBLE}]")  # Tesseract writes marks of direction
_BETTER = 0.1  # another way up is believed if its score is so much higher
_STEEP = math.radians(60)
_DOWN, _SURELY_DOWN = 0.5, 0.9  # what the classifier says of lines that were read badly, and well
_FEWEST, _MOST = 2, 4000  # pixels of a line's sides; what is smaller says nothing

Read = Callable[[Sequence[numpy.ndarray]], Sequence[tuple[str, float | None]]]
"""Reads lines, (H, W, 3) RGB bytes each."""
Turned = Callable[[Sequence[numpy.ndarray]], Sequence[float]]
"""Says from 0 to 1 whether lines are upside down."""


def as_line(read: LineView, size: tuple[int, int]) -> Line:
    """The line in an image of that (width, height)."""
    xs, ys = [x for x, _ in read.quad], [y for _, y in read.quad]
    x0, y0 = (max(0, min(most - 1, math.floor(min(of)))) for of, most in zip((xs, ys), size, strict=True))
    box = Box(x0, y0, max(x0 + 1, min(size[0], math.ceil(max(xs)))), max(y0 + 1, min(size[1], math.ceil(max(ys)))))
    return Line(box, read.text, direction=read.direction, score=read.score, polygon=read.quad)


def cuts(image: numpy.ndarray, quads: Sequence[Quad]) -> list[LineView]:
    """The lines at `quads` of an image, (H, W, 3) RGB bytes, but those with a side under two pixels."""
    straight = [cut(image, quad, _drift(quad), _MOST) for quad in map(_standing, quads)]
    return [of for of in straight if min(of.image.shape[:2]) >= _FEWEST]


def read_lines(of_scenes: Sequence[Sequence[LineView]], read: Read, turned: Turned | None) -> list[list[LineView]]:
    """What the lines of each scene say, read all together, in the same order.

    A line is read as it lies. One that is tall is read as if it ran down, first, then up, with its characters upright, and as it
    stands. One that is read badly, and that `turned` takes for upside down, is read the other way up, too; and if that is
    better, so is every line of the scene that it surely takes for such.
    """
    all_cuts = [of for scene in of_scenes for of in scene]
    tall = [n for n, of in enumerate(all_cuts) if of.aspect >= TALL]
    lines = _read([on_its_side(of) if of.aspect >= TALL else of for of in all_cuts], read)
    for n, line in zip(tall, _read_tall([(all_cuts[n], lines[n]) for n in tall], read, turned), strict=True):
        lines[n] = line
    in_order = iter(lines)
    result = [[next(in_order) for _ in scene] for scene in of_scenes]
    return _upright(result, read, turned) if turned else result


def _upright(scenes: list[list[LineView]], read: Read, turned: Turned) -> list[list[LineView]]:
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
    scenes: list[list[LineView]], numbers: Sequence[tuple[int, int]], least: float, read: Read, turned: Turned
) -> list[tuple[int, int]]:
    """Turn those of the lines that `turned` takes for upside down, and that are read better so; and say which these are."""
    if not numbers:
        return []
    angles = turned([scenes[s][n].image for s, n in numbers])
    asked = [number for number, angle in zip(numbers, angles, strict=True) if angle > least]
    lines = _read([upside_down(scenes[s][n]) for s, n in asked], read)
    better = []
    for (s, n), line in zip(asked, lines, strict=True):
        if (line.score or 0.0) > (scenes[s][n].score or 0.0) + (_BETTER if least < _SURELY_DOWN else 0.0):
            scenes[s][n] = line
            better.append((s, n))
    return better


def _read_tall(tall: Sequence[tuple[LineView, LineView]], read: Read, turned: Turned | None) -> list[LineView]:
    """The best reading of each tall line, of which it is known what it says if it runs down."""
    views: list[list[LineView]] = []
    angles = turned([down.image for _, down in tall]) if turned and tall else [0.0] * len(tall)
    for (of, down), angle in zip(tall, angles, strict=True):
        is_sure = (down.score or 0.0) >= SURE
        more = [side_by_side(of)] if not is_sure or main_script(down.text)[0] in UPRIGHT else []
        more += [upside_down(down)] if not is_sure or angle > _DOWN else []
        more += [of] if not is_sure and of.aspect <= VERY_TALL else []
        views.append(more)
    others = iter(_read([view for more in views for view in more], read))
    return [_best(of, [down, *(next(others) for _ in more)]) for (of, down), more in zip(tall, views, strict=True)]


def _best(of: LineView, views: Sequence[LineView]) -> LineView:
    surest, stands = best(views)
    if len(surest.text) < 2:
        return surest._replace(quad=of.quad, direction="ltr")
    script = main_script(surest.text)[0]
    is_column = script in TURNED or (stands and script in UPRIGHT)
    return surest._replace(quad=of.quad, direction="ttb") if is_column else surest


def _read(views: Sequence[LineView], read: Read) -> list[LineView]:
    readings = read([view.image for view in views]) if views else []
    return [with_text(view, text, score) for view, (text, score) in zip(views, readings, strict=True)]


def with_text(line: LineView, text: str, score: float | None) -> LineView:
    text = " ".join(_INVISIBLE.sub("", text).split())
    direction = "rtl" if line.direction != "ttb" and is_rtl(text, main_script(text)[0]) else line.direction
    return line._replace(text=text, score=score, direction=direction)


def _standing(quad: Quad) -> Quad:
    """The corners of a line; of a steep one from the end that is on top, so that it is a tall one."""
    (x0, y0), (x1, y1), (x3, y3) = quad[0], quad[1], quad[3]
    wide, high = math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)
    angle = math.atan2(y1 - y0, x1 - x0)
    if wide < TALL * high or abs(angle) < _STEEP:
        return quad
    return (quad[3], *quad[:3]) if angle > 0 else (*quad[1:], quad[0])


def _drift(quad: Quad) -> float:
    """By how many pixels the sides of a line are off those of the image, at most."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    return max(abs(y1 - y0), abs(y2 - y3), abs(x3 - x0), abs(x2 - x1))
