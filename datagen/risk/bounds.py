"""From which confidence on labels are accepted, so that at most a stated share of them is wrong.

The search is a fixed-sequence test. The first test takes the most confident labels, as few as can show the share without an
error. Each further test takes more labels, and the first test that fails ends the search. Such a search needs no correction for
many tests (Maurer, Hothorn and Lehmacher 1995). A confidence may say little: the most confident labels have an error, but all
labels together are good enough. So there are `_STARTS` searches, and each has an equal part of the risk. They begin with the
fewest labels, with half of the labels, and with all (Angelopoulos and others 2021, Learn then Test). A test is exact (Clopper
and Pearson 1934).
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy import special

NOBODY = 2.0
"""A threshold that no confidence reaches."""
RISK = 0.05
"""The share of calibrations that may promise too much."""
_STARTS = 3
_GROWTH = 1.25  # a test's number of labels, divided by the number of the test before


@dataclass(frozen=True)
class Cutoff:
    """The confidence from which on a reader's lines are accepted, and its evidence.

    There are `num_lines` calibration lines, or pieces of lines, or documents. `num_above` of them have at least the `confidence`,
    and `num_right` of those are right. `bound` is a lower bound of the true share of right lines. It is too high at most in the
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


def cutoff(
    scores: Sequence[float],
    right: Sequence[bool],
    precision: float,
    risk: float = RISK,
    effect: float = 1.0,
    real: Sequence[bool] = (),
    documents: Sequence[str] = (),
) -> Cutoff:
    """The lowest confidence from which on the share `precision` of a reader's lines is right, by a lower bound. The precision is
    promised wrongly in at most the share `risk` of all cases.

    With `documents`, the name of each line's, the effect is counted in each test on the lines that it takes, and is at least
    `effect`. Lines of equal confidence are accepted or refused together. The bound holds if calibration lines are drawn like the
    lines to judge, and if so many lines as there are, divided by their design `effect`, are independent (`design_effect`). Some
    lines may be `real` and the others stand in for real ones. Then real lines alone must not contradict the bound: a reader with
    the precision has so many wrong ones among them in more than the share `RISK` of all cases.
    """
    num = len(scores)
    lines = zip(scores, right, real or [False] * num, documents or [""] * num, strict=True)
    order = sorted(lines, key=lambda line: -line[0])
    least, risk = math.ceil(effect * least_lines(precision, risk)), risk / _STARTS
    if len(order) < least:
        reason = f"the bound can't be reached with {len(order)} calibration pieces: at least {least} without an error are needed"
        return Cutoff(NOBODY, len(order), reason=reason)
    num_right_of_first = list(itertools.accumulate((is_right for _, is_right, *_ in order), initial=0))
    num_real_of_first = list(itertools.accumulate((is_real for _, _, is_real, _ in order), initial=0))
    wrong_real_of_first = list(itertools.accumulate((is_real and not is_right for _, is_right, is_real, _ in order), initial=0))

    def effect_of(count: int) -> float:
        own = design_effect([line[3] for line in order[:count]], [line[1] for line in order[:count]]) if documents else 1.0
        return max(effect, own)

    def is_shown(count: int) -> bool:
        is_contradicted = _is_contradicted(wrong_real_of_first[count], num_real_of_first[count], precision, effect)
        return not is_contradicted and _is_shown(num_right_of_first[count], count, precision, risk, effect_of(count))

    starts = (least, max(least, len(order) // 2), len(order))
    best, tested = _search([score for score, *_ in order], starts, is_shown)
    if not best:
        counts = " and ".join(
            f"{count - num_right_of_first[count]} of {count}"
            + (f" ({wrong_real_of_first[count]} of {num_real_of_first[count]} real ones)" if num_real_of_first[count] else "")
            for count in sorted({*tested})
        )
        reason = f"the bound can't be reached: of the most confident calibration pieces {counts} are wrong"
        return Cutoff(NOBODY, len(order), reason=reason)
    num_right, effect = num_right_of_first[best], effect_of(best)
    return Cutoff(
        order[best - 1][0], len(order), best, num_right, round(interval(num_right / effect, best / effect, 2 * risk)[0], 4)
    )


def design_effect(documents: Sequence[str], right: Sequence[bool]) -> float:
    """How many lines say as much as one independent line, since lines of one document are right or wrong alike: the variance of
    the share of right lines between documents, divided by that of independent lines (Kish 1965). At least 1."""
    by_document: dict[str, list[bool]] = {}
    for document, is_right in zip(documents, right, strict=True):
        by_document.setdefault(document, []).append(is_right)
    share, num = sum(right) / max(1, len(right)), len(by_document)
    if num < 2 or share in (0.0, 1.0):
        return 1.0
    between = sum((sum(of_one) - share * len(of_one)) ** 2 for of_one in by_document.values()) * num / (num - 1)
    return max(1.0, between / (len(right) * share * (1 - share)))


def _search(scores: Sequence[float], starts: Sequence[int], is_shown: Callable[[int], bool]) -> tuple[int, list[int]]:
    """The largest number of the first labels, by descending score, that passes its test, or 0; and the numbers tested."""
    tested: list[int] = []
    best = 0
    for count in starts:
        while count:
            while count < len(scores) and scores[count] == scores[count - 1]:
                count += 1
            tested.append(count)
            if not is_shown(count):
                break
            best = max(best, count)
            count = min(len(scores), math.ceil(count * _GROWTH)) if count < len(scores) else 0
    return best, tested


def least_lines(precision: float, risk: float = RISK) -> int:
    """The fewest lines that show the precision, if none of them is wrong."""
    return math.ceil(math.log(risk / _STARTS) / math.log(precision)) if precision < 1 else 1 << 62


def interval(num_right: float, num_lines: float, risk: float = 0.05) -> tuple[float, float]:
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


def _is_contradicted(num_wrong: int, num_lines: int, precision: float, effect: float) -> bool:
    """Whether a reader with the precision has so many wrong lines, or more, in at most the share `RISK` of all cases."""
    if num_wrong <= num_lines * (1 - precision):
        return False
    return bool(special.betainc(num_wrong / effect, (num_lines - num_wrong) / effect + 1, 1 - precision) <= RISK)


def _is_shown(num_right: int, num_lines: int, precision: float, risk: float, effect: float = 1.0) -> bool:
    """Whether the lines show the precision: a reader that misses it has so few wrong lines in at most `risk` of all cases."""
    num_wrong = num_lines - num_right
    # Spares the test where it would fail anyway: about half of all draws have at most the expected number of wrong lines.
    if num_wrong >= num_lines * (1 - precision):
        return False
    # The binomial distribution, which its beta function extends to numbers that aren't whole.
    return bool(special.betainc(num_right / effect, num_wrong / effect + 1, precision) <= risk)
