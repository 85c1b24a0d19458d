"""The series of ECharts' options for each kind of chart."""

from typing import Any

from datagen.figures.charts.echarts_layout import Layout
from datagen.figures.charts.looks import Look, ink_on, luminance

_SYMBOLS = ("circle", "rect", "diamond", "triangle", "roundRect")
_BAR_GAP = "10%"


def series_of(plan: Layout) -> list[dict[str, Any]]:
    """The series of the option."""
    numbers = range(len(plan.chart.series))
    match plan.chart.kind:
        case "pie" | "donut":
            return [_pie(plan)]
        case "scatter":
            return [_points(plan, number) for number in numbers]
        case "box":
            return [_boxes(plan)]
        case "heat_map":
            return [_cells(plan)]
        case "radar":
            return [_radar(plan)]
        case "line" | "area":
            return [_line(plan, number) for number in numbers] + _errors(plan, 0)
        case "composite":
            return [_bars(plan, 0), _line(plan, 1)]
        case _:
            return [_bars(plan, number) for number in numbers] + _errors(plan, len(numbers))


def _values(plan: Layout, number: int, above: str, below: str, ink: str) -> list[Any]:
    """A series' values, with the numbers that are printed at them: `above` and `below` say where, for ECharts."""
    points: list[Any] = []
    for place, value in enumerate(plan.chart.series[number].values):
        point: dict[str, Any] = {"value": "-" if value is None else value}
        if text := plan.printed.get((number, place)):
            point["label"] = _label(plan, text, ink) | {"position": below if value is not None and value < 0 else above}
        points.append(point)
    return points


def _label(plan: Layout, text: str, ink: str) -> dict[str, Any]:
    return {"show": True, "formatter": text, "color": ink, "fontSize": plan.look.size * 0.85}


def _bars(plan: Layout, number: int) -> dict[str, Any]:
    chart, look = plan.chart, plan.look
    if plan.is_stacked:
        points = _values(plan, number, "inside", "inside", ink_on(plan.colour(number)))
    else:
        sides = ("right", "left") if chart.kind == "horizontal" else ("top", "bottom")
        points = _values(plan, number, *sides, look.ink)
    return {
        "type": "bar",
        "name": chart.series[number].name,
        "data": points,
        "stack": "all" if plan.is_stacked else None,
        "barCategoryGap": "0%" if chart.edges else _gap(look),
        "barGap": _BAR_GAP,
        "itemStyle": {
            "opacity": 1 if plan.is_stacked else look.opacity,
            "borderColor": look.edge or (look.plot_paper if chart.edges else "transparent"),
            "borderRadius": 4 if look.is_smooth and not plan.is_stacked else 0,
        },
        "labelLayout": {"hideOverlap": False},
    }


def _gap(look: Look) -> str:
    return f"{round(100 * (1 - look.bar_width))}%"


def _errors(plan: Layout, num_bars: int) -> list[dict[str, Any]]:
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


def _line(plan: Layout, number: int) -> dict[str, Any]:
    look, series = plan.look, plan.chart.series[number]
    made = {
        "type": "line",
        "name": series.name,
        "data": _values(plan, number, "top", "top", look.ink),
        "yAxisIndex": series.axis,
        "smooth": look.is_smooth,
        "symbol": _SYMBOLS[number % len(_SYMBOLS)],
        "symbolSize": look.line_width * 3,
        "showSymbol": look.has_markers or None in series.values,
        "lineStyle": {"width": look.line_width, "type": ("solid", "dashed", "dotted")[number % 3] if look.hatch else "solid"},
    }
    if plan.chart.kind == "area":
        made |= {"areaStyle": {"opacity": min(0.8, look.opacity)}, "stack": "all"}
    return made


def _pie(plan: Layout) -> dict[str, Any]:
    chart, look = plan.chart, plan.look
    points = []
    for place, (name, value) in enumerate(zip(chart.categories, chart.series[0].present, strict=True)):
        number = plan.printed.get((0, place), "")
        text = number if look.legend else f"{name}\n{number}".rstrip()
        ink = ink_on(plan.colour(place)) if plan.has_numbers_inside else look.ink
        label = _label(plan, text, ink) | {"show": bool(text), "fontSize": look.size * 0.95, "overflow": "none"}
        label |= {"position": "inside"} if plan.has_numbers_inside else {"lineHeight": look.size * 1.25}
        points.append({"name": name, "value": value, "label": label})
    return {
        "type": "pie",
        "data": points,
        "center": [*plan.middle],
        "radius": [plan.rim * look.hole if chart.kind == "donut" else 0, plan.rim],
        "startAngle": look.start_angle,
        "clockwise": not look.has_markers,
        "avoidLabelOverlap": False,
        "minShowLabelAngle": 0,
        "itemStyle": {"borderColor": look.edge or look.paper, "borderWidth": 1},
    }


def _points(plan: Layout, number: int) -> dict[str, Any]:
    look, series = plan.look, plan.chart.series[number]
    return {
        "type": "scatter",
        "name": series.name,
        "data": [[x, y] for x, y in zip(series.xs, series.present, strict=True)],
        "symbol": _SYMBOLS[number % len(_SYMBOLS)],
        "symbolSize": look.line_width * 4 + 2,
        "itemStyle": {"opacity": look.opacity},
    }


def _boxes(plan: Layout) -> dict[str, Any]:
    look = plan.look
    rows = [list(row) for row in zip(*(series.present for series in plan.chart.series), strict=True)]
    is_filled = look.opacity < 1 and abs(luminance(look.palette[0]) - luminance(look.ink)) > 0.25  # else no median is seen
    style = {"color": look.palette[0] if is_filled else look.plot_paper, "borderColor": look.ink, "borderWidth": 1.2}
    return {"type": "boxplot", "data": rows, "itemStyle": style, "boxWidth": ["20%", f"{round(60 * look.bar_width)}%"]}


def _cells(plan: Layout) -> dict[str, Any]:
    points: list[dict[str, Any]] = []
    for column, series in enumerate(plan.chart.series):
        for row, value in enumerate(series.present):
            point: dict[str, Any] = {"value": [column, row, value]}
            if text := plan.printed.get((column, row)):
                shade = _mixed(plan.heat_colours(), plan.scales[0].share(value))
                point["label"] = _label(plan, text, ink_on(shade))
            points.append(point)
    return {"type": "heatmap", "data": points, "itemStyle": {"borderColor": plan.look.edge or "transparent", "borderWidth": 1}}


def _radar(plan: Layout) -> dict[str, Any]:
    """Lines over the spokes."""
    look = plan.look
    points = []
    for series in plan.chart.series:
        point: dict[str, Any] = {"name": series.name, "value": series.present, "lineStyle": {"width": look.line_width}}
        point["symbol"] = "circle" if look.has_markers else "none"
        if look.opacity < 1:
            point["areaStyle"] = {"opacity": 0.2}
        points.append(point)
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
