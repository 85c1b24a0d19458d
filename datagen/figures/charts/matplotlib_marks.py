"""The marks of each kind of chart in matplotlib: bars, lines, slices, points, boxes, cells, and the numbers printed at them.

Artists have a gid, `series/category` or `series`, by which a test finds what was drawn for a value.
"""

import math
from collections.abc import Callable

import numpy
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.looks import Look
from datagen.figures.charts.matplotlib_plan import Marks, colour, headroom, on, stacks
from datagen.figures.charts.numbers import WHOLE, Scale, printed_text

_HATCHES = ("//", "..", "xx", "\\\\", "--", "++", "oo", "**")


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


def _bars(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    lies = chart.kind == "horizontal"
    bars = [n for n in range(len(chart.series)) if chart.kind != "composite" or n == 0]
    marks.is_stacked = chart.kind == "stacked"
    values = stacks(chart) if marks.is_stacked else [v for s in chart.series if s.axis == 0 for v in s.ends]
    top = 0.0 if chart.is_whole and look.legend != "inside" else headroom(marks)
    scale = Scale.over(values, look.num_ticks, True, top)
    if lies and look.has_labels:
        scale = Scale.over(values, look.num_ticks, True, 0.2)
    marks.scales = [scale]
    wide = look.bar_width if marks.is_stacked or len(bars) == 1 else min(0.9, look.bar_width + 0.15) / len(bars)
    first, apart = 0.0, 1.0
    if chart.kind == "histogram":
        marks.x_scale, apart = chart.edge_scale, chart.edges[1] - chart.edges[0]
        first, wide = chart.edges[0] + apart / 2, apart
    bottom = [0.0] * len(chart.categories)
    varied = len(chart.series) == 1 and look.opacity == 0.85 and chart.kind != "composite"
    for number in bars:
        series = chart.series[number]
        shift = 0.0 if marks.is_stacked else (number - (len(bars) - 1) / 2) * wide
        present = [place for place, value in enumerate(series.values) if value is not None]
        drawn = (axes.barh if lies else axes.bar)(
            [first + apart * place + shift for place in present],
            series.present,
            wide,
            [bottom[place] for place in present] if marks.is_stacked else 0.0,
            color=[colour(look, place) for place in present] if varied else colour(look, number),
            edgecolor=look.edge or (look.plot_paper if chart.kind == "histogram" else "none"),
            linewidth=0.8,
            alpha=look.opacity,
            hatch=_HATCHES[number % len(_HATCHES)] if look.hatch else None,
            zorder=2,
        )
        for place, bar in zip(present, drawn, strict=True):
            bar.set_gid(f"{number}/{place}")
            bottom[place] += series.values[place] or 0.0
        _errors(marks, number, shift)
        marks.handles.append(drawn)
        marks.names.append(series.name)
    if chart.kind == "composite":
        _line_over(marks)
    if look.has_labels:
        _bar_labels(marks, scale, lies, wide, first, apart)


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


def _line_over(marks: Marks) -> None:
    """The line of a composite, on an axis of its own if it has one."""
    chart, look = marks.chart, marks.look
    series = chart.series[1]
    axes = marks.axes[0]
    if series.axis:
        axes = axes.twinx()
        axes.set_facecolor("none")
        marks.axes.append(axes)
        marks.scales.append(Scale.over(series.present, look.num_ticks, look.from_zero, headroom(marks)))
    line = axes.plot(
        range(len(series.values)),
        series.values,  # type: ignore[arg-type]
        color=colour(look, 1),
        linewidth=look.line_width,
        marker=look.marker,
        zorder=3,
    )[0]
    line.set_gid("1")
    marks.handles.append(line)
    marks.names.append(series.name)


def _bar_labels(marks: Marks, scale: Scale, lies: bool, wide: float, first: float, apart: float) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    small = look.size * 0.72 * 0.85
    gap = 3
    bottom = [0.0] * len(chart.categories)
    is_thick = 0.07 * (scale.high - scale.low)
    for number, series in enumerate(chart.series[:1] if chart.kind == "composite" else chart.series):
        for place, value in enumerate(series.values):
            if value is None:
                continue
            text = printed_text(chart.numbers, value, chart.decimals)
            if marks.is_stacked:
                middle = bottom[place] + value / 2
                bottom[place] += value
                if value < is_thick:
                    continue
                seen = [
                    look.opacity * a + (1 - look.opacity) * b
                    for a, b in zip(to_rgb(colour(look, number)), to_rgb(look.plot_paper), strict=True)
                ]
                axes.text(place, middle, text, ha="center", va="center", color=on(seen), fontsize=small, zorder=4)
            else:
                shift = 0.0 if chart.kind == "composite" else (number - (len(chart.series) - 1) / 2) * wide
                away = gap if value >= 0 else -gap
                at = (value, place + shift) if lies else (first + apart * place + shift, value)
                offset = (away, 0) if lies else (0, away)
                side = ("left" if value >= 0 else "right", "center") if lies else ("center", "bottom" if value >= 0 else "top")
                axes.annotate(text, at, offset, textcoords="offset points", ha=side[0], va=side[1], fontsize=small, zorder=4)
            marks.printed[number, place] = text


def _lines(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    values = [value for series in chart.series for value in series.ends]
    marks.scales = [
        Scale.logarithmic(values) if chart.is_log else Scale.over(values, look.num_ticks, look.from_zero, headroom(marks))
    ]
    for number, series in enumerate(chart.series):
        own = [math.nan if value is None else value for value in series.values]
        line = axes.plot(
            range(len(own)),
            own,
            color=colour(look, number),
            linewidth=look.line_width,
            marker="osD^v"[("osD^v".index(look.marker) + number) % 5] if look.has_markers or None in series.values else "",
            markersize=look.line_width * 2.6,
            linestyle=("-", "--", "-.", ":", (0, (5, 1)))[number % 5] if look.hatch or look.edge == "#000000" else "-",
            zorder=3,
        )[0]
        line.set_gid(f"{number}")
        _errors(marks, number, 0.0)
        marks.handles.append(line)
        marks.names.append(series.name)
    if look.has_labels and len(chart.series) == 1:
        _point_labels(marks)


def _point_labels(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    values = chart.series[0].values
    for place, value in enumerate(values):
        if value is None:
            continue
        beside = [v for v in (values[max(0, place - 1)], values[min(len(values) - 1, place + 1)]) if v is not None]
        is_low = value < min(beside, default=value) or (value == min([*beside, value]) and value < max([*beside, value]))
        text = printed_text(chart.numbers, value, chart.decimals)
        axes.annotate(
            text,
            (place, value),
            (0, -6 if is_low else 6),
            textcoords="offset points",
            ha="center",
            va="top" if is_low else "bottom",
            fontsize=look.size * 0.72 * 0.85,
            zorder=4,
        )
        marks.printed[0, place] = text


def _areas(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    marks.is_stacked = len(chart.series) > 1
    marks.scales = [Scale.over(stacks(chart), look.num_ticks, True, headroom(marks))]
    bottom = numpy.zeros(len(chart.categories))
    for number, series in enumerate(chart.series):
        top = bottom + numpy.asarray(series.values, float)
        area = axes.fill_between(
            range(len(top)), bottom, top, color=colour(look, number), alpha=min(look.opacity, 0.9), linewidth=0, zorder=2
        )
        line = axes.plot(range(len(top)), top, color=colour(look, number), linewidth=look.line_width, zorder=3)[0]
        line.set_gid(f"{number}")
        marks.handles.append(area)
        marks.names.append(series.name)
        bottom = top
    if look.has_labels and len(chart.series) == 1:
        _point_labels(marks)


def _pie(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    values = chart.series[0].present
    marks.scales = [WHOLE]
    has_legend = look.legend in ("right", "bottom") or look.is_donut_labelled_outside
    is_ring = chart.kind == "donut"
    decimals = min(chart.decimals, look.percent_decimals)
    wedges, *_ = axes.pie(
        values,
        labels=None if has_legend else [*chart.categories],
        colors=[colour(look, place) for place in range(len(values))],
        startangle=look.start_angle,
        counterclock=look.has_markers,
        labeldistance=1.1,
        wedgeprops={"edgecolor": look.edge or look.paper, "linewidth": 1.0, "width": 1 - look.hole if is_ring else 1.0},
        textprops={"color": look.ink},
    )
    if look.has_labels:
        reach = (1 + look.hole) / 2 if is_ring else 0.72
        is_outside = has_legend and look.from_zero
        for place, (wedge, value) in enumerate(zip(wedges, values, strict=True)):
            text = marks.printed[0, place] = chart.numbers.text(value, decimals)
            angle = math.radians((wedge.theta1 + wedge.theta2) / 2)
            radius = 1.14 if is_outside else reach
            axes.text(
                radius * math.cos(angle),
                radius * math.sin(angle),
                text,
                ha="center",
                va="center",
                color=look.ink if is_outside else on(colour(look, place)),
                fontsize=look.size * 0.72 * 0.9,
            )
    for place, wedge in enumerate(wedges):
        wedge.set_gid(f"0/{place}")
    if has_legend:
        marks.handles, marks.names = [*wedges], [*chart.categories]


def _scatter(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    ys, xs = [y for s in chart.series for y in s.present], [x for s in chart.series for x in s.xs]
    marks.scales = [Scale.logarithmic(ys) if chart.is_log else Scale.over(ys, look.num_ticks, False, headroom(marks))]
    marks.x_scale = Scale.logarithmic(xs) if chart.is_x_log else Scale.over(xs, look.num_ticks, False, 0.02)
    for number, series in enumerate(chart.series):
        points = axes.scatter(
            series.xs,
            series.present,
            s=(look.line_width * 3.5) ** 2,
            color=colour(look, number),
            marker="osD^v"[("osD^v".index(look.marker) + number) % 5],
            alpha=look.opacity,
            edgecolors=look.edge or "none",
            linewidths=0.6,
            clip_on=False,
            zorder=3,
        )
        points.set_gid(f"{number}")
        marks.handles.append(points)
        marks.names.append(series.name)


def _boxes(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    marks.scales = [Scale.over([v for s in chart.series for v in s.present], look.num_ticks, False, 0.04)]
    rows = zip(*(series.present for series in chart.series), strict=True)
    stats = [dict(zip(("whislo", "q1", "med", "q3", "whishi"), row, strict=True)) | {"fliers": []} for row in rows]
    is_filled = look.opacity < 1 or look.hatch
    drawn = axes.bxp(
        stats,
        positions=range(len(stats)),
        widths=look.bar_width * 0.8,
        patch_artist=True,
        showfliers=False,
        manage_ticks=False,
        boxprops={"facecolor": colour(look, 0) if is_filled else look.plot_paper, "edgecolor": look.ink},
        medianprops={"color": on(colour(look, 0)) if is_filled else colour(look, 0), "linewidth": max(1.2, look.line_width)},
        whiskerprops={"color": look.ink, "linestyle": "--" if look.grid_style == "dashed" else "-"},
        capprops={"color": look.ink},
    )
    for place, box in enumerate(drawn["boxes"]):
        box.set_gid(f"box/{place}")
        if is_filled and look.has_markers:
            box.set_facecolor(colour(look, place))
            drawn["medians"][place].set_color(on(colour(look, place)))
    for name in ("medians", "caps"):
        for place, line in enumerate(drawn[name]):
            line.set_gid(f"{name}/{place}")


def _cells(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    matrix = numpy.asarray([list(series.values) for series in chart.series], float).T
    scale = Scale.over([*matrix.flat], look.num_ticks, False)
    marks.scales = [scale]
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
    if not look.has_labels:
        return
    for (row, column), value in numpy.ndenumerate(matrix):
        paper = marks.mappable.cmap(marks.mappable.norm(value))
        text = marks.printed[column, row] = printed_text(chart.numbers, float(value), chart.decimals)
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=on(paper[:3]), fontsize=look.size * 0.72 * 0.85)


def _radar(marks: Marks) -> None:
    chart, look, axes = marks.chart, marks.look, marks.axes[0]
    marks.scales = [Scale.over([v for s in chart.series for v in s.present], min(6, look.num_ticks), True)]
    spokes = numpy.linspace(0, math.tau, len(chart.categories), endpoint=False)
    for number, series in enumerate(chart.series):
        line = axes.plot(
            [*spokes, spokes[0]],
            [*series.present, series.present[0]],
            color=colour(look, number),
            linewidth=look.line_width,
            marker=look.marker if look.has_markers else "",
            markersize=look.line_width * 2.2,
        )[0]
        line.set_gid(f"{number}")
        if look.opacity < 1:
            axes.fill(spokes, series.present, color=colour(look, number), alpha=0.2)
        marks.handles.append(line)
        marks.names.append(series.name)
