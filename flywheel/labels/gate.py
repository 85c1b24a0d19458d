"""The gate before labels: a reader's errors on held-out lines of known text, and the confidence that its readings need.

A character error rate is the edit distance between readings and truth, divided by the truth's characters. Both texts are
normalised first. The interval is the middle 95% of the rates of resampled lines.
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
_MOST = 12  # confusions that are told of
_LARGEST_ERROR = 0.4  # of a line's characters: what differs more was hardly read, and says little of characters
_STARTS = 3
_CUT = 2  # times as long as the truth: a reading that the reader's limit cut off
_GROWTH = 1.25  # each test takes so many times the lines of the one before


Confusion = tuple[str, str, int]
"""What stands there ("" for nothing), what was read ("" for nothing), and how often."""


@dataclass(frozen=True)
class Errors:
    """A character error rate with its interval, over `num_chars` characters in `num_lines` lines, of which `num_exact` are
    right letter for letter.

    `cluster_rate` is the rate by letters with their marks, `space_rate` that of spaces alone. `confusions` are the commonest
    errors. `repetition_rate` is the share of readings that go round and round.
    """

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
    """For each line, how many edits its reading is from the truth, and how many characters the truth has."""
    truths, readings = [normalise(t) for t in truths], [normalise(r) for r in readings]
    return [(Levenshtein.distance(t, r), len(t)) for t, r in zip(truths, readings, strict=True)]


def cluster_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """The error rate by clusters, of pairs of a truth and its reading: a letter and its marks, and what a virama joins to them,
    are one unit."""
    num_edits = num_clusters = 0
    for truth, reading in pairs:
        units = clusters(truth)
        num_edits += Levenshtein.distance(units, clusters(reading))
        num_clusters += len(units)
    return num_edits / max(1, num_clusters)


def space_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """How many spaces are missing, too many, or read as another character, for each space of the truths."""
    num_wrong = num_spaces = 0
    for truth, reading in pairs:
        num_wrong += sum(" " in edit for edit in _edits(truth, reading))
        num_spaces += truth.count(" ")
    return num_wrong / max(1, num_spaces)


def confusions(pairs: Iterable[tuple[str, str]], most: int = _MOST) -> tuple[Confusion, ...]:
    """The commonest wrong characters of pairs of a truth and its reading."""
    counts: Counter[tuple[str, str]] = Counter()
    for truth, reading in pairs:
        edits = _edits(truth, reading)
        if len(edits) <= _LARGEST_ERROR * len(truth):
            counts.update(edits)
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return tuple((stands, read, n) for (stands, read), n in common)


def _edits(truth: str, reading: str) -> list[tuple[str, str]]:
    """The fewest edits that lead from a truth to its reading: what stands there, and what was read."""
    edits = []
    for edit in Levenshtein.editops(truth, reading):
        stands = "" if edit.tag == "insert" else truth[edit.src_pos]
        edits.append((stands, "" if edit.tag == "delete" else reading[edit.dest_pos]))
    return edits


@dataclass(frozen=True)
class Cutoff:
    """The confidence from which on a reader's lines are accepted, and what it rests on.

    Of `num_lines` calibration lines, or pieces of lines, `num_above` have that `confidence` or more, and `num_right` of these are
    right. The true share is `bound` or more, except in the share of all calibrations that was allowed. `reason` says why nothing
    is accepted; "" if something is.
    """

    confidence: float
    num_lines: int
    num_above: int = 0
    num_right: int = 0
    bound: float = 0.0
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Its values; the confidence is None where nothing is accepted."""
        return asdict(self) | {"confidence": self.confidence if self.confidence < NOBODY else None}


def cutoff(scores: Sequence[float], right: Sequence[bool], precision: float, risk: float = RISK) -> Cutoff:
    """The lowest confidence from which on a share of `precision` of a reader's lines is right, by a lower bound. It promises too
    much in a share of `risk` of all cases at most.

    It is found by fixed-sequence testing: the most confident lines are tested first, as few as can show the precision without an
    error, then ever more of them, and the first test that fails ends the search. So the search needs no correction (Maurer,
    Hothorn and Lehmacher 1995), whatever the reader. Where confidence tells little, the surest few have an error, and all lines
    together are good enough: so there are `_STARTS` searches with an equal part of the risk, which begin with the fewest lines,
    with half of them, and with all (Angelopoulos and others 2021). A test is exact (Clopper and Pearson 1934). Lines of equal
    confidence are accepted or refused together. The bound holds for lines that are independent, and drawn as the lines to judge
    are.
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
    """The number of lines that show the precision if none of them is wrong."""
    return math.ceil(math.log(risk / _STARTS) / math.log(precision)) if precision < 1 else 1 << 62


def interval(num_right: int, num_lines: int, risk: float = 0.05) -> tuple[float, float]:
    """The shares between which the true one lies, except in a share of `risk` of all cases (Clopper and Pearson 1934)."""
    if not num_lines:
        return 0.0, 1.0
    num_wrong = num_lines - num_right
    low = float(special.betaincinv(num_right, num_wrong + 1, risk / 2)) if num_right else 0.0
    high = float(special.betaincinv(num_right + 1, num_wrong, 1 - risk / 2)) if num_wrong else 1.0
    return low, high


def share(num_right: int, num_judged: int, counted_as: str = "num_accepted") -> dict[str, Any]:
    """How many of the judged ones are right, and their share with its 95% interval; null if there is none."""
    low, high = interval(num_right, num_judged)
    shares = (num_right / num_judged, low, high) if num_judged else (None, None, None)
    names = ("precision", "precision_low", "precision_high")
    rounded = {name: None if value is None else round(value, 4) for name, value in zip(names, shares, strict=True)}
    return {counted_as: num_judged, "num_right": num_right, **rounded}


def _is_shown(num_right: int, num_lines: int, precision: float, risk: float) -> bool:
    """Whether so few wrong lines would come by chance at most in a share of `risk` of all cases, if the precision were missed."""
    num_wrong = num_lines - num_right
    # As many wrong lines as the share allows, or more, come by chance half of the time.
    return num_wrong < num_lines * (1 - precision) and bool(special.bdtr(num_wrong, num_lines, 1 - precision) <= risk)
