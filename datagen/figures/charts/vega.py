"""Charts drawn by Vega-Lite, without a browser, and what the picture shows of their values.

Vega-Lite makes the picture as large as titles, numbers and legends need, around a plot whose size is given, so that the length of
each axis in pixels is known. Texts that would lie over each other are looked for beforehand, by the widths of their typeface.
"""

import importlib.metadata
import json
import math
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import vl_convert

from datagen.figures.charts import echarts_engine as engine
from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.faces import Face, Faces, needed
from datagen.figures.charts.label import Shown
from datagen.figures.charts.looks import Look, settled
from datagen.figures.charts.numbers import NumberFormat, Scale
from datagen.figures.charts.vega_marks import marks_of
from datagen.figures.charts.vega_plan import Marks
from datagen.record import SampleError

_SIZE = re.compile(r'<svg [^>]*\bwidth="([\d.]+)" height="([\d.]+)"')


@dataclass(frozen=True)
class Picture:
    """A drawn chart: its specification and SVG, the pixels, and what they show."""

    specification: dict[str, Any]
    svg: str
    image: bytes
    size: tuple[int, int]
    shown: Shown

    def png(self) -> bytes:
        return self.image


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("vl-convert-python", "resvg-py")}


def draw(chart: Chart, look: Look, faces: Faces) -> Picture:
    """The chart, drawn. Raises `SampleError` where its texts find no place."""
    look = settled(look, chart)
    able = faces.serif if look.is_serif else faces.sans
    own = able[int(look.size * 1000) % len(able)]
    formats = (form.text(-1234567890.1, 1) for form in (chart.numbers, chart.x_numbers))
    used = needed(own, faces.fallbacks, "".join((*chart.words(), *formats, chart.numbers.digits)))
    plain = replace(look, has_labels=False, has_axis=True, labels_rotate=90)
    wide = replace(plain, width=round(look.width * 1.35), height=round(look.height * 1.3))
    wrong = ""
    for attempt in (look, plain, wide):
        marks = marks_of(chart, attempt)
        turn, wrong = _turned(marks, own)
        wrong = wrong or marks.fault(own)
        if wrong:
            continue
        specification = _specification(marks, turn, used)
        svg = vl_convert.vegalite_to_svg(specification)
        size = _SIZE.search(svg)
        assert size is not None
        image = engine.png(svg, attempt.paper, used)
        return Picture(specification, svg, image, (round(float(size[1])), round(float(size[2]))), marks.shown())
    raise SampleError("chart_too_crowded", f"{chart.kind} with {len(chart.categories)} categories: {wrong}")


def _turned(marks: Marks, face: Face) -> tuple[int, str]:
    """By how much the names below the plot are turned, in degrees, and what is wrong with them; or "" for nothing."""
    chart, look, names = marks.chart, marks.look, marks.names_below()
    for scale, numbers in marks.scales_below():
        texts = scale.texts(numbers)
        room = marks.width * (scale.share(scale.ticks[1]) - scale.share(scale.ticks[0]))
        if (look.has_axis or chart.edges) and max(engine.measured(face, look.size, text) for text in texts) > room - 6:
            return 0, f"{texts[-1]!r} and its neighbours have no room"
    if not names:
        return 0, ""
    room = marks.width / len(names) * chart.every
    names = [name for name in names if name]
    widths = [engine.measured(face, look.size, name) for name in names]
    if all((one + other) / 2 < room - 4 for one, other in pairwise([*widths, 0.0])):
        return 0, ""
    turn = look.labels_rotate
    if look.size * 1.25 > room * math.sin(math.radians(turn)):
        return turn, f"{names[0]!r} and its neighbours have no room"
    return turn, ""


