"""The regions of a page that follow from the network's answer, in reading order."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from datagen.labels import HEADINGS
from datagen.layouts.elements import Elements
from datagen.layouts.labeller import LABELS, Outputs, outputs
from datagen.page.boxes import around

NAME = "layouts"
"""What regions name as the engine that saw them."""
MAX_ELEMENTS = 600
"""The network sees at most so many elements at a time: it compares each with every other one."""
_IMAGE, _NONE = LABELS.index("image"), LABELS.index("")
_CLIP = 12.0  # of logits
_APART = 0.35  # the mean probability that elements of two groups are of two regions, above which they stay two


class Group(NamedTuple):
    """A region: indices of the page's `lines` in their order, the index of its picture or -1, its label, a heading's level or 0.

    Probabilities: of the label; that its lines belong together (`is_one`); that no line of another region does (`is_whole`); that
    it is read where it stands (`in_order`); and that all of this is right (`is_right`), as counted on documents that the network
    hadn't seen.
    """

    lines: tuple[int, ...]
    picture: int
    label: str
    level: int = 0
    label_score: float = 1.0
    is_one: float = 1.0
    is_whole: float = 1.0
    in_order: float = 1.0
    is_right: float = 1.0


def groups(page: Elements, weights: Mapping[str, numpy.ndarray]) -> list[Group]:
    """The page's regions in reading order. Each line is in one of them. Pictures that are none are left out."""
    result: list[Group] = []
    if not page.lines:
        return [Group((), n, "image") for n in range(len(page.pictures))]
    for start, part in _windows(page.with_rows()):
        for group in _of_outputs(part, outputs(part, weights)):
            group = group._replace(lines=tuple(start + i for i in group.lines))
            result.append(group._replace(is_right=_likely(evidence(group), weights.get("is_right"))))
    return result


def structure_score(found: Sequence[Group], weights: Mapping[str, numpy.ndarray]) -> float:
    """The probability that all regions of a page are right. Their faults come together, so that it is more than the product of
    theirs: it was learned on pages, as `is_right` was."""
    return _likely(page_evidence(found), weights.get("page_is_right"))


def evidence(group: Group) -> list[float]:
    """What `is_right` follows from: log odds of the other probabilities, and 1."""
    return [*map(_log_odds, (group.label_score, group.is_one, group.is_whole, group.in_order)), 1.0]


def page_evidence(found: Sequence[Group]) -> list[float]:
    """What `structure_score` follows from: log odds that all regions are right were they independent, and that the worst one is;
    how many there are; and 1."""
    shares = [group.is_right for group in found]
    return [_log_odds(math.prod(shares)), _log_odds(min(shares, default=1.0)), math.log1p(len(shares)), 1.0]


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-3), 0.999)
    return math.log(share / (1 - share))


def _likely(evidence: Sequence[float], weights: numpy.ndarray | None) -> float:
    odds = _CLIP if weights is None else float(numpy.dot(evidence, weights))
    return round(1 / (1 + math.exp(-odds)), 3)


def _windows(page: Elements) -> Iterator[tuple[int, Elements]]:
    """Parts of the page that the network can see, in the order of its lines. All pictures are in the first one."""
    size = max(1, MAX_ELEMENTS - len(page.pictures))
    for start in range(0, len(page.lines), size):
        pictures = page.pictures if not start else ()
        lines = page.lines[start : start + size]
        yield start, replace(page, lines=lines, pictures=pictures)


def _of_outputs(page: Elements, answer: Outputs) -> list[Group]:
    num_lines, num = len(page.lines), len(answer.label)
    same = _sigmoid(answer.same)
    numpy.fill_diagonal(same, 1.0)
    of_group = numpy.zeros(num, int)
    if num > 1:
        distance = squareform(numpy.round(1 - (same + same.T) / 2, 3), checks=False)
        of_group = fcluster(linkage(distance, "average"), _APART, "distance")
    log_share = _log_softmax(answer.label)
    log_share[:num_lines, _NONE] = -_CLIP
    log_share[num_lines:] = numpy.where(numpy.isin(numpy.arange(len(LABELS)), (_IMAGE, _NONE)), log_share[num_lines:], -_CLIP)
    members = [numpy.flatnonzero(of_group == g) for g in numpy.unique(of_group)]
    sums = [log_share[own].sum(0) for own in members]
    for own, total in zip(members, sums, strict=True):
        if own[-1] < num_lines:
            total[_IMAGE] = -numpy.inf  # lines alone are no picture
        if own[0] < num_lines:
            total[_NONE] = -numpy.inf  # no line is lost
    labels = [int(total.argmax()) for total in sums]
    before = numpy.array([[answer.before[numpy.ix_(a, b)].clip(-_CLIP, _CLIP).mean() for b in members] for a in members])
    is_before = _sigmoid(before)
    order = _order(is_before)
    result = []
    for rank, g in enumerate(order):
        own, label = members[g], LABELS[labels[g]]
        if not label:
            continue
        others = numpy.flatnonzero(of_group != of_group[own[0]])
        neighbours = [is_before[order[rank - 1], g]] if rank else []
        neighbours += [is_before[g, order[rank + 1]]] if rank + 1 < len(order) else []
        lines = _in_order([int(i) for i in own if i < num_lines], page)
        heading = answer.level[own].sum(0)[1:]
        result.append(
            Group(
                lines,
                int(own[-1]) - num_lines if own[-1] >= num_lines else -1,
                label,
                1 + int(heading.argmax()) if label in HEADINGS else 0,
                _share(sums[g] / len(own), labels[g]),
                round(float(same[numpy.ix_(own, own)].mean()), 3),
                round(1 - float(same[numpy.ix_(own, others)].max(initial=0.0)), 3),
                round(float(min(neighbours, default=1.0)), 3),
            )
        )
    return result


def _order(is_before: numpy.ndarray) -> list[int]:
    """Of (N, N) probabilities that one is read before another: next is always the one that none of the rest is likely to precede.
    Sums over all others put more of them in a wrong place."""
    left, order = numpy.ones(len(is_before), bool), []
    firmest = numpy.where(numpy.eye(len(is_before), dtype=bool), 1.0, is_before)
    for _ in range(len(is_before)):
        least = numpy.where(left[None], firmest, 1.0).min(1)
        order.append(int(numpy.where(left, least, -1.0).argmax()))
        left[order[-1]] = False
    return order


def _in_order(lines: Sequence[int], page: Elements) -> tuple[int, ...]:
    """The lines as the file has them, but blocks that stand below each other from the top: files have them in any order."""
    blocks = [list(own) for _, own in itertools.groupby(lines, lambda i: page.lines[i].block)]
    boxes = [around(page.lines[i].box for i in own) for own in blocks]
    if max((box[0] for box in boxes), default=0.0) < min((box[2] for box in boxes), default=0.0):
        blocks = [own for _, own in sorted(zip(boxes, blocks, strict=True), key=lambda placed: placed[0][1])]
    return tuple(itertools.chain.from_iterable(blocks))


def _share(logs: numpy.ndarray, label: int) -> float:
    shares = numpy.exp(logs - logs.max())
    return round(float(shares[label] / shares.sum()), 3)


def _sigmoid(x: numpy.ndarray) -> numpy.ndarray:
    result: numpy.ndarray = 1 / (1 + numpy.exp(-x.clip(-_CLIP, _CLIP)))
    return result


def _log_softmax(x: numpy.ndarray) -> numpy.ndarray:
    shifted = x - x.max(-1, keepdims=True)
    result: numpy.ndarray = shifted - numpy.log(numpy.exp(shifted).sum(-1, keepdims=True))
    return result
