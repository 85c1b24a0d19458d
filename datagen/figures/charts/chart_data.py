"""What charts show: series of numbers that behave as those of their topics do.

Time series of one chart have a season and growth in common, and noise of their own; sizes of things are far apart from each
other; shares add up to 100; some values are missing.
"""

import math
import random
from dataclasses import dataclass, field

from datagen.figures.charts.numbers import NumberFormat, Scale, decimals_of, nice, nice_below
from datagen.figures.charts.topics import Topic

KINDS = (
    *("line", "bar", "stacked", "grouped", "horizontal", "pie", "donut"),
    *("scatter", "area", "box", "heat_map", "radar", "composite", "histogram"),
)
FIVE = ("min", "Q1", "median", "Q3", "max")
"""The numbers of a box, in the order of a box chart's series: the ends of its whiskers and what lies between."""


@dataclass(frozen=True)
class Series:
    """Values, one for each category; None is missing. A point of a scatter chart has its `x`, too. `axis` is 1 for the one on the
    right. `errors` are half the lengths of the bars of error, one for each value, none if there are none. `decimals` are those of
    the values, None for the chart's."""

    name: str
    values: tuple[float | None, ...]
    xs: tuple[float, ...] = ()
    axis: int = 0
    errors: tuple[float, ...] = ()
    decimals: int | None = None

    @property
    def present(self) -> list[float]:
        return [value for value in self.values if value is not None]

    @property
    def ends(self) -> list[float]:
        """All that its axis must hold: the values, or the ends of their bars of error."""
        if not self.errors:
            return self.present
        pairs = [(v, e) for v, e in zip(self.values, self.errors, strict=True) if v is not None]
        return [value + sign * error for value, error in pairs for sign in (-1, 1)]


@dataclass(frozen=True)
class Chart:
    """A chart before it is drawn. Names are "" where it has none. `y_names` are of the axes of values, the right one last.

    The rows of a heat map are its categories, the columns its series. `decimals` are those of the values, `is_whole` says that
    the series add up to 100 in each category. All axes of numbers are logarithmic if it `is_log`. Of an axis of categories
    each `every`-th name is written. A histogram has the `edges` of its bins, one more than categories.
    """

    kind: str
    title: str
    x_name: str
    y_names: tuple[str, ...]
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    numbers: NumberFormat
    decimals: int
    x_numbers: NumberFormat = field(default_factory=NumberFormat)
    x_decimals: int = 0
    is_whole: bool = False
    is_log: bool = False
    every: int = 1
    edges: tuple[float, ...] = ()

    @property
    def written(self) -> list[str]:
        """The categories' names, "" for those that the axis doesn't write."""
        return [name if place % self.every == 0 else "" for place, name in enumerate(self.categories)]

    def words(self) -> list[str]:
        """All that is written on it, but for numbers."""
        return [self.title, self.x_name, *self.y_names, *self.categories, *(series.name for series in self.series)]

    @property
    def sums(self) -> list[float]:
        """What the values of each category add up to."""
        return [math.fsum(value or 0.0 for value in column) for column in zip(*(s.values for s in self.series), strict=True)]

    @property
    def edge_scale(self) -> Scale:
        """The axis of a histogram's bins: a number at each edge, or at so many that they have room."""
        width, num = self.edges[1] - self.edges[0], len(self.edges) - 1
        distance = next(
            far for times in (1, 2, 5, 10, 20) if (far := width * times) and num / times <= 12 and far < 1.01 * nice_below(far)
        )
        distance = nice(distance)
        ticks = [
            k * distance
            for k in range(math.ceil(self.edges[0] / distance - 1e-9), 1 + math.floor(self.edges[-1] / distance + 1e-9))
        ]
        decimals = decimals_of(distance)
        return Scale(self.edges[0], self.edges[-1], tuple(round(tick, decimals) for tick in ticks), distance)

    @property
    def has_names(self) -> bool:
        """Whether its series are told apart by names."""
        return any(series.name for series in self.series) and self.kind != "box"


