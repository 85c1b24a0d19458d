"""What a picture of a chart is to show, whoever draws it: scales, printed numbers, names, the place of the legend; and the looks
that are tried until all of that has room."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.faces import Face, Faces, needed
from datagen.figures.charts.label import Shown
from datagen.figures.charts.looks import Look
from datagen.figures.charts.numbers import WHOLE, Ruler, Scale, printed_text
from datagen.record import SampleError

MEASURED = "lp"
"""What matplotlib takes the height of a line from, in any script."""
_THIN = 0.07  # of the axis: a piece of a stack that has no room for its number
_FILLED = ("radar", "horizontal", "scatter")  # charts without room for a legend between their marks

Placed = tuple[float, float, float, float, str]
"""The box of a text, x0, y0, x1, y1, and the text."""


class NoRoom(Exception):
    """What of a chart finds no place in a look."""


@dataclass
class Plan:
    """A chart in a look. `scales` are those of its axes of values, the right one last, and `x_scale` that of an axis of numbers
    below the plot. `printed` are the texts of the values that are printed, by (series, category)."""

    chart: Chart
    look: Look
    scales: list[Scale] = field(init=False)
    x_scale: Scale | None = field(init=False)
    printed: dict[tuple[int, int], str] = field(init=False)

    def __post_init__(self) -> None:
        self.scales, self.x_scale = _scales(self.chart, self.look)
        self.printed = _printed(self.chart, self.look, self.scales[0])

    @property
    def is_stacked(self) -> bool:
        return self.chart.kind == "stacked" or (self.chart.kind == "area" and len(self.chart.series) > 1)

    @property
    def is_round(self) -> bool:
        return self.chart.kind in ("pie", "donut")

    def colour(self, number: int) -> str:
        """The colour of a series, or of a slice."""
        return self.look.palette[number % len(self.look.palette)]

    def legend_names(self) -> list[str]:
        """The names in the legend; none if there is no legend."""
        if self.is_round:
            return [*self.chart.categories] if self.look.legend else []
        return [series.name for series in self.chart.series] if self.chart.has_names and self.chart.kind != "heat_map" else []

    def names_below(self) -> list[str]:
        """The names under the plot, "" for those of them that aren't written."""
        if self.chart.kind == "heat_map":
            return [series.name for series in self.chart.series]
        return [] if self.x_scale or self.is_round or self.chart.kind == "horizontal" else self.chart.written

    def shown(self, pixels: Sequence[float], x_pixels: float) -> Shown:
        """What a picture shows whose axes of values, by number, are so many pixels long; `x_pixels` are those of the axis below.
        Both renderers write the name of an axis wherever the axis has numbers."""
        chart, rulers = self.chart, list[Ruler | None]()
        for series in chart.series:
            decimals = chart.decimals if series.decimals is None else series.decimals
            is_read = self.look.has_axis or self.is_round
            rulers.append(Ruler(self.scales[series.axis], pixels[series.axis], decimals) if is_read else None)
        x_ruler = Ruler(self.x_scale, x_pixels, chart.x_decimals) if self.x_scale and chart.kind == "scatter" else None
        y_name = chart.y_names[0] if self.look.has_axis and chart.y_names else ""
        return Shown(tuple(rulers), self.printed, x_ruler, chart.x_name, y_name)


@dataclass(frozen=True)
class Picture:
    """A drawn chart: its plan, what can be read, a PNG of it, and the SVG that this was made of, if it was."""

    plan: Plan
    shown: Shown
    image: bytes
    size: tuple[int, int]
    svg: str = ""


def picture_with_room(draw: Callable[[Chart, Look, list[Face]], Picture], chart: Chart, look: Look, faces: Faces) -> Picture:
    """The picture that `draw` makes of the chart in the look.

    Where `draw` raises `NoRoom`, names are turned and no numbers are printed; then the picture is larger, too. Raises
    `SampleError` where that doesn't help either."""
    look = readable_look(look, chart)
    able = faces.serif if look.is_serif else faces.sans
    used = needed(able[int(look.size * 1000) % len(able)], faces.fallbacks, _written(chart))
    turned = replace(look, labels_rotate=90, has_labels=False, has_axis=True)
    large = replace(turned, width=round(look.width * 1.3), height=round(look.height * 1.35), legend="right")
    wrong = ""
    for tried in (look, turned, large):
        try:
            return draw(chart, tried, used)
        except NoRoom as error:
            wrong = str(error)
    raise SampleError("chart_too_crowded", f"{chart.kind} with {len(chart.categories)} categories: {wrong}")


