"""What speaks for a line: a second reader's reading, and its ink, where the readings differ or readers may err alike."""

from collections import Counter
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from datagen.coarse.verdict import ink_shapes
from datagen.coarse.verdict.ink_fonts import Cut
from datagen.coarse.verdict.ink_lines import plain
from datagen.fine.verdict.line_ink import spaces_hold
from datagen.writing.lookalikes import fold, in_context, one_sign

_PREFERRED = 0.05  # in likeness: less is the difference of two typefaces
_KEPT, _LIKE = 0.03, 0.35  # so much less is the other reading; and so much is ink like its own text, at least, to be like any
_SURELY = 0.1  # in likeness: so much more like the other reading is a single word by no chance
_NEAR = 2  # letters: a word that differs in more was read badly, or cut in the wrong place
_NEARLY = 0.34  # of a word's letters
_LETTERS_AS_ONE = str.maketrans("1|0", "llo")


class Spoken(NamedTuple):
    """Of a line: its number of characters; how many of them a second reader reads otherwise (`differing`); how many of these are
    in words whose ink is more like the line's text (`kept`), or more like the other reading (`wrong`); how many words are surely
    wrong in a letter or two (`misread`); and whether its words end elsewhere (`spaces`)."""

    chars: int
    differing: int = 0
    kept: int = 0
    wrong: int = 0
    misread: int = 0
    spaces: bool = False

    @property
    def agreement(self) -> float:
        """The share of the characters that both readers have, or that the ink keeps."""
        return 1.0 - min(1.0, max(0, self.differing - self.kept) / max(1, self.chars))


class Faces:
    """The typeface of this machine that is most like the ink of a page's lines, by script. It is looked for once."""

    def __init__(self) -> None:
        self._by_script: dict[str, str] = {}

    def of(self, cut: Cut, script: str) -> str:
        """ "" where the line tells none, and no line before it did."""
        if script not in self._by_script:
            words = [ink for image, text in cut.parts(script) if (ink := ink_shapes.ink(image, text)) is not None]
            if not (face := ink_shapes.best_face(words, script)[0] if words else ""):
                return ""
            self._by_script[script] = face
        return self._by_script[script]


def spoken(cut: Cut, reading: str, script: str, faces: Faces) -> Spoken:
    """What a second reading of a line says of it.

    Case, width forms, and signs that readers take for each other don't count. Where the readings differ in letters, the ink of
    each word is compared with both. Where they differ in spaces, its gaps are.
    """
    ours, theirs = _compared(cut.line.text, script), _compared(reading, script)
    differing = Levenshtein.distance(ours, theirs)
    spaces = _words(cut.line.text) != _words(reading) and _spaces_are_wrong(cut, reading, script)
    if not differing:
        return Spoken(len(ours), spaces=spaces)
    counts: Counter[str] = Counter()
    face = faces.of(cut, script)
    for word, read in cut.readings(reading, script) if face else ():
        a, b = _compared(word.text, script), _compared(read, script)
        distance = Levenshtein.distance(a, b)
        letters, others = "".join(filter(str.isalnum, a)), "".join(filter(str.isalnum, b))
        if not distance:
            continue
        likes = ink_shapes.preference(word, read, face)
        of_letters = Levenshtein.distance(letters, others)
        if likes < -_KEPT and ink_shapes.likeness(word, face, word.text) >= _LIKE:
            counts["kept"] += distance
        elif likes > _PREFERRED and of_letters:
            counts["wrong"] += of_letters
            counts["misread"] += likes > _SURELY and _is_near(letters, others, of_letters)
    kept, wrong = (min(counts[name], differing) for name in ("kept", "wrong"))
    return Spoken(len(ours), differing, kept, wrong, counts["misread"], spaces)


def _is_near(letters: str, others: str, distance: int) -> bool:
    """Whether two words differ in a letter or two within. At its ends a word may have a letter too many by how it was cut."""
    within = len(letters) == len(others) or (letters[:1] == others[:1] and letters[-1:] == others[-1:])
    return within and distance <= min(_NEAR, _NEARLY * max(len(letters), len(others)))


def _spaces_are_wrong(cut: Cut, reading: str, script: str) -> bool:
    """Whether a line's gaps aren't where its words end, but where those of its reading do."""
    if spaces_hold(cut, script) is not False:
        return False
    other = cut.with_text(reading)
    return spaces_hold(other, script) is True or (len(reading.split()) > len(cut.line.text.split()) and bool(other.images))


def _words(text: str) -> list[int]:
    """Behind how many letters each word ends."""
    ends, num = [], 0
    for word in text.split():
        num += sum(map(str.isalnum, word))
        ends.append(num)
    return ends


def _compared(text: str, script: str) -> str:
    return one_sign(fold(plain(in_context(text)), script)).translate(_LETTERS_AS_ONE)
