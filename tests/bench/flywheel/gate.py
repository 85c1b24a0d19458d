"""How often the flywheel's gate breaks its promise: simulated calibrations of synthetic readers whose true precision is known.

Lines that calibrate and lines that are judged are drawn alike. Prints a line a reader and number of lines; run by `make bench`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy

from datagen.risk import bounds

PRECISION = 0.97
_STEPS = 10_001  # in which confidences from 0 to 1 are summed up


@dataclass(frozen=True)
class SyntheticReader:
    """A reader whose lines of the confidence c are right with the probability `right(c)`. Confidences are uniform from 0 to 1."""

    name: str
    right: Callable[[numpy.ndarray], numpy.ndarray]

    def precision(self) -> numpy.ndarray:
        """The share of lines that are right among those of each confidence, of `_STEPS`, or more."""
        right = self.right(numpy.linspace(0, 1, _STEPS))
        return numpy.cumsum(right[::-1])[::-1] / numpy.arange(_STEPS, 0, -1)


SHARP = SyntheticReader("sharp: half of its lines are nearly all right", lambda c: 1 / (1 + numpy.exp(12 * (0.3 - c))))
BLURRED = SyntheticReader("blurred: right more often the surer it is", lambda c: 1 - 0.25 * (1 - c) ** 2)
HOPELESS = SyntheticReader("hopeless: 95% right at its surest", lambda c: 0.6 + 0.35 * c)


@dataclass(frozen=True)
class Simulated:
    """Of `num_calibrations`, `num_open` gave an open gate, `num_broken` of which let lines through that are right less often than
    promised. `accepted` is the mean share of lines that are let through, shut gates counted."""

    num_calibrations: int
    num_open: int
    num_broken: int
    accepted: float


def simulated(reader: SyntheticReader, num_lines: int, num_calibrations: int, lines_a_page: int = 1) -> Simulated:
    """Calibrations of `num_lines` lines each. With more `lines_a_page` than one, a page's lines share their luck."""
    random, precision = numpy.random.default_rng(0), reader.precision()
    num_open = num_broken = 0
    accepted = 0.0
    for _ in range(num_calibrations):
        scores = numpy.round(random.random(num_lines), 3)
        luck = numpy.repeat(random.random(-(-num_lines // lines_a_page)), lines_a_page)[:num_lines]
        confidence = bounds.cutoff(scores.tolist(), (luck < reader.right(scores)).tolist(), PRECISION).confidence
        if confidence <= 1:
            num_open += 1
            num_broken += bool(precision[round(confidence * (_STEPS - 1))] < PRECISION)
            accepted += 1 - confidence
    return Simulated(num_calibrations, num_open, num_broken, accepted / num_calibrations)


def main() -> None:
    print(f"promise: {PRECISION:.0%} right; at most {bounds.RISK:.0%} of calibrations may break it")
    for reader in (SHARP, BLURRED, HOPELESS):
        print(reader.name)
        for num_lines in (150, 300, 1000):
            for lines_a_page in (1, 10):
                s = simulated(reader, num_lines, 1000, lines_a_page)
                how = "independent lines" if lines_a_page == 1 else f"{lines_a_page} lines of a page share their luck"
                print(
                    f"  {num_lines:5} lines, {how}: open {s.num_open} of {s.num_calibrations}, broken {s.num_broken}, "
                    f"accepted {s.accepted:.1%} of lines"
                )


if __name__ == "__main__":
    main()