def _specification(marks: Marks, turn: int, used: list[Face]) -> dict[str, Any]:
    chart, look = marks.chart, marks.look
    layers = marks.layers
    for layer in layers:
        encoding = layer["encoding"]
        for channel, scale, numbers, name in marks.value_channels(layer):
            zero = {"type": "log"} if scale.is_log else {"zero": False}
            encoding[channel]["scale"] = {"domain": [scale.low, scale.high], "nice": False} | zero
            shown = look if channel == "y" or not chart.edges else replace(look, has_axis=True)
            encoding[channel]["axis"] = _axis(shown, scale, numbers, name)
        if channel := marks.name_channel(layer):
            grid = look.grid == "both" and chart.kind != "heat_map"
            encoding[channel]["axis"] = {
                "labelAngle": -turn if channel == "x" else 0,
                "grid": grid,
                "title": chart.x_name or None,
            }
            if chart.every > 1:
                written = json.dumps([name for name in chart.written if name], ensure_ascii=False)
                encoding[channel]["axis"] |= {
                    "labelExpr": f"indexof({written}, datum.label) < 0 ? '' : datum.label",
                    "ticks": True,
                }
    specification: dict[str, Any] = {
        "width": round(marks.width),
        "height": round(marks.height),
        "padding": round(look.margin),
        "background": look.paper,
        "layer": layers,
        "config": _config(look, ", ".join(face.family for face in used), _legend_columns(marks, used[0])),
    }
    if chart.kind == "composite" and chart.series[1].axis:
        specification["resolve"] = {"scale": {"y": "independent"}}
    if chart.title:
        anchor = {"left": "start", "center": "middle", "right": "end"}[look.title_place]
        specification["title"] = {"text": chart.title, "anchor": anchor, "offset": round(look.size)}
    return json.loads(json.dumps(specification))


def _legend_columns(marks: Marks, face: Face) -> int:
    """How many entries of a legend above or below the plot stand in a row."""
    names = [*marks.chart.categories] if marks.chart.kind in ("pie", "donut") else [series.name for series in marks.chart.series]
    widest = max(engine.measured(face, marks.look.size, name) for name in names)
    return max(1, min(len(names), int((marks.width + 60) / (widest + 40))))


def _axis(look: Look, scale: Scale, numbers: NumberFormat, name: str) -> dict[str, Any]:
    if not look.has_axis:
        return {"labels": False, "ticks": False, "grid": False, "title": None}
    first = round(math.log10(scale.low)) if scale.is_log else round(scale.ticks[0] / scale.distance)
    place = "log(datum.value) / LN10" if scale.is_log else f"datum.value / {scale.distance!r}"
    texts = json.dumps(scale.texts(numbers), ensure_ascii=False)
    return {
        "values": [*scale.ticks],
        "labelExpr": f"{texts}[round({place}) - ({first})]",
        "grid": bool(look.grid),
        "title": name or None,
        "labelOverlap": False,
    }


def _config(look: Look, font: str, columns: int) -> dict[str, Any]:
    texts = {"labelColor": look.ink, "titleColor": look.ink, "labelFontSize": look.size, "titleFontSize": look.size}
    texts |= {"titleFontWeight": "normal", "labelLimit": 0, "titleLimit": 0}
    axis = {
        **texts,
        "labelOverlap": False,
        "domain": look.spines != "bottom",
        "domainColor": look.ink,
        "tickColor": look.ink,
        "ticks": look.spines != "left",
        "gridColor": "#888888",
        "gridOpacity": 0.4,
        "gridDash": {"solid": [1, 0], "dashed": [4, 3], "dotted": [1, 3]}[look.grid_style],
    }
    legend = {
        **texts,
        "orient": {"inside": "right"}.get(look.legend, look.legend),
        "symbolLimit": 0,
        "columns": columns if look.legend in ("top", "bottom") else 1,
        "symbolType": "square" if look.is_smooth else "circle",
    }
    title = {"fontSize": look.title_size, "color": look.ink, "fontWeight": "bold" if look.is_title_bold else "normal", "limit": 0}
    view = {"fill": look.plot_paper, "stroke": look.ink if look.spines == "all" else "transparent"}
    return {"font": font, "axis": axis, "legend": legend, "title": title, "view": view}
