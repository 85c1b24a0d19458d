"""Differences of an ablation's arms on the same samples, with intervals. Plain numbers in and out.

N samples · S seeds · D draws

An arm's error is the character error rate over all samples: edits over the truth's characters, the mean of its seeds. Three 95%
intervals show how far chance may move it:

samples     a percentile bootstrap: samples are drawn anew, the same ones for both arms of a difference. Seeds are averaged first
documents   the same with whole documents, whose samples are alike; only with at least `MIN_DOCUMENTS`
seeds       Student's t over the seeds' own differences, arm by arm of one seed: the influence of the seed

An arm is called better if all of them exclude 0, and both arms look at the images. One seed alone isn't enough, nor are two arms
that hardly read.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy
from scipy import stats

CONFIDENCE = 0.95
HARDLY_READS = 0.9
"""The error from which on an arm counts as unable to read."""
MIN_DOCUMENTS = 8

Interval = tuple[float, float]


class Drawn:
    """Samples drawn anew, D times: how often each comes. `units` has a number for each sample; samples of one number are drawn
    together."""

    def __init__(self, chars_N: numpy.ndarray, units: Sequence[int], num_draws: int, seed: int):
        _, self.unit_N = numpy.unique(numpy.asarray(units), return_inverse=True)
        num = int(self.unit_N.max()) + 1
        random = numpy.random.default_rng(seed)
        self.counts_DU = random.multinomial(num, numpy.full(num, 1 / num), size=num_draws)
        self.chars_D = self.counts_DU @ numpy.bincount(self.unit_N, chars_N, num)

    def interval(self, edits_N: numpy.ndarray) -> Interval:
        """The interval of the sum of edits over the sum of characters."""
        edits_D = self.counts_DU @ numpy.bincount(self.unit_N, edits_N, self.counts_DU.shape[1])
        rates_D = edits_D[self.chars_D > 0] / self.chars_D[self.chars_D > 0]
        low, high = numpy.quantile(rates_D, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return float(low), float(high)


def compared(
    edits_SN: Mapping[str, numpy.ndarray],
    chars: Sequence[int],
    documents: Sequence[str],
    num_draws: int = 2000,
    seed: int = 0,
    blind: Collection[str] = (),
) -> dict[str, Any]:
    """The arms' rates and all differences of two arms. `edits_SN` has the edits of each arm's readings, by seed and sample, the
    samples in one order for all; `chars` are the truths' lengths. Arms that are `blind` don't look at the images. A difference is
    the error of `b` less that of `a`: below 0 `b` is better. Its `verdict` names the better arm; "" if that is open. Raises
    `ValueError` without samples or characters."""
    chars_N = numpy.asarray(chars, float)
    if not len(chars_N) or not chars_N.sum():
        raise ValueError("there is no character to be wrong: a truth with text is needed")
    of_samples = Drawn(chars_N, range(len(chars_N)), num_draws, seed)
    names = {document: number for number, document in enumerate(dict.fromkeys(documents))}
    of_documents = None
    if len(names) >= MIN_DOCUMENTS:
        of_documents = Drawn(chars_N, [names[document] for document in documents], num_draws, seed)
    means = {arm: numpy.asarray(of_arm, float).mean(0) for arm, of_arm in edits_SN.items()}
    rates = {arm: (numpy.asarray(of_arm, float).sum(1) / chars_N.sum()).tolist() for arm, of_arm in edits_SN.items()}
    arms = {
        arm: {
            "error": float(numpy.mean(rates[arm])),
            "samples": of_samples.interval(mean_N),
            "documents": of_documents.interval(mean_N) if of_documents else None,
            "by_seed": rates[arm],
            "spread": float(numpy.std(rates[arm], ddof=1)) if len(rates[arm]) > 1 else None,
        }
        for arm, mean_N in means.items()
    }
    order = list(edits_SN)
    differences = []
    for at, a in enumerate(order):
        for b in order[at + 1 :]:
            apart_N = means[b] - means[a]
            by_seed = tuple(theirs - ours for ours, theirs in zip(rates[a], rates[b], strict=True))
            by_samples, by_seeds = of_samples.interval(apart_N), over_seeds(by_seed)
            by_documents = of_documents.interval(apart_N) if of_documents else None
            reads = min(arms[a]["error"], arms[b]["error"]) < HARDLY_READS and a not in blind and b not in blind
            verdict = better(a, b, (by_samples, by_documents, by_seeds)) if by_seeds and reads else ""
            apart = {"a": a, "b": b, "value": float(apart_N.sum() / chars_N.sum()), "samples": by_samples}
            apart |= {"documents": by_documents, "seeds": by_seeds, "by_seed": by_seed, "verdict": verdict}
            differences.append(apart)
    return {
        "num": len(chars_N),
        "num_characters": int(chars_N.sum()),
        "num_documents": len(names),
        "arms": arms,
        "differences": differences,
    }


def over_seeds(by_seed: Sequence[float]) -> Interval | None:
    """Student's t interval of the mean of the seeds' differences; None for a single seed."""
    if len(by_seed) < 2:
        return None
    mean, error = float(numpy.mean(by_seed)), float(numpy.std(by_seed, ddof=1)) / math.sqrt(len(by_seed))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(by_seed) - 1)) * error
    return mean - reach, mean + reach


def better(a: str, b: str, intervals: Sequence[Interval | None]) -> str:
    """The arm with fewer errors if all present intervals of `b` less `a` are on one side of 0, else ""."""
    known = [interval for interval in intervals if interval is not None]
    if all(high < 0 for _, high in known):
        return b
    return a if all(low > 0 for low, _ in known) else ""


TIMES_TOO_OFTEN = 20
"""The most repetitions of each sample in a training, before an arm is said to have too few samples."""


def unlike(arms: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Sentences on differences that make the arms hard to compare, by their counts: `num_train`, `num_seen` and `num_tokens` of
    one training, `num_left_out` of its data, and for each seed whether it `looks`."""
    sentences = []
    least, most = (pick(arms, key=lambda arm: arms[arm]["num_train"]) for pick in (min, max))
    if arms[most]["num_train"] >= 2 * arms[least]["num_train"]:
        sizes = [f"{arm} has {arms[arm]['num_train']:,} samples" for arm in (most, least)]
        sentences.append(f"{' and '.join(sizes)}: in equal steps those of {least} come more often")
    for arm, counts in arms.items():
        times = counts["num_seen"] / max(1, counts["num_train"])
        if times > TIMES_TOO_OFTEN:
            sentences.append(
                f"{arm} has too few samples: each of its {counts['num_train']:,} was learned from {times:,.0f} times"
            )
        if counts["num_left_out"] > 0.2 * max(1, counts["num_train"]):
            num_left_out, num_train = counts["num_left_out"], counts["num_train"]
            sentences.append(f"of {arm} {num_left_out:,} samples were left out, beside {num_train:,} learned from")
        if blind := [seed for seed, looks in enumerate(counts["looks"]) if looks is False]:
            seeds = ", ".join(map(str, blind))
            sentences.append(f"{arm} doesn't look at the images with seed {seeds}: its errors say nothing of its labels")
    least, most = (pick(arms, key=lambda arm: arms[arm]["num_tokens"]) for pick in (min, max))
    if arms[most]["num_tokens"] > 1.25 * arms[least]["num_tokens"]:
        learned = [f"{arm} {arms[arm]['num_tokens']:,}" for arm in (most, least)]
        sentences.append(f"in equal steps arms learned from unequal amounts of text, in tokens: {' and '.join(learned)}")
    return sentences
