"""The marks of each kind of chart in matplotlib: bars, lines, slices, points, boxes, cells, and the numbers printed at them.

Artists have a gid, `series/category` or `series`, by which a test finds what was drawn for a value.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.looks import Look, ink_on
from datagen.figures.charts.plan import Plan

POINTS = 0.72
"""A pixel in points: pictures have 100 dots an inch."""
_HATCHES = ("//", "..", "xx", "\\\\", "--", "++", "oo", "**")
_MARKERS = "osD^v"
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)))


@dataclass
class Marks(Plan):
    """What was drawn: the axes by number, and what tells the series apart in a legend. `bar` is the colour bar's axes."""

    axes: list[Any] = field(default_factory=list)
    handles: list[Any] = field(default_factory=list)
    mappable: Any = None
    bar: Any = None

    @property
    def small(self) -> float:
        """The size of printed numbers, in points."""
        return self.look.size * POINTS * 0.85

    def top(self, axis: int) -> float:
        """The largest value on an axis, of a stack its sum."""
        if self.is_stacked:
            return max(self.chart.sums)
        return max(value for series in self.chart.series if series.axis == axis for value in series.ends)

    def marker(self, number: int) -> str:
        return _MARKERS[(_MARKERS.index(self.look.marker) + number) % len(_MARKERS)]


def mark(axes: Axes, chart: Chart, look: Look) -> Marks:
    """Draw the chart's values onto the axes."""
    marks = Marks(chart, look, [axes])
    draw: Callable[[Marks], None] = {
        "line": _lines,
        "area": _areas,
        "pie": _pie,
        "donut": _pie,
        "scatter": _scatter,
        "box": _boxes,
        "heat_map": _cells,
        "radar": _radar,
    }.get(chart.kind, _bars)
    draw(marks)
    return marks


def _on(paper: object) -> str:
    """The ink for numbers on a colour of matplotlib's."""
    return ink_on(to_hex(paper))  # type: ignore[arg-type]


