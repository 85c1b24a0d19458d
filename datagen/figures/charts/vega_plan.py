"""The plan of a picture by Vega-Lite: the plot's size, scales, layers, and what is printed in them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datagen.figures.charts import echarts_engine as engine
from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.crowding import first_overlap
from datagen.figures.charts.faces import Face
from datagen.figures.charts.label import COLOURS, Shown, shown
from datagen.figures.charts.looks import Look
from datagen.figures.charts.numbers import NumberFormat, Scale

Box = tuple[float, float, float, float]


@dataclass
class Marks:
    """A chart's layers, in a plot of `width` and `height` pixels. `boxes` are those of printed numbers, which may collide."""

    chart: Chart
    look: Look
    width: float
    height: float
    scales: list[Scale | None] = field(default_factory=list)
    x_scale: Scale | None = None
    layers: list[dict[str, Any]] = field(default_factory=list)
    printed: dict[tuple[int, int], str] = field(default_factory=dict)
    boxes: list[tuple[Box, str]] = field(default_factory=list)
    is_stacked: bool = False

    @property
    def bar_height(self) -> int:
        """Of a heat map's colour bar, in pixels."""
        return round(self.height * 0.8)

    def names_below(self) -> list[str]:
        if self.chart.kind == "heat_map":
            return [series.name for series in self.chart.series]
        return [] if self.chart.kind in ("horizontal", "scatter", "histogram", "pie", "donut") else self.chart.written

    def scales_below(self) -> list[tuple[Scale, NumberFormat]]:
        scale = self.scales[0] if self.chart.kind == "horizontal" else self.x_scale
        numbers = self.chart.numbers if self.chart.kind == "horizontal" else self.chart.x_numbers
        return [(scale, numbers)] if scale else []

    def value_channels(self, layer: dict[str, Any]) -> Iterator[tuple[str, Scale, NumberFormat, str]]:
        """The channels of a layer that are axes of numbers, with their scales, how numbers are written, and names."""
        chart, encoding = self.chart, layer["encoding"]
        if chart.kind in ("pie", "donut", "heat_map"):
            return
        axis = layer.pop("axis_number", 0)
        scale = self.scales[axis]
        assert scale is not None
        if "x" in encoding and chart.kind == "horizontal":
            yield "x", scale, chart.numbers, chart.y_names[0]
        elif "x" in encoding and self.x_scale:
            yield "x", self.x_scale, chart.x_numbers, chart.x_name
        if "y" in encoding and chart.kind != "horizontal":
            yield "y", scale, chart.numbers, chart.y_names[axis]

    def name_channel(self, layer: dict[str, Any]) -> str:
        if self.chart.kind in ("pie", "donut", "scatter", "histogram"):
            return ""
        if self.chart.kind == "heat_map" and "y" in layer["encoding"]:
            layer["encoding"]["y"]["axis"] = {"title": None}
        return "y" if self.chart.kind == "horizontal" else "x"

    def fault(self, face: Face) -> str:
        """Which printed number lies over another; "" for none."""
        size = self.look.size * 0.85
        made = []
        for (x, y, _, _), text in self.boxes:
            half = engine.measured(face, size, text) / 2 + 1
            made.append((x - half, y - size * 0.6, x + half, y + size * 0.6, text))
        return first_overlap(made)

    def shown(self) -> Shown:
        """What can be read. The plot's sides are whole pixels."""
        width, height = round(self.width), round(self.height)
        pixels: float = {
            "horizontal": width,
            "pie": math.pi * width,
            "donut": math.pi * width,
            "heat_map": min(COLOURS, self.bar_height),
        }.get(self.chart.kind, height)
        x_scale = (self.x_scale, float(width)) if self.x_scale and self.chart.kind == "scatter" else None
        return shown(self.chart, self.look, self.printed, self.scales, [pixels] * len(self.scales), x_scale)

    def colours(self) -> dict[str, Any]:
        """The channel that tells series apart, with a legend where they have names."""
        names = [series.name or "value" for series in self.chart.series]
        scale = {"domain": names, "range": [self.look.palette[place % len(self.look.palette)] for place in range(len(names))]}
        has_legend = self.chart.has_names
        return {"field": "series", "type": "nominal", "scale": scale, "title": None, "legend": {} if has_legend else None}


def name_channel(chart: Chart) -> dict[str, Any]:
    return {"field": "name", "type": "nominal", "sort": None, "scale": {"domain": [*chart.categories]}}


def layer_of(values: list[dict[str, Any]], mark: dict[str, Any], encoding: dict[str, Any], axis: int = 0) -> dict[str, Any]:
    return {"data": {"values": values}, "mark": mark, "encoding": encoding, "axis_number": axis}
