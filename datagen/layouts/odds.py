"""How likely a region is right, and a page, learned on pages of documents that the network hasn't seen."""

from collections.abc import Mapping, Sequence

import numpy
import torch
from torch.nn import functional

from datagen.layouts.groups import Group, evidence, groups, page_evidence
from datagen.layouts.labeller import LABELS
from datagen.layouts.training import TrainingPage
from datagen.layouts.truth import Answer

_STEPS, _DECAY = 60, 1e-3


def are_right(labelled: Sequence[Group], answer: Answer, num_lines: int) -> list[bool]:
    """Of each region, whether its label and its lines are those of the truth, and whether its neighbours in the order come in the
    true order. `num_lines` is the page's number of lines. Lines that the truth hasn't don't count."""
    region, label = answer.region, answer.label
    of_truth = {int(n): frozenset(numpy.flatnonzero(region == n).tolist()) for n in numpy.unique(region[region >= 0])}
    members = [[*group.lines, *([num_lines + group.picture] if group.picture >= 0 else [])] for group in labelled]
    numbers = [max((int(region[i]) for i in own), default=-1) for own in members]
    result = []
    for rank, (group, own) in enumerate(zip(labelled, members, strict=True)):
        known = frozenset(i for i in own if region[i] >= 0)
        is_whole = known == of_truth.get(numbers[rank], frozenset()) or not known
        is_labelled = all(LABELS[label[i]] == group.label for i in known)
        beside = [numbers[rank - 1] < numbers[rank]] if rank else []
        beside += [numbers[rank] < numbers[rank + 1]] if rank + 1 < len(labelled) else []
        result.append(is_whole and is_labelled and all(beside))
    return result


def odds(pages: Sequence[TrainingPage], weights: Mapping[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
    """The weights of `groups.evidence` and of `groups.page_evidence` in the log odds that a region is right and that a page is,
    by logistic regression: `is_right` (5,) and `page_is_right` (4,), float32."""
    made: dict[str, numpy.ndarray] = {}
    of_pages = [groups(page.page, weights) for page in pages]
    right = [are_right(own, page.answer, len(page.page.lines)) for own, page in zip(of_pages, pages, strict=True)]
    regions = [evidence(group) for own in of_pages for group in own]
    made["is_right"] = _regression(regions, [one for of_page in right for one in of_page])
    of_pages = [groups(page.page, {**weights, **made}) for page in pages]
    made["page_is_right"] = _regression([page_evidence(own) for own in of_pages], [all(of_page) for of_page in right])
    return made


def _regression(seen: Sequence[Sequence[float]], right: Sequence[bool]) -> numpy.ndarray:
    x, y = torch.tensor(seen, dtype=torch.float64), torch.tensor(right, dtype=torch.float64)
    w = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = functional.binary_cross_entropy_with_logits(x @ w, y) + _DECAY * (w**2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    result: numpy.ndarray = w.detach().numpy().astype(numpy.float32)
    return result