def _bars(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    lies = chart.kind == "horizontal"
    bars = chart.series[:1] if chart.kind == "composite" else chart.series
    wide = look.bar_width if marks.is_stacked or len(bars) == 1 else min(0.9, look.bar_width + 0.15) / len(bars)
    first, apart = 0.0, 1.0
    if chart.edges:
        apart = wide = chart.edges[1] - chart.edges[0]
        first = chart.edges[0] + apart / 2
    bottom = [0.0] * len(chart.categories)
    varied = len(chart.series) == 1 and look.opacity == 0.85
    for number, series in enumerate(bars):
        shift = 0.0 if marks.is_stacked else (number - (len(bars) - 1) / 2) * wide
        present = [place for place, value in enumerate(series.values) if value is not None]
        places = [first + apart * place + shift for place in present]
        drawn = (axes.barh if lies else axes.bar)(
            places,
            series.present,
            wide,
            [bottom[place] for place in present],
            color=[marks.colour(place) for place in present] if varied else marks.colour(number),
            edgecolor=look.edge or (look.plot_paper if chart.edges else "none"),
            linewidth=0.8,
            alpha=look.opacity,
            hatch=_HATCHES[number % len(_HATCHES)] if look.hatch else None,
            zorder=2,
        )
        for place, at, bar, value in zip(present, places, drawn, series.present, strict=True):
            bar.set_gid(f"{number}/{place}")
            _bar_label(marks, number, place, at, bottom[place] + value / 2)
            if marks.is_stacked:
                bottom[place] += value
        _errors(marks, number, shift)
        marks.handles.append(drawn)
    if chart.kind == "composite":
        _line_over(marks)


def _bar_label(marks: Marks, number: int, place: int, at: float, middle: float) -> None:
    """The number of a bar at `at`, if it is printed: in the middle of a piece of a stack, else beyond the bar's end."""
    look, text, value = marks.look, marks.printed.get((number, place)), marks.chart.series[number].values[place]
    if not text or value is None:
        return
    if marks.is_stacked:
        colours = zip(to_rgb(marks.colour(number)), to_rgb(look.plot_paper), strict=True)
        ink = _on([look.opacity * one + (1 - look.opacity) * other for one, other in colours])
        marks.axes[0].text(at, middle, text, ha="center", va="center", color=ink, fontsize=marks.small, zorder=4)
        return
    lies, is_above = marks.chart.kind == "horizontal", value >= 0
    away = 3 if is_above else -3
    sides = ("left" if is_above else "right", "center") if lies else ("center", "bottom" if is_above else "top")
    _note(marks, text, (value, at) if lies else (at, value), (away, 0) if lies else (0, away), sides)


def _note(marks: Marks, text: str, at: tuple[float, float], away: tuple[float, float], sides: tuple[str, str]) -> None:
    """A printed number some points away from a place."""
    horizontal, vertical = sides
    how = {"ha": horizontal, "va": vertical, "fontsize": marks.small, "zorder": 4}
    marks.axes[0].annotate(text, at, away, textcoords="offset points", **how)


def _errors(marks: Marks, number: int, shift: float) -> None:
    series, look = marks.chart.series[number], marks.look
    if not series.errors:
        return
    present = [place for place, value in enumerate(series.values) if value is not None]
    bars = marks.axes[0].errorbar(
        [place + shift for place in present],
        series.present,
        yerr=[series.errors[place] for place in present],
        fmt="none",
        ecolor=look.ink,
        elinewidth=1.2,
        capsize=3,
        zorder=3.5,
    )
    bars.lines[2][0].set_gid(f"error/{number}")


def _line(marks: Marks, axes: Any, number: int, xs: Any, ys: Any, **how: Any) -> Any:
    """A series' line, noted for the legend."""
    line = axes.plot(xs, ys, color=marks.colour(number), linewidth=marks.look.line_width, **{"zorder": 3} | how)[0]
    line.set_gid(f"{number}")
    marks.handles.append(line)
    return line


def _line_over(marks: Marks) -> None:
    """The line of a composite, on an axis of its own if it has one."""
    series, axes = marks.chart.series[1], marks.axes[0]
    if series.axis:
        axes = axes.twinx()
        axes.set_facecolor("none")
        marks.axes.append(axes)
    _line(marks, axes, 1, range(len(series.values)), series.values, marker=marks.look.marker)


def _lines(marks: Marks) -> None:
    look = marks.look
    has_dashes = look.hatch or look.edge == "#000000"
    for number, series in enumerate(marks.chart.series):
        own = [math.nan if value is None else value for value in series.values]
        marker = marks.marker(number) if look.has_markers or None in series.values else ""
        style = _DASHES[number % len(_DASHES)] if has_dashes else "-"
        _line(
            marks, marks.axes[0], number, range(len(own)), own, marker=marker, markersize=look.line_width * 2.6, linestyle=style
        )
        _errors(marks, number, 0.0)
    _point_labels(marks)


def _point_labels(marks: Marks) -> None:
    """The printed numbers of a line: below it where it turns up, else above."""
    values = marks.chart.series[0].values
    for (_, place), text in marks.printed.items():
        value = values[place]
        assert value is not None
        beside = [v for v in (values[max(0, place - 1)], values[min(len(values) - 1, place + 1)]) if v is not None]
        is_low = value < min(beside, default=value) or (value == min([*beside, value]) and value < max([*beside, value]))
        _note(marks, text, (place, value), (0, -6 if is_low else 6), ("center", "top" if is_low else "bottom"))


def _areas(marks: Marks) -> None:
    look, axes = marks.look, marks.axes[0]
    bottom = numpy.zeros(len(marks.chart.categories))
    for number, series in enumerate(marks.chart.series):
        top, colour = bottom + numpy.asarray(series.values, float), marks.colour(number)
        area = axes.fill_between(range(len(top)), bottom, top, color=colour, alpha=min(look.opacity, 0.9), linewidth=0, zorder=2)
        _line(marks, axes, number, range(len(top)), top)
        marks.handles[-1] = area
        bottom = top
    _point_labels(marks)


def _pie(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    values = chart.series[0].present
    is_ring = chart.kind == "donut"
    wedges, *_ = axes.pie(
        values,
        labels=None if look.legend else [*chart.categories],
        colors=[marks.colour(place) for place in range(len(values))],
        startangle=look.start_angle,
        counterclock=look.has_markers,
        labeldistance=1.1,
        wedgeprops={"edgecolor": look.edge or look.paper, "linewidth": 1.0, "width": 1 - look.hole if is_ring else 1.0},
        textprops={"color": look.ink},
    )
    is_outside = look.legend and look.from_zero
    radius = 1.14 if is_outside else (1 + look.hole) / 2 if is_ring else 0.72
    for (_, place), text in marks.printed.items():
        angle = math.radians((wedges[place].theta1 + wedges[place].theta2) / 2)
        ink = look.ink if is_outside else _on(marks.colour(place))
        how = {"ha": "center", "va": "center", "color": ink, "fontsize": look.size * POINTS * 0.9}
        axes.text(radius * math.cos(angle), radius * math.sin(angle), text, **how)
    for place, wedge in enumerate(wedges):
        wedge.set_gid(f"0/{place}")
    marks.handles = [*wedges]


def _scatter(marks: Marks) -> None:
    look = marks.look
    for number, series in enumerate(marks.chart.series):
        points = marks.axes[0].scatter(
            series.xs,
            series.present,
            s=(look.line_width * 3.5) ** 2,
            color=marks.colour(number),
            marker=marks.marker(number),
            alpha=look.opacity,
            edgecolors=look.edge or "none",
            linewidths=0.6,
            clip_on=False,
            zorder=3,
        )
        points.set_gid(f"{number}")
        marks.handles.append(points)


def _boxes(marks: Marks) -> None:
    chart, look = marks.chart, marks.look
    rows = zip(*(series.present for series in chart.series), strict=True)
    stats = [dict(zip(("whislo", "q1", "med", "q3", "whishi"), row, strict=True)) | {"fliers": []} for row in rows]
    is_filled = look.opacity < 1 or look.hatch
    first = marks.colour(0)
    drawn = marks.axes[0].bxp(
        stats,
        positions=range(len(stats)),
        widths=look.bar_width * 0.8,
        patch_artist=True,
        showfliers=False,
        manage_ticks=False,
        boxprops={"facecolor": first if is_filled else look.plot_paper, "edgecolor": look.ink},
        medianprops={"color": _on(first) if is_filled else first, "linewidth": max(1.2, look.line_width)},
        whiskerprops={"color": look.ink, "linestyle": "--" if look.grid_style == "dashed" else "-"},
        capprops={"color": look.ink},
    )
    for place, box in enumerate(drawn["boxes"]):
        box.set_gid(f"box/{place}")
        if is_filled and look.has_markers:
            box.set_facecolor(marks.colour(place))
            drawn["medians"][place].set_color(_on(marks.colour(place)))
    for name in ("medians", "caps"):
        for place, line in enumerate(drawn[name]):
            line.set_gid(f"{name}/{place}")


def _cells(marks: Marks) -> None:
    look, axes, scale = marks.look, marks.axes[0], marks.scales[0]
    matrix = numpy.asarray([list(series.values) for series in marks.chart.series], float).T
    marks.mappable = axes.pcolormesh(
        matrix,
        cmap=look.colour_map,
        vmin=scale.low,
        vmax=scale.high,
        edgecolors=look.edge or "none",
        linewidth=0.8 if look.edge else 0,
        antialiased=False,
    )
    marks.mappable.set_gid("cells")
    axes.invert_yaxis()
    for (column, row), text in marks.printed.items():
        ink = _on(marks.mappable.cmap(marks.mappable.norm(matrix[row, column]))[:3])
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=ink, fontsize=marks.small)


def _radar(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    spokes = numpy.linspace(0, math.tau, len(chart.categories), endpoint=False)
    for number, series in enumerate(chart.series):
        closed = [*spokes, spokes[0]], [*series.present, series.present[0]]
        marker = look.marker if look.has_markers else ""
        _line(marks, axes, number, *closed, marker=marker, markersize=look.line_width * 2.2, zorder=2)
        if look.opacity < 1:
            axes.fill(spokes, series.present, color=marks.colour(number), alpha=0.2)
