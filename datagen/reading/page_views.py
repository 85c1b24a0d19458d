"""Views of a page's image for reading: upright, flat and evenly lit; and the choice of the view that is read best."""

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

_NUM_ASKED = 8  # lines that are read to learn which way up a page is
_BETTER = 0.05  # a page is turned if its lines are then read so much more surely
_SURE_ENGINE, _CONFIDENT, _NUM_READ = 0.8, 0.6, 4  # least sureness of the engine; of a script's reader, on so many lines
_MOSTLY = 0.5  # of the lines' length: if more is vertical, the page may be turned by a quarter
_BENT = 0.02  # of the image's longer side: on flat pages, UVDoc's error is half as large
_ASKEW = 0.7  # degrees: a page is rotated if its lines lean more, in the median
_CROOKED = 0.3  # of the lines' length: a page isn't flat if more is crooked
_DRIFT, _STEP = 0.2, 2.5  # a crooked line deviates more, in its heights and in pixels
_LONG = 6.0  # times as long as high: the corners of shorter lines tell little about their angle
_WELL = 0.93  # with such a score, no other view than the flat one is tried
_FOUND = 0.9  # of the lines found before: so many must be found in the flat view
_NO_WORSE = 0.97  # of what is read surely without flattening: a flat view with less doesn't fit

DONE = ("turned", "unwarped", "askew", "lit", "unfit_sheet")
"""The signals that tell how a page's view differs from its image: see `Seen`."""
Read = Callable[[numpy.ndarray, Sequence[Quad]], PageLines]
"""Reads the lines at some corners of an image."""


class Looks(NamedTuple):
    """The engines that look at a page before it is read. None: this step is left out."""

    detector: Choice
    orientation: Choice | None
    unwarping: Choice | None


class Seen(NamedTuple):
    """The view in which a page is read best, its lines in this view, and signals. `turned`: quarter turns anticlockwise.
    `unwarped`: how much the sheet was bent or tilted, as a share of its longer side. `askew`: degrees. `lit`: 1 if the light was
    evened. `unfit_sheet`: 1 if the model of the sheet doesn't fit."""

    view: View
    lines: PageLines
    signals: dict[str, float]


def best_view(picture: numpy.ndarray, looks: Looks, readers: LineReaders, read: Read) -> Seen:
    """The view of a page's image, (H, W, 3) RGB bytes, in which the page's lines are read best."""
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
    level = upright.rotated(angle) if leans else upright  # columns are found only on level lines
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
    """The degrees by which to turn a page anticlockwise to make its lines level: the median of the long lines, by length."""
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
    """Whether many long lines aren't level, by more than the detector's error."""
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
    """The flattened view, and its signals. The view is None if the sheet and its lines are flat already, or if the model of the
    sheet doesn't fit."""
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
    """The number of quarter turns anticlockwise that make a page upright.

    The engine `orientation` makes a guess, and so do the lines: on a page turned by a quarter, most lines are vertical. Some
    lines are then read in each direction. If PP-OCR is never sure, because it doesn't know the script, the reader of the
    likeliest script decides.
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
    # The engine takes upright Arabic for upside down. Only a reader of the script can decide.
    family = (1, 3) if standing > _MOSTLY else (0, 2)
    confident = {way: _confidence(asked, way, readers) for way in family}
    best = max(family, key=lambda way: confident[way])
    if confident[best][0] >= _CONFIDENT:
        # In the columns of an upright Mongolian page, letters lie on their side.
        return best - 1 if confident[best][1] in TURNED and family == (1, 3) else best
    return quarters if quarters in (1, 3) and quarters in family and sure >= _SURE_ENGINE else 0


def _turned(lines: Sequence[LineView], quarters: int) -> list[numpy.ndarray]:
    return [numpy.ascontiguousarray(numpy.rot90(line.image, quarters)) for line in lines]


def _confidence(lines: Sequence[LineView], quarters: int, readers: LineReaders) -> tuple[float, str]:
    """The confidence of the reader of the lines' likeliest script, after so many quarter turns, and the script. 0 if this reader
    is PP-OCR, which has been asked already."""
    turned = _turned(lines, quarters)
    script = readers.guessed_script(turned)
    reader, lang = readers.who("und", script)
    return (readers.confidence(reader, turned[:_NUM_READ], lang, script) if reader != readers.ppocr else 0.0), script


def _score(lines: Sequence[LineView], quarters: int, readers: LineReaders) -> float:
    """PP-OCR's mean score on lines after so many quarter turns; 0 if it reads hardly any letters. The characters of vertical
    lines are set side by side."""
    turned = [LineView(line.quad, numpy.ascontiguousarray(numpy.rot90(line.image, quarters))) for line in lines]
    views = [side_by_side(line).image if line.aspect > TALL else line.image for line in turned]
    readings = readers.read(readers.ppocr, views)
    num_letters = sum(c.isalnum() for text, _ in readings for c in text)
    if num_letters < LETTERS * sum(view.shape[1] / view.shape[0] for view in views):
        return 0.0
    num_chars = sum(len(text) for text, _ in readings)
    return sum((score or 0.0) * len(text) for text, score in readings) / max(1, num_chars)
