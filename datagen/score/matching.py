"""Which predicted part is which block of the ground truth, written after what OmniDocBench's quick match does (v1.6,
github.com/opendatalab/OmniDocBench, src/core/matching/match_quick.py; the code here is our own).

1. Blocks beside the text (captions, notes, what stands on every page) go first: parts that say nearly the same are theirs.
2. A block that no part nearly equals may have been cut up: parts that follow each other are put together while each of them fits
   into the block and they come closer to it. Runs that want the same part: the closer one gets it.
3. Blocks and parts go together so that the sum of their distances is least. A pair that is too far apart is none.
4. A block without a part may be inside one: it is added to the blocks that have that part. A part without a block may be the
   rest of one: it is added to the part beside it if that brings the two closer.
5. What is left goes together as it can, so that a bad reading counts by its distance, and none as 1.

The truth stays as it is. As v1.6 does, a prediction is tried at more than one grain, and the best is taken: `best`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from datagen.score.text import distance_within

_NEARLY = 0.25
_TOO_FAR = 0.7
_FITS = 0.6
_INSIDE = 0.4
_LONGEST_RUN = 160


class Truth(NamedTuple):
    """A block of the ground truth as it is compared. One that is `beside` the text, and its reading, are taken out first; a
    `whole` one is never looked for inside a part."""

    text: str
    beside: bool = False
    whole: bool = False


class Match(NamedTuple):
    """Blocks of the ground truth, the parts that are their reading, by their numbers, and how far apart the texts are: `distance`
    edits of `length` characters, the longer text's. `parts` is empty for a block that nobody read."""

    blocks: tuple[int, ...]
    parts: tuple[int, ...]
    distance: int
    length: int


def best(truths: Sequence[Truth], grains: Sequence[Sequence[str]]) -> tuple[int, list[Match]]:
    """The number of the grain that fits best, the first of equals, and its matches. A grain is the prediction's parts, in order,
    cut in one way."""
    tried = [matches(truths, parts) for parts in grains]
    errors = [sum(match.distance for match in result if not truths[match.blocks[0]].beside) for result in tried]
    number = errors.index(min(errors))
    return number, tried[number]


def matches(truths: Sequence[Truth], parts: Sequence[str]) -> list[Match]:
    """Every block of the truth in one match, in the order of their first blocks."""
    beside = _beside(truths, parts)
    taken = {part for _, part in beside}
    blocks = [number for number, truth in enumerate(truths) if not truth.beside]
    free = [number for number in range(len(parts)) if number not in taken]
    inner = _of_text([truths[number] for number in blocks], [parts[number] for number in free])
    pairs: list[Pair] = [((block,), (part,)) for block, part in beside]
    pairs += [(tuple(blocks[b] for b in of), tuple(free[p] for p in by)) for of, by in inner]
    matched = {block for of, _ in pairs for block in of}
    pairs += [((number,), ()) for number in range(len(truths)) if number not in matched]
    measured = []
    for of, by in pairs:
        truth, read = "".join(truths[block].text for block in of), "".join(parts[part] for part in by)
        measured.append(Match(of, by, Levenshtein.distance(truth, read), max(len(truth), len(read))))
    return sorted(measured)


Pair = tuple[tuple[int, ...], tuple[int, ...]]


def _beside(truths: Sequence[Truth], parts: Sequence[str]) -> list[tuple[int, int]]:
    numbers = [number for number, truth in enumerate(truths) if truth.beside]
    costs = _costs([truths[number].text for number in numbers], parts)
    pairs = zip(*linear_sum_assignment(costs), strict=True) if costs.size else ()
    return [(numbers[row], int(part)) for row, part in pairs if costs[row, part] < _NEARLY]


