"""Labels of charts held against the marks that were drawn, by the drawing's own geometry: matplotlib's artists and transforms,
the paths of ECharts' SVG.

For each number of a label that isn't printed: where its mark is, and where one of the label's number would be, in pixels.
"""

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy

from datagen.figures.charts import label
from datagen.figures.charts.chart_data import Chart
from datagen.tables.cells import Table
from tests.inputs.figures.charts import heads, number_in, points, rows, texts_of, wrong_values

_PATH = re.compile(r"<path d=\"([^\"]*)\"([^>]*)>")
_POLYLINE = re.compile(r"<polyline points=\"([^\"]*)\"([^>]*)>")
_COMMAND = re.compile(r"([MLlHhVvAaCcZz])([^A-Za-z]*)")
_NUMBER = re.compile(r"-?[\d.]+(?:e-?\d+)?")


class Mark(NamedTuple):
    """Where something of a label is in the picture, and where the label says it is; along one axis, in pixels."""

    what: str
    drawn: float
    said: float

    @property
    def off(self) -> float:
        return abs(self.drawn - self.said)


def marks(chart: Chart, drawn: Any, table: Table) -> list[Mark]:
    """All that can be measured of a chart by any renderer."""
    read = _read(chart, drawn, table)
    return [*(_of_echarts if drawn.svg else _of_matplotlib)(chart, drawn, read)]


Read = dict[tuple[int, int], tuple[float, ...]]


def _read(chart: Chart, drawn: Any, table: Table) -> Read:
    """The numbers of the label that aren't printed, by series and category: the value, and its error; of points x and y, by the
    place in their series."""
    texts, read = rows(chart, table), Read()
    if chart.kind == "scatter":
        for row, (number, x, y) in zip(texts, points(chart), strict=True):
            place = [*zip(chart.series[number].xs, chart.series[number].values, strict=True)].index((x, y))
            read[number, place] = number_in(chart.x_numbers, row[-2]), number_in(chart.numbers, row[-1])
        return read
    for number in range(len(chart.series)):
        for place, row in enumerate(texts):
            if row[1 + number] and (number, place) not in drawn.shown.printed:
                read[number, place] = tuple(number_in(chart.numbers, text) for text in row[1 + number].split(" ± "))
    return read


def _of_matplotlib(chart: Chart, drawn: Any, read: Read) -> Iterator[Mark]:
    axes = drawn.plan.axes
    artists = {artist.get_gid(): artist for one in axes for artist in one.get_children() if artist.get_gid()}
    side = int(chart.kind != "horizontal")

    def pixel(value: float, axis: int = 0, which: int = side) -> float:
        return axes[axis].transData.transform((value, value) if which else (value, 1.0))[which]

    for (number, place), (value, *error) in read.items():
        what, axis = f"{number}/{place}", chart.series[number].axis
        if chart.kind in ("pie", "donut"):
            rim, wedge = drawn.shown.rulers[0].pixels, artists[f"0/{place}"]
            yield Mark(what, (wedge.theta2 - wedge.theta1) / 360 * rim, value / 100 * rim)
        elif chart.kind == "heat_map":
            mesh = artists["cells"]
            num = len(chart.series)
            colour = numpy.asarray(mesh.to_rgba(mesh.get_array())).reshape(-1, 4)[place * num + number]
            table = mesh.cmap(numpy.arange(256))
            nearest = int(numpy.abs(table - colour).sum(1).argmin())
            yield Mark(what, nearest, min(255, int(256 * mesh.norm(value))))
        elif chart.kind == "box":
            yield Mark(what, _of_box(artists, axes[0], number, place), pixel(value))
        elif chart.kind == "radar":
            spoke = 2 * math.pi * place / len(chart.categories)
            centre = axes[0].transData.transform((0, 0))
            ends = [axes[0].transData.transform(end) for end in (artists[what[:1]].get_xydata()[place], (spoke, value))]
            yield Mark(what, *(float(numpy.hypot(*(end - centre))) for end in ends))
        elif f"{number}/{place}" in artists:
            box = artists[what].get_window_extent()
            low, high = (box.x0, box.x1) if side == 0 else (box.y0, box.y1)
            if chart.kind == "stacked":
                yield Mark(what, high - low, pixel(value) - pixel(0))
            else:
                yield Mark(what, low if chart.series[number].values[place] < 0 else high, pixel(value))
        elif chart.kind == "scatter":
            x, y = axes[0].transData.transform(artists[f"{number}"].get_offsets()[place])
            yield Mark(f"{what} x", x, pixel(value, which=0))
            yield Mark(f"{what} y", y, pixel(error[0]))
            continue
        else:
            y = axes[axis].transData.transform(artists[f"{number}"].get_xydata()[place])[1]
            if chart.kind == "area" and number:
                y -= axes[0].transData.transform(artists[f"{number - 1}"].get_xydata()[place])[1] - pixel(0)
            yield Mark(what, y, pixel(value, axis))
        for one in error:
            present = [n for n, v in enumerate(chart.series[number].values) if v is not None]
            low, high = artists[f"error/{number}"].get_segments()[present.index(place)][:, 1]
            yield Mark(f"{what} error", pixel(high) - pixel(low), pixel(value + one) - pixel(value - one))