def decimals_for(draw: random.Random, largest: float) -> int:
    """Decimals with which the largest of a chart's values has two to four digits that count; 0 for large ones."""
    return max(0, draw.choice((2, 3, 3, 4)) - 1 - math.floor(math.log10(max(1e-6, abs(largest)))))


@dataclass(frozen=True)
class Course:
    """What the series of a chart over time have in common: how much each grows in a step, and where its season stands. Each has
    `period` steps in a season, 0 for none."""

    growth: float
    phase: float
    swing: float
    period: int

    @classmethod
    def of(cls, draw: random.Random, topic: Topic, period: int, steps_a_year: float) -> "Course":
        growth = draw.gauss(topic.growth, 0.6 * abs(topic.growth)) / steps_a_year
        swing = draw.uniform(4, 13) if topic.least < 0 else topic.season * draw.uniform(0.4, 1.1)
        return cls(growth, draw.uniform(0, math.tau), swing, period)


def over_time(draw: random.Random, topic: Topic, course: Course, num: int, level: float) -> list[float]:
    """A time series around `level`: growth, a season with a sharper peak than trough, noise of which half stays for a while, and
    now and then a break. Above 0, but for temperatures."""
    is_plain = topic.least < 0  # degrees, to which season and noise are added
    growth, phase = draw.gauss(course.growth, 0.4 * abs(course.growth)), course.phase + draw.gauss(0, 0.25)
    noise = draw.uniform(0.6, 2.0) if is_plain else topic.noise * draw.uniform(0.5, 1.3)
    walk, made = 0.0, []
    for step in range(num):
        walk = 0.75 * walk + draw.gauss(0, noise)
        angle = phase + math.tau * step / course.period if course.period else 0.0
        season = course.swing * (math.cos(angle) + 0.25 * math.cos(2 * (angle - phase) + phase)) if course.period else 0.0
        if is_plain:
            made.append(level + season + walk)
        else:
            made.append(level * (1 + growth) ** step * max(0.03, 1 + season) * math.exp(walk))
    if num > 5 and draw.random() < 0.08 and not is_plain:
        place, factor = draw.randrange(1, num), draw.choice((0.6, 0.75, 1.3))
        made[place:] = [value * factor for value in made[place:]]
    return made


def sizes(draw: random.Random, topic: Topic, num: int, level: float) -> list[float]:
    """What a quantity is in so many places: as far apart as they are in life, or as a chart shows well."""
    if topic.least < 0:
        return [level + draw.gauss(0, 6) for _ in range(num)]
    return [level * min(3.5, max(0.1, math.exp(draw.gauss(0, topic.spread)))) for _ in range(num)]


def later(draw: random.Random, topic: Topic, values: list[float]) -> list[float]:
    """What a quantity is in the same places some years later."""
    if topic.least < 0:
        return [value + draw.gauss(0.2, 0.8) for value in values]
    return [value * math.exp(draw.gauss(4 * topic.growth, topic.noise + 0.04)) for value in values]


