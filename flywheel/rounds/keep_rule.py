"""The rule that keeps a round: no language got worse on the held-out lines, and some language got better.

A round and the round before it read the same lines. The comparison is a permutation test. If neither round were better, the two
readings of a line could be swapped. So the readings of each line are swapped at random, many times. The probability of a change
is the share of swappings that change a language's errors at least as much. A language got better, or worse, if this probability
is less than `RISK`, divided by the number of languages (Bonferroni).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy

from flywheel.pools.lineage import RoundReader

RISK = 0.05
_SWAPPINGS = 20_000

Distances = Mapping[str, Mapping[str, tuple[int, int]]]
"""By language and line: the reading's edits from the truth, and the truth's number of characters."""
ByReader = Mapping[str, Distances]
"""The distances of readings, by the reader's name."""


@dataclass(frozen=True)
class Change:
    """A language's character error rates `before` and `now` on the same lines. `p_better` is the probability that chance alone
    makes so large a gain, `p_worse` that of so large a loss."""

    before: float
    now: float
    num_lines: int
    p_better: float
    p_worse: float


@dataclass(frozen=True)
class Verdict:
    """Whether a round is kept. `reason` says why it isn't; "" if it is. `changes` are by language and reader; a first round has
    none."""

    kept: bool
    reason: str
    changes: Mapping[str, Change]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def judge(readers: Iterable[RoundReader], before: ByReader | None, now: ByReader, needs_gain: bool = True) -> Verdict:
    """The verdict on a round with these readers. Each reader is compared with the reader that it started from. `now` has the
    round's distances, and `before` those of the round before; None in a first round."""
    if before is None:
        return verdict(None, {})
    ours: dict[str, Mapping[str, tuple[int, int]]] = {}
    theirs: dict[str, Mapping[str, tuple[int, int]]] = {}
    for reader in readers:
        for lang, lines in now[reader.name].items():
            ours[f"{lang} ({reader.name})"] = lines
            if lang in before.get(reader.start, {}):
                theirs[f"{lang} ({reader.name})"] = before[reader.start][lang]
    read_now = {lang for of_reader in now.values() for lang in of_reader}
    theirs |= {lang: lines for of_reader in before.values() for lang, lines in of_reader.items() if lang not in read_now}
    return verdict(theirs, ours, needs_gain)


def verdict(before: Distances | None, now: Distances, needs_gain: bool = True) -> Verdict:
    """The verdict on a round with the errors `now`, compared with the errors `before` (None: there are none). Without
    `needs_gain`, a round is kept if no language got worse."""
    if before is None:
        return Verdict(True, "", {})
    lost = sorted(before.keys() - now.keys())
    changes = {lang: change for lang in sorted(before.keys() & now.keys()) if (change := _change(before[lang], now[lang]))}
    risk = RISK / max(1, len(changes))
    worse = [_sentence(lang, c) for lang, c in changes.items() if c.p_worse < risk] + [
        f"{lang} is not read any more" for lang in lost
    ]
    is_better = any(c.p_better < risk for c in changes.values()) or bool(now.keys() - before.keys())
    if worse:
        return Verdict(False, f"worse than the round that it comes from: {', '.join(worse)}", changes)
    if needs_gain and not is_better:
        return Verdict(False, "no gain: no language is better than in the round that it comes from, beyond chance", changes)
    return Verdict(True, "", changes)


def _sentence(lang: str, change: Change) -> str:
    return f"{lang} {change.before:.2%} -> {change.now:.2%} character error"


def _change(before: Mapping[str, tuple[int, int]], now: Mapping[str, tuple[int, int]]) -> Change | None:
    """The change of a language; None if the rounds have no line in common."""
    keys = sorted(before.keys() & now.keys())
    num_chars = sum(now[key][1] for key in keys)
    if not num_chars:
        return None
    then, after = (numpy.array([errors[key][0] for key in keys]) for errors in (before, now))
    differences = (after - then)[after != then]
    change = differences.sum()
    signs = numpy.random.default_rng(0).integers(0, 2, (_SWAPPINGS, len(differences)), dtype=numpy.int8) * 2 - 1
    by_chance = signs @ differences if len(differences) else numpy.zeros(_SWAPPINGS)
    p_better, p_worse = (float((by_chance <= change).mean()), float((by_chance >= change).mean()))
    rate_before, rate_now = (round(float(errors.sum() / num_chars), 5) for errors in (then, after))
    return Change(rate_before, rate_now, len(keys), p_better, p_worse)