def _of_box(artists: dict, axes: Any, number: int, place: int) -> float:
    """The pixel of one of a box's five numbers."""
    if number in (1, 3):
        ys = [y for _, y in axes.transData.transform(artists[f"box/{place}"].get_path().vertices)]
        return min(ys) if number == 1 else max(ys)
    name = {0: f"caps/{2 * place}", 2: f"medians/{place}", 4: f"caps/{2 * place + 1}"}[number]
    return axes.transData.transform(artists[name].get_xydata()[0])[1]


class _Path(NamedTuple):
    vertices: list[tuple[float, float]]
    attributes: str

    @property
    def place(self) -> tuple[int, int] | None:
        """The series and the datum that the path is drawn for."""
        found = [re.search(rf'ecmeta_{name}_index="(\d+)"', self.attributes) for name in ("series", "data")]
        return (int(found[0][1]), int(found[1][1])) if found[0] and found[1] else None

    @property
    def centre(self) -> tuple[float, float]:
        x, y = _NUMBER.findall(re.search(r'transform="[a-z]+\(([^)]*)\)"', self.attributes)[1])[-2:]
        return float(x), float(y)

    def has(self, name: str, value: str) -> bool:
        return f'{name}="{value}"' in self.attributes


def _paths(svg: str) -> list[_Path]:
    made = []
    for path, attributes in _PATH.findall(svg):
        x = y = 0.0
        vertices = []
        for command, numbers in _COMMAND.findall(path):
            parts = [float(part) for part in _NUMBER.findall(numbers)]
            if command in "MLCA":
                x, y = parts[-2:]
            elif command in "lca":
                x, y = x + parts[-2], y + parts[-1]
            else:
                continue
            vertices.append((x, y))
        made.append(_Path(vertices, attributes))
    for numbers, attributes in _POLYLINE.findall(svg):
        parts = [float(part) for part in _NUMBER.findall(numbers)]
        made.append(_Path([*zip(parts[::2], parts[1::2], strict=True)], attributes))
    return made


