"""The gate before labels: a reader's errors on lines of known text, and the confidence that a reading needs to be a label.

A character error rate is the edit distance between readings and truth, divided by the truth's characters. Both texts are
normalised first. A rate's interval is the middle 95% of the rates of resampled lines.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy
from rapidfuzz.distance import Levenshtein
from scipy import special

from datagen.asking.loops import is_loop
from datagen.writing.line_text import normalise
from flywheel.pools.text_lines import clusters

NOBODY = 2.0
"""A threshold that no confidence reaches."""
RISK = 0.05
"""The share of calibrations that may promise too much."""
_MOST = 12  # confusions that `Errors` lists
_LARGEST_ERROR = 0.4  # of a line's characters: a line with more errors was hardly read, and its confusions mean little
_STARTS = 3
_CUT = 2  # times as long as the truth: a reading that the reader's limit cut off
_GROWTH = 1.25  # a test's number of lines, divided by the number of the test before


Confusion = tuple[str, str, int]
"""The true character ("" for none), the character that was read ("" for none), and how often."""


@dataclass(frozen=True)
class Errors:
    """A character error rate with its interval, over `num_chars` characters in `num_lines` lines. `num_exact` lines are right
    letter for letter. `cluster_rate` counts a letter and its marks as one unit. `space_rate` counts spaces alone. `confusions`
    are the commonest errors. `repetition_rate` is the share of readings that are loops."""

    cer: float
    cer_low: float
    cer_high: float
    num_chars: int
    num_lines: int
    num_exact: int
    cluster_rate: float
    space_rate: float
    confusions: tuple[Confusion, ...]
    repetition_rate: float = 0.0


def errors(truths: Sequence[str], readings: Sequence[str], seed: int = 0, num_resamples: int = 1000) -> Errors:
    """Raises `ValueError` if there is nothing to compare."""
    by_line = distances_of(truths, readings)
    distances, lengths = numpy.array([d for d, _ in by_line]), numpy.array([n for _, n in by_line])
    if not lengths.sum():
        raise ValueError("no characters to compare")
    drawn = numpy.random.default_rng(seed).integers(0, len(truths), (num_resamples, len(truths)))
    rates = distances[drawn].sum(1) / lengths[drawn].sum(1).clip(1)
    low, high = numpy.quantile(rates, (0.025, 0.975))
    rate = distances.sum() / lengths.sum()
    cer, cer_low, cer_high = (round(float(x), 5) for x in (rate, low, high))
    pairs = list(zip(map(normalise, truths), map(normalise, readings), strict=True))
    others = round(cluster_rate(pairs), 5), round(space_rate(pairs), 5), confusions(pairs)
    num_loops = sum(is_loop(reading, len(reading) > _CUT * len(truth)) for truth, reading in pairs)
    counts = int(lengths.sum()), len(truths), int((distances == 0).sum())
    return Errors(cer, cer_low, cer_high, *counts, *others, round(num_loops / len(truths), 5))


def distances_of(truths: Sequence[str], readings: Sequence[str]) -> list[tuple[int, int]]:
    """Each line's number of edits between reading and truth, and its truth's number of characters."""
    truths, readings = [normalise(t) for t in truths], [normalise(r) for r in readings]
    return [(Levenshtein.distance(t, r), len(t)) for t, r in zip(truths, readings, strict=True)]


def cluster_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """The error rate by clusters over pairs of a truth and its reading. A cluster is a letter with its marks, and with the
    letters that a virama joins to it."""
    num_edits = num_clusters = 0
    for truth, reading in pairs:
        units = clusters(truth)
        num_edits += Levenshtein.distance(units, clusters(reading))
        num_clusters += len(units)
    return num_edits / max(1, num_clusters)


def space_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """The error rate of spaces: missing spaces, extra spaces, and spaces read as another character, divided by true spaces."""
    num_wrong = num_spaces = 0
    for truth, reading in pairs:
        num_wrong += sum(" " in edit for edit in _edits(truth, reading))
        num_spaces += truth.count(" ")
    return num_wrong / max(1, num_spaces)


def confusions(pairs: Iterable[tuple[str, str]], most: int = _MOST) -> tuple[Confusion, ...]:
    """The commonest confusions in pairs of a truth and its reading."""
    counts: Counter[tuple[str, str]] = Counter()
    for truth, reading in pairs:
        edits = _edits(truth, reading)
        if len(edits) <= _LARGEST_ERROR * len(truth):
            counts.update(edits)
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return tuple((stands, read, n) for (stands, read), n in common)


def _edits(truth: str, reading: str) -> list[tuple[str, str]]:
    """The fewest edits that turn a truth into its reading, each as the true character and the read one."""
    edits = []
    for edit in Levenshtein.editops(truth, reading):
        stands = "" if edit.tag == "insert" else truth[edit.src_pos]
        edits.append((stands, "" if edit.tag == "delete" else reading[edit.dest_pos]))
    return edits


@dataclass(frozen=True)
class Cutoff:
    """The confidence from which on a reader's lines are accepted, and its evidence.

    There are `num_lines` calibration lines, or pieces of lines. `num_above` of them have at least the `confidence`, and
    `num_right` of those are right. `bound` is a lower bound of the true share of right lines. It is too high at most in the
    allowed share of calibrations. `reason` says why nothing is accepted; "" if something is.
    """

    confidence: float
    num_lines: int
    num_above: int = 0
    num_right: int = 0
    bound: float = 0.0
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The values. The confidence is None if nothing is accepted."""
        return asdict(self) | {"confidence": self.confidence if self.confidence < NOBODY else None}


