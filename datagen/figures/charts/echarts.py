"""Charts drawn by Apache ECharts, as its options have them, and what the picture shows of their values.

All places are set here, so that the length of each axis in pixels is known. ECharts' own idea of how wide texts are is rough.
Where a text that the label has isn't in the picture, or texts lie over each other, the chart is laid out otherwise, and refused
if that doesn't help.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from datagen.figures.charts import echarts_engine as engine
from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.crowding import first_overlap
from datagen.figures.charts.echarts_series import Plan, series_of
from datagen.figures.charts.faces import Face, Faces, needed
from datagen.figures.charts.label import Shown
from datagen.figures.charts.looks import Look, luminance, settled
from datagen.figures.charts.numbers import NumberFormat, Scale
from datagen.record import SampleError

_SYMBOL = 30.0  # pixels of a legend's symbol and what is free behind it
_TOUCHING = 1.0  # pixels that must be free around each text


@dataclass(frozen=True)
class Picture:
    """A drawn chart: its option and SVG, the pixels, and what they show."""

    option: dict[str, Any]
    svg: str
    image: bytes
    size: tuple[int, int]
    shown: Shown
    plan: Plan

    def png(self) -> bytes:
        return self.image


def versions() -> dict[str, str]:
    return engine.versions()


def draw(chart: Chart, look: Look, faces: Faces) -> Picture:
    """The chart, drawn. Raises `SampleError` where its texts find no place."""
    look = settled(look, chart)
    able = faces.serif if look.is_serif else faces.sans
    own = able[int(look.size * 1000) % len(able)]
    used = needed(own, faces.fallbacks, _words(chart))
    turned = replace(look, labels_rotate=90, has_labels=chart.kind == "heat_map" and look.has_labels, has_axis=True)
    wide = replace(turned, width=round(look.width * 1.3), height=round(look.height * 1.35), has_labels=False)
    wrong = ""
    for attempt in (look, turned, wide):
        plan = _planned(chart, attempt, own)
        if plan is None:
            wrong = "its axes have no room"
            continue
        option = _option(plan, own, used)
        picture = engine.svg(option, attempt.width, attempt.height)
        wrong = _fault(plan, picture, own)
        if not wrong:
            image = engine.png(picture, attempt.paper, used)
            return Picture(option, picture, image, (attempt.width, attempt.height), plan.shown(), plan)
    raise SampleError("chart_too_crowded", f"{chart.kind} with {len(chart.categories)} categories: {wrong}")


def _words(chart: Chart) -> str:
    return "".join(
        (*chart.words(), *(form.text(-1234567890.1, 1) for form in (chart.numbers, chart.x_numbers)), chart.numbers.digits)
    )


def _planned(chart: Chart, look: Look, face: Face) -> Plan | None:
    """Where everything goes; None if the values would have no room."""
    plan = Plan(chart, look)
    size, gap = look.size, look.margin + 4
    top = gap + (look.title_size * 1.6 if chart.title else 0)
    bottom, left, right = gap, gap, gap + size
    names = plan.legend_names()
    if names:
        widest = max(engine.measured(face, size * 0.95, name) for name in names)
        if plan.legend == "right":
            right += widest + 45
        else:
            entries = [engine.measured(face, size * 0.95, name) + 35 + _gap(widest) for name in names]
            lines = _num_lines(entries, look.width - 2 * gap)
            plan.legend_height = lines * (size * 1.2 + 10)
            if plan.legend == "top":
                plan.legend_top, top = top, top + plan.legend_height + size * 0.6
            else:
                plan.legend_top, bottom = look.height - gap - plan.legend_height, bottom + plan.legend_height + size * 0.6
    if chart.kind in ("pie", "donut", "radar"):
        plan.box = (left, top, look.width - right, look.height - bottom)
        return plan if min(plan.width, plan.height) > 0.3 * min(look.width, look.height) else None
    lies = chart.kind == "horizontal"
    numbers = [max((engine.measured(face, size, t) for t in ticks.values()), default=0) for ticks in plan.tick_texts()]
    below = plan.names_below()
    plan.number_widths = numbers
    widest = max((engine.measured(face, size, name) for name in below), default=0.0)
    beside = max((engine.measured(face, size, name) for name in chart.categories), default=0.0)
    if chart.kind == "heat_map" or lies:
        left += beside + 12
    elif look.has_axis:
        left += numbers[0] + 12
    if len(numbers) > 1 and look.has_axis:
        right += numbers[1] + 12
    if chart.kind == "heat_map" and look.has_axis:
        right += numbers[0] + size * (5.2 if chart.y_names[0] else 3.4)
    if look.has_axis and chart.y_names[0] and chart.kind != "heat_map":
        if lies:
            bottom += size * 1.8
        else:
            left += size * 1.7
    if chart.x_name:
        bottom += size * 1.8
    plan.turn = 0
    if below and widest > 0.9 * (look.width - left - right) / len(below) * chart.every:
        plan.turn = look.labels_rotate
    if plan.x_scale:
        right = max(right, gap + engine.measured(face, size, plan.x_scale.texts(chart.x_numbers)[-1]) / 2 + 2)
    if not plan.turn and not plan.has_room_at_ends:
        right = max(right, gap + widest / 2)
        left = max(left, gap + widest / 2)
    bottom += size * 2.2 if not plan.turn else {90: 1.0, 45: 0.72, 30: 0.52}[plan.turn] * widest + size * 1.8
    if plan.turn and plan.turn < 90:
        left = max(left, gap + 0.75 * widest - (look.width - right - left) / (2 * len(below)))
    plan.box = (left, top + size * 0.8, look.width - right, look.height - bottom)
    return plan if plan.width > 0.4 * look.width and plan.height > 0.3 * look.height else None


def _gap(widest: float) -> float:
    """What is free between two entries of a legend: enough for what ECharts thinks too little of the widest name."""
    return 12 + 0.22 * widest


def _num_lines(widths: list[float], room: float) -> int:
    """How many lines texts of these widths fill."""
    lines, at = 1, 0.0
    for width in widths:
        if at and at + width > room:
            lines, at = lines + 1, 0.0
        at += width
    return lines


def _option(plan: Plan, face: Face, used: list[Face]) -> dict[str, Any]:
    chart, look = plan.chart, plan.look
    style: dict[str, Any]
    option: dict[str, Any] = {
        "color": [*look.palette],
        "textStyle": {"fontFamily": ", ".join(f"'{one.family}'" for one in used), "color": look.ink, "fontSize": look.size},
        "series": series_of(plan),
    }
    if chart.title:
        at = {"left": look.margin + 4, "center": look.width / 2, "right": look.width - look.margin - 4}[look.title_place]
        style = {"fontSize": look.title_size, "color": look.ink, "fontWeight": "bold" if look.is_title_bold else "normal"}
        option["title"] = {"text": chart.title, "top": look.margin, "padding": 0, "textStyle": style}
        option["title"] |= {"left": at, "textAlign": look.title_place}
    if names := plan.legend_names():
        widest = max(engine.measured(face, look.size * 0.95, name) for name in names)
        legend: dict[str, Any] = {
            "data": [{"name": name} for name in names],
            "textStyle": {"color": look.ink, "fontSize": look.size * 0.95},
            "itemWidth": 25,
            "itemGap": 10 if plan.legend == "right" else _gap(widest),
        }
        if plan.legend == "right":
            legend |= {"orient": "vertical", "left": plan.box[2] + 14 + plan.number_width(1), "top": "middle", "padding": 0}
        else:
            legend |= {"top": plan.legend_top, "left": "center", "width": look.width - 2 * look.margin - 8}
        option["legend"] = legend
    x0, y0, x1, y1 = plan.box
    if chart.kind == "radar":
        option["radar"] = _radar(plan)
    elif chart.kind not in ("pie", "donut"):
        option["grid"] = {
            "left": x0,
            "top": y0,
            "width": x1 - x0,
            "height": y1 - y0,
            "containLabel": False,
            "outerBoundsMode": "none",
        }
        if look.plot_paper != look.paper:
            option["grid"] |= {"show": True, "backgroundColor": look.plot_paper, "borderWidth": 0}
        option["xAxis"], option["yAxis"] = _axes(plan)
    if chart.kind == "heat_map" and (scale := plan.scales[0]):
        if look.has_axis:
            _add_colour_bar(option, plan, scale)
        option["visualMap"] = {
            "min": scale.low,
            "max": scale.high,
            "show": False,
            "inRange": {"color": list(plan.heat_colours())},
        }
    return option


def _add_colour_bar(option: dict[str, Any], plan: Plan, scale: Scale) -> None:
    """A bar of the heat map's colours with an axis of its own: ECharts' has no numbers between its ends."""
    x0, y0, x1, y1 = plan.bar
    stops = [
        {"offset": place / (len(colours) - 1), "color": colour}
        for colours in [plan.heat_colours()]
        for place, colour in enumerate(colours)
    ]
    fill = {"type": "linear", "x": 0, "y": 1, "x2": 0, "y2": 0, "colorStops": stops}
    option["graphic"] = [
        {"type": "rect", "shape": {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}, "style": {"fill": fill}}
    ]
    grid = {"left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0, "containLabel": False, "outerBoundsMode": "none"}
    axis = _value_axis(plan, scale, plan.chart.numbers, plan.chart.y_names[0])
    axis |= {"gridIndex": 1, "position": "right", "splitLine": {"show": False}, "axisTick": {"show": True}}
    option["grid"] = [option["grid"], grid]
    option["xAxis"] = [option["xAxis"], {"gridIndex": 1, "type": "category", "data": [""], "show": False}]
    option["yAxis"] = [option["yAxis"], axis]


def _axes(plan: Plan) -> tuple[Any, Any]:
    chart, look = plan.chart, plan.look
    below = _name_axis(plan, [*plan.names_below()])
    if chart.kind == "heat_map":
        rows = _name_axis(plan, [*chart.categories]) | {"inverse": True}
        rows["axisLabel"] = rows["axisLabel"] | {"rotate": 0}
        return below, rows
    values = [
        _value_axis(plan, scale, chart.numbers, name) for scale, name in zip(plan.scales, chart.y_names, strict=True) if scale
    ]
    if chart.kind == "horizontal":
        rows = _name_axis(plan, [*chart.categories]) | {"inverse": True}
        rows["axisLabel"] = rows["axisLabel"] | {"rotate": 0}
        return values[0] | {"nameGap": look.size * 1.9, "nameRotate": 0}, rows
    if len(values) > 1:
        values[1]["splitLine"] = {"show": False}
    if plan.x_scale:
        below = _value_axis(plan, plan.x_scale, chart.x_numbers, chart.x_name, is_numbered=True)
        below |= {"nameGap": look.size * 1.9, "nameRotate": 0}
        if chart.edges:  # under bars, which stand on an axis of their own
            bins = {"type": "category", "data": [*chart.categories], "show": False}
            shown = {"customValues": [*plan.x_scale.ticks]}  # the first edge may be no multiple of their distance
            below |= {"axisLabel": below["axisLabel"] | shown, "axisTick": below["axisTick"] | shown}
            below |= {"position": "bottom", "axisLine": {"show": True, "onZero": False, "lineStyle": {"color": look.ink}}}
            return [bins, below | {"splitLine": {"show": False}}], values[0]
    elif chart.x_name:
        below |= {"name": chart.x_name, "nameLocation": "middle", "nameGap": look.size * 1.9}
    return below, values if len(values) > 1 else values[0]


def _name_axis(plan: Plan, names: list[str]) -> dict[str, Any]:
    look = plan.look
    return {
        "type": "category",
        "data": names,
        "axisLabel": {
            "interval": plan.chart.every - 1,
            "rotate": plan.turn,
            "color": look.ink,
            "fontSize": look.size,
            "margin": look.size * 0.8,
        },
        "axisLine": {"show": True, "lineStyle": {"color": look.ink}},
        "axisTick": {
            "show": look.spines == "all" or plan.chart.every > 1,
            "interval": 0,
            "alignWithLabel": look.has_markers or plan.chart.every > 1,
        },
        "boundaryGap": plan.has_room_at_ends,
        "splitLine": {"show": look.grid == "both" and plan.chart.kind != "heat_map"},
    }


def _value_axis(plan: Plan, scale: Scale, numbers: NumberFormat, name: str, is_numbered: bool = False) -> dict[str, Any]:
    look = plan.look if not is_numbered else replace(plan.look, has_axis=True)
    return {
        "type": "log" if scale.is_log else "value",
        "min": scale.low,
        "max": scale.high,
        "interval": 1 if scale.is_log else scale.distance,
        "name": name if look.has_axis else "",
        "nameLocation": "middle",
        "nameGap": plan.number_width(0) + look.size * 0.6,
        "nameMoveOverlap": False,  # by its own idea of how wide numbers are
        "nameTextStyle": {"color": look.ink, "fontSize": look.size},
        "axisLabel": {
            "show": look.has_axis,
            "texts": ticks(scale, numbers),
            "color": look.ink,
            "fontSize": look.size,
            "hideOverlap": False,
            "showMaxLabel": True,
            "showMinLabel": True,
        },
        "axisLine": {"show": look.spines != "bottom", "lineStyle": {"color": look.ink}},
        "axisTick": {"show": look.spines == "all" and look.has_axis},
        "splitLine": {
            "show": bool(look.grid) and look.has_axis,
            "showMaxLine": False,
            "lineStyle": {"type": look.grid_style, "color": "#888888", "opacity": 0.35},
        },
    }


def ticks(scale: Scale, numbers: NumberFormat) -> dict[str, str]:
    """The text at each tick, by how many of their distances it is from 0, or by its power of ten."""
    places = [round(math.log10(tick)) if scale.is_log else round(tick / scale.distance) for tick in scale.ticks]
    return {str(place): text for place, text in zip(places, scale.texts(numbers), strict=True)}


def _radar(plan: Plan) -> dict[str, Any]:
    look, chart, scale = plan.look, plan.chart, plan.scales[0]
    assert scale is not None
    x0, y0, x1, y1 = plan.box
    return {
        "center": [(x0 + x1) / 2, (y0 + y1) / 2],
        "radius": plan.radius,
        "splitNumber": len(scale.ticks) - 1,
        "shape": "circle" if look.is_smooth else "polygon",
        "axisName": {"color": look.ink, "fontSize": look.size},
        "indicator": [
            {"name": name, "min": scale.low, "max": scale.high, "axisLabel": {"show": look.has_axis and not place}}
            for place, name in enumerate(chart.categories)
        ],
        "axisLabel": {"texts": ticks(scale, chart.numbers), "color": look.ink, "fontSize": look.size * 0.85},
        "interval": scale.distance,
        "splitArea": {"show": look.opacity < 1 and luminance(look.paper) > 0.5},
        "splitLine": {"lineStyle": {"color": "#888888", "opacity": 0.5}},
        "axisLine": {"lineStyle": {"color": "#888888", "opacity": 0.5}},
    }


def _fault(plan: Plan, picture: str, face: Face) -> str:
    """What of the label isn't in the picture, or lies over something else; "" for nothing."""
    placed = engine.texts(picture, face)
    there = {one.text for one in placed}
    for text in plan.promised():
        if text and text not in there:
            return f"{text!r} isn't in the picture"
    width, height = plan.look.width, plan.look.height
    legend = {*plan.legend_names()}
    boxes = []
    for text, (x0, y0, x1, y1), is_upright in placed:
        if not is_upright:
            continue
        if text in legend:
            x0 -= _SYMBOL  # which stands before its name
            if plan.legend == "top" and y1 > plan.box[1]:
                return f"the legend with {text!r} reaches into the plot"
        if x0 < -_TOUCHING or y0 < -_TOUCHING or x1 > width + _TOUCHING or y1 > height + _TOUCHING:
            return f"{text!r} leaves the picture"
        boxes.append((x0 - _TOUCHING, y0, x1 + _TOUCHING, y1, text))
    return first_overlap(boxes)
