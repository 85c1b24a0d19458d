"""How well boxes and their labels were found: F1 where one is enough, and the average precision of detection benchmarks."""

import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy
from scipy.optimize import linear_sum_assignment

IOU = 0.5
"""From which intersection over union on two boxes are the same, for F1."""

# pycocotools counts in pixels: pages become squares of this side, which changes no intersection over union.
_SIDE = 10_000.0


class Placed(NamedTuple):
    """A labelled box, as shares of the page's sides, x0 y0 x1 y1, and how sure somebody is of it. A `score` of 1 stands for boxes
    that nobody scored."""

    label: str
    box: tuple[float, float, float, float]
    score: float = 1.0


class Counts(NamedTuple):
    """How many boxes have a partner with the same label, how many there are in the truth, and how many were predicted."""

    num_same: int
    num_true: int
    num_predicted: int


def counts(truth: Sequence[Placed], predicted: Sequence[Placed]) -> dict[str, Counts]:
    """By label: what F1 is made of. Each box has one partner at most, and as many as can be have one."""
    labels = sorted({placed.label for placed in (*truth, *predicted)})
    of_labels = {}
    for label in labels:
        ours, theirs = ([placed.box for placed in side if placed.label == label] for side in (truth, predicted))
        same = overlaps(ours, theirs) >= IOU
        rows, columns = linear_sum_assignment(same, maximize=True)
        of_labels[label] = Counts(int(same[rows, columns].sum()), len(ours), len(theirs))
    return of_labels


def f1(of_labels: Iterable[Counts]) -> float:
    """Of pages' or labels' counts together; 0 where there is nothing."""
    num_same, num_true, num_predicted = (sum(numbers) for numbers in zip((0, 0, 0), *of_labels, strict=True))
    return 2 * num_same / max(1, num_true + num_predicted)


def overlaps(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> numpy.ndarray:
    """The intersection over union of each of `ours` with each of `theirs`, (len(ours), len(theirs))."""
    a, b = (numpy.array(boxes, float).reshape(-1, 4) for boxes in (ours, theirs))
    sides = numpy.minimum(a[:, None, 2:], b[None, :, 2:]) - numpy.maximum(a[:, None, :2], b[None, :, :2])
    inner = sides.clip(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (a, b)]
    return inner / numpy.maximum(areas[0][:, None] + areas[1][None, :] - inner, 1e-12)


class Detection:
    """The average precision of all pages, COCO's: at ten intersections over union from 0.5 to 0.95, by pycocotools."""

    def __init__(self, pages: Sequence[tuple[Sequence[Placed], Sequence[Placed]]]):
        """`pages` are truths and predictions."""
        from pycocotools.cocoeval import COCOeval

        self._num_pages = len(pages)
        self.labels = tuple(sorted({placed.label for truth, _ in pages for placed in truth}))
        numbers = {label: number for number, label in enumerate(self.labels, 1)}
        sides = [
            [(n, placed) for n, page in enumerate(pages) for placed in page[side] if placed.label in numbers] for side in (0, 1)
        ]
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells how long it took
            self._evaluation = COCOeval(*(_coco(len(pages), numbers, side) for side in sides), "bbox")
            self._evaluation.params.areaRng = [[0, 1e10]]
            self._evaluation.params.areaRngLbl = ["all"]
            self._evaluation.params.maxDets = [1000]
            self._evaluation.evaluate()
        self._of_pages = self._evaluation.evalImgs

    def average_precision(self, pages: Sequence[int]) -> dict[str, float]:
        """By label, of these pages, which may be named more than once; labels that they lack are left out."""
        evaluation, num = self._evaluation, self._num_pages
        evaluation.evalImgs = [self._of_pages[label * num + page] for label in range(len(self.labels)) for page in pages]
        evaluation.params.imgIds = list(range(len(pages)))
        evaluation._paramsEval = evaluation.params
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation.accumulate()
        precision = evaluation.eval["precision"][:, :, :, 0, 0]  # by intersection over union, recall, label
        means = {label: float(precision[:, :, number].mean()) for number, label in enumerate(self.labels)}
        return {label: mean for label, mean in means.items() if mean >= 0}

    def mean(self, pages: Sequence[int]) -> float:
        """The mean over the labels of these pages."""
        of_labels = self.average_precision(pages).values()
        return sum(of_labels) / max(1, len(of_labels))


def _coco(num_pages: int, numbers: Mapping[str, int], boxes: Iterable[tuple[int, Placed]]) -> Any:
    """Boxes, each with the number of its page, as pycocotools takes them."""
    from pycocotools.coco import COCO

    annotations = []
    for number, (page, placed) in enumerate(boxes, 1):
        x0, y0, x1, y1 = (value * _SIDE for value in placed.box)
        place = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "score": placed.score}
        names = {"id": number, "image_id": page, "category_id": numbers[placed.label], "iscrowd": 0, "ignore": 0}
        annotations.append(names | place)
    coco = COCO()
    categories = [{"id": number} for number in numbers.values()]
    coco.dataset = {"images": [{"id": n} for n in range(num_pages)], "categories": categories, "annotations": annotations}
    coco.createIndex()
    return coco