def cutoff(scores: Sequence[float], right: Sequence[bool], precision: float, risk: float = RISK) -> Cutoff:
    """The lowest confidence from which on the share `precision` of a reader's lines is right, by a lower bound. The precision is
    promised wrongly in at most the share `risk` of all cases.

    The search is a fixed-sequence test. The first test takes the most confident lines, as few as can show the precision without
    an error. Each further test takes more lines, and the first test that fails ends the search. Such a search needs no correction
    for many tests (Maurer, Hothorn and Lehmacher 1995). A reader's confidence may say little: the most confident lines have an
    error, but all lines together are good enough. So there are `_STARTS` searches, and each has an equal part of the risk. They
    begin with the fewest lines, with half of the lines, and with all (Angelopoulos and others 2021). A test is exact (Clopper and
    Pearson 1934). Lines of equal confidence are accepted or refused together. The bound holds if lines are independent, and
    calibration lines are drawn like the lines to judge.
    """
    order = sorted(zip(scores, right, strict=True), key=lambda line: -line[0])
    least, risk = least_lines(precision, risk), risk / _STARTS
    if len(order) < least:
        reason = f"the bound can't be reached with {len(order)} calibration pieces: at least {least} without an error are needed"
        return Cutoff(NOBODY, len(order), reason=reason)
    num_right_of_first = list(itertools.accumulate((is_right for _, is_right in order), initial=0))
    tested: list[int] = []
    best = 0
    for start in (least, max(least, len(order) // 2), len(order)):
        count = start
        while count:
            while count < len(order) and order[count][0] == order[count - 1][0]:
                count += 1
            tested.append(count)
            if not _is_shown(num_right_of_first[count], count, precision, risk):
                break
            best = max(best, count)
            count = min(len(order), math.ceil(count * _GROWTH)) if count < len(order) else 0
    if not best:
        counts = " and ".join(f"{count - num_right_of_first[count]} of {count}" for count in sorted({*tested}))
        reason = f"the bound can't be reached: of the most confident calibration pieces {counts} are wrong"
        return Cutoff(NOBODY, len(order), reason=reason)
    num_right = num_right_of_first[best]
    return Cutoff(order[best - 1][0], len(order), best, num_right, round(interval(num_right, best, 2 * risk)[0], 4))


def least_lines(precision: float, risk: float = RISK) -> int:
    """The fewest lines that show the precision, if none of them is wrong."""
    return math.ceil(math.log(risk / _STARTS) / math.log(precision)) if precision < 1 else 1 << 62


def interval(num_right: int, num_lines: int, risk: float = 0.05) -> tuple[float, float]:
    """The interval of the true share of right lines. It misses the share in at most `risk` of all cases (Clopper and Pearson
    1934)."""
    if not num_lines:
        return 0.0, 1.0
    num_wrong = num_lines - num_right
    low = float(special.betaincinv(num_right, num_wrong + 1, risk / 2)) if num_right else 0.0
    high = float(special.betaincinv(num_right + 1, num_wrong, 1 - risk / 2)) if num_wrong else 1.0
    return low, high


def share(num_right: int, num_judged: int, counted_as: str = "num_accepted") -> dict[str, Any]:
    """The numbers of judged and right labels, and the share of right ones with its 95% interval. Shares are None if none is
    judged."""
    low, high = interval(num_right, num_judged)
    shares = (num_right / num_judged, low, high) if num_judged else (None, None, None)
    names = ("precision", "precision_low", "precision_high")
    rounded = {name: None if value is None else round(value, 4) for name, value in zip(names, shares, strict=True)}
    return {counted_as: num_judged, "num_right": num_right, **rounded}


def _is_shown(num_right: int, num_lines: int, precision: float, risk: float) -> bool:
    """Whether the lines show the precision: a reader that misses it has so few wrong lines in at most `risk` of all cases."""
    num_wrong = num_lines - num_right
    # Spares the test where it would fail anyway: about half of all draws have at most the expected number of wrong lines.
    return num_wrong < num_lines * (1 - precision) and bool(special.bdtr(num_wrong, num_lines, 1 - precision) <= risk)
