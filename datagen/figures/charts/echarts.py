"""Charts drawn by Apache ECharts, as its options have them, and what the picture shows of their values.

A look is refused in which a text that the label has isn't in the picture, or in which texts lie over each other.
"""

import math
from dataclasses import replace
from typing import Any

from datagen.figures.charts import echarts_engine as engine
from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.echarts_layout import Layout, layout
from datagen.figures.charts.echarts_series import series_of
from datagen.figures.charts.faces import Face
from datagen.figures.charts.looks import Look, luminance
from datagen.figures.charts.numbers import NumberFormat, Scale
from datagen.figures.charts.plan import NoRoom, Picture, first_overlap

_SYMBOL = 30.0  # pixels of a legend's symbol and what is free behind it
_TOUCHING = 1.0  # pixels that must be free around each text


versions = engine.versions


def drawn(chart: Chart, look: Look, used: list[Face]) -> Picture:
    """The chart in the look. Raises `NoRoom` where its texts find no place."""
    if look.legend == "inside":
        look = replace(look, legend="top")
    if chart.kind == "composite":
        look = replace(look, has_labels=False)  # its line would run through numbers at bars
    plan = layout(chart, look, used[0])
    svg = engine.svg(_option(plan, used), look.width, look.height)
    if wrong := _fault(plan, svg, used[0]):
        raise NoRoom(wrong)
    return Picture(plan, plan.seen(), engine.png(svg, look.paper, used), (look.width, look.height), svg)


def _option(plan: Layout, used: list[Face]) -> dict[str, Any]:
    chart, look = plan.chart, plan.look
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
        legend: dict[str, Any] = {
            "data": [{"name": name} for name in names],
            "textStyle": {"color": look.ink, "fontSize": look.size * 0.95},
            "itemWidth": 25,
            "itemGap": plan.legend_gap,
        }
        if look.legend == "right":
            legend |= {"orient": "vertical", "left": plan.box[2] + 14 + plan.number_width(1), "top": "middle", "padding": 0}
        else:
            legend |= {"top": plan.legend_top, "left": "center", "width": look.width - 2 * look.margin - 8}
        option["legend"] = legend
    if chart.kind == "radar":
        option["radar"] = _radar(plan)
    elif not plan.is_round:
        option["grid"] = _grid(plan.box)
        if look.plot_paper != look.paper:
            option["grid"] |= {"show": True, "backgroundColor": look.plot_paper, "borderWidth": 0}
        option["xAxis"], option["yAxis"] = _axes(plan)
    if chart.kind == "heat_map":
        if look.has_axis:
            _add_colour_bar(option, plan)
        colours = {"color": list(plan.heat_colours())}
        option["visualMap"] = {"min": plan.scales[0].low, "max": plan.scales[0].high, "show": False, "inRange": colours}
    return option


