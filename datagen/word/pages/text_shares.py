"""The share of a piece's text on each page, by the page's letters."""

import bisect
import functools
import itertools
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from datagen.writing.bidi import num_rtl

_REPEATED = 1.5  # times as many letters as the text: groups with more are repetitions
_WHOLE = 0.75  # of the text's letters: a repetition with so many is whole
_ENOUGH = 8  # letters on either side of a cut
_MOST_APART = 3  # of the letters on both sides
_REACH = 60  # letters from the place that the numbers of letters give
_KASHIDA = "\u0640"
Share = tuple[int, int]
"""The start and end of a share in the text, end exclusive."""


class Shares(NamedTuple):
    """The share of each group. `are_found`: the text has the groups' letters around each cut."""

    of_groups: list[Share]
    are_found: bool = True


def shown(text: str) -> list[int]:
    """The places of the characters that a page shows: no white space, and none that draws nothing."""
    return list(itertools.compress(itertools.count(), map(is_shown, text)))


@functools.lru_cache(maxsize=1 << 16)
def is_shown(char: str) -> bool:
    return not char.isspace() and (char.isascii() or unicodedata.category(char) not in ("Cf", "Cc", "Zs"))


def letters_of(text: str) -> str:
    """The letters, their marks and the digits of a text. Characters that look the same become one."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return "".join(filter(_is_letter, text))


@functools.lru_cache(maxsize=1 << 16)
def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def shares(text: str, groups: Sequence[str]) -> Shares:
    """The share of the text that each group of letters is, in order; (0, 0) for an empty group.

    Groups with many more letters than the text are repetitions, such as a table's head. Otherwise the groups divide the text: by
    their numbers of letters if those agree, else where the letters fit best. Each cut is then moved to the place with the groups'
    own letters before and behind (`anchored`). Hidden characters go with the letter before them. A later share doesn't begin with
    white space.
    """
    places = shown(text)
    letters = ["".join(filter(is_shown, group)) for group in groups]
    num = sum(map(len, letters))
    if not num or not places:
        return Shares([(0, 0)] * len(groups))
    if len(letters) == 1 or all(len(group) in (0, len(places)) for group in letters):
        return Shares([(0, len(text)) if group else (0, 0) for group in letters])
    if num > _REPEATED * len(places):
        return Shares([_alone(text, places, group) for group in letters])
    bounds = [0]
    for group in letters:
        bounds.append(bounds[-1] + len(group))
    if num != len(places):
        bounds = _fitted("".join(text[n] for n in places), "".join(letters), bounds)
    cuts = anchored(text, places, bounds, groups)
    bounds = [bound if cut is None else cut for bound, cut in zip(bounds, cuts, strict=True)]
    starts = [places[bound] if bound < len(places) else len(text) for bound in bounds]
    starts[0] = 0
    if bounds[-1] == len(places):
        starts[-1] = len(text)
    spans = itertools.pairwise(starts)
    of_groups = [(_begin(text, a, b), b) if group else (0, 0) for group, (a, b) in zip(letters, spans, strict=True)]
    return Shares(of_groups, None not in cuts)


def _alone(text: str, places: Sequence[int], group: str) -> Share:
    """The share of one repetition."""
    if len(group) > _WHOLE * len(places):
        return 0, len(text)
    if not group:
        return 0, 0
    start, stop = _fitted("".join(text[n] for n in places), group, [0, len(group) - 1])
    return places[min(start, len(places) - 1)], places[min(stop, len(places) - 1)] + 1


def _begin(text: str, start: int, stop: int) -> int:
    """The start of a share. A share behind the first one doesn't begin with white space."""
    while 0 < start < stop and text[start].isspace():
        start += 1
    return start


def _fitted(text: str, letters: str, bounds: Sequence[int]) -> list[int]:
    """Places in `letters` as places in `text`, by the edits between them."""
    fitted = []
    edits = Levenshtein.opcodes(text, letters)
    for bound in bounds:
        place = len(text)
        for edit in edits:
            if edit.dest_start <= bound < edit.dest_end:
                place = min(edit.src_end, edit.src_start + bound - edit.dest_start)
                break
        fitted.append(place)
    return fitted


def anchored(text: str, places: Sequence[int], bounds: Sequence[int], groups: Sequence[str]) -> list[int | None]:
    """The `bounds` of the groups' shares, in `places` of the text, each moved to the nearest place with the groups' own letters
    around; None if there is no such place near by. Right-to-left text is cut between words, since its letters on a page may be in
    any order. The first bound and those beside empty groups stay.

    The numbers of letters alone aren't enough: a page has hyphens, leaders and ligatures that the text lacks, and points in
    another order.
    """
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
    """The characters of a text that aren't letters."""
    return "".join({char for char in text if not _bare(char)})


def _between_words(text: str, places: Sequence[int], bound: int, before: str, behind: str) -> int | None:
    starts = [n for n in range(1, len(places)) if any(char.isspace() for char in text[places[n - 1] : places[n]])]
    edges = [0, *starts, len(places)]
    words = [text[places[a] : places[b - 1] + 1] for a, b in itertools.pairwise(edges)]
    tail, head = _any_order(before.split()[-1]), _any_order(behind.split()[0])
    ends = [starts[n - 1] for n in range(1, len(words)) if _any_order(words[n - 1]) == tail and _any_order(words[n]) == head]
    return min(ends, key=lambda start: abs(start - bound), default=None) or _nearly(text, places, bound, before, behind, starts)


def _nearly(text: str, places: Sequence[int], bound: int, before: str, behind: str, starts: Sequence[int]) -> int | None:
    """The start of the word with the letters around it that are most like the groups': a page may have spaces within words, and
    some letters twice."""
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
    """The letters and digits of a text, in small letters, without the points of right-to-left scripts."""
    return "".join(map(_of_one, text))


@functools.lru_cache(maxsize=1 << 16)
def _of_one(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char).casefold()
    return "".join(c for c in plain if (c.isalnum() and c != _KASHIDA) or unicodedata.category(c) == "Mc")
