"""The series of ECharts' options for each kind of chart, and the plan of a picture: scales, places, what is printed."""

import math
from dataclasses import dataclass, field
from typing import Any

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.label import COLOURS, Shown, shown
from datagen.figures.charts.looks import Look, ink_on, luminance
from datagen.figures.charts.numbers import WHOLE, Scale, printed_text

_SYMBOLS = ("circle", "rect", "diamond", "triangle", "roundRect")
_BAR_GAP = "10%"
_HEAT = {
    "viridis": ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"),
    "YlOrRd": ("#ffffcc", "#feb24c", "#f03b20", "#bd0026"),
    "Blues": ("#f7fbff", "#9ecae1", "#3182bd", "#08519c"),
    "Greens": ("#f7fcf5", "#a1d99b", "#31a354", "#006d2c"),
    "coolwarm": ("#3b4cc0", "#dddddd", "#b40426"),
}


@dataclass
class Plan:
    """Where a chart's parts go. `box` is that of the values in pixels: left, top, right, bottom."""

    chart: Chart
    look: Look
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    legend_top: float = 0.0
    legend_height: float = 0.0
    turn: int = 0
    number_widths: list[float] = field(default_factory=list)
    scales: list[Scale | None] = field(default_factory=list)
    x_scale: Scale | None = None
    printed: dict[tuple[int, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chart, look = self.chart, self.look
        head = 0.1 if look.has_labels else 0.03
        values = [[v for s in chart.series if s.axis == axis for v in s.ends] for axis in (0, 1)]
        match chart.kind:
            case "pie" | "donut":
                self.scales = [WHOLE]
            case "stacked" | "area":
                stacks = [math.fsum(v or 0.0 for v in column) for column in zip(*(s.values for s in chart.series), strict=True)]
                self.scales = [Scale.over(stacks, look.num_ticks, True, 0.0 if chart.is_whole else head)]
            case "radar":
                self.scales = [Scale.over(values[0], min(6, look.num_ticks), True)]
            case "heat_map":
                self.scales = [Scale.over(values[0], look.num_ticks, False)]
            case "scatter":
                xs = [x for s in chart.series for x in s.xs]
                ys = values[0]
                self.scales = [Scale.logarithmic(ys) if chart.is_log else Scale.over(ys, look.num_ticks, False, 0.03)]
                self.x_scale = Scale.logarithmic(xs) if chart.is_x_log else Scale.over(xs, look.num_ticks, False, 0.03)
            case "line" if chart.is_log:
                self.scales = [Scale.logarithmic(values[0])]
            case _:
                from_zero = chart.kind not in ("line", "box") or look.from_zero
                self.scales = [Scale.over(values[0], look.num_ticks, from_zero, 0.15 if chart.kind == "horizontal" else head)]
                if chart.edges:
                    self.x_scale = chart.edge_scale
                if values[1]:
                    self.scales.append(Scale.over(values[1], look.num_ticks, look.from_zero, head))

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def radius(self) -> float:
        """Of a circle, with room for names around it."""
        return max(30.0, min(self.height / 2 - 2.6 * self.look.size, self.width / 2 - 7 * self.look.size))

    def number_width(self, axis: int) -> float:
        """How far the numbers of the left (0) or right (1) axis reach out, in pixels; 0 without any."""
        return self.number_widths[axis] + 8 if self.look.has_axis and axis < len(self.number_widths) else 0.0

    @property
    def has_room_at_ends(self) -> bool:
        """Whether the first and the last category stand half a step from the ends of their axis."""
        return self.chart.kind not in ("line", "area") or self.look.from_zero

    @property
    def legend(self) -> str:
        return {"inside": "top"}.get(self.look.legend, self.look.legend)

    @property
    def is_stacked(self) -> bool:
        return self.chart.kind == "stacked" or (self.chart.kind == "area" and len(self.chart.series) > 1)

    def legend_names(self) -> list[str]:
        chart = self.chart
        if chart.kind in ("pie", "donut"):
            return [*chart.categories] if self.has_pie_legend else []
        if chart.kind in ("box", "heat_map"):
            return []
        return [series.name for series in chart.series if series.name]

    @property
    def has_pie_legend(self) -> bool:
        return self.look.legend in ("right", "bottom") or self.look.is_donut_labelled_outside

    def names_below(self) -> list[str]:
        if self.chart.kind == "heat_map":
            return [series.name for series in self.chart.series]
        return [] if self.chart.kind in ("horizontal", "scatter", "histogram") else self.chart.written

    def tick_texts(self) -> list[dict[float, str]]:
        """The numbers at the ticks of each axis of values."""
        return [dict(zip(scale.ticks, scale.texts(self.chart.numbers), strict=True)) for scale in self.scales if scale]

    def heat_colours(self) -> tuple[str, ...]:
        return _HEAT.get(self.look.colour_map, _HEAT["viridis"])

    def promised(self) -> list[str]:
        """The texts that must be in the picture, if the label is to be true."""
        chart = self.chart
        names = [chart.title, chart.x_name, *self.legend_names(), *self.names_below(), *self.printed.values()]
        if chart.kind in ("horizontal", "heat_map", "radar") or (chart.kind in ("pie", "donut") and not self.has_pie_legend):
            names += chart.categories
        if self.x_scale:
            names += self.x_scale.texts(chart.x_numbers)
        if self.look.has_axis and chart.kind not in ("pie", "donut"):
            names += [*chart.y_names, *(text for axis in self.tick_texts() for text in axis.values())]
        return names

    @property
    def bar(self) -> tuple[float, float, float, float]:
        """The colour bar of a heat map in pixels, right of its cells."""
        left = self.box[2] + self.look.size
        return (left, self.box[1] + 0.05 * self.height, left + 1.3 * self.look.size, self.box[3] - 0.05 * self.height)

    @property
    def rim(self) -> float:
        """The radius of a pie."""
        is_inside = self.has_pie_legend and not self.look.from_zero
        return min(self.width, self.height) / 2 * 0.92 if is_inside else self.radius

    def shown(self) -> Shown:
        """What can be read."""
        pixels = {
            "horizontal": self.width,
            "radar": self.radius,
            "pie": math.tau * self.rim,
            "donut": math.tau * self.rim,
            "heat_map": min(COLOURS, self.bar[3] - self.bar[1]),
        }.get(self.chart.kind, self.height)
        x_scale = (self.x_scale, self.width) if self.x_scale and self.chart.kind == "scatter" else None
        return shown(self.chart, self.look, self.printed, self.scales, [pixels] * len(self.scales), x_scale)


def series_of(plan: Plan) -> list[dict[str, Any]]:
    """The series of the option; notes in the plan what is printed."""
    plan.printed = {}
    match plan.chart.kind:
        case "pie" | "donut":
            return [_pie(plan)]
        case "scatter":
            return _scatter(plan)
        case "box":
            return [_boxes(plan)]
        case "heat_map":
            return [_cells(plan)]
        case "radar":
            return [_radar(plan)]
        case "line" | "area":
            return [_line(plan, number) for number in range(len(plan.chart.series))] + _errors(plan, 0)
        case "composite":
            return [_bars(plan, 0), _line(plan, 1)]
        case _:
            bars = [_bars(plan, number) for number in range(len(plan.chart.series))]
            return bars + _errors(plan, len(bars))


def _bars(plan: Plan, number: int) -> dict[str, Any]:
    chart, look = plan.chart, plan.look
    scale = plan.scales[0]
    assert scale is not None
    lies = chart.kind == "horizontal"
    outside = ("right", "left") if lies else ("top", "bottom")
    points: list[Any] = []
    for place, value in enumerate(chart.series[number].values):
        if value is None:
            points.append("-")
            continue
        point: dict[str, Any] = {"value": value}
        is_thick = value >= 0.07 * (scale.high - scale.low)
        if look.has_labels and chart.kind != "composite" and (is_thick or chart.kind != "stacked"):
            text = plan.printed[number, place] = printed_text(chart.numbers, value, chart.decimals)
            where = "inside" if chart.kind == "stacked" else outside[value < 0]
            colour = look.ink if where != "inside" else ink_on(look.palette[number % len(look.palette)])
            point["label"] = {"show": True, "formatter": text, "position": where, "color": colour, "fontSize": look.size * 0.85}
        points.append(point)
    return {
        "type": "bar",
        "name": chart.series[number].name,
        "data": points,
        "stack": "all" if chart.kind == "stacked" else None,
        "barCategoryGap": "0%" if chart.edges else _gap(look),
        "barGap": _BAR_GAP,
        "itemStyle": {
            "opacity": look.opacity if chart.kind != "stacked" else 1,
            "borderColor": look.edge or (look.plot_paper if chart.edges else "transparent"),
            "borderRadius": 4 if look.is_smooth and chart.kind != "stacked" else 0,
        },
        "labelLayout": {"hideOverlap": False},
    }


def _gap(look: Look) -> str:
    return f"{round(100 * (1 - look.bar_width))}%"


def _errors(plan: Plan, num_bars: int) -> list[dict[str, Any]]:
    """Bars of error over so many bars in each category, or over points. The script has what draws them."""
    return [
        {
            "type": "custom",
            "data": [
                [place, v - e, v + e] for place, (v, e) in enumerate(zip(one.values, one.errors, strict=True)) if v is not None
            ],
            "bars": {"count": num_bars, "barCategoryGap": _gap(plan.look), "barGap": _BAR_GAP} if num_bars else None,
            "number": number,
            "ink": plan.look.ink,
            "z": 5,
        }
        for number, one in enumerate(plan.chart.series)
        if one.errors
    ]


def _line(plan: Plan, number: int) -> dict[str, Any]:
    chart, look = plan.chart, plan.look
    series = chart.series[number]
    points: list[Any] = []
    for place, value in enumerate(series.values):
        point: dict[str, Any] = {"value": "-" if value is None else value}
        if value is not None and look.has_labels and len(chart.series) == 1:
            text = plan.printed[number, place] = printed_text(chart.numbers, value, chart.decimals)
            point["label"] = {"show": True, "formatter": text, "position": "top", "color": look.ink, "fontSize": look.size * 0.85}
        points.append(point)
    made = {
        "type": "line",
        "name": series.name,
        "data": points,
        "yAxisIndex": series.axis,
        "smooth": look.is_smooth,
        "symbol": _SYMBOLS[number % len(_SYMBOLS)],
        "symbolSize": look.line_width * 3,
        "showSymbol": look.has_markers or None in series.values,
        "lineStyle": {"width": look.line_width, "type": ("solid", "dashed", "dotted")[number % 3] if look.hatch else "solid"},
    }
    if chart.kind == "area":
        made |= {"areaStyle": {"opacity": min(0.8, look.opacity)}, "stack": "all"}
    return made


def _pie(plan: Plan) -> dict[str, Any]:
    chart, look = plan.chart, plan.look
    decimals = min(chart.decimals, look.percent_decimals)
    x0, y0, x1, y1 = plan.box
    is_inside, radius = plan.has_pie_legend and not look.from_zero, plan.rim
    points = []
    for place, (name, value) in enumerate(zip(chart.categories, chart.series[0].present, strict=True)):
        number = chart.numbers.text(value, decimals)
        label: dict[str, Any] = {"show": False}
        if look.has_labels and plan.has_pie_legend:
            plan.printed[0, place] = number
            label = {"show": True, "formatter": number}
        elif not plan.has_pie_legend:
            label = {"show": True, "formatter": f"{name}\n{number}" if look.has_labels else name, "lineHeight": look.size * 1.25}
            if look.has_labels:
                plan.printed[0, place] = number
        paper = look.palette[place % len(look.palette)]
        label |= {"position": "inside", "color": ink_on(paper)} if is_inside else {"color": look.ink}
        points.append({"name": name, "value": value, "label": label | {"fontSize": look.size * 0.95, "overflow": "none"}})
    return {
        "type": "pie",
        "data": points,
        "center": [(x0 + x1) / 2, (y0 + y1) / 2],
        "radius": [radius * look.hole if chart.kind == "donut" else 0, radius],
        "startAngle": look.start_angle,
        "clockwise": not look.has_markers,
        "avoidLabelOverlap": False,
        "minShowLabelAngle": 0,
        "itemStyle": {"borderColor": look.edge or look.paper, "borderWidth": 1},
    }


def _scatter(plan: Plan) -> list[dict[str, Any]]:
    look = plan.look
    return [
        {
            "type": "scatter",
            "name": series.name,
            "data": [[x, y] for x, y in zip(series.xs, series.present, strict=True)],
            "symbol": _SYMBOLS[number % len(_SYMBOLS)],
            "symbolSize": look.line_width * 4 + 2,
            "itemStyle": {"opacity": look.opacity},
        }
        for number, series in enumerate(plan.chart.series)
    ]


def _boxes(plan: Plan) -> dict[str, Any]:
    look = plan.look
    rows = [list(row) for row in zip(*(series.present for series in plan.chart.series), strict=True)]
    is_filled = look.opacity < 1 and abs(luminance(look.palette[0]) - luminance(look.ink)) > 0.25  # else no median is seen
    style = {"color": look.palette[0] if is_filled else look.plot_paper, "borderColor": look.ink, "borderWidth": 1.2}
    return {"type": "boxplot", "data": rows, "itemStyle": style, "boxWidth": ["20%", f"{round(60 * look.bar_width)}%"]}


def _cells(plan: Plan) -> dict[str, Any]:
    chart, look, scale = plan.chart, plan.look, plan.scales[0]
    assert scale is not None
    points: list[dict[str, Any]] = []
    for column, series in enumerate(chart.series):
        for row, value in enumerate(series.present):
            if not look.has_labels:
                points.append({"value": [column, row, value]})
                continue
            text = plan.printed[column, row] = printed_text(chart.numbers, value, chart.decimals)
            shade = _mixed(plan.heat_colours(), (value - scale.low) / (scale.high - scale.low))
            label = {"show": True, "formatter": text, "color": ink_on(shade), "fontSize": look.size * 0.85}
            points.append({"value": [column, row, value], "label": label})
    return {"type": "heatmap", "data": points, "itemStyle": {"borderColor": look.edge or "transparent", "borderWidth": 1}}


def _radar(plan: Plan) -> dict[str, Any]:
    """Lines over the spokes; with one series, its numbers are printed at them."""
    chart, look = plan.chart, plan.look
    points = []
    for series in chart.series:
        point: dict[str, Any] = {"name": series.name, "value": series.present}
        point["symbol"] = "circle" if look.has_markers else "none"
        if look.opacity < 1:
            point["areaStyle"] = {"opacity": 0.2}
        points.append(point | {"lineStyle": {"width": look.line_width}})
    return {"type": "radar", "data": points}


def _mixed(colours: tuple[str, ...], share: float) -> str:
    """The colour at a share of the way through a row of colours."""
    at = min(max(share, 0.0), 1.0) * (len(colours) - 1)
    first = min(int(at), len(colours) - 2)
    parts = []
    for place in (1, 3, 5):
        one, other = (int(colour[place : place + 2], 16) for colour in colours[first : first + 2])
        parts.append(round(one + (other - one) * (at - first)))
    return f"#{parts[0]:02x}{parts[1]:02x}{parts[2]:02x}"
