"""Photographs without text, to set signs on: letters of the photograph itself would be in a drawn scene's picture, and not in its
label."""

import functools
import logging
import random
from collections.abc import Sequence

import cv2
import numpy

from datagen.engines import Choice, Engines
from datagen.page.images import pixels
from datagen.reading import scene_lines
from datagen.record import SampleError
from datagen.samples.photographs import PACKAGES, Photograph, photographs

log = logging.getLogger(__name__)

DETECTOR, READER = Choice("ppocr-detector"), Choice("ppocr")
_SEEN = 1280  # pixels of the longer side in which text is looked for
_READ = 0.5  # of a reader's score: a surer line is text. Leaves and fur are read with less


def versions(source: str) -> dict[str, str]:
    """Of the engines that look for text in the photographs of `source`."""
    return {} if source == PACKAGES else {**DETECTOR.versions(), **READER.versions()}


def draw(source: str, random: random.Random) -> Photograph:
    """A photograph of `source` without text, drawn. Those of packages were looked at; in others PP-OCR looks for text, once a
    photograph and process. Raises `SampleError` (`text_in_photographs`) where none is without."""
    left = list(photographs(source))
    while left:
        chosen = left.pop(random.randrange(len(left)))
        if source == PACKAGES or not has_text(chosen.path):
            return chosen
    raise SampleError("text_in_photographs", f"there is text in each photograph of {source}")


@functools.lru_cache(maxsize=100_000)
def has_text(path: str) -> bool:
    """Whether PP-OCR finds lines in a photograph of which it is half sure, or which it can't read. The log says which."""
    with open(path, "rb") as file:
        image = pixels(file.read())
    scale = _SEEN / max(image.shape[:2])
    if scale < 1:
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    texts = _found(image)
    if texts:
        log.warning("no signs are drawn on %s, on which text was found: %s", path, " ".join(texts)[:80])
    return bool(texts)


def _found(image: numpy.ndarray) -> Sequence[str]:
    engines = _engines()
    (quads,) = DETECTOR.opened(engines).detect([image])
    pieces = [scene_lines.cuts(image, [quad for quad, _ in quads])]
    (lines,) = scene_lines.read_lines(pieces, READER.opened(engines).read, None)
    return [line.text or "?" for line in lines if not line.text or (line.score or 0.0) >= _READ]


@functools.cache
def _engines() -> Engines:
    return Engines()
