"""How a chart writes its numbers, and how well they can be read off an axis.

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

    def value(self, text: str) -> float:
        """The number that `text` wrote. Raises `ValueError` for what it can't have written."""
        sign = -1.0 if self.minus and text.startswith(self.minus) else 1.0
        bare = text.removeprefix(self.minus) if sign < 0 else text
        if not bare.startswith(self.prefix) or not bare.endswith(self.suffix):
            raise ValueError(f"{text!r} isn't written as {self}")
        bare = bare[len(self.prefix) : len(bare) - len(self.suffix)]
        if self.group:
            bare = bare.replace(self.group, "")
        return sign * float(bare.replace(self.decimal, ".").translate(str.maketrans(self.digits, _ASCII))) * self.divisor

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
    """An axis from `low` to `high`, with numbers at `ticks`, which are `distance` apart."""

    low: float
    high: float
    ticks: tuple[float, ...]
    distance: float

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

    def step(self, pixels: float) -> float:
        """How well a value can be read where the axis is so many pixels long: see `reading_step`."""
        return reading_step(self.distance, (self.high - self.low) / pixels)


def reading_step(distance: float, per_pixel: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is a tenth of the distance of ticks at least, and two pixels at least.

    That is how well a person places a point between two ticks. A value read off is right within half of it.
    """
    return nice(max(distance / 10, 2 * per_pixel))


def nice(least: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is `least` at least."""
    power = math.floor(math.log10(least))
    for number in (1, 2, 5, 10):
        if number * 10.0**power >= least * (1 - 1e-9):
            break
    exponent = power + (number == 10)
    digit = 1 if number == 10 else number
    return float(digit * 10**exponent) if exponent >= 0 else digit / 10**-exponent


def decimals_of(step: float) -> int:
    """How many decimals multiples of `step` have, which is 1, 2 or 5 times a power of ten; 0 at least."""
    return max(0, -math.floor(math.log10(step) + 1e-9))
