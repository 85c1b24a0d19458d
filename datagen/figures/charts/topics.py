"""What charts are about: quantities with their units, how large they are, and how they behave over time and between places."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

MONEY = "money"
"""In place of a unit: a currency."""


@dataclass(frozen=True)
class Topic:
    """A quantity, named as in the vocabulary. `units` are CLDR's. `least` and `most` are what it is on average in one place and
    another. It is given by `divisions`, and over time if `is_timed`. Pieces of it add up if `is_sum`; it is counted in whole
    numbers if `is_count`. Places differ by a factor of about e to the `spread`. Each year it grows by `growth` more or less; it
    swings by `season` in a year, and by `noise` from one time to the next; it is given by years alone if `is_yearly`."""

    name: str
    units: tuple[str, ...]
    least: float
    most: float
    divisions: tuple[str, ...] = ("country", "city")
    is_timed: bool = True
    is_sum: bool = False
    is_count: bool = False
    spread: float = 0.6
    growth: float = 0.03
    season: float = 0.0
    noise: float = 0.03
    is_yearly: bool = False

    def level(self, draw: random.Random) -> float:
        """What it is on average in one place."""
        if self.least < 0:
            return draw.uniform(self.least, self.most)
        return math.exp(draw.uniform(math.log(self.least), math.log(self.most)))

    def level_near(self, draw: random.Random, level: float) -> float:
        """What it is in another place of the same kind."""
        if self.least < 0:
            return level + draw.gauss(0, 5)
        return level * math.exp(draw.gauss(0, 0.6 * self.spread))


TOPICS = (
    Topic("population", (), 3e5, 8e7, is_sum=True, is_count=True, spread=0.9, growth=0.015, noise=0.003, is_yearly=True),
    Topic("temperature", ("temperature-celsius",), -3, 27, ("city",), spread=0.3, growth=0.0, noise=0.05),
    Topic("rainfall", ("length-millimeter",), 20, 200, ("city",), spread=0.5, growth=0.0, season=0.6, noise=0.25),
    Topic("area", ("area-square-kilometer", "area-hectare"), 500, 3e6, is_timed=False, is_sum=True, spread=1.0),
    Topic("price", (MONEY,), 0.8, 900, spread=0.35, growth=0.04, noise=0.06),
    Topic("exports", ("mass-tonne",), 800, 5e6, ("country",), is_sum=True, spread=0.9, growth=0.05, noise=0.1, is_yearly=True),
    Topic("sales", (), 60, 90_000, is_sum=True, is_count=True, spread=0.6, growth=0.06, season=0.3, noise=0.1),
    Topic("production", ("mass-tonne", "volume-hectoliter"), 500, 2e6, ("country",), is_sum=True, noise=0.08, is_yearly=True),
    Topic("electricity", ("energy-kilowatt-hour",), 200, 9e5, is_sum=True, spread=0.6, growth=0.03, season=0.25, noise=0.05),
    Topic("visitors", (), 300, 4e6, is_sum=True, is_count=True, spread=0.8, growth=0.05, season=0.5, noise=0.1),
    Topic("students", (), 200, 4e5, is_sum=True, is_count=True, spread=0.7, growth=0.03, noise=0.03, is_yearly=True),
    Topic("speed", ("speed-kilometer-per-hour",), 6, 120, spread=0.3, growth=0.0, noise=0.12),
    Topic("distance", ("length-kilometer",), 5, 8000, ("city",), is_timed=False, spread=0.7),
    Topic("height", ("length-centimeter",), 155, 182, is_timed=False, spread=0.04),
    Topic("weight", ("mass-kilogram",), 52, 88, is_timed=False, spread=0.12),
    Topic("age", ("duration-year",), 22, 55, growth=0.004, spread=0.18, noise=0.01, is_yearly=True),
    Topic("speakers", (), 4e5, 3e8, ("language",), is_timed=False, is_sum=True, is_count=True, spread=1.0),
)
PAIRS = (
    *(("rainfall", "temperature"), ("sales", "price"), ("visitors", "temperature"), ("electricity", "temperature")),
    *(("exports", "production"), ("students", "population"), ("production", "price"), ("electricity", "population")),
)
"""Quantities that are shown together over time, in bars and with a line."""
CLOUDS = (
    *(("height", "weight"), ("age", "weight"), ("price", "sales"), ("distance", "price"), ("temperature", "electricity")),
    *(("rainfall", "production"), ("temperature", "visitors"), ("population", "exports"), ("age", "height")),
    ("speed", "distance"),
)
"""Quantities of which one is shown over the other."""
WIDE_CLOUDS = (("area", "population"), ("population", "exports"), ("population", "electricity"))
"""Of these, both over several powers of ten."""
MEASURED = ("temperature", "rainfall", "price", "speed", "height", "weight", "age", "distance")
"""Quantities that differ from one measurement to the next, in boxes, histograms and with bars of error."""


def topic(name: str) -> Topic:
    return next(one for one in TOPICS if one.name == name)


def some_topic(draw: random.Random, is_timed: bool, is_sum: bool = False, names: Sequence[str] = ()) -> Topic:
    """A topic that is given over time, or else by places or languages; one whose pieces add up, if `is_sum`."""
    return draw.choice(
        [
            one
            for one in TOPICS
            if (one.is_timed or not is_timed) and (one.is_sum or not is_sum) and (not names or one.name in names)
        ]
    )