def readable_look(look: Look, chart: Chart) -> Look:
    """The look, changed so that the picture shows the chart's values and names.

    There is an axis of numbers unless all numbers are printed. Beside bars of error no numbers are printed. The legend stands
    where the chart has room for one; it is "" where the names of a pie's slices stand beside the slices."""
    has_errors = any(series.errors for series in chart.series)
    has_labels = look.has_labels and not has_errors and chart.every == 1
    match chart.kind:
        case "bar" | "grouped" | "horizontal" | "heat_map" | "histogram" | "pie" | "donut":
            prints_all = has_labels
        case "line" | "area":
            prints_all = has_labels and len(chart.series) == 1
        case _:
            prints_all = False
    legend = look.legend
    if chart.kind in ("pie", "donut") and legend not in ("right", "bottom"):
        legend = "right" if look.is_donut_labelled_outside else ""
    elif legend == "inside" and chart.is_log:
        legend = "top"  # above the values nothing is free
    elif legend == "inside" and chart.kind in _FILLED:
        legend = "right"
    return replace(look, has_labels=has_labels, has_axis=look.has_axis or not prints_all, legend=legend)


def first_overlap(boxes: Iterable[Placed]) -> str:
    """Which text lies over which, in the order of their left sides; "" for none."""
    ordered = sorted(boxes)
    for place, (_, y0, x1, y1, text) in enumerate(ordered):
        for left, top, _, bottom, other in ordered[place + 1 :]:
            if left >= x1:
                break
            if top < y1 and y0 < bottom:
                return f"{text!r} lies over {other!r}"
    return ""


def _written(chart: Chart) -> str:
    """All characters that may be written on a chart."""
    numbers = (form.text(number, 1) for form in (chart.numbers, chart.x_numbers) for number in (-1234567890, 1234567890))
    return "".join((*chart.words(), *numbers, MEASURED))


def _scales(chart: Chart, look: Look) -> tuple[list[Scale], Scale | None]:
    """The scales of the axes of values, and that of an axis of numbers below them."""
    num, head = look.num_ticks, _headroom(chart, look)
    values = [value for series in chart.series if series.axis == 0 for value in series.ends]
    x_scale = None
    match chart.kind:
        case "pie" | "donut":
            scale = WHOLE
        case "stacked" | "area":
            scale = Scale.over(chart.sums, num, True, head)
        case "radar":
            scale = Scale.over(values, min(6, num), True)
        case "heat_map":
            scale = Scale.over(values, num, False)
        case "line" | "box" | "scatter":
            from_zero = look.from_zero and chart.kind != "scatter"
            scale = Scale.logarithmic(values) if chart.is_log else Scale.over(values, num, from_zero, head)
        case _:
            scale = Scale.over(values, num, True, head)
    if chart.kind == "scatter":
        xs = [x for series in chart.series for x in series.xs]
        x_scale = Scale.logarithmic(xs) if chart.is_log else Scale.over(xs, num, False, 0.03)
    elif chart.edges:
        x_scale = chart.edge_scale
    right = [value for series in chart.series if series.axis for value in series.ends]
    return [scale, *([Scale.over(right, num, look.from_zero, head)] if right else [])], x_scale


def _headroom(chart: Chart, look: Look) -> float:
    """The share of an axis that stays free above the values: for a legend, or for printed numbers."""
    if look.legend == "inside" and chart.has_names:
        return 0.32 if len(chart.series) > 1 else 0.22
    if chart.is_whole:
        return 0.0
    if look.has_labels:
        return 0.2 if chart.kind == "horizontal" else 0.12
    return 0.04


def _printed(chart: Chart, look: Look, scale: Scale) -> dict[tuple[int, int], str]:
    """The numbers that are printed: those of all marks, or of the first series if the others are lines."""
    is_line = chart.kind in ("line", "area")
    if not look.has_labels or chart.kind in ("scatter", "box", "radar") or (is_line and len(chart.series) > 1):
        return {}
    decimals = min(chart.decimals, look.percent_decimals) if chart.kind in ("pie", "donut") else chart.decimals
    least = _THIN * (scale.high - scale.low) if chart.kind == "stacked" else scale.low
    return {
        (number, place): printed_text(chart.numbers, value, decimals)
        for number, series in enumerate(chart.series[:1] if chart.kind == "composite" else chart.series)
        for place, value in enumerate(series.values)
        if value is not None and value >= least
    }
