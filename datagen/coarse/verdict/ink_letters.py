"""Find swapped letters of a text by the ink of their words, without a reader.

If a font's map has a few letters wrong, its words still look mostly like their text. But each word with such a letter looks more
like its ink if the right letter is put in.
"""

import statistics
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from datagen.coarse.verdict.ink_shapes import Ink, likeness, mean_and_error, preference
from datagen.drawing.typefaces import draws, reference_faces

_MIN_WORDS, _FEW_WORDS, _MANY_WORDS = 4, 2, 12  # words with the letter: the fewest to judge by; for a first look; for a second
_MAX_LETTERS, _MAX_OTHERS = 16, 48
_NUM_LIKELY = 4  # letters of `_MAX_OTHERS` that get a second look
_MAX_FACES = 4
_BEST, _WELL_CUT = 0.75, 0.5  # the quantile of likeness that stands for good words; the share of it that a well cut word has
# A gain in likeness, and in standard errors. A letter may differ by `_SOME` between faces. It hardly ever differs by `_MUCH`, and
# then the other faces of the script don't agree.
_SOME, _MUCH = (0.02, 1.5), (0.05, 2.0)
# The product of gain and standard errors from which one letter is enough. Right letters came to 0.8, and to 1.7 where their own
# face was left out; swapped letters came to 15.
_CERTAIN = 1.0


class Preferred(NamedTuple):
    """A letter that suits the ink of some words better than the letter in their text.

    `gain` is how much more like the ink the words become; `deviation` is the gain in standard errors. `elsewhere` is the mean
    gain in other faces of the script, or `gain` if there are none.
    """

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
    """The number of letters in `words` that are swapped, by the ink.

    A single letter may just look different in this typeface. So the number is 0 unless two letters are clearly swapped, or one is
    clearly swapped with a letter that looks swapped, too, or one is nearly certain.
    """
    likes = preferred(words, script, face)
    doubtful = {letter: best for letter, best in likes.items() if best.by(_SOME)}
    sure = {letter for letter, best in doubtful.items() if best.by(_MUCH)}
    # Where one letter is swapped another is, too, mostly with the first.
    linked = any(doubtful[letter].other in likes for letter in sure)
    return len(doubtful) if len(sure) > 1 or linked or any(best.certain for best in doubtful.values()) else 0


def preferred(words: Sequence[Ink], script: str, face: str) -> dict[str, Preferred]:
    """For each letter that another letter beats, the letter that suits the ink of its words best.

    Only the most frequent letters are tried, and only letters in at least `_MIN_WORDS` different words. Words in which the letter
    makes up more of the text come first.
    """
    words = _well_cut(list({word.text: word for word in words if face and draws(face, word.text)}.values()), face)
    having: dict[str, list[Ink]] = {}
    for word in words:
        for letter in sorted(set(word.text)):
            if unicodedata.category(letter)[0] in "LM":
                having.setdefault(letter, []).append(word)
    by_count = sorted(having, key=lambda letter: (-len(having[letter]), letter))
    preferences = {}
    for letter in [letter for letter in by_count if len(having[letter]) >= _MIN_WORDS][:_MAX_LETTERS]:
        kind = unicodedata.category(letter)
        others = [other for other in by_count if other != letter and unicodedata.category(other) == kind][:_MAX_OTHERS]
        mine = sorted(having[letter], key=lambda word: (-word.text.count(letter) / len(word.text), word.text))
        if best := _best(letter, others, mine[:_MANY_WORDS], face):
            elsewhere = [g for name in _other_faces(script, face) for g in _gains(letter, best[0], mine[:_MANY_WORDS], name) if g]
            preferences[letter] = Preferred(*best, statistics.fmean(elsewhere) if elsewhere else best[1])
    return preferences


def _well_cut(words: Sequence[Ink], face: str) -> list[Ink]:
    """The words whose ink was cut in the right places: they are at least half as like their text as good words are.

    Ink that was cut in the wrong places is like nothing. A word with a swapped letter or two is still more like its text.
    """
    alike = [likeness(word, face, word.text) for word in words]
    least = _WELL_CUT * sorted(alike)[round(_BEST * (len(alike) - 1))] if alike else 0.0
    return [word for word, how_alike in zip(words, alike, strict=True) if how_alike >= least]


def _best(letter: str, others: Sequence[str], words: Sequence[Ink], face: str) -> tuple[str, float, float] | None:
    """The letter of `others` that suits the ink of `words` best in place of `letter`, its gain, and the gain in standard errors.
    None if no letter gains enough."""
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