def _of_text(truths: Sequence[Truth], parts: Sequence[str]) -> list[Pair]:
    if not truths or not parts:
        return []
    texts = [truth.text for truth in truths]
    groups = _grouped(texts, parts)
    costs = _costs(texts, ["".join(parts[part] for part in group) for group in groups])
    of_group: dict[tuple[int, ...], list[int]] = {}
    for block, chosen in zip(*linear_sum_assignment(costs), strict=True):
        if costs[block, chosen] <= _TOO_FAR:
            of_group.setdefault(groups[chosen], []).append(int(block))
    group_of = {part: group for group in groups for part in group}
    matched = {block for blocks in of_group.values() for block in blocks}
    for block in (block for block, truth in enumerate(truths) if block not in matched and not truth.whole):
        distances = [distance_within(texts[block], part) for part in parts]
        nearest = int(numpy.argmin(distances))
        if distances[nearest] < _INSIDE:
            group = group_of[nearest]
            of_group.setdefault(group if group in of_group else (nearest,), []).append(block)
    pairs = _longer(texts, parts, [(tuple(sorted(blocks)), group) for group, blocks in of_group.items()])
    return pairs + _left(texts, parts, pairs)


def _longer(texts: Sequence[str], parts: Sequence[str], pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, with parts that nobody has added to those that they stand beside, where that makes the distance less."""
    free = set(range(len(parts))) - {part for _, group in pairs for part in group}
    longer = []
    for blocks, group in pairs:
        text = "".join(texts[block] for block in blocks)
        least = Levenshtein.distance(text, "".join(parts[part] for part in group))
        while True:
            tries = [(*group, group[-1] + 1)] * (group[-1] + 1 in free) + [(group[0] - 1, *group)] * (group[0] - 1 in free)
            tried = [(Levenshtein.distance(text, "".join(parts[part] for part in one)), one) for one in tries]
            if not tried or min(tried)[0] >= least:
                break
            least, group = min(tried)
            free -= set(group)
        longer.append((blocks, group))
    return longer


def _left(texts: Sequence[str], parts: Sequence[str], pairs: Sequence[Pair]) -> list[Pair]:
    matched = {block for blocks, _ in pairs for block in blocks}
    taken = {part for _, group in pairs for part in group}
    blocks = [block for block in range(len(texts)) if block not in matched]
    free = [part for part in range(len(parts)) if part not in taken]
    costs = _costs([texts[block] for block in blocks], [parts[part] for part in free])
    rest = zip(*linear_sum_assignment(costs), strict=True) if costs.size else ()
    return [((blocks[row],), (free[column],)) for row, column in rest]


def _grouped(texts: Sequence[str], parts: Sequence[str]) -> list[tuple[int, ...]]:
    """The parts, in order, those put together that are pieces of one block."""
    costs = _costs(texts, parts)
    sure = costs < _NEARLY
    open_parts = [part for part in range(len(parts)) if not sure[:, part].any()]
    is_open = set(open_parts)
    wanted = []
    for block in (block for block in range(len(texts)) if not sure[block].any()):
        runs = [_run(texts[block], parts, part, is_open) for part in open_parts]
        if runs:
            wanted.append(
                min((Levenshtein.normalized_distance(texts[block], "".join(parts[p] for p in run)), run) for run in runs)
            )
    taken: dict[int, tuple[int, ...]] = {}
    for _, run in sorted(wanted):
        if not any(part in taken for part in run):
            taken |= dict.fromkeys(run, run)
    groups = [taken.get(part, (part,)) for part in range(len(parts))]
    return list(dict.fromkeys(groups))


def _run(text: str, parts: Sequence[str], first: int, is_open: set[int]) -> tuple[int, ...]:
    """The parts from `first` on that are together more like `text` than fewer of them."""
    run, joined = [first], parts[first]
    while len(run) < _LONGEST_RUN and (part := run[-1] + 1) in is_open and len(joined) <= len(text):
        longer = joined + parts[part]
        closer = Levenshtein.normalized_distance(text, longer) <= Levenshtein.normalized_distance(text, joined)
        if not closer or distance_within(parts[run[-1]], text) > _FITS or distance_within(parts[part], text) >= _FITS:
            break
        run.append(part)
        joined = longer
    return tuple(run)


def _costs(texts: Sequence[str], parts: Sequence[str]) -> numpy.ndarray:
    if not texts or not parts:
        return numpy.zeros((len(texts), len(parts)))
    return cdist(texts, parts, scorer=Levenshtein.normalized_distance)
