"""What kinds of errors readings have: by letter with its marks, in spaces alone, and which characters are taken for which."""

from collections import Counter
from collections.abc import Iterable

from rapidfuzz.distance import Levenshtein

from flywheel.pools.text_lines import clusters

MOST = 12
"""How many confusions are told of."""
_LARGEST_ERROR = 0.4  # of a line's characters: what differs more was hardly read, and says little of characters

Confusion = tuple[str, str, int]
"""What stands there ("" for nothing), what was read ("" for nothing), and how often."""


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


def confusions(pairs: Iterable[tuple[str, str]], most: int = MOST) -> tuple[Confusion, ...]:
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