def bins(draw: random.Random, topic: Topic, level: float) -> tuple[list[float], list[int]]:
    """The edges and the counts of a histogram of some measurements around `level`."""
    width = draw.uniform(3, 9) if topic.least < 0 else level * min(0.45, max(0.04, topic.spread))
    is_skew = topic.least >= 0 and topic.spread > 0.25
    num = draw.choice((60, 120, 250, 600, 1500))
    values = [level * math.exp(draw.gauss(0, width / level)) if is_skew else draw.gauss(level, width) for _ in range(num)]
    values = sorted(values)[num // 60 : num - num // 40]  # without the outermost, which make empty bins
    step = nice((values[-1] - values[0]) / draw.randint(7, 15))
    first, last = math.floor(values[0] / step), math.floor(values[-1] / step) + 1
    decimals = decimals_of(step)
    counts = [0] * (last - first)
    for value in values:
        counts[min(last - first - 1, math.floor(value / step) - first)] += 1
    return [round(k * step, decimals) for k in range(first, last + 1)], counts


def shares(draw: random.Random, num: int, decimals: int, least: float = 3.0) -> list[float]:
    """Percentages that add up to 100 to the last decimal, none under `least`."""
    return _shares_of([math.exp(draw.gauss(0, 0.7)) for _ in range(num)], decimals, least)


def shares_over_time(draw: random.Random, num_steps: int, num: int, decimals: int, change: float) -> list[list[float]]:
    """Rows of such percentages, each a little other than the one before: its weights by a factor of about e to the `change`."""
    weights, rows = [math.exp(draw.gauss(0, 0.7)) for _ in range(num)], []
    for _ in range(num_steps):
        rows.append(_shares_of(weights, decimals, 4.0))
        weights = [weight * math.exp(draw.gauss(0, change)) for weight in weights]
    return rows


def _shares_of(weights: list[float], decimals: int, least: float) -> list[float]:
    unit, num = 10**decimals, len(weights)
    room = 100 - least * num
    made = [math.floor((least + room * weight / sum(weights)) * unit) for weight in weights]
    for place in range(100 * unit - sum(made)):
        made[place % num] += 1
    return [value / unit for value in made]


def box_of(draw: random.Random, level: float, spread: float) -> list[float]:
    """The five numbers of `FIVE`, each apart from the one before."""
    gaps = [spread * draw.uniform(0.15, 1.0) for _ in range(4)]
    low = level - gaps[0] - gaps[1] + draw.gauss(0, spread)
    made = [low]
    for gap in gaps:
        made.append(made[-1] + gap)
    return made


def surface(draw: random.Random, rows: int, columns: int, level: float) -> list[list[float]]:
    """A matrix: a hill, effects of rows and columns, and noise."""
    middle = draw.uniform(0, rows), draw.uniform(0, columns)
    by_row, by_column = [draw.gauss(0, 0.2) for _ in range(rows)], [draw.gauss(0, 0.2) for _ in range(columns)]
    width = draw.uniform(1.5, 5)

    def at(row: int, column: int) -> float:
        hill = math.exp(-((row - middle[0]) ** 2 + (column - middle[1]) ** 2) / width**2)
        return level * max(0.02, 0.5 + hill + by_row[row] + by_column[column] + draw.gauss(0, 0.08))

    return [[at(row, column) for column in range(columns)] for row in range(rows)]


def correlations(draw: random.Random, num: int) -> list[list[float]]:
    """A symmetric matrix of numbers from -1 to 1 with ones in its diagonal."""
    vectors = [[draw.gauss(0, 1) for _ in range(4)] for _ in range(num)]

    def of(one: list[float], other: list[float]) -> float:
        dot = math.fsum(a * b for a, b in zip(one, other, strict=True))
        return dot / math.sqrt(math.fsum(a * a for a in one) * math.fsum(b * b for b in other))

    return [[1.0 if i == j else of(vectors[min(i, j)], vectors[max(i, j)]) for j in range(num)] for i in range(num)]


def cloud(draw: random.Random, num: int, gap: float) -> list[tuple[float, float]]:
    """Points in the unit square, correlated, by rising x, none nearer than `gap` to another on both axes."""
    slope, noise, start = draw.uniform(-1, 1), draw.uniform(0.03, 0.25), draw.uniform(0.2, 0.8)
    made: list[tuple[float, float]] = []
    for _ in range(20 * num):
        x = draw.random()
        y = start + slope * (x - 0.5) + draw.gauss(0, noise)
        if 0 <= y <= 1 and all(max(abs(x - a), abs(y - b)) > gap for a, b in made):
            made.append((x, y))
        if len(made) == num:
            break
    return sorted(made)


def with_gaps(draw: random.Random, values: list[float], most: int) -> list[float | None]:
    """The values with some missing, none at either end."""
    missing = draw.sample(range(1, len(values) - 1), min(most, max(0, len(values) - 2)))
    return [None if place in missing else value for place, value in enumerate(values)]
