"""Is a formula's LaTeX what its ink shows? It is drawn again, and each piece of connected ink is compared with the drawn piece
in its place.

Typefaces differ, and so do the gaps that they leave. So pieces are paired by shape, place and size after the gaps were evened
out. A pair counts as the same if no other sign is much more like the ink than the one that the LaTeX has there.
"""

import functools
import itertools
from typing import NamedTuple

import cv2
import numpy
from scipy.optimize import linear_sum_assignment

from datagen.formulas import render
from datagen.formulas.drawing import EM, Drawing, NotDrawn

_GRID, _BLUR = 20, 1.2  # rows and columns that a piece is compared at, and the blur on them: typefaces differ by a stroke
_ASPECT = 0.25  # what a shape loses that is e times as wide for its height
_DARK, _DRAWN_DARK = 70, 100  # of 255: thin strokes of small type are gray
_LEAST_CONTRAST = 40  # between the paper and the ink
_MIN_PIXELS = 3
_GAP = 0.1  # what it costs to leave a piece out of the first pairing
_AWAY, _SIZE, _UNPAIRED = 0.8, 0.3, 1.3  # what an em of distance and a size e times as large cost; what a pair may cost
_NEIGHBOURS = 7  # pieces whose shift decides that of the one in their middle
_SURE, _OTHER = 0.2, 0.4  # by how much another sign may be more like the ink; by how much it surely is another
_STEP = (0.35, 0.6)  # ems up or down: the same place, and another one
_GROWTH = (0.6, 1.0)  # logarithm of the size: the same size, and another one
_NUMBER_SHARE, _NUMBER_GAP, _NUMBER_PIECES = 0.15, 0.08, 8  # of the width: how wide a number beside a formula is, and its gap
_ROW_GAP = 0.2  # ems between rows of a formula
_MOST_PIECES = 400  # that are paired at once
_SIGNS = (
    *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-=<>()[]/,.!*|",
    *(f"\\{name} " for name in (
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi pi rho sigma tau phi varphi chi "
        "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega partial nabla infty ell hbar times in cdot equiv leq pm "
        "otimes oplus wedge forall exists dagger prime sim approx to sum int prod { }"
    ).split()),
    *(f"\\mathrm{{{letter}}}" for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    *(f"\\mathcal{{{letter}}}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
)  # fmt: skip


class _Pieces(NamedTuple):
    """Connected pieces of ink: centres and sizes (width, height) in pixels, (N, 2); shapes, (N, `_GRID`²), each of length 1."""

    centres: numpy.ndarray
    sizes: numpy.ndarray
    shapes: numpy.ndarray

    @property
    def extents(self) -> numpy.ndarray:
        return numpy.log(self.sizes.max(axis=1))

    @property
    def aspects(self) -> numpy.ndarray:
        return numpy.log(self.sizes[:, 0] / self.sizes[:, 1])


class _Pairs(NamedTuple):
    """Which drawn piece is which of the ink; how far it is above or below its place, in ems; how much its size differs, as a
    logarithm."""

    drawn: numpy.ndarray
    ink: numpy.ndarray
    steps: numpy.ndarray
    growth: numpy.ndarray


def compared(latex: str, image: numpy.ndarray) -> tuple[float, int]:
    """How like the formula's LaTeX is to the (H, W) gray bytes of `image` (see `likeness`), and its number of signs. Raises
    `NotDrawn`."""
    drawing = render.draw(latex)
    return likeness(drawing, image), len(drawing.symbols)


def likeness(drawing: Drawing, image: numpy.ndarray) -> float:
    """The share of the formula's pieces, drawn or found in the (H, W) gray bytes of `image`, that are the same in both: from 0 to
    1. A number beside the formula is left out of account.

    Raises `NotDrawn`, with `no_ink` where the image shows nothing, and with `too_many_pieces`.
    """
    return max(_likeness(drawing.ink, part) for part in _without_number(_contrasted(image)))


def _likeness(drawn: numpy.ndarray, ink: numpy.ndarray) -> float:
    growth = drawn.shape[1] / ink.shape[1]
    if growth > 1:
        ink = cv2.resize(ink, None, fx=growth, fy=growth, interpolation=cv2.INTER_CUBIC)
    a, b = _rows(drawn, _DRAWN_DARK, _ROW_GAP * EM), _rows(ink, _DARK, _ROW_GAP * EM * min(1.0, 1 / growth))
    counts = [_same(*row) for row in (zip(a, b, strict=True) if len(a) == len(b) else [(drawn, ink)])]
    return 2.0 * sum(same for same, _ in counts) / sum(total for _, total in counts)


def _rows(ink: numpy.ndarray, dark: int, gap: float) -> list[numpy.ndarray]:
    """The ink, cut where so many rows of pixels or more are empty."""
    filled = numpy.flatnonzero((ink > dark).any(axis=1)).tolist()
    breaks = [(a, b) for a, b in itertools.pairwise(filled) if b - a > gap]
    starts, ends = [filled[0], *(b for _, b in breaks)], [*(a for a, _ in breaks), filled[-1]]
    return [ink[start : end + 1] for start, end in zip(starts, ends, strict=True)]


def _same(drawn: numpy.ndarray, ink: numpy.ndarray) -> tuple[float, int]:
    """Of how many pairs both are the same, and how many pieces there are."""
    a, b = _pieces(drawn, _DRAWN_DARK), _pieces(ink, _DARK)
    if max(len(a.shapes), len(b.shapes)) > _MOST_PIECES:
        raise NotDrawn("too_many_pieces", f"{len(a.shapes)} and {len(b.shapes)}")
    total = len(a.shapes) + len(b.shapes)
    pairs = _paired(a, b, drawn.shape, ink.shape) if len(a.shapes) and len(b.shapes) else None
    if pairs is None:
        return 0.0, total
    own = _alike(a, b)[pairs.drawn, pairs.ink]
    others = _alike(_signs(), b).max(axis=0)[pairs.ink]
    same = _falling(others - own, _SURE, _OTHER) * _falling(pairs.steps, *_STEP) * _falling(pairs.growth, *_GROWTH)
    return float(same.sum()), total


def _falling(values: numpy.ndarray, full: float, none: float) -> numpy.ndarray:
    return numpy.clip((none - values) / (none - full), 0.0, 1.0)


def _contrasted(image: numpy.ndarray) -> numpy.ndarray:
    """The ink, 255 where it is darkest or, on dark paper, brightest, cut to where it is."""
    if not image.size:
        raise NotDrawn("no_ink")
    paper = float(numpy.median(image))
    difference = numpy.abs(image.astype(numpy.float32) - paper)
    marked = difference[difference > _LEAST_CONTRAST]
    if not marked.size:
        raise NotDrawn("no_ink")
    ink = numpy.clip(difference * (255.0 / numpy.percentile(marked, 90)), 0, 255).astype(numpy.uint8)
    rows, columns = (numpy.flatnonzero((ink > _DARK).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _without_number(ink: numpy.ndarray) -> list[numpy.ndarray]:
    """The ink, and the ink without a number that stands far to the right or the left of the rest, if there is one."""
    columns = numpy.flatnonzero((ink > _DARK).any(axis=0))
    width = ink.shape[1]
    gaps = [(a + 1, b) for a, b in itertools.pairwise(columns.tolist()) if b - a > _NUMBER_GAP * width]
    parts = [ink]
    for rest, number in [(ink[:, :a], ink[:, b:]) for a, b in gaps[-1:]] + [(ink[:, b:], ink[:, :a]) for a, b in gaps[:1]]:
        if number.shape[1] < _NUMBER_SHARE * width and len(_pieces(number, _DARK).shapes) <= _NUMBER_PIECES:
            rows = numpy.flatnonzero((rest > _DARK).any(axis=1))
            parts.append(rest[rows[0] : rows[-1] + 1])
    return parts


def _pieces(ink: numpy.ndarray, dark: int) -> _Pieces:
    num, labels, stats, _ = cv2.connectedComponentsWithStats((ink > dark).astype(numpy.uint8), connectivity=8)
    boxes, shapes = [], []
    for i in range(1, num):
        x, y, width, height, area = stats[i].tolist()
        if area < _MIN_PIXELS:
            continue
        place = numpy.s_[y : y + height, x : x + width]
        alone = cv2.copyMakeBorder(numpy.where(labels[place] == i, ink[place], 0), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        way = cv2.INTER_AREA if min(width, height) > _GRID else cv2.INTER_LINEAR
        resized = cv2.resize(alone.astype(numpy.float32), (_GRID, _GRID), interpolation=way)
        shape = numpy.asarray(cv2.GaussianBlur(resized, (0, 0), _BLUR), numpy.float64).ravel()
        boxes.append((x, y, width, height))
        shapes.append((shape - shape.mean()) / (shape.std() * _GRID + 1e-6))
    places = numpy.array(boxes, numpy.float64).reshape(-1, 4)
    return _Pieces(places[:, :2] + places[:, 2:] / 2, places[:, 2:], numpy.array(shapes).reshape(-1, _GRID**2))


@functools.cache
def _signs() -> _Pieces:
    """The pieces of the signs that ink is told from."""
    return _pieces(render.draw(r"\quad ".join(_SIGNS)).ink, _DRAWN_DARK)


def _alike(a: _Pieces, b: _Pieces) -> numpy.ndarray:
    """How alike the pieces are, (A, B): the correlation of their shapes, less what a difference in aspect costs."""
    aspects = numpy.minimum(numpy.abs(a.aspects[:, None] - b.aspects), 2.0)
    return a.shapes @ b.shapes.T - _ASPECT * aspects


def _paired(drawn: _Pieces, ink: _Pieces, size: tuple[int, ...], ink_size: tuple[int, ...]) -> _Pairs | None:
    """Pairs of pieces; None if fewer than two are alike, or, of a formula of one piece, none is."""
    alike = _alike(drawn, ink)
    scale = size[1] / ink_size[1]
    down = (size[0] - ink_size[0] * scale) / 2
    least = min(2, len(drawn.shapes), len(ink.shapes))
    a, b = _in_sequence(drawn, ink, alike, scale, down)
    if len(a) < least:
        a, b = _in_place(drawn, ink, alike, size, ink_size)
    pairs = None
    for _ in range(3):
        if len(a) < least:
            return None
        scale = float(numpy.exp(numpy.median(drawn.extents[a] - ink.extents[b])))
        places = ink.centres * scale
        shifts = drawn.centres[a] - places[b]
        across = places[:, 0] + _smooth(places[b, 0], shifts[:, 0], places[:, 0])
        aside = numpy.abs(drawn.centres[:, :1] - across) / EM
        steps = numpy.abs(drawn.centres[:, 1:] - places[:, 1] - numpy.median(shifts[:, 1])) / EM
        growth = numpy.abs(drawn.extents[:, None] - ink.extents - numpy.log(scale))
        cost = 1 - alike + _AWAY * (numpy.minimum(aside, 2) + numpy.minimum(steps, 2)) + _SIZE * numpy.minimum(growth, 2)
        a, b = linear_sum_assignment(numpy.minimum(cost, _UNPAIRED))
        near = cost[a, b] < _UNPAIRED
        a, b = a[near], b[near]
        pairs = _Pairs(a, b, steps[a, b], growth[a, b])
    return pairs if len(a) else None


def _in_place(
    drawn: _Pieces, ink: _Pieces, alike: numpy.ndarray, size: tuple[int, ...], ink_size: tuple[int, ...]
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Pairs of what is alike and lies in the same place of the formula's box: for few pieces, one above the other."""
    places = ink.centres * (size[1] / ink_size[1], size[0] / ink_size[0])
    away = numpy.linalg.norm(drawn.centres[:, None] - places, axis=2) / EM
    cost = 1 - alike + _AWAY * numpy.minimum(away, 2)
    a, b = linear_sum_assignment(numpy.minimum(cost, _UNPAIRED))
    near = cost[a, b] < _UNPAIRED
    return a[near], b[near]


def _smooth(places: numpy.ndarray, shifts: numpy.ndarray, at: numpy.ndarray) -> numpy.ndarray:
    """The shifts at other places: between the medians of neighbours."""
    order = numpy.argsort(places, kind="stable")
    places, shifts = places[order], shifts[order]
    padded = numpy.pad(shifts, _NEIGHBOURS // 2, constant_values=numpy.nan)
    medians = numpy.nanmedian(numpy.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    return numpy.interp(at, places, medians)


def _in_sequence(
    drawn: _Pieces, ink: _Pieces, alike: numpy.ndarray, scale: float, down: float
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Pairs from left to right, none crossing another, that are most alike together (Needleman-Wunsch)."""
    rows, columns = numpy.argsort(drawn.centres[:, 0], kind="stable"), numpy.argsort(ink.centres[:, 0], kind="stable")
    steps = numpy.abs(drawn.centres[:, 1:] - ink.centres[:, 1] * scale - down) / EM
    growth = numpy.abs(drawn.extents[:, None] - ink.extents - numpy.log(scale))
    gain = alike - 0.5 * numpy.minimum(steps, 1) - 0.3 * numpy.minimum(growth, 2) - 0.3
    gain = gain[numpy.ix_(rows, columns)]
    num_rows, num_columns = gain.shape
    best = numpy.zeros((num_rows + 1, num_columns + 1))
    best[:, 0], best[0] = -_GAP * numpy.arange(num_rows + 1), -_GAP * numpy.arange(num_columns + 1)
    ahead = _GAP * numpy.arange(num_columns + 1)
    for i in range(num_rows):
        up = numpy.maximum(best[i] - _GAP, numpy.concatenate(([-numpy.inf], best[i, :-1] + gain[i])))
        best[i + 1] = numpy.maximum.accumulate(up + ahead) - ahead
    pairs = []
    i, j = num_rows, num_columns
    while i and j:
        if best[i, j] <= best[i - 1, j] - _GAP + 1e-9:
            i -= 1
        elif best[i, j] <= best[i, j - 1] - _GAP + 1e-9:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((rows[i], columns[j]))
    first, second = numpy.array(pairs[::-1], numpy.int64).reshape(-1, 2).T
    return first, second
