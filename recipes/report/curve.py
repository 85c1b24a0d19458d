"""Values by step as lines of a chart, in its own units; the page scales it."""

import math
from collections.abc import Sequence
from typing import Any

WIDTH, HEIGHT = 900, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 34
_POINTS = 1_000  # points of a line: the page shows no more

Points = Sequence[tuple[int, float]]


def chart(lines: Sequence[tuple[Any, Points]], dots: Points = ()) -> dict[str, Any]:
    """The lines, each with its kind, and dots on one of them, with axes around them. Empty without points, or with a value that
    isn't finite."""
    points = [point for _, of_line in lines for point in of_line]
    values = [value for _, value in points]
    if not values or not all(map(math.isfinite, values)):
        return {}
    last_step = max(step for step, _ in points)
    unit, step_unit = _unit((max(values) - min(values)) / 5), max(1, round(_unit(last_step / 8)))
    low, high = math.floor(min(values) / unit) * unit, math.ceil(max(values) / unit) * unit
    high = max(high, low + unit)
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM

    def x(step: float) -> float:
        return round(_LEFT + (right - _LEFT) * step / max(1, last_step), 1)

    def y(value: float) -> float:
        return round(_TOP + (bottom - _TOP) * (high - value) / (high - low), 1)

    return {
        **{"width": WIDTH, "height": HEIGHT, "left": _LEFT, "right": right, "bottom": bottom},
        "levels": [(y(low + n * unit), low + n * unit) for n in range(round((high - low) / unit) + 1)],
        "steps": [(x(step), step) for step in range(0, last_step + 1, step_unit)],
        "lines": [(kind, [(x(step), y(value)) for step, value in _thinned(of_line)]) for kind, of_line in lines if of_line],
        "dots": [(x(step), y(value), step, value) for step, value in _thinned(dots)],
    }


def _thinned(points: Points) -> Points:
    """At most `_POINTS` of the points: the lowest and the highest of each run, in their order, and the last point."""
    size = -(-2 * len(points) // (_POINTS - 1))
    if size <= 2:
        return points
    drawn: list[tuple[int, float]] = []
    for start in range(0, len(points), size):
        run = points[start : start + size]
        drawn += sorted({min(run, key=lambda point: point[1]), max(run, key=lambda point: point[1])})
    return drawn if drawn[-1] == points[-1] else [*drawn, points[-1]]


def _unit(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-6)))
    return next(unit * power for unit in (1, 2, 5, 10) if unit * power >= least * (1 - 1e-9))
