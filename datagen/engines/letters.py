"""Letters that stand for one another: told by the ink of the words they are in, without a reader.

A font with a few letters wrong draws mostly what it claims, so words still look like their text. But every word that has such a
letter would look still more like it with the right one in its place.
"""

import statistics
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from datagen.engines.shapes import Ink, likeness, mean_and_error, preference
from datagen.typefaces import draws, reference_faces

_MIN_WORDS, _FEW_WORDS, _MANY_WORDS = 4, 2, 12  # with a letter in them: to say anything of it; to look first; to look again
_MAX_LETTERS, _MAX_OTHERS = 16, 48
_NUM_LIKELY = 4  # of these others, to look at again
_MAX_FACES = 4
_BEST, _WELL_CUT = 0.75, 0.5  # the share of words that are less like their text than the best; the share of that likeness
# In likeness, and in standard errors. Faces differ by as much in a letter here and there, by more hardly ever, and then the other
# faces of the script don't agree.
_SOME, _MUCH = (0.02, 1.5), (0.05, 2.0)
# Their product, from which on one letter is enough. True letters came to 0.8, and to 1.7 where their own face was left out;
# swapped ones to 15.
_CERTAIN = 1.0


class Preferred(NamedTuple):
    """Another letter that the ink of a letter's words is more like: by how much (in likeness), in standard errors, and by how
    much in the mean of other faces of the script; the same if there are none."""

    other: str
    gain: float
    deviation: float
    elsewhere: float

    def by(self, least: tuple[float, float]) -> bool:
        return self.gain >= least[0] and self.deviation >= least[1] and self.elsewhere > 0

    @property
    def certain(self) -> bool:
        return self.by(_MUCH) and self.gain * self.deviation >= _CERTAIN


def num_swapped(words: Sequence[Ink], script: str, face: str) -> int:
    """How many letters of `words` stand for others, as far as the ink tells; 0 unless it is sure of two, or of one that stands
    for another of which it likes others better, or certain of one: a single one may be the typeface's way to draw it."""
    likes = preferred(words, script, face)
    found = {letter: best for letter, best in likes.items() if best.by(_SOME)}
    sure = {letter for letter, best in found.items() if best.by(_MUCH)}
    # Who swaps one letter swaps another, mostly with the first.
    linked = any(found[letter].other in likes for letter in sure)
    return len(found) if len(sure) > 1 or linked or any(best.certain for best in found.values()) else 0


def preferred(words: Sequence[Ink], script: str, face: str) -> dict[str, Preferred]:
    """By letter, the other one that the ink of its words likes best in its place, where it likes it better.

    Looked at are the most frequent letters that are in at least `_MIN_WORDS` different words; those words first of which the
    letter is most.
    """
    words = _well_cut(list({word.text: word for word in words if face and draws(face, word.text)}.values()), face)
    having: dict[str, list[Ink]] = {}
    for word in words:
        for letter in sorted(set(word.text)):
            if unicodedata.category(letter)[0] in "LM":
                having.setdefault(letter, []).append(word)
    by_count = sorted(having, key=lambda letter: (-len(having[letter]), letter))
    found = {}
    for letter in [letter for letter in by_count if len(having[letter]) >= _MIN_WORDS][:_MAX_LETTERS]:
        kind = unicodedata.category(letter)
        others = [other for other in by_count if other != letter and unicodedata.category(other) == kind][:_MAX_OTHERS]
        mine = sorted(having[letter], key=lambda word: (-word.text.count(letter) / len(word.text), word.text))
        if best := _best(letter, others, mine[:_MANY_WORDS], face):
            elsewhere = [g for name in _other_faces(script, face) for g in _gains(letter, best[0], mine[:_MANY_WORDS], name) if g]
            found[letter] = Preferred(*best, statistics.fmean(elsewhere) if elsewhere else best[1])
    return found


def _well_cut(words: Sequence[Ink], face: str) -> list[Ink]:
    """The words that are like their text at least by half as much as most of the best: ink that was cut in the wrong places is
    like nothing. A letter or two that stand for others take less away."""
    alike = [likeness(word, face, word.text) for word in words]
    least = _WELL_CUT * sorted(alike)[round(_BEST * (len(alike) - 1))] if alike else 0.0
    return [word for word, found in zip(words, alike, strict=True) if found >= least]


def _best(letter: str, others: Sequence[str], words: Sequence[Ink], face: str) -> tuple[str, float, float] | None:
    """Of `others` the one that `words` are most like in place of `letter`: it, by how much, and in standard errors."""
    first = {other: statistics.fmean(_gains(letter, other, words[:_FEW_WORDS], face)) for other in others}
    likely = sorted((other for other in first if first[other] > 0), key=lambda other: (-first[other], other))[:_NUM_LIKELY]
    again = {other: mean_and_error(_gains(letter, other, words, face)) for other in likely}
    other = max(again, key=lambda other: again[other][0], default="")
    if not other or again[other][0] < _SOME[0]:
        return None
    gain, error = again[other]
    return other, gain, gain / error


def _gains(letter: str, other: str, words: Sequence[Ink], face: str) -> list[float]:
    return [preference(word, word.text.replace(letter, other), face) for word in words]


def _other_faces(script: str, face: str) -> list[str]:
    return [name for name in reference_faces(script) if name != face][:_MAX_FACES]