def _of_echarts(chart: Chart, drawn: Any, read: Read) -> Iterator[Mark]:
    plan, paths = drawn.plan, _paths(drawn.svg)
    x0, y0, x1, y1 = plan.box
    placed: dict[tuple[int, int], list[_Path]] = {}
    for path in paths:
        if path.place:
            placed.setdefault(path.place, []).append(path)

    def pixel(value: float, axis: int = 0) -> float:
        share = plan.scales[axis].share(value)
        return x0 + share * (x1 - x0) if chart.kind == "horizontal" else y1 - share * (y1 - y0)

    for (number, place), (value, *error) in read.items():
        what = f"{number}/{place}"
        if chart.kind in ("pie", "donut"):
            turn = _turn(placed[0, place][0].vertices, ((x0 + x1) / 2, (y0 + y1) / 2), plan.rim)
            yield Mark(what, turn * plan.rim, math.tau * value / 100 * plan.rim)
        elif chart.kind == "heat_map":
            cell = placed[0, number * len(chart.categories) + place][0]
            length = drawn.shown.rulers[0].pixels
            share, stops = plan.scales[0].share(value), [_rgb(colour) for colour in plan.heat_colours()]
            yield Mark(what, _along(_hex(cell), stops, share) * length, share * length)
        elif chart.kind == "box":
            ys = sorted({y for path in placed[0, place] for _, y in path.vertices}, key=lambda y: abs(y - pixel(value)))
            yield Mark(what, ys[0], pixel(value))
        elif chart.kind == "scatter":
            x, y = placed[number, place][0].centre
            yield Mark(f"{what} x", x, x0 + plan.x_scale.share(value) * (x1 - x0))
            yield Mark(f"{what} y", y, pixel(error[0]))
            continue
        elif chart.kind == "radar":
            angle = math.tau * place / len(chart.categories)
            reach = plan.scales[0].share(value) * plan.radius
            at = (x0 + x1) / 2 - reach * math.sin(angle), (y0 + y1) / 2 - reach * math.cos(angle)
            yield Mark(what, _nearest(_lines(paths, plan, number), at), 0.0)
        elif chart.kind in ("line", "area") or (chart.kind == "composite" and number == 1):
            step = (x1 - x0) / (len(chart.categories) - (0 if plan.has_room_at_ends else 1))
            x = x0 + (place + (0.5 if plan.has_room_at_ends else 0)) * step
            below = 0.0
            if chart.kind == "area":
                below = math.fsum(series.values[place] or 0.0 for series in chart.series[:number])
            vertices = [vertex for vertex in _lines(paths, plan, number) if abs(vertex[0] - x) < 1]
            yield Mark(what, _nearest(vertices, (x, pixel(value + below, chart.series[number].axis))), 0.0)
        else:
            corners = [vertex[int(chart.kind != "horizontal")] for vertex in placed[number, place][0].vertices]
            yield Mark(what, max(corners) - min(corners), abs(pixel(value) - pixel(0)))
        for one in error:
            ends = [y for path in paths if path.has("stroke-width", "1.2") for _, y in path.vertices]
            for sign in (-1, 1):
                said = pixel(value + sign * one)
                yield Mark(f"{what} error", min(ends, key=lambda y, said=said: abs(y - said)), said)


def _lines(paths: list[_Path], plan: Any, number: int) -> list[tuple[float, float]]:
    """The vertices of a series' lines; those of symbols stand elsewhere."""
    colour = plan.look.palette[number % len(plan.look.palette)]
    return [v for path in paths if path.has("stroke", colour) and "transform" not in path.attributes for v in path.vertices] + [
        path.centre for path in paths if path.has("fill", colour) and path.place and "transform" in path.attributes
    ]


def _nearest(vertices: list[tuple[float, float]], at: tuple[float, float]) -> float:
    return min(math.dist(vertex, at) for vertex in vertices)


def _turn(vertices: list[tuple[float, float]], centre: tuple[float, float], radius: float) -> float:
    """The angle of a slice: between the first and the last of its vertices at the rim; an arc of more than half is two."""
    rim = [(x - centre[0], y - centre[1]) for x, y in vertices if abs(math.dist((x, y), centre) - radius) < 0.5]
    angles = [math.atan2(y, x) for x, y in rim]
    turn = sum(abs((b - a + math.pi) % math.tau - math.pi) for a, b in itertools.pairwise(angles))
    return turn


def _rgb(colour: str) -> tuple[float, ...]:
    if colour.startswith("#"):
        return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return tuple(float(part) for part in _NUMBER.findall(colour)[:3])


def _hex(path: _Path) -> tuple[float, ...]:
    return _rgb(re.search(r'fill="([^"]*)"', path.attributes)[1])


def _along(colour: tuple[float, ...], stops: list[tuple[float, ...]], said: float) -> float:
    """How far along a gradient through evenly spaced stops a colour stands: where nearest to `said`, of the places that have it
    when each channel is rounded."""
    shares = numpy.linspace(0, 1, 4097)
    at = numpy.linspace(0, 1, len(stops))
    ramp = numpy.stack([numpy.interp(shares, at, [stop[k] for stop in stops]) for k in range(3)], 1)
    off = numpy.abs(ramp - numpy.asarray(colour)).max(1)
    same = shares[off <= max(1.0, off.min())]
    return float(same[numpy.abs(same - said).argmin()])


def faults(chart: Chart, picture: Any, table: Table) -> list[Any]:
    """What of a label isn't in the picture: names, values, and marks that stand elsewhere."""
    there = {" ".join(text.split()) for text in texts_of(picture)}
    names = [name for name in heads(label.table(chart, picture.shown)) if name not in there and chart.kind != "box"]
    names += [text for text in picture.shown.printed.values() if " ".join(text.split()) not in there]
    return names + wrong_values(chart, picture.shown, table) + [mark for mark in marks(chart, picture, table) if mark.off > 1]
