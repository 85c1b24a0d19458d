"""The layers of Vega-Lite's specifications for each kind of chart, with the values that they hold and what is printed at them."""

import math
from typing import Any

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.looks import Look, ink_on
from datagen.figures.charts.numbers import WHOLE, Scale, printed_text
from datagen.figures.charts.vega_plan import Marks, layer_of, name_channel

_SCHEMES = {"viridis": "viridis", "YlOrRd": "yelloworangered", "Blues": "blues", "Greens": "greens", "magma": "magma"}
_SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down")


def marks_of(chart: Chart, look: Look) -> Marks:
    """The layers for a chart."""
    marks = Marks(chart, look, round(look.width * 0.72), round(look.height * 0.68))
    match chart.kind:
        case "pie" | "donut":
            _pie(marks)
        case "scatter":
            _scatter(marks)
        case "box":
            _boxes(marks)
        case "heat_map":
            _cells(marks)
        case "line" | "area":
            _lines(marks)
        case _:
            _bars(marks)
    return marks


def _bars(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    lies = chart.kind == "horizontal"
    own = [0] if chart.kind == "composite" else [*range(len(chart.series))]
    marks.is_stacked = chart.kind == "stacked"
    columns = zip(*(chart.series[n].values for n in own), strict=True)
    tops = [sum(v or 0.0 for v in column) if marks.is_stacked else column for column in columns]
    flat = [v for top in tops for v in (top if isinstance(top, tuple) else (top,)) if v is not None]
    flat += [end for n in own for end in chart.series[n].ends if chart.series[n].errors]
    head = 0.0 if chart.is_whole else 0.15 if lies and look.has_labels else 0.08 if look.has_labels else 0.02
    scale = Scale.over(flat, look.num_ticks, True, head)
    marks.scales = [scale]
    values: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    has_labels = look.has_labels and chart.kind != "composite"
    for place, name in enumerate(chart.categories):
        bottom = 0.0
        for number in own:
            value = chart.series[number].values[place]
            if value is None:
                continue
            start = bottom if marks.is_stacked else 0.0
            bottom += value
            row = {"name": name, "series": chart.series[number].name or "value", "from": start, "to": start + value}
            if chart.edges:
                row |= {
                    "left": chart.edges[place],
                    "right": chart.edges[place + 1],
                    "middle": sum(chart.edges[place : place + 2]) / 2,
                }
            values.append(row)
            if has_labels and (not marks.is_stacked or value > 0.07 * (scale.high - scale.low)):
                text = marks.printed[number, place] = printed_text(chart.numbers, value, chart.decimals)
                shade = look.palette[number % len(look.palette)]
                ink = ink_on(shade) if marks.is_stacked else look.ink
                texts.append(
                    row | {"text": text, "at": start + value / 2 if marks.is_stacked else value, "ink": ink, "below": value < 0}
                )
                _note_bar_label(marks, scale, place, number, len(own), texts[-1]["at"], text)
    along, across = ("x", "y") if lies else ("y", "x")
    encoding: dict[str, Any] = {
        across: name_channel(chart) | {"scale": {"domain": [*chart.categories], "paddingInner": round(1 - look.bar_width, 2)}},
        along: {"field": "from", "type": "quantitative"},
        f"{along}2": {"field": "to"},
        "color": marks.colours(),
    }
    if len(own) > 1 and not marks.is_stacked:
        names = [chart.series[n].name for n in own]
        encoding[f"{across}Offset"] = {"field": "series", "type": "nominal", "sort": None, "scale": {"domain": names}}
    if chart.edges:
        marks.x_scale = chart.edge_scale
        encoding |= {"x": {"field": "left", "type": "quantitative"}, "x2": {"field": "right"}}
    kind = "rect" if chart.edges else "bar"
    stroke = look.edge or (look.plot_paper if chart.edges else None)
    bar: dict[str, Any] = {"type": kind, "opacity": 1 if marks.is_stacked else look.opacity, "stroke": stroke}
    if look.is_smooth and not marks.is_stacked and not chart.edges:
        bar["cornerRadiusEnd"] = 3
    marks.layers.append(layer_of(values, bar, encoding))
    _errors(marks, {key: encoding[key] for key in (across, f"{across}Offset") if key in encoding})
    for below, ink in sorted({(row["below"], row["ink"]) for row in texts}):
        rows = [row for row in texts if (row["below"], row["ink"]) == (below, ink)]
        marks.layers.append(_label_layer(marks, rows, lies, below, ink, encoding))
    if chart.kind == "composite":
        _line_over(marks)


def _errors(marks: Marks, places: dict[str, Any]) -> None:
    """Bars of error over the marks at these places."""
    rows = [
        {"name": name, "series": series.name or "value", "low": value - error, "high": value + error}
        for series in marks.chart.series
        for name, value, error in zip(marks.chart.categories, series.values, series.errors or (), strict=bool(series.errors))
        if value is not None
    ]
    for low, high in (("low", "high"), ("low", ""), ("high", "")) if rows else ():
        copy: dict[str, Any] = {channel: dict(place) for channel, place in places.items()}
        copy["y"] = {"field": low, "type": "quantitative"}
        mark: dict[str, Any] = {"type": "rule", "color": marks.look.ink, "strokeWidth": 1.2}
        if high:
            copy["y2"] = {"field": high}
        else:
            mark = {"type": "tick", "color": marks.look.ink, "size": 8, "thickness": 1.2}
        marks.layers.append(layer_of(rows, mark, copy))


def _label_layer(marks: Marks, rows: list[dict[str, Any]], lies: bool, below: bool, ink: str, bars: dict) -> dict[str, Any]:
    """Numbers at bars: in the middle of the pieces of a stack, else beyond the ends."""
    along, across = ("x", "y") if lies else ("y", "x")
    across_encoding = {key: dict(bars[key]) for key in (across, f"{across}Offset") if key in bars}
    if marks.chart.edges:
        across_encoding["x"]["field"] = "middle"
    encoding = across_encoding | {along: {"field": "at", "type": "quantitative"}, "text": {"field": "text"}}
    mark: dict[str, Any] = {"type": "text", "fontSize": marks.look.size * 0.85, "color": ink}
    if not marks.is_stacked:
        if lies:
            mark |= {"align": "right" if below else "left", "dx": -4 if below else 4}
        else:
            mark |= {"baseline": "top" if below else "bottom", "dy": 4 if below else -4}
    return layer_of(rows, mark, encoding)


def _note_bar_label(marks: Marks, scale: Scale, place: int, number: int, num: int, value: float, text: str) -> None:
    """Where a number at a bar stands, for `fault`."""
    if marks.chart.kind == "horizontal":
        size = marks.height / len(marks.chart.categories) / num
        along = marks.width * (value - scale.low) / (scale.high - scale.low)
        marks.boxes.append(((along + 20, (place * num + number + 0.5) * size, 0, 0), text))
        return
    step = marks.width / len(marks.chart.categories)
    slots = 1 if marks.is_stacked else num
    x = step * (place + 0.5) + ((number - (slots - 1) / 2) * step * 0.85 / slots if slots > 1 else 0.0)
    y = marks.height * (scale.high - value) / (scale.high - scale.low)
    marks.boxes.append(((x, y, 0, 0), text))


def _line_over(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    series = chart.series[1]
    if series.axis:
        marks.scales.append(Scale.over(series.present, look.num_ticks, look.from_zero, 0.05))
    else:
        both = [v for one in chart.series for v in one.present]
        marks.scales[0] = Scale.over(both, look.num_ticks, True, 0.03)
    rows = [{"name": n, "series": series.name, "at": v} for n, v in zip(chart.categories, series.values, strict=True)]
    encoding = {"x": name_channel(chart), "y": {"field": "at", "type": "quantitative"}, "color": marks.colours()}
    mark = {"type": "line", "point": look.has_markers, "strokeWidth": look.line_width}
    marks.layers.append(layer_of(rows, mark, encoding, series.axis))


def _lines(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    is_area = chart.kind == "area"
    marks.is_stacked = is_area and len(chart.series) > 1
    flat = [v for series in chart.series for v in series.ends]
    if is_area:
        flat = [math.fsum(v or 0.0 for v in column) for column in zip(*(s.values for s in chart.series), strict=True)]
    head = 0.08 if look.has_labels else 0.02
    scale = Scale.logarithmic(flat) if chart.is_log else Scale.over(flat, look.num_ticks, is_area or look.from_zero, head)
    marks.scales = [scale]
    rows: list[dict[str, Any]] = []
    bottoms = [0.0] * len(chart.categories)
    has_gaps = False
    for series in chart.series:
        run = 0
        for place, (name, value) in enumerate(zip(chart.categories, series.values, strict=True)):
            if value is None:
                run, has_gaps = run + 1, True
                continue
            start = bottoms[place] if is_area else 0.0
            rows.append({"name": name, "series": series.name or "value", "run": run, "from": start, "to": start + value})
            bottoms[place] += value
    encoding: dict[str, Any] = {
        "x": name_channel(chart),
        "y": {"field": "to", "type": "quantitative"},
        "color": marks.colours(),
        "detail": {"field": "run", "type": "nominal"},
    }
    if is_area:
        encoding["y2"] = {"field": "from"}
        marks.layers.append(layer_of(rows, {"type": "area", "opacity": min(0.9, look.opacity), "line": True}, encoding))
    else:
        has_points = look.has_markers or has_gaps or any(series.errors for series in chart.series)
        mark = {"type": "line", "point": has_points, "strokeWidth": look.line_width}
        marks.layers.append(layer_of(rows, mark, encoding))
        _errors(marks, {"x": encoding["x"]})
    if look.has_labels and len(chart.series) == 1:
        texts = []
        for place, value in enumerate(chart.series[0].values):
            if value is not None:
                text = marks.printed[0, place] = printed_text(chart.numbers, value, chart.decimals)
                texts.append({"name": chart.categories[place], "at": value, "text": text})
                x = marks.width * (place + 0.5) / len(chart.categories)
                marks.boxes.append(((x, marks.height * (1 - scale.share(value)), 0, 0), text))
        over = {"x": name_channel(chart), "y": {"field": "at", "type": "quantitative"}, "text": {"field": "text"}}
        mark = {"type": "text", "dy": -8, "baseline": "bottom", "fontSize": look.size * 0.85, "color": look.ink}
        marks.layers.append(layer_of(texts, mark, over))


def _pie(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    marks.scales = [WHOLE]
    marks.width = marks.height = min(marks.width, marks.height)
    radius = marks.width / 2
    decimals = min(chart.decimals, look.percent_decimals)
    inner = radius * look.hole if chart.kind == "donut" else 0.0
    names = [*chart.categories]
    palette = [look.palette[place % len(look.palette)] for place in range(len(names))]
    rows: list[dict[str, Any]] = []
    angle = 0.0
    for place, (name, value) in enumerate(zip(names, chart.series[0].present, strict=True)):
        rows.append(
            {"name": name, "from": angle, "to": angle + value, "middle": angle + value / 2, "ink": ink_on(palette[place])}
        )
        if look.has_labels:
            text = rows[-1]["text"] = marks.printed[0, place] = chart.numbers.text(value, decimals)
            middle, reach = math.tau * (angle + value / 2) / 100, (inner + radius) / 2 if inner else radius * 0.72
            marks.boxes.append(((radius + reach * math.sin(middle), radius - reach * math.cos(middle), 0, 0), text))
        angle += value
    turn = {"type": "quantitative", "scale": {"domain": [0, angle], "range": [0, math.tau]}}
    colour = {"field": "name", "type": "nominal", "title": None, "scale": {"domain": names, "range": palette}}
    arc = {"type": "arc", "innerRadius": inner, "outerRadius": radius, "stroke": look.edge or look.paper}
    arcs = {"theta": turn | {"field": "from"}, "theta2": {"field": "to"}, "color": colour}
    marks.layers.append(layer_of(rows, arc, arcs))
    for ink in ("#000000", "#ffffff") if look.has_labels else ():
        own = [row for row in rows if row["ink"] == ink]
        reach = (inner + radius) / 2 if inner else radius * 0.72
        text_mark = {"type": "text", "radius": reach, "fontSize": look.size * 0.85, "color": ink}
        if own:
            marks.layers.append(layer_of(own, text_mark, {"theta": turn | {"field": "middle"}, "text": {"field": "text"}}))
    for layer in marks.layers:
        layer.pop("axis_number")


def _scatter(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    ys, xs = [y for s in chart.series for y in s.present], [x for s in chart.series for x in s.xs]
    marks.scales = [Scale.logarithmic(ys) if chart.is_log else Scale.over(ys, look.num_ticks, False, 0.03)]
    marks.x_scale = Scale.logarithmic(xs) if chart.is_x_log else Scale.over(xs, look.num_ticks, False, 0.03)
    rows = [
        {"x": x, "y": y, "series": series.name or "value"}
        for series in chart.series
        for x, y in zip(series.xs, series.present, strict=True)
    ]
    names = [series.name or "value" for series in chart.series]
    shapes = {"domain": names, "range": [_SHAPES[place % len(_SHAPES)] for place in range(len(names))]}
    encoding = {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative"},
        "color": marks.colours(),
        "shape": {
            "field": "series",
            "type": "nominal",
            "scale": shapes,
            "legend": {} if chart.has_names else None,
            "title": None,
        },
    }
    mark = {
        "type": "point",
        "filled": look.has_markers,
        "size": 20 * look.line_width + 30,
        "opacity": look.opacity,
        "strokeWidth": 2,
    }
    marks.layers.append(layer_of(rows, mark, encoding))


def _boxes(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    marks.scales = [Scale.over([v for s in chart.series for v in s.present], look.num_ticks, False, 0.03)]
    rows: list[dict[str, Any]] = [
        {"name": name} | {series.name: series.values[place] for series in chart.series}
        for place, name in enumerate(chart.categories)
    ]
    paint = look.palette[0]
    width = marks.width / len(rows) * look.bar_width * 0.7

    def spanned(low: str, high: str) -> dict[str, Any]:
        return {"x": name_channel(chart), "y": {"field": low, "type": "quantitative"}, "y2": {"field": high}}

    marks.layers.append(layer_of(rows, {"type": "rule", "color": look.ink}, spanned("min", "Q1")))
    marks.layers.append(layer_of(rows, {"type": "rule", "color": look.ink}, spanned("Q3", "max")))
    bar = {"type": "bar", "size": width, "color": paint, "stroke": look.ink}
    marks.layers.append(layer_of(rows, bar, spanned("Q1", "Q3")))
    for name, size, colour in (("min", width / 2, look.ink), ("max", width / 2, look.ink), ("median", width, ink_on(paint))):
        tick = {"type": "tick", "color": colour, "size": size, "thickness": 2 if name == "median" else 1}
        marks.layers.append(layer_of(rows, tick, {"x": name_channel(chart), "y": {"field": name, "type": "quantitative"}}))


def _cells(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    scale = Scale.over([v for s in chart.series for v in s.present], look.num_ticks, False)
    marks.scales = [scale]
    columns = [series.name for series in chart.series]
    rows: list[dict[str, Any]] = []
    for column, series in enumerate(chart.series):
        for row, value in enumerate(series.present):
            rows.append({"row": chart.categories[row], "name": series.name, "value": value})
            if look.has_labels:
                text = rows[-1]["text"] = marks.printed[column, row] = printed_text(chart.numbers, value, chart.decimals)
                x, y = (column + 0.5) / len(columns), (row + 0.5) / len(chart.categories)
                marks.boxes.append(((marks.width * x, marks.height * y, 0, 0), text))
    first = round(scale.ticks[0] / scale.distance)
    legend: dict[str, Any] | None = None
    if look.has_axis:
        listed = ",".join(f'"{text}"' for text in scale.texts(chart.numbers))
        legend = {
            "title": chart.y_names[0] or None,
            "values": [*scale.ticks],
            "labelExpr": f"[{listed}][round(datum.value / {scale.distance!r}) - ({first})]",
            "orient": "right",
            "gradientLength": marks.bar_height,
        }
    scheme = _SCHEMES.get(look.colour_map, "viridis")
    places: dict[str, dict[str, Any]] = {
        "x": {"field": "name", "type": "nominal", "sort": None, "scale": {"domain": columns}},
        "y": {"field": "row", "type": "nominal", "sort": None, "scale": {"domain": [*chart.categories]}},
    }
    shades = {"scheme": scheme, "domain": [scale.low, scale.high], "nice": False, "zero": False}
    colour = {"field": "value", "type": "quantitative", "scale": shades, "legend": legend}
    marks.layers.append(layer_of(rows, {"type": "rect", "stroke": look.edge or None}, places | {"color": colour}))
    for ink in ("#000000", "#ffffff") if look.has_labels else ():
        own = [row for row in rows if _cell_ink(scheme, (row["value"] - scale.low) / (scale.high - scale.low)) == ink]
        copy = {channel: dict(place) for channel, place in places.items()}
        mark = {"type": "text", "fontSize": look.size * 0.85, "color": ink}
        marks.layers.append(layer_of(own, mark, copy | {"text": {"field": "text"}}))
    for layer in marks.layers:
        layer.pop("axis_number")


def _cell_ink(scheme: str, share: float) -> str:
    """Black or white, whichever can be read on a scheme's colour at a share of the way."""
    is_light = share > 0.6 if scheme in ("viridis", "magma") else share < 0.6
    return "#000000" if is_light else "#ffffff"
