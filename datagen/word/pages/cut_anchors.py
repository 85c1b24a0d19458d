"""Where a page break cuts a text, by the letters that the pages have before and behind it.

Numbers of letters alone don't say it: a page has hyphens, leaders, ligatures that the text hasn't, and points in another order.
"""

import bisect
import functools
import itertools
import unicodedata
from collections import Counter
from collections.abc import Sequence

from datagen.writing.bidi import num_rtl

_ENOUGH = 8  # letters on either side
_MOST_APART = 3  # of those of both sides
_REACH = 60  # letters from the place that their number says
_KASHIDA = "\u0640"


def anchored(text: str, places: Sequence[int], bounds: Sequence[int], groups: Sequence[str]) -> list[int | None]:
    """The `bounds` of the groups' shares, in `places` of the text, each moved to the nearest place that the groups' own letters
    stand around; None for one where no place near by has them. Text from right to left is cut between words, whose letters may
    stand in any order: that of a page is its program's. The first bound and those beside empty groups stay."""
    is_rtl = num_rtl(text) > 0
    find = _between_words if is_rtl else _between_letters
    cuts: list[int | None] = list(bounds)
    filled = [n for n, group in enumerate(groups) if group.strip()]
    for before, behind in itertools.pairwise(filled):
        cut = find(text, places, bounds[behind], groups[before], groups[behind])
        for n in range(before + 1, behind + 1):
            cuts[n] = cut
    return cuts


def _between_letters(text: str, places: Sequence[int], bound: int, before: str, behind: str) -> int | None:
    letters = [(n, char) for n, place in enumerate(places) for char in _bare(text[place])]
    owners, whole = [n for n, _ in letters], "".join(char for _, char in letters)
    tail, head = _bare(before)[-_ENOUGH:], _bare(behind)[:_ENOUGH]
    first = bisect.bisect_left(owners, bound)
    for step in range(2 * _REACH):
        at = first + (step + 1) // 2 * (1 if step % 2 else -1)
        if 0 <= at <= len(whole) and whole[:at].endswith(tail) and whole.startswith(head, at):
            if at == first:
                return bound
            stop = owners[at] if at < len(owners) else len(places)
            behind_last = len(before.rstrip()) - len(before.rstrip().rstrip(_signs(before)))
            return min(stop, (owners[at - 1] + 1 if at else 0) + behind_last)
    return None


def _signs(text: str) -> str:
    """The characters of a text that are no letters."""
    return "".join({char for char in text if not _bare(char)})


def _between_words(text: str, places: Sequence[int], bound: int, before: str, behind: str) -> int | None:
    starts = [n for n in range(1, len(places)) if any(char.isspace() for char in text[places[n - 1] : places[n]])]
    edges = [0, *starts, len(places)]
    words = [text[places[a] : places[b - 1] + 1] for a, b in itertools.pairwise(edges)]
    tail, head = _any_order(before.split()[-1]), _any_order(behind.split()[0])
    ends = [starts[n - 1] for n in range(1, len(words)) if _any_order(words[n - 1]) == tail and _any_order(words[n]) == head]
    return min(ends, key=lambda start: abs(start - bound), default=None) or _nearly(text, places, bound, before, behind, starts)


def _nearly(text: str, places: Sequence[int], bound: int, before: str, behind: str, starts: Sequence[int]) -> int | None:
    """The start of a word whose letters around it are most like the groups': a page may have spaces within words, and some
    letters twice."""
    tail, head = Counter(_bare(before)[-_ENOUGH:]), Counter(_bare(behind)[:_ENOUGH])
    best = _MOST_APART + 1, 0, 0
    for start in starts:
        if abs(start - bound) < _REACH:
            at = places[start]
            left, right = Counter(_bare(text[:at][-4 * _ENOUGH :])[-_ENOUGH:]), Counter(_bare(text[at:][: 4 * _ENOUGH])[:_ENOUGH])
            apart = sum(((one - other) + (other - one)).total() for one, other in ((tail, left), (head, right)))
            best = min(best, (apart, abs(start - bound), start))
    return best[2] if best[0] <= _MOST_APART else None


def _any_order(word: str) -> str:
    return "".join(sorted(_bare(word)))


def _bare(text: str) -> str:
    """The letters and digits of a text, small, without the points over them in scripts that run from right to left."""
    return "".join(map(_of_one, text))


@functools.lru_cache(maxsize=1 << 16)
def _of_one(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char).casefold()
    return "".join(c for c in plain if (c.isalnum() and c != _KASHIDA) or unicodedata.category(c) == "Mc")
