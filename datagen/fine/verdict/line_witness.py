"""Evidence for a line's text: a second reader's reading, and the ink if readings differ or readers may make the same mistake."""

import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from datagen.coarse.verdict import ink_shapes
from datagen.coarse.verdict.ink_fonts import Cut
from datagen.coarse.verdict.ink_lines import plain
from datagen.fine.verdict.line_ink import APART, UNSPACED, spaces_hold, step_behind
from datagen.writing import signs
from datagen.writing.lookalikes import fold, in_context, one_sign

_PREFERRED = 0.05  # in likeness: less is the difference of two typefaces
_KEPT, _LIKE = 0.03, 0.35  # the ink keeps a word if the other reading is so much less like it, and its own text at least so like
_SURELY = 0.1  # in likeness: a word's ink isn't by chance so much more like the other reading
_NEAR = 2  # letters: a word that differs in more was read badly, or cut in the wrong place
_NEARLY = 0.34  # of a word's letters
_SURE = 0.95  # score of a line of which the first reader is sure
_OPEN = 0.25  # the weight of a differing character, if the first reader was sure and the ink is undecided
_NEARLY_SURE = 0.85
_FAILED, _NOTHING = 0.5, 0.9  # of a line's characters: a second reader that differs in more has failed on the line
_LARGE = str.maketrans("ぁぃぅぇぉっゃゅょァィゥェォッャュョ", "あいうえおつやゆよアイウエオツヤユヨ")
_VOICE = "\u3099\u309a"
_LIKE_KANA = re.compile("[\u3041-\u30fa]")
_DIGITS, _LETTERS = frozenset("01|"), frozenset("OolI")
_LATIN_PAIR = re.compile("([A-Za-z]{2,}) (?=([A-Za-z]{2,}))")
_ITEM = re.compile(rf"[{signs.ITEM_SIGNS}]\s*(?=\S)")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’](?=[^\W\d_])")
_LETTERS_AS_ONE = str.maketrans("1|0", "llo")


class Swap(NamedTuple):
    letter: str
    other: str
    likes: float


class Spoken(NamedTuple):
    """What a second reading says of a line.

    `chars` is the number of characters, and `text` the text as it is compared. `differing` characters are others in the second
    reading. Of these, `kept` characters are in words whose ink is more like the line's text, and `wrong` characters are in words
    whose ink is more like the second reading. `misread` words are surely wrong in a letter or two. `spaces`: words end elsewhere
    than in the text. `swaps` has each letter that is another in the second reading, with how much more like the other the word's
    ink is. `score` is the first reader's, or 0 for the file's own text. `is_alike`: both readings have the same signs in the same
    case, except quotes, dashes, dots, widths and signs that the ink keeps. `apostrophes` counts straight apostrophes
    between letters: those that the second reader has curved, and those that it has straight.
    """

    chars: int
    text: str = ""
    differing: int = 0
    kept: int = 0
    wrong: int = 0
    misread: int = 0
    spaces: bool = False
    swaps: tuple[Swap, ...] = ()
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
        open_ones = max(0, self.differing - self.kept - self.wrong)
        against = self.wrong + open_ones * (_OPEN if self.is_sure else 1.0)
        return 1.0 - min(1.0, max(0.0, against) / max(1, self.chars))

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
    compared with both readings. If they differ in spaces, the gaps in the ink are compared.
    """
    ours, theirs = _compared(cut.line.text, script), _compared(reading, script)
    score = cut.line.score or 0.0
    differing = Levenshtein.distance(ours, theirs)
    spaces = _spaces_are_wrong(cut, reading, script)
    alike = _are_alike(cut.line.text, reading)
    marks = _apostrophes(cut.line.text, reading)
    if not differing:
        misread = _digits_for_letters(cut.line.text, reading)
        return Spoken(len(ours), ours, misread=misread, spaces=spaces, score=score, is_alike=alike, apostrophes=marks)
    swaps: list[Swap] = []
    counts: Counter[str] = Counter(misread=_digits_for_letters(cut.line.text, reading))
    face = faces.of(cut, script)
    for word, read in cut.readings(reading, script) if face else ():
        a, b = _compared(word.text, script), _compared(read, script)
        distance = Levenshtein.distance(a, b)
        letters, others = "".join(filter(str.isalnum, a)), "".join(filter(str.isalnum, b))
        if not distance:
            continue
        likes = ink_shapes.preference(word, read, face)
        of_letters = Levenshtein.distance(letters, others)
        if len(letters) == len(others) and 2 * of_letters <= len(letters):
            swaps += [Swap(x, y, likes) for x, y in zip(letters, others, strict=True) if _base(x) != _base(y)]
        if likes < -_KEPT and ink_shapes.likeness(word, face, word.text) >= _LIKE:
            counts["kept"] += distance
        elif likes > _PREFERRED and of_letters:
            counts["wrong"] += of_letters
            counts["misread"] += likes > _SURELY and _is_near(letters, others, of_letters)
        if of_letters and _LIKE_KANA.search(a) and _plain_kana(letters) == _plain_kana(others):
            counts["misread"] += -_KEPT <= likes <= _SURELY
    kept, wrong = (min(counts[name], differing) for name in ("kept", "wrong"))
    alike |= differing == kept == Levenshtein.distance(_signs(cut.line.text), _signs(reading))
    return Spoken(len(ours), ours, differing, kept, wrong, counts["misread"], spaces, tuple(swaps), score, alike, marks)


def _is_near(letters: str, others: str, distance: int) -> bool:
    """Whether two words differ in one or two inner letters. A letter too many at a word's ends may come from the cut."""
    within = len(letters) == len(others) or (letters[:1] == others[:1] and letters[-1:] == others[-1:])
    return within and distance <= min(_NEAR, _NEARLY * max(len(letters), len(others)))


