"""What charts show: series of numbers that look like those that people draw.

Time series have a trend, a season, noise, and now and then an outlier; sizes of things are far apart from each other; shares add
up to 100; some values are missing.
"""

import math
import random
from dataclasses import dataclass, field

from datagen.figures.charts.numbers import NumberFormat

KINDS = (
    *("line", "bar", "stacked", "grouped", "horizontal", "pie", "donut"),
    *("scatter", "area", "box", "heat_map", "radar", "composite"),
)
FIVE = ("min", "Q1", "median", "Q3", "max")
"""The numbers of a box, in the order of a box chart's series: the ends of its whiskers and what lies between."""


@dataclass(frozen=True)
class Series:
    """Values, one for each category; None is missing. A point of a scatter chart has its `x`, too. `axis` is 1 for the one on the
    right."""

    name: str
    values: tuple[float | None, ...]
    xs: tuple[float, ...] = ()
    axis: int = 0

    @property
    def present(self) -> list[float]:
        return [value for value in self.values if value is not None]


@dataclass(frozen=True)
class Chart:
    """A chart before it is drawn. Names are "" where it has none. `y_names` are of the axes of values, the right one last.

    The rows of a heat map are its categories, the columns its series. `decimals` are those of the values, `is_whole` says that
    the series add up to 100 in each category.
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

    @property
    def has_names(self) -> bool:
        """Whether its series are told apart by names."""
        return any(series.name for series in self.series) and self.kind != "box"


def magnitude(draw: random.Random) -> float:
    """What the values of a chart are about: from tenths to millions, thousands and hundreds most of all."""
    return 10 ** draw.choices((-0.5, 0.5, 1.2, 1.8, 2.5, 3.5, 4.5, 5.7), (1, 4, 8, 10, 8, 6, 4, 3))[0] * draw.uniform(1, 8)


def decimals_for(draw: random.Random, largest: float) -> int:
    """Decimals with which the largest of a chart's values has two to four digits that count; 0 for large ones."""
    return max(0, draw.choice((2, 3, 3, 4)) - 1 - math.floor(math.log10(max(1e-6, abs(largest)))))


def over_time(draw: random.Random, num: int, level: float, period: int) -> list[float]:
    """A time series around `level`: trend, season of `period` steps (0: none), noise, and at times an outlier. Above 0."""
    growth = draw.gauss(0, 0.6) / max(4, num)
    swing = draw.uniform(0.1, 0.5) if period and draw.random() < 0.7 else 0.0
    phase, noise = draw.uniform(0, math.tau), draw.uniform(0.01, 0.12)
    walk, made = 0.0, []
    for step in range(num):
        walk += draw.gauss(0, noise / 2)
        season = swing * math.sin(phase + math.tau * step / period) if period else 0.0
        made.append(level * max(0.03, 1 + growth * step + season + walk + draw.gauss(0, noise / 2)))
    if num > 5 and draw.random() < 0.15:
        made[draw.randrange(num)] *= draw.choice((0.4, 1.6, 1.9))
    return made


def sizes(draw: random.Random, num: int, level: float) -> list[float]:
    """Sizes of things that have nothing to do with each other, as far apart as a chart shows well. Above 0."""
    spread = draw.uniform(0.15, 0.7)
    return [level * min(3.0, max(0.12, math.exp(draw.gauss(0, spread)))) for _ in range(num)]


def shares(draw: random.Random, num: int, decimals: int, least: float = 3.0) -> list[float]:
    """Percentages that add up to 100 to the last decimal, none under `least`."""
    weights = [math.exp(draw.gauss(0, 0.7)) for _ in range(num)]
    unit = 10**decimals
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
