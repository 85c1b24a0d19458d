"""How a page's picture is looked at before it is read: which way up, flat, and in even light; and which view reads best."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy

from datagen.engines import Choice, Engines, Quad
from datagen.page.views import View, bend
from datagen.reading.cuts import SURE, TALL, LineView, cut, side_by_side
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import LETTERS, PageLines, drift
from datagen.reading.signs_beside import with_signs
from datagen.writing.vertical_lines import TURNED

_NUM_ASKED = 8  # lines that tell which way up a page stands
_BETTER = 0.05  # another way up is believed if these are read so much more surely then
_SURE_ENGINE, _CONFIDENT, _NUM_READ = 0.8, 0.6, 4  # what the engine, and a script's reader of so many lines, must be sure of
_MOSTLY = 0.5  # of the lines' length stands: the page may be turned by a quarter
_BENT = 0.02  # of the picture's longer side: UVDoc is off by half of it on pages that lie flat
_ASKEW = 0.7  # degrees: a page is turned if half of its lines lean further
_CROOKED = 0.3  # of the lines' length, on a page that isn't flat
_DRIFT, _STEP = 0.2, 2.5  # how far each of these is off at least: in heights of it, and in pixels
_LONG = 6.0  # times as long as high: the frame of a shorter line says little of how it leans
_WELL = 0.93  # a flat view that is read so surely needs no other
_FOUND = 0.9  # of the lines that were found before
_NO_WORSE = 0.97  # of what is read surely in the picture as it came: a flat view in which less is read doesn't fit

DONE = ("turned", "unwarped", "askew", "lit", "unfit_sheet")
"""The signals of a page that tell what was done to read it better: see `Seen`."""
Read = Callable[[numpy.ndarray, Sequence[Quad]], PageLines]
"""Reads the lines at some corners of an image."""


class Looks(NamedTuple):
    """Who looks at a page before it is read; None for nobody."""

    detector: Choice
    orientation: Choice | None
    unwarping: Choice | None


class Seen(NamedTuple):
    """The view of a page in which it is read best, its lines there, and what was done, as signals: `turned` by so many quarters
    anticlockwise, `unwarped` by how far its sheet was bent or tilted, a share of its longer side, `askew` by so many degrees,
    `lit` 1, and `unfit_sheet` 1 where no model of the sheet fits."""

    view: View
    lines: PageLines
    signals: dict[str, float]


def best_view(picture: numpy.ndarray, looks: Looks, readers: LineReaders, read: Read) -> Seen:
    """The page in a picture, (H, W, 3) RGB bytes, in the view in which its lines are read best."""
    engines, signals = readers.engines, {}
    came = View(picture)
    quads = _found(came, looks.detector, engines)
    upright = came
    if looks.orientation and quads and (quarters := _quarters(picture, quads, looks.orientation, readers)):
        upright, signals["turned"] = came.turned(quarters), float(quarters)
        quads = _found(upright, looks.detector, engines)
    if not quads:
        return Seen(came, read(picture, ()), signals)
    flat, of_flat = _flat(upright, quads, looks.unwarping, engines)
    leans = {"askew": angle} if abs(angle := lean(quads)) > _ASKEW else {}
    level = upright.rotated(angle) if leans else upright  # columns are told apart on level lines alone
    if flat is None and leans:
        flat, of_flat = level, of_flat | leans
    lit = (flat or upright).lit()
    if lit is not (flat or upright):
        flat, of_flat = lit, of_flat | {"lit": 1.0}
    if flat is None:
        return Seen(upright, read(upright.image, quads), signals | of_flat)
    lines = read(flat.image, _found(flat, looks.detector, engines))
    is_sure = lines.score is not None and lines.score >= _WELL and len(lines.lines) >= _FOUND * len(quads)
    if flat is not level and not is_sure:
        others = read(level.image, _found(level, looks.detector, engines) if leans else quads)
        if lines.sureness < _NO_WORSE * others.sureness:
            return Seen(level, others, signals | leans | {"unfit_sheet": 1.0})
    return Seen(flat, lines, signals | of_flat)


def lean(quads: Sequence[Quad]) -> float:
    """By how many degrees to turn a page anticlockwise so that its lines are level: the median of its longer ones, by length."""
    angles = []
    for (x0, y0), (x1, y1), _, (x3, y3) in quads:
        wide, high = math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)
        if wide > _LONG * high:
            angles.append((math.degrees(math.atan2(y1 - y0, x1 - x0)), wide))
        elif high > _LONG * wide:
            angles.append((math.degrees(math.atan2(x0 - x3, y3 - y0)), high))
    angles.sort()
    half, along = sum(length for _, length in angles) / 2, 0.0
    return next((angle for angle, length in angles if (along := along + length) >= half), 0.0)


def _are_crooked(quads: Sequence[Quad]) -> bool:
    """Whether many of the longer lines aren't level: by more than the detector is off."""
    long = crooked = 0.0
    for (x0, y0), (x1, y1), _, (x3, y3) in quads:
        high, wide = sorted((math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)))
        if wide > _LONG * high:
            off = abs(y1 - y0) if x1 - x0 > y3 - y0 else abs(x3 - x0)
            long += wide
            crooked += wide * (off > max(_STEP, _DRIFT * high))
    return crooked > _CROOKED * long


