"""The rules of a table, from its pixels: strokes, and the edges of shaded rows and columns.

An image of the page has them in the frame of its text whatever the file is, clipped, rotated or scanned, at a cost that doesn't
depend on how they were drawn."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy

from datagen.record import Box

_INK = 14  # of 255, of a stroke to what is on both sides: a hairline of 0.1 pt is drawn in light gray
_SHADE = 5  # between neighbouring pixels, of a shaded row's edge
_LEAST_EM, _LEAST_UPRIGHT_EM = 2.0, 1.1  # of a run, longer than a dash, and than a bracket
_THICK_EM = 0.18  # a stroke that is thicker is a shaded area; what stands farther away is no part of it
_SAME_EM = 0.35  # both edges of a stroke, and double rules
_BRIDGED_EM = 0.5
_IN_LINE_EM, _LETTERS = 0.15, 0.6
_CROSSING_PX = 5  # the width of another rule
_MOST_RUNS, _MOST_SHARE = 20_000, 0.3  # runs, and of the pixels those that are marked; a photograph has more


class Rule(NamedTuple):
    """A rule at the height (or, if vertical, the x) `at`, and its parts from and to, in pixels. One that isn't a `stroke` is the
    edge of a shaded area."""

    at: float
    parts: tuple[tuple[int, int], ...]
    is_stroke: bool = True

    def covered(self, first: float, stop: float) -> float:
        """The share of the way from `first` to `stop` along which it is drawn."""
        return sum(max(0.0, min(stop, b) - max(first, a)) for a, b in self.parts) / max(1.0, stop - first)

    def joined(self, other: "Rule") -> "Rule":
        """Both as one, in the middle between them."""
        parts: list[tuple[int, int]] = []
        for first, stop in sorted(self.parts + other.parts):
            if parts and first <= parts[-1][1]:
                parts[-1] = (parts[-1][0], max(parts[-1][1], stop))
            else:
                parts.append((first, stop))
        return Rule((self.at + other.at) / 2, tuple(parts), self.is_stroke or other.is_stroke)


def rules(image: numpy.ndarray, em: float, lines: Sequence[Box]) -> tuple[list[Rule], list[Rule]]:
    """The horizontal rules, from the top, and the vertical ones, from the left, of an image, (H, W, 3) bytes. `em` is the height
    of a line of its text in pixels, `lines` are where these lie: what is drawn in one, or right below it and no longer, is a
    stroke of its letters, or underlines them. Nothing where there is more drawn than a table has."""
    if min(image.shape[:2]) < 3:
        return [], []
    gray = image.astype(numpy.int16).mean(axis=2).astype(numpy.int16)
    boxes = numpy.array([(box.x0, box.y0, box.x1, box.y1) for box in lines], numpy.int32).reshape(-1, 4)
    upright = numpy.ascontiguousarray(gray.T)
    return _rules(gray, em, boxes), _rules(upright, em, boxes[:, [1, 0, 3, 2]], is_upright=True)


def _rules(gray: numpy.ndarray, em: float, lines: numpy.ndarray, is_upright: bool = False) -> list[Rule]:
    least = max(8, round((_LEAST_UPRIGHT_EM if is_upright else _LEAST_EM) * em))
    thick = max(3, round(_THICK_EM * em))
    padded = numpy.pad(gray, ((thick, thick), (0, 0)), mode="edge")
    over, under = gray - padded[: -2 * thick], gray - padded[2 * thick :]
    is_stroke = ((over >= _INK) & (under >= _INK)) | ((over <= -_INK) & (under <= -_INK))
    strokes = _bands(_runs(is_stroke, least))
    edges = _bands(_runs(numpy.abs(numpy.diff(gray, axis=0)) >= _SHADE, least))
    parts = [((top + bottom) / 2, a, b, True) for top, bottom, a, b in strokes if bottom - top <= thick]
    parts += [((top + bottom) / 2 + 1, a, b, False) for top, bottom, a, b in edges]
    first, top, stop, bottom = lines.T
    slack = _IN_LINE_EM * em

    def is_text(at: float, a: int, b: int) -> bool:
        if is_upright:  # letters of lines close to each other may stand over each other
            inside = (top + slack < at) & (at < bottom - slack)
            return float((numpy.minimum(stop, b) - numpy.maximum(first, a)).clip(0)[inside].sum()) > _LETTERS * (b - a)
        beside = (top - slack < at) & (at <= bottom + 1)
        return bool((beside & (first - slack <= a) & (b <= stop + slack)).any())

    return _merged(sorted(part for part in parts if not is_text(*part[:3])), _SAME_EM * em, _BRIDGED_EM * em)


def _runs(marked: numpy.ndarray, least: int) -> list[tuple[int, int, int]]:
    """(row, first, stop) of each run of at least `least` marked pixels along a row. Where another rule goes through it, a few
    may not be marked."""
    if marked.mean() > _MOST_SHARE:
        return []
    padded = numpy.zeros((marked.shape[0], marked.shape[1] + 2), numpy.int8)
    padded[:, 1:-1] = marked
    steps = numpy.diff(padded, axis=1).ravel()
    first, stop = numpy.flatnonzero(steps == 1), numpy.flatnonzero(steps == -1)
    whole = stop - first > _CROSSING_PX  # noise has gaps, too
    first, stop, width = first[whole], stop[whole], marked.shape[1] + 1
    is_apart = (first[1:] - stop[:-1] > _CROSSING_PX) | (first[1:] // width != stop[:-1] // width)
    first, stop = first[numpy.append(True, is_apart)[: len(first)]], stop[numpy.append(is_apart, True)[: len(stop)]]
    is_long = stop - first >= least
    if is_long.sum() > _MOST_RUNS:
        return []
    return [(a // width, a % width, b % width) for a, b in zip(first[is_long].tolist(), stop[is_long].tolist(), strict=True)]


def _bands(runs: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    """(top, bottom, first, stop), bottom exclusive, of runs that lie under each other in neighbouring rows, as one."""
    open_bands: list[list[int]] = []
    bands: list[tuple[int, int, int, int]] = []
    for row, first, stop in runs:
        for band in [b for b in open_bands if b[1] < row]:
            open_bands.remove(band)
            bands.append((band[0], band[1], band[2], band[3]))
        for band in open_bands:
            if 2 * (min(stop, band[3]) - max(first, band[2])) > min(stop - first, band[3] - band[2]):
                band[1:] = [row + 1, min(first, band[2]), max(stop, band[3])]
                break
        else:
            open_bands.append([row, row + 1, first, stop])
    return bands + [(b[0], b[1], b[2], b[3]) for b in open_bands]


def _merged(parts: list[tuple[float, int, int, bool]], same: float, bridged: float) -> list[Rule]:
    """Rules of parts in the order of their places: those at nearly the same place are of one, and small gaps in it are closed."""
    rules: list[Rule] = []
    group: list[tuple[float, int, int, bool]] = []
    for part in [*parts, (float("inf"), 0, 0, False)]:
        if group and part[0] - group[0][0] > same:
            joined: list[list[int]] = []
            for _, first, stop, _ in sorted(group, key=lambda p: p[1]):
                if joined and first - joined[-1][1] <= bridged:
                    joined[-1][1] = max(joined[-1][1], stop)
                else:
                    joined.append([first, stop])
            length = sum(stop - first for _, first, stop, _ in group)
            at = sum(place * (stop - first) for place, first, stop, _ in group) / length
            rules.append(Rule(at, tuple((a, b) for a, b in joined), any(is_stroke for *_, is_stroke in group)))
            group = []
        group.append(part)
    return rules
