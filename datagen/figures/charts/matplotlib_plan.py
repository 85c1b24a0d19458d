"""The plan of a picture by matplotlib: axes, scales, what is printed, and what can be read."""

import math
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.label import COLOURS, Shown, shown
from datagen.figures.charts.looks import Look, ink_on
from datagen.figures.charts.numbers import Scale


@dataclass
class Marks:
    """What was drawn: axes by number with their scales, which values are printed, and what tells the series apart."""

    chart: Chart
    look: Look
    axes: list[Axes]
    scales: list[Scale | None] = field(default_factory=list)
    x_scale: Scale | None = None
    printed: dict[tuple[int, int], str] = field(default_factory=dict)
    handles: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    mappable: Any = None
    bar: Any = None
    is_stacked: bool = False

    def shown(self) -> Shown:
        """What can be read, now that everything has its place."""
        chart = self.chart
        pixels = [axes.bbox.width if chart.kind == "horizontal" else axes.bbox.height for axes in self.axes]
        match chart.kind:
            case "pie" | "donut":
                transform = self.axes[0].transData.transform
                pixels = [math.tau * (transform((1, 0))[0] - transform((0, 0))[0])]
            case "radar":
                pixels = [self.axes[0].bbox.height / 2]
            case "heat_map" if self.bar:
                pixels = [min(COLOURS, self.bar.bbox.height)]
        x_scale = (self.x_scale, self.axes[0].bbox.width) if self.x_scale and chart.kind == "scatter" else None
        return shown(chart, self.look, self.printed, self.scales, pixels, x_scale)

    def top(self, axis: int) -> float:
        """The largest value on an axis, of a stack its sum."""
        if self.is_stacked:
            return max(stacks(self.chart))
        return max(value for series in self.chart.series if series.axis == axis for value in series.ends)


def colour(look: Look, number: int) -> str:
    return look.palette[number % len(look.palette)]


def on(paper: object) -> str:
    """The ink for numbers on a colour of matplotlib's."""
    return ink_on(to_hex(paper))  # type: ignore[arg-type]


def stacks(chart: Chart) -> list[float]:
    return [math.fsum(value or 0.0 for value in column) for column in zip(*(s.values for s in chart.series), strict=True)]


def headroom(marks: Marks) -> float:
    if marks.look.legend == "inside" and marks.chart.has_names and marks.chart.kind != "horizontal":
        return 0.32 if len(marks.chart.series) > 1 else 0.22
    return 0.12 if marks.look.has_labels else 0.04