def _found(view: View, detector: Choice, engines: Engines) -> list[Quad]:
    (found,) = detector.opened(engines).detect([view.image])
    return with_signs(view.image, [quad for quad, _ in found])


def _flat(view: View, quads: Sequence[Quad], unwarping: Choice | None, engines: Engines) -> tuple[View | None, dict[str, float]]:
    """The view made flat, and what that says of the page; None where its sheet and its lines are so already, or no model of it
    fits."""
    if unwarping is None:
        return None, {}
    (grid,) = unwarping.opened(engines).grids([view.image])
    off = bend(grid, view.image.shape[1::-1])
    if off < _BENT and not _are_crooked(quads):
        return None, {}
    try:
        return view.flat(grid), {"unwarped": off}
    except ValueError:
        return None, {"unfit_sheet": 1.0}


def _quarters(image: numpy.ndarray, quads: Sequence[Quad], orientation: Choice, readers: LineReaders) -> int:
    """By how many quarters to turn a page anticlockwise so that it stands upright.

    The engine `orientation` has an opinion, and so have the lines: on a page that was turned by a quarter most of them stand.
    Some of them are then read both ways. Where PP-OCR is sure of none, since it doesn't know the script, the reader of the
    script that they seem to be in is asked which way up its letters are.
    """
    quarters, sure = orientation.opened(readers.engines).quarters([image])[0]
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    lines = [cut(gray, quad, drift(quad)) for quad in quads]
    lengths = [max(line.image.shape) for line in lines]
    standing = sum(n for n, line in zip(lengths, lines, strict=True) if line.aspect > TALL) / max(1, sum(lengths))
    others = [quarters] if quarters else [1, 3] if standing > _MOSTLY else []
    if not others:
        return 0
    longest = sorted(zip(lengths, range(len(lines)), strict=True), reverse=True)[: 2 * _NUM_ASKED : 2]
    asked = [lines[n] for _, n in longest]
    scores = {way: _score(asked, way, readers) for way in (0, *others)}
    best = max(others, key=lambda way: scores[way])
    if scores[0] >= SURE or scores[best] >= SURE:
        return best if scores[best] > scores[0] + _BETTER else 0
    # The engine takes Arabic that stands upright for upside down: no letters but those that a reader knows tell these apart.
    family = (1, 3) if standing > _MOSTLY else (0, 2)
    confident = {way: _confidence(asked, way, readers) for way in family}
    best = max(family, key=lambda way: confident[way])
    if confident[best][0] >= _CONFIDENT:
        # Mongolian letters lie on their side in the columns of a page that stands upright.
        return best - 1 if confident[best][1] in TURNED and family == (1, 3) else best
    return quarters if quarters in (1, 3) and quarters in family and sure >= _SURE_ENGINE else 0


def _turned(lines: Sequence[LineView], quarters: int) -> list[numpy.ndarray]:
    return [numpy.ascontiguousarray(numpy.rot90(line.image, quarters)) for line in lines]


def _confidence(lines: Sequence[LineView], quarters: int, readers: LineReaders) -> tuple[float, str]:
    """How sure the reader of their likeliest script is of lines that were turned by so many quarters, and that script; 0 where
    PP-OCR reads it, which has been asked."""
    turned = _turned(lines, quarters)
    script = readers.guessed_script(turned)
    reader, lang = readers.who("und", script)
    return (readers.confidence(reader, turned[:_NUM_READ], lang, script) if reader != readers.ppocr else 0.0), script


def _score(lines: Sequence[LineView], quarters: int, readers: LineReaders) -> float:
    """How surely PP-OCR reads lines that were turned by so many quarters: 0 where it says hardly a letter. The characters of
    those that stand then are set side by side."""
    turned = [LineView(line.quad, numpy.ascontiguousarray(numpy.rot90(line.image, quarters))) for line in lines]
    views = [side_by_side(line).image if line.aspect > TALL else line.image for line in turned]
    readings = readers.read(readers.ppocr, views)
    num_letters = sum(c.isalnum() for text, _ in readings for c in text)
    if num_letters < LETTERS * sum(view.shape[1] / view.shape[0] for view in views):
        return 0.0
    num_chars = sum(len(text) for text, _ in readings)
    return sum((score or 0.0) * len(text) for text, score in readings) / max(1, num_chars)
