"""What stands around the marks of a chart in matplotlib: axes with their names and numbers, grid, title, legend, colour bar."""

import math
from dataclasses import replace
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.ticker import NullFormatter

from datagen.figures.charts.looks import Look
from datagen.figures.charts.matplotlib_marks import Marks
from datagen.figures.charts.numbers import NumberFormat, Scale

_BROKEN_AT = 12  # characters of a name that may take two lines


def dress(axes: Any, marks: Marks, title_font: FontProperties) -> None:
    """Axes, grid, title and legend for the marks that are there."""
    chart, look = marks.chart, marks.look
    match chart.kind:
        case "pie" | "donut":
            axes.set_aspect("equal")
        case "heat_map":
            _heat_map_axes(axes, marks)
        case "radar":
            _radar_axes(axes, marks)
        case _:
            _plain_axes(axes, marks)
    if chart.title:
        wide = _broken(chart.title, max(16, int(look.width / look.title_size * (1.0 if chart.title.isascii() else 0.8) * 1.5)))
        axes.set_title(wide, loc=look.title_place, fontproperties=title_font, pad=look.size * 0.8)
    _legend(axes, marks)


def _plain_axes(axes: Any, marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    scale = marks.scales[0]
    if chart.kind == "horizontal":
        _numbers(axes, "x", scale, chart.numbers, look)
        axes.set_yticks(range(len(chart.categories)), [_broken(name, _BROKEN_AT * 2) for name in chart.categories])
        axes.set_ylim(len(chart.categories) - 0.4, -0.6)
        axes.set_ylabel(chart.x_name)
        if look.has_axis:
            axes.set_xlabel(chart.y_names[0])
    else:
        _numbers(axes, "y", scale, chart.numbers, look)
        axes.set_xlabel(chart.x_name)
        if look.has_axis:
            axes.set_ylabel(chart.y_names[0])
        if marks.x_scale:
            _numbers(axes, "x", marks.x_scale, chart.x_numbers, replace(look, has_axis=True))
        else:
            _names_below(axes, marks)
    for second, other in zip(marks.axes[1:], marks.scales[1:], strict=True):
        _numbers(second, "y", other, chart.numbers, look)
        for side in ("top", "left", "bottom"):
            second.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    if look.grid and look.has_axis:
        axes.grid(True, axis="both" if look.grid == "both" else "x" if chart.kind == "horizontal" else "y")
    shown = {"all": ("left", "right", "top", "bottom"), "left": ("left", "bottom"), "bottom": ("bottom",)}[look.spines]
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(side in shown)
    if scale.low < 0 < scale.high and chart.kind in ("bar", "grouped", "horizontal"):
        (axes.axvline if chart.kind == "horizontal" else axes.axhline)(0, color=look.ink, linewidth=0.8, zorder=2.5)


def _numbers(axes: Any, side: str, scale: Scale, numbers: NumberFormat, look: Look) -> None:
    axis = axes.xaxis if side == "x" else axes.yaxis
    if scale.is_log:
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
        axis.set_minor_formatter(NullFormatter())
    (axes.set_xlim if side == "x" else axes.set_ylim)(scale.low, scale.high)
    if not look.has_axis:
        axis.set_ticks([])
        return
    axis.set_ticks(scale.ticks, scale.texts(numbers))


def _names_below(axes: Any, marks: Marks) -> None:
    """Names of categories under their places, broken into lines or turned where they would touch."""
    look, names = marks.look, marks.names_below()
    share = 0.66 if look.legend == "right" else 0.8
    per_name = look.width * share / max(1, len(names)) * marks.chart.every
    lines = [_broken(name, _BROKEN_AT) for name in names]
    widest = max(_width(line, look.size) for name in lines for line in name.split("\n"))
    turn = 0
    if widest > 0.92 * per_name:
        lines, turn = names, look.labels_rotate
        if look.size * 1.35 > per_name * math.sin(math.radians(turn)):
            turn = 90
    first = 0.5 if marks.chart.kind == "heat_map" else 0.0  # where the cells of the first column have their middle
    axes.set_xticks([first + place for place in range(len(names))], lines)
    if turn:
        aligned = {"ha": "right", "rotation_mode": "anchor"} if turn < 90 else {}
        for label in axes.get_xticklabels():
            label.set(rotation=turn, **aligned)
    ends = (0, len(names)) if first else (-0.6, len(names) - 0.4)
    axes.set_xlim(*ends)


def _width(text: str, size: float) -> float:
    """About how wide a text is, in pixels."""
    return sum(1.0 if ord(char) > 0x2E7F else 0.62 for char in text) * size


def _broken(text: str, most: int) -> str:
    """The text in two lines, broken at the space nearest to its middle, if it is longer than `most` characters."""
    spaces = [place for place, char in enumerate(text) if char == " "]
    if len(text) <= most or not spaces:
        return text
    place = min(spaces, key=lambda space: abs(space - len(text) / 2))
    return f"{text[:place]}\n{text[place + 1 :]}"


def _heat_map_axes(axes: Any, marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    _names_below(axes, marks)
    axes.set_yticks([place + 0.5 for place in range(len(chart.categories))], [_broken(name, 14) for name in chart.categories])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(look.spines == "all")
    scale = marks.scales[0]
    if look.has_axis:
        bar = axes.figure.colorbar(marks.mappable, ax=axes, fraction=0.06, pad=0.02)
        marks.bar = bar.ax
        bar.ax.tick_params(color=look.ink)
        bar.set_ticks(scale.ticks, labels=scale.texts(chart.numbers))
        bar.set_label(chart.y_names[0])


def _radar_axes(axes: Any, marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    scale = marks.scales[0]
    axes.set_theta_offset(math.pi / 2)
    axes.set_theta_direction(-1)
    places = [math.tau * place / len(chart.categories) for place in range(len(chart.categories))]
    axes.set_xticks(places, [_broken(name, _BROKEN_AT) for name in chart.categories])
    for place, label in zip(places, axes.get_xticklabels(), strict=True):
        side = math.sin(place)
        label.set_ha("left" if side > 0.1 else "right" if side < -0.1 else "center")
    axes.set_ylim(scale.low, scale.high)
    axes.set_rlabel_position(180 / len(chart.categories))
    rings, labels = scale.ticks[1:], scale.texts(chart.numbers)[1:]
    axes.set_yticks(rings, labels, fontsize=marks.small)
    axes.grid(True)
    axes.spines["polar"].set_color(look.ink)


def _legend(axes: Any, marks: Marks) -> None:
    look, names = marks.look, marks.legend_names()
    if not names:
        return
    wide = max(_width(name, look.size) for name in names) + 3.2 * look.size
    columns = max(1, min(len(names), int(look.width * 0.85 / wide)))
    if look.legend == "inside":
        side = {"left": "upper left", "right": "upper right", "center": "upper center"}[look.title_place]
        if len(names) * look.size * 1.5 <= 0.2 * look.height and look.from_zero:
            columns = 1
        marks.axes[-1].legend(marks.handles, names, loc=side, ncols=columns)
        return
    place = "bottom" if look.legend == "top" and marks.chart.title else look.legend
    where = {"right": "outside right upper", "top": "outside upper center", "bottom": "outside lower center"}[place]
    axes.figure.legend(marks.handles, names, loc=where, ncols=1 if place == "right" else columns)
