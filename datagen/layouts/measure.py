"""How much of a page's labels, regions and order is right."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy

from datagen.labels import RUNNING
from datagen.layouts.groups import Group, groups
from datagen.layouts.labeller import LABELS
from datagen.layouts.training import TrainingPage
from datagen.layouts.truth import Answer

NAMES = ("labels", "regions", "order")
"""What is counted: lines with the right label, true regions that are one region with exactly their lines, and pairs of true
neighbours, without headers and footers, that come in their order."""


def counted(found: Sequence[Group], answer: Answer, num_lines: int) -> Counter[str]:
    """How many of a page's are right, by name, and how many there are, by the name with " of" behind."""
    region, label = answer.region[:num_lines], answer.label[:num_lines]
    place = numpy.full(num_lines, -1)
    for rank, group in enumerate(found):
        place[list(group.lines)] = rank
    known = numpy.flatnonzero(region >= 0)
    counts = Counter({"labels of": len(known), "labels": sum(found[place[i]].label == LABELS[label[i]] for i in known)})
    sets = {frozenset(group.lines) for group in found}
    ranks: list[int] = []
    for number in sorted(set(region[known].tolist())):
        own = numpy.flatnonzero(region == number)
        counts["regions of"] += 1
        counts["regions"] += frozenset(own.tolist()) in sets
        if LABELS[label[own[0]]] not in RUNNING:
            ranks.append(int(numpy.bincount(place[own]).argmax()))
    pairs = [(a, b) for a, b in itertools.pairwise(ranks) if a != b]
    counts["order of"] += len(pairs)
    counts["order"] += sum(a < b for a, b in pairs)
    return counts


def shares(pages: Iterable[TrainingPage], weights: Mapping[str, numpy.ndarray]) -> dict[str, float]:
    """The shares of `NAMES` that the network has right on these pages, and the number of `pages`."""
    total: Counter[str] = Counter()
    for page in pages:
        total += counted(groups(page.page, weights), page.answer, len(page.page.lines))
        total["pages"] += 1
    return {"pages": total["pages"]} | {name: round(total[name] / max(1, total[f"{name} of"]), 4) for name in NAMES}
