"""Evidence for a line's text: a second reader's reading, and the ink of words in which the readings differ."""

import re
import unicodedata
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from datagen.coarse.verdict import ink_shapes
from datagen.coarse.verdict.ink_fonts import Cut
from datagen.coarse.verdict.ink_lines import plain
from datagen.writing import signs
from datagen.writing.lookalikes import fold, in_context, one_sign

_KEPT, _LIKE = 0.03, 0.35  # the ink keeps a word if the other reading is so much less like it, and its own text at least so like
_SURE = 0.95  # score of a line of which the first reader is sure
_OPEN = 0.25  # the weight of a differing character, if the first reader was sure and the ink is undecided
_NEARLY_SURE = 0.85
_FAILED, _NOTHING = 0.5, 0.9  # of a line's characters: a second reader that differs in more has failed on the line
_ITEM = re.compile(rf"[{signs.ITEM_SIGNS}]\s*(?=\S)")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’](?=[^\W\d_])")
_LETTERS_AS_ONE = str.maketrans("1|0", "llo")


class Spoken(NamedTuple):
    """What a second reading says of a line.

    `chars` is the number of characters. `differing` characters are others in the second reading. Of these, `kept` characters are
    in words whose ink is more like the line's text. `score` is the first reader's, or 0 for the file's own text. `is_alike`: both
    readings have the same signs in the same case, except quotes, dashes, dots, widths and signs that the ink keeps. `apostrophes`
    counts straight apostrophes between letters: those that the second reader has curved, and those that it has straight.
    """

    chars: int
    differing: int = 0
    kept: int = 0
    score: float = 0.0
    is_alike: bool = True
    apostrophes: tuple[int, int] = (0, 0)

    @property
    def is_sure(self) -> bool:
        return self.score >= _SURE

    @property
    def agreement(self) -> float:
        """The share of the characters that both readers have, or that the ink keeps. If the first reader was sure of the line, a
        differing character counts as a quarter where the ink is undecided."""
        against = max(0, self.differing - self.kept) * (_OPEN if self.is_sure else 1.0)
        return 1.0 - min(1.0, against / max(1, self.chars))

    @property
    def says_nothing(self) -> bool:
        """Whether the second reader failed on a line of which the first reader was sure: it read hardly any of the characters.
        This happens with vertical text and small print. Such readings have nothing in common to compare."""
        share = (self.differing - self.kept) / max(1, self.chars)
        return share > (_FAILED if self.is_sure else _NOTHING if self.score >= _NEARLY_SURE else float("inf"))


class Faces:
    """For each script, the typeface of this machine that is most like the ink of a page. A typeface found once is kept."""

    def __init__(self) -> None:
        self._by_script: dict[str, str] = {}

    def of(self, cut: Cut, script: str) -> str:
        """The typeface for a script; "" if neither this line nor an earlier one tells it."""
        if script not in self._by_script:
            words = [ink for image, text in cut.parts(script) if (ink := ink_shapes.ink(image, text)) is not None]
            if not (face := ink_shapes.best_face(words, script)[0] if words else ""):
                return ""
            self._by_script[script] = face
        return self._by_script[script]


def spoken(cut: Cut, reading: str, script: str, faces: Faces) -> Spoken:
    """Compares a second `reading` of a line with the line's text and its ink.

    Case, width forms, and signs that readers confuse don't count. If the readings differ in letters, the ink of each word is
    compared with both readings.
    """
    ours, theirs = _compared(cut.line.text, script), _compared(reading, script)
    differing, kept = Levenshtein.distance(ours, theirs), 0
    face = faces.of(cut, script) if differing else ""
    for word, read in cut.readings(reading, script) if face else ():
        distance = Levenshtein.distance(_compared(word.text, script), _compared(read, script))
        if distance and ink_shapes.preference(word, read, face) < -_KEPT:
            kept += distance if ink_shapes.likeness(word, face, word.text) >= _LIKE else 0
    kept = min(kept, differing)
    alike = _are_alike(cut.line.text, reading)
    if differing:
        alike |= differing == kept == Levenshtein.distance(_signs(cut.line.text), _signs(reading))
    return Spoken(len(ours), differing, kept, cut.line.score or 0.0, alike, _apostrophes(cut.line.text, reading))


def _are_alike(text: str, reading: str) -> bool:
    """Whether two readings have the same signs. Any single sign may stand for a list sign, since readers see it differently."""
    if (item := _ITEM.match(text)) and len(other := reading.split(maxsplit=1)) > 1 and len(other[0]) == 1:
        text, reading = text[item.end() :], other[1]
    return _signs(text) == _signs(reading)


def _apostrophes(text: str, reading: str) -> tuple[int, int]:
    ours, theirs = _APOSTROPHE.findall(text), _APOSTROPHE.findall(reading)
    pairs = list(zip(ours, theirs, strict=True)) if len(ours) == len(theirs) else []
    return pairs.count(("'", "’")), pairs.count(("'", "'"))


def _signs(text: str) -> str:
    return "".join(one_sign(unicodedata.normalize("NFKC", text)).split())


def _compared(text: str, script: str) -> str:
    return one_sign(fold(plain(in_context(text)), script)).translate(_LETTERS_AS_ONE)
