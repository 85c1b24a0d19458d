"""Decide a formula. Readings are equal if their tokens or their drawings are equal. If no majority decides, the ink does."""

import functools
import re
from collections.abc import Sequence

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.agreement.decided import ABSTAINS, AGAINST, DRAWN, FOR, KEPT, REPLACED, UNREAD, Decided, Vote
from datagen.agreement.ink import PageInk
from datagen.formulas import compare_ink
from datagen.formulas.drawing import NotDrawn
from datagen.formulas.render import draw
from datagen.record import Box, SampleError
from datagen.score.formulas import normalised
from datagen.score.symbols import cdm

Latex = tuple[str, tuple[str, ...], str]
"""A voter, the datasets that have its reading, and the reading."""
_TOKEN = re.compile(r"\\[A-Za-z]+|.", re.DOTALL)
_MOST_PLACES = 4  # places where two formulas differ: each costs a drawing
_CLEAR, _CLEARER, _LIKE = 0.03, 0.05, 0.5  # likeness to the ink: the least lead of a formula; of two voters' formula; the least


def decided(ink: PageInk, box: Box, own: Latex, readings: Sequence[Latex]) -> Decided:
    """Decides the formula in `box`, as `texts.Voting` decides texts."""
    others = [reading for reading in readings if reading[0] != own[0]]
    votes = (Vote(own[0], own[1], own[2], FOR, 0.0), *(_vote(own, reading, reading in others) for reading in readings))
    if not others:
        return Decided(own[2], "alone", "no_other_reader", own[0], votes)
    classes: list[list[Latex]] = []
    for reading in others:
        same = next((c for c in classes if same_formula(c[0][2], reading[2])), None)
        if same is None:
            classes.append([reading])
        else:
            same.append(reading)
    if any(same_formula(own[2], c[0][2]) for c in classes):
        return Decided(own[2], KEPT, "another_agrees", own[0], votes, score=1.0)
    most = max(classes, key=lambda c: len({voter for voter, _, _ in c}))
    likes = {text: _likeness(ink, box, text) for text in (own[2], *(c[0][2] for c in classes))}
    mine = likes[own[2]]
    if len({voter for voter, _, _ in most}) > 1:
        voter, _, text = most[0]
        theirs = likes[text]
        if mine is not None and theirs is not None and mine - theirs >= _CLEAR:
            return Decided(own[2], DRAWN, "ink_against_two", own[0], votes, score=mine)
        if mine is not None and theirs is not None and theirs - mine < _CLEARER:
            return Decided("", UNREAD, "ink_takes_no_side", "", votes)
        between = (_likeness(ink, box, mixed) for mixed in _between(own[2], text))
        if theirs is not None and any(like is not None and like >= theirs for like in between):
            return Decided("", UNREAD, "ink_is_between_them", "", votes)
        return Decided(text, REPLACED, "two_agree_against_it", voter, votes, score=theirs)
    best, second = ([*sorted((like for like in likes.values() if like is not None), reverse=True), 0.0, 0.0])[:2]
    if None in likes.values() or best < _LIKE or best - second < _CLEAR:
        return Decided("", UNREAD, "ink_takes_no_side" if None not in likes.values() else "not_drawn", "", votes)
    if mine == best:
        return Decided(own[2], DRAWN, "ink_is_like_it", own[0], votes, score=best)
    voter, _, text = next(c[0] for c in classes if likes[c[0][2]] == best)
    return Decided(text, DRAWN, "ink_is_like_another", voter, votes, score=best)


@functools.lru_cache(maxsize=4096)
def same_formula(one: str, other: str) -> bool:
    """Whether two formulas have the same tokens or the same drawing."""
    if normalised(one) == normalised(other):
        return True
    try:
        return bool(numpy.array_equal(draw(one).ink, draw(other).ink))
    except NotDrawn:
        return False


def _between(own: str, other: str) -> list[str]:
    """The other formula with the label's tokens in one of the places where the two differ, once for each place. [] if they differ
    in a single place or in many."""
    a, b = _TOKEN.findall(own), _TOKEN.findall(other)
    places = [code for code in Levenshtein.opcodes(a, b) if code.tag != "equal"]
    if not 1 < len(places) <= _MOST_PLACES:
        return []
    return ["".join([*b[: p.dest_start], *a[p.src_start : p.src_end], *b[p.dest_end :]]) for p in places]


def _vote(own: Latex, reading: Latex, is_other: bool) -> Vote:
    alike = cdm(own[2], reading[2])
    vote = (FOR if same_formula(own[2], reading[2]) else AGAINST) if is_other else ABSTAINS
    return Vote(*reading, vote, round(1.0 - (alike or 0.0), 3))


def _likeness(ink: PageInk, box: Box, latex: str) -> float | None:
    try:
        crop = ink.gray[box.y0 : box.y1, box.x0 : box.x1]
        return compare_ink.compared(latex, numpy.ascontiguousarray(crop))[0]
    except (NotDrawn, SampleError):
        return None
