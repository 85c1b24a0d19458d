"""How a chart writes its numbers, and how finely its axes show them.

A label writes a number as its chart does: with the same digits, marks, sign and unit. So `NumberFormat` makes both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_ASCII = "0123456789"


@dataclass(frozen=True)
class NumberFormat:
    """`digits` are the ten of a script. `group` stands between thousands, "" for none. A number is divided by `divisor` before it
    is written between `prefix` and `suffix`, as in 12K."""

    decimal: str = "."
    group: str = ""
    digits: str = _ASCII
    minus: str = "-"
    prefix: str = ""
    suffix: str = ""
    divisor: float = 1.0

    def text(self, value: float, decimals: int) -> str:
        """The number with so many decimals, of what it is after it was divided."""
        digits = f"{abs(value) / self.divisor:.{max(0, decimals)}f}"
        whole, _, part = digits.partition(".")
        if self.group and len(whole) > 3:
            whole = f"{int(whole):,}".replace(",", self.group)
        number = whole + (self.decimal + part if part else "")
        if self.digits != _ASCII:
            number = number.translate(str.maketrans(_ASCII, self.digits))
        minus = self.minus if value < 0 and any(char in "123456789" for char in digits) else ""
        return f"{minus}{self.prefix}{number}{self.suffix}"

    def rounded(self, value: float, step: float) -> str:
        """The multiple of `step` that is nearest to the number, with no more decimals than that takes."""
        return self.text(round(value / step) * step, decimals_of(step / self.divisor))


def printed_text(numbers: NumberFormat, value: float, decimals: int) -> str:
    """A value as it is printed beside its mark: with its decimals, or as 12.3K or 123K where it is divided."""
    if numbers.divisor == 1:
        return numbers.text(value, decimals)
    return numbers.text(value, 1 if abs(value) < 100 * numbers.divisor else 0)


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, with numbers at `ticks`, which are `distance` apart. On a logarithmic one they are powers
    of ten, and each is `distance` times the one before."""

    low: float
    high: float
    ticks: tuple[float, ...]
    distance: float
    is_log: bool = False

    @classmethod
    def over(cls, values: Sequence[float], num_ticks: int, from_zero: bool, headroom: float = 0.0) -> "Scale":
        """An axis over the values with about so many ticks; `headroom` is the share above them that stays free."""
        low, high = min(values), max(values)
        if from_zero:
            low, high = min(low, 0.0), max(high, 0.0)
        if high <= low:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        wanted = nice((high - low) / max(1, num_ticks - 1))
        least = nice(wanted / 2.5 * (1 + 1e-6))
        distance = min((wanted, least), key=lambda one: abs(math.ceil(high / one) - math.floor(low / one) + 1 - num_ticks))
        first = math.floor(low / distance + 1e-9)
        last = math.ceil(high / distance - 1e-9)
        decimals = max(0, decimals_of(distance))
        ticks = [round(k * distance, decimals) for k in range(first, last + 1)]
        top = ticks[-1] + headroom * (ticks[-1] - ticks[0])
        return cls(ticks[0], top, tuple(ticks), distance)

    @classmethod
    def logarithmic(cls, values: Sequence[float]) -> "Scale":
        """An axis over values above 0 from a power of ten to another, with a tick at each."""
        first = math.floor(math.log10(min(values)) + 1e-9)
        last = max(first + 1, math.ceil(math.log10(max(values)) - 1e-9))
        ticks = tuple(_digit_times_ten(1, power) for power in range(first, last + 1))
        return cls(ticks[0], ticks[-1], ticks, 10.0, is_log=True)

    def texts(self, numbers: NumberFormat) -> list[str]:
        """The numbers at the ticks, all with as many decimals as they need."""
        if self.is_log:
            return [numbers.text(tick, decimals_of(tick / numbers.divisor)) for tick in self.ticks]
        return [numbers.text(tick, decimals_of(self.distance / numbers.divisor)) for tick in self.ticks]

    def share(self, value: float) -> float:
        """How far along the axis a value stands: 0 at `low`, 1 at `high`."""
        if self.is_log:
            return math.log10(value / self.low) / math.log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def pixel(self, value: float, pixels: float) -> float:
        """What a pixel is worth at a value, where the axis is so many pixels long."""
        if self.is_log:
            return value * (1 - (self.low / self.high) ** (1 / pixels))
        return (self.high - self.low) / pixels


WHOLE = Scale(0.0, 100.0, (), 100.0)
"""The rim of a pie, in percent."""


@dataclass(frozen=True)
class Ruler:
    """What a picture shows of values that aren't printed: their marks stand on a scale of so many pixels. `decimals` are those of
    the values: a finer label would say nothing more."""

    scale: Scale
    pixels: float
    decimals: int

    def step(self, value: float, most: float = 1.0) -> float:
        """The step that a value is rounded to: 1, 2 or 5 times a power of ten, at most so many pixels at the value."""
        return max(nice_below(most * self.scale.pixel(value, self.pixels)), _digit_times_ten(1, -self.decimals))

    def text(self, numbers: NumberFormat, value: float) -> str:
        return numbers.rounded(value, self.step(value))


def nice(least: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is `least` at least."""
    power = math.floor(math.log10(least))
    for number in (1, 2, 5, 10):
        if number * 10.0**power >= least * (1 - 1e-9):
            break
    return _digit_times_ten(1 if number == 10 else number, power + (number == 10))


def nice_below(most: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is `most` at most."""
    power = math.floor(math.log10(most) + 1e-9)
    digit = max(number for number in (1, 2, 5) if number == 1 or number * 10.0**power <= most * (1 + 1e-9))
    return _digit_times_ten(digit, power)


def _digit_times_ten(digit: int, power: int) -> float:
    return float(digit * 10**power) if power >= 0 else digit / 10**-power


def decimals_of(step: float) -> int:
    """How many decimals multiples of `step` have, which is 1, 2 or 5 times a power of ten; 0 at least."""
    return max(0, -math.floor(math.log10(step) + 1e-9))
