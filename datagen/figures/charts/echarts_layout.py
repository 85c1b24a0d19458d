"""Where the parts of a chart by ECharts go. All places are set here, so that the length of each axis in pixels is known: ECharts'
own idea of how wide texts are is rough."""

import math
from dataclasses import dataclass, field

from datagen.figures.charts import echarts_engine as engine
from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.faces import Face
from datagen.figures.charts.label import COLOURS, Shown
from datagen.figures.charts.looks import Look
from datagen.figures.charts.plan import NoRoom, Plan

_HEAT = {
    "viridis": ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"),
    "YlOrRd": ("#ffffcc", "#feb24c", "#f03b20", "#bd0026"),
    "Blues": ("#f7fbff", "#9ecae1", "#3182bd", "#08519c"),
    "Greens": ("#f7fcf5", "#a1d99b", "#31a354", "#006d2c"),
    "coolwarm": ("#3b4cc0", "#dddddd", "#b40426"),
}
_FALLS = {90: 1.0, 45: 0.72, 30: 0.52}
"""How far down a name reaches that is turned by so many degrees, as a share of its width."""


@dataclass
class Layout(Plan):
    """`box` is that of the values in pixels: left, top, right, bottom. `turn`: by how many degrees names below are turned;
    `number_widths`: how wide the widest number of each axis is; `legend_gap`: what is free between two entries of the legend."""

    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    legend_top: float = 0.0
    legend_gap: float = 10.0
    turn: int = 0
    number_widths: list[float] = field(default_factory=list)

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def radius(self) -> float:
        """Of a circle, with room for names around it."""
        return max(30.0, min(self.height / 2 - 2.6 * self.look.size, self.width / 2 - 7 * self.look.size))

    @property
    def has_numbers_inside(self) -> bool:
        """Whether the numbers of a pie stand on its slices."""
        return bool(self.look.legend) and not self.look.from_zero

    @property
    def rim(self) -> float:
        """The radius of a pie."""
        return min(self.width, self.height) / 2 * 0.92 if self.has_numbers_inside else self.radius

    @property
    def bar(self) -> tuple[float, float, float, float]:
        """The colour bar of a heat map in pixels, right of its cells."""
        left = self.box[2] + self.look.size
        return (left, self.box[1] + 0.05 * self.height, left + 1.3 * self.look.size, self.box[3] - 0.05 * self.height)

    @property
    def has_room_at_ends(self) -> bool:
        """Whether the first and the last category stand half a step from the ends of their axis."""
        return self.chart.kind not in ("line", "area") or self.look.from_zero

    def number_width(self, axis: int) -> float:
        """How far the numbers of the left (0) or right (1) axis reach out, in pixels; 0 without any."""
        return self.number_widths[axis] + 8 if self.look.has_axis and axis < len(self.number_widths) else 0.0

    def tick_texts(self) -> list[list[str]]:
        """The numbers at the ticks of each axis of values."""
        return [scale.texts(self.chart.numbers) for scale in self.scales]

    def heat_colours(self) -> tuple[str, ...]:
        return _HEAT.get(self.look.colour_map, _HEAT["viridis"])

    def promised(self) -> list[str]:
        """The texts that must be in the picture, if the label is to be true."""
        chart = self.chart
        names = [chart.title, chart.x_name, *self.legend_names(), *self.names_below(), *self.printed.values()]
        if chart.kind in ("horizontal", "heat_map", "radar") or (self.is_round and not self.look.legend):
            names += chart.categories
        if self.x_scale:
            names += self.x_scale.texts(chart.x_numbers)
        if self.look.has_axis and not self.is_round:
            names += [*chart.y_names, *(text for axis in self.tick_texts() for text in axis)]
        return names

    def seen(self) -> Shown:
        """What can be read."""
        pixels = {
            "horizontal": self.width,
            "radar": self.radius,
            "pie": math.tau * self.rim,
            "donut": math.tau * self.rim,
            "heat_map": min(COLOURS, self.bar[3] - self.bar[1]),
        }.get(self.chart.kind, self.height)
        return self.shown([pixels] * len(self.scales), self.width)


def layout(chart: Chart, look: Look, face: Face) -> Layout:
    """Where everything goes. Raises `NoRoom` if the values would have no room."""
    plan = Layout(chart, look)
    size, gap = look.size, look.margin + 4
    left, right = gap, gap + size
    top, bottom = gap + (look.title_size * 1.6 if chart.title else 0), gap

    def widest(texts: list[str] | tuple[str, ...]) -> float:
        return max((engine.measured(face, size, text) for text in texts), default=0.0)

    if names := plan.legend_names():
        widths = [0.95 * engine.measured(face, size, name) for name in names]
        if look.legend == "right":
            right += max(widths) + 45
        else:
            plan.legend_gap = 12 + 0.22 * max(widths)  # enough for what ECharts thinks too little of the widest name
            lines = _num_lines([width + 35 + plan.legend_gap for width in widths], look.width - 2 * gap)
            height = lines * (size * 1.2 + 10)
            if look.legend == "top":
                plan.legend_top, top = top, top + height + size * 0.6
            else:
                plan.legend_top, bottom = look.height - gap - height, bottom + height + size * 0.6
    if plan.is_round or chart.kind == "radar":
        plan.box = (left, top, look.width - right, look.height - bottom)
        if min(plan.width, plan.height) <= 0.3 * min(look.width, look.height):
            raise NoRoom("its circle has no room")
        return plan
    plan.number_widths = numbers = [widest(texts) for texts in plan.tick_texts()]
    is_map, lies = chart.kind == "heat_map", chart.kind == "horizontal"
    is_named = look.has_axis and bool(chart.y_names[0])
    if is_map or lies:
        left += widest(chart.categories) + 12
    elif look.has_axis:
        left += numbers[0] + 12 + (size * 1.7 if is_named else 0)
    if len(numbers) > 1 and look.has_axis:
        right += numbers[1] + 12
    if is_map and look.has_axis:
        right += numbers[0] + size * (5.2 if is_named else 3.4)
    bottom += size * 1.8 * (bool(chart.x_name) + (lies and is_named))
    below = plan.names_below()
    wide = widest(below)
    if below and wide > 0.9 * (look.width - left - right) / len(below) * chart.every:
        plan.turn = look.labels_rotate
    if plan.x_scale:
        right = max(right, gap + widest(plan.x_scale.texts(chart.x_numbers)[-1:]) / 2 + 2)
    if not plan.turn and not plan.has_room_at_ends:
        left, right = max(left, gap + wide / 2), max(right, gap + wide / 2)
    bottom += _FALLS[plan.turn] * wide + size * 1.8 if plan.turn else size * 2.2
    if plan.turn and plan.turn < 90:
        left = max(left, gap + 0.75 * wide - (look.width - right - left) / (2 * len(below)))
    plan.box = (left, top + size * 0.8, look.width - right, look.height - bottom)
    if plan.width <= 0.4 * look.width or plan.height <= 0.3 * look.height:
        raise NoRoom("its axes have no room")
    return plan


def _num_lines(widths: list[float], room: float) -> int:
    """How many lines texts of these widths fill."""
    lines, at = 1, 0.0
    for width in widths:
        if at and at + width > room:
            lines, at = lines + 1, 0.0
        at += width
    return lines