def _grid(box: tuple[float, float, float, float]) -> dict[str, Any]:
    x0, y0, x1, y1 = box
    return {"left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0, "containLabel": False, "outerBoundsMode": "none"}


def _add_colour_bar(option: dict[str, Any], plan: Layout) -> None:
    """A bar of the heat map's colours with an axis of its own: ECharts' has no numbers between its ends."""
    x0, y0, x1, y1 = plan.bar
    colours = plan.heat_colours()
    stops = [{"offset": place / (len(colours) - 1), "color": colour} for place, colour in enumerate(colours)]
    fill = {"type": "linear", "x": 0, "y": 1, "x2": 0, "y2": 0, "colorStops": stops}
    shape = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
    option["graphic"] = [{"type": "rect", "shape": shape, "style": {"fill": fill}}]
    axis = _value_axis(plan, plan.scales[0], plan.chart.numbers, plan.chart.y_names[0])
    axis |= {"gridIndex": 1, "position": "right", "splitLine": {"show": False}, "axisTick": {"show": True}}
    option["grid"] = [option["grid"], _grid(plan.bar)]
    option["xAxis"] = [option["xAxis"], {"gridIndex": 1, "type": "category", "data": [""], "show": False}]
    option["yAxis"] = [option["yAxis"], axis]


def _axes(plan: Layout) -> tuple[Any, Any]:
    chart, look = plan.chart, plan.look
    below = _name_axis(plan, plan.names_below(), plan.turn)
    beside = _name_axis(plan, [*chart.categories], 0) | {"inverse": True}
    if chart.kind == "heat_map":
        return below, beside
    values = [_value_axis(plan, scale, chart.numbers, name) for scale, name in zip(plan.scales, chart.y_names, strict=True)]
    name_below = {"nameGap": look.size * 1.9, "nameRotate": 0}
    if chart.kind == "horizontal":
        return values[0] | name_below, beside
    if len(values) > 1:
        values[1]["splitLine"] = {"show": False}
    if plan.x_scale:
        numbered = replace(plan.look, has_axis=True)
        below = _value_axis(plan, plan.x_scale, chart.x_numbers, chart.x_name, numbered) | name_below
        if chart.edges:  # under bars, which stand on an axis of their own
            bins = {"type": "category", "data": [*chart.categories], "show": False}
            shown = {"customValues": [*plan.x_scale.ticks]}  # the first edge may be no multiple of their distance
            below |= {"axisLabel": below["axisLabel"] | shown, "axisTick": below["axisTick"] | shown}
            below |= {"position": "bottom", "axisLine": {"show": True, "onZero": False, "lineStyle": {"color": look.ink}}}
            return [bins, below | {"splitLine": {"show": False}}], values[0]
    elif chart.x_name:
        below |= {"name": chart.x_name, "nameLocation": "middle"} | name_below
    return below, values


def _name_axis(plan: Layout, names: list[str], turn: int) -> dict[str, Any]:
    look, has_gaps = plan.look, plan.chart.every > 1
    label = {"interval": plan.chart.every - 1, "rotate": turn, "color": look.ink, "fontSize": look.size}
    return {
        "type": "category",
        "data": names,
        "axisLabel": label | {"margin": look.size * 0.8},
        "axisLine": {"show": True, "lineStyle": {"color": look.ink}},
        "axisTick": {
            "show": look.spines == "all" or has_gaps,
            "interval": 0,
            "alignWithLabel": look.has_markers or has_gaps,
        },
        "boundaryGap": plan.has_room_at_ends,
        "splitLine": {"show": look.grid == "both" and plan.chart.kind != "heat_map"},
    }


def _value_axis(plan: Layout, scale: Scale, numbers: NumberFormat, name: str, look: Look | None = None) -> dict[str, Any]:
    look = look or plan.look
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


def _radar(plan: Layout) -> dict[str, Any]:
    look, scale = plan.look, plan.scales[0]
    line = {"lineStyle": {"color": "#888888", "opacity": 0.5}}
    return {
        "center": [*plan.middle],
        "radius": plan.radius,
        "splitNumber": len(scale.ticks) - 1,
        "shape": "circle" if look.is_smooth else "polygon",
        "axisName": {"color": look.ink, "fontSize": look.size},
        "indicator": [
            {"name": name, "min": scale.low, "max": scale.high, "axisLabel": {"show": look.has_axis and not place}}
            for place, name in enumerate(plan.chart.categories)
        ],
        "axisLabel": {"texts": ticks(scale, plan.chart.numbers), "color": look.ink, "fontSize": look.size * 0.85},
        "interval": scale.distance,
        "splitArea": {"show": look.opacity < 1 and luminance(look.paper) > 0.5},
        "splitLine": line,
        "axisLine": line,
    }


def _fault(plan: Layout, svg: str, face: Face) -> str:
    """What of the label isn't in the picture, or lies over something else; "" for nothing."""
    placed = engine.texts(svg, face)
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
            if plan.look.legend == "top" and y1 > plan.box[1]:
                return f"the legend with {text!r} reaches into the plot"
        if x0 < -_TOUCHING or y0 < -_TOUCHING or x1 > width + _TOUCHING or y1 > height + _TOUCHING:
            return f"{text!r} leaves the picture"
        boxes.append((x0 - _TOUCHING, y0, x1 + _TOUCHING, y1, text))
    return first_overlap(boxes)
