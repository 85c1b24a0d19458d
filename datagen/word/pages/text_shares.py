"""Which part of a piece's text stands where, by the letters that the pages have of it."""

import functools
import itertools
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from datagen.word.pages.cut_anchors import anchored

_REPEATED = 1.5  # times as many letters as the text has, from which on groups are repetitions
_WHOLE = 0.75  # of the text's letters: a repetition that has as many is whole
Share = tuple[int, int]
"""From where to where in the text, exclusive."""


class Shares(NamedTuple):
    """The share of each group. `are_found`: the text has the letters around each cut where the cut is."""

    of_groups: list[Share]
    are_found: bool = True


def shown(text: str) -> list[int]:
    """Where the characters stand that a page shows: neither white space nor what draws nothing."""
    return list(itertools.compress(itertools.count(), map(is_shown, text)))


@functools.lru_cache(maxsize=1 << 16)
def is_shown(char: str) -> bool:
    return not char.isspace() and (char.isascii() or unicodedata.category(char) not in ("Cf", "Cc", "Zs"))


def letters_of(text: str) -> str:
    """The letters, their marks and the digits of a text, each in the one form that it has among those that look the same."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return "".join(filter(_is_letter, text))


@functools.lru_cache(maxsize=1 << 16)
def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def shares(text: str, groups: Sequence[str]) -> Shares:
    """The share of the text that each group of letters is, in their order; (0, 0) for a group of none.

    Groups that have many more letters than the text are repetitions, such as a table's head. Otherwise they divide the text: by
    their number of letters if that agrees, else where the letters fit best, and in either case at the place whose letters before
    and behind are the groups' own (`anchored`). What isn't shown goes with the letter before it; a later share doesn't begin with
    white space."""
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
    """Where a share begins: that of a later page doesn't do so with white space."""
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