def _digits_for_letters(text: str, reading: str) -> int:
    """The number of one-character words that are a digit in the text and a letter in the second reading."""
    pairs = zip(text.split(), reading.split(), strict=False) if len(text.split()) == len(reading.split()) else ()
    return sum(a in _DIGITS and b in _LETTERS for a, b in pairs)


def _base(letter: str) -> str:
    return _plain_kana(letter)[:1]


def _plain_kana(text: str) -> str:
    """`text` with large kana for small ones and without voicing marks, which are hard to tell in the ink of small print."""
    return "".join(c for c in unicodedata.normalize("NFD", text.translate(_LARGE)) if c not in _VOICE)


def _spaces_are_wrong(cut: Cut, reading: str, script: str) -> bool:
    """Whether a line's words end elsewhere than in its text. Either the second reading divides or joins words otherwise, and the
    gaps in the ink don't confirm the text, or the second reading ends with a hyphen."""
    text = cut.line.text
    if script in UNSPACED:  # a Latin name of several words within a text without spaces
        return any(one + other in text for one, other in _LATIN_PAIR.findall(reading))
    if script in APART:
        return False
    if reading.endswith("-") and text[-1:].isalpha():
        return True
    holds, others_hold = spaces_hold(cut, script), spaces_hold(cut.with_text(reading), script)
    if holds is None and others_hold is None and _parted(text, reading):
        return step_behind(cut, len(reading.split()) - 1) >= step_behind(cut, len(text.split()) - 1)
    return holds is not True and others_hold is True and _parted(text, reading)


def _parted(text: str, reading: str) -> bool:
    """Whether two letters have a space between them in one text, and stand together in the other text."""
    letters, between = _apart(text)
    others, of_others = _apart(reading)
    return any(
        {between[block.src_start + n], of_others[block.dest_start + n]} == {"", " "}
        for block in Levenshtein.opcodes(letters, others)
        if block.tag == "equal"
        for n in range(1, block.src_end - block.src_start)
    )


def _apart(text: str) -> tuple[str, list[str]]:
    """The letters and digits of a text, in lower case, and what stands before each: "" for nothing, " " for a space, and "." for
    other signs, which readers may leave out."""
    letters, between, before = "", [], ""
    for char in text.casefold():
        if char.isalnum():
            letters += char
            between.append(before)
            before = ""
        elif before != ".":
            before = " " if char.isspace() else "."
    return letters, between


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
