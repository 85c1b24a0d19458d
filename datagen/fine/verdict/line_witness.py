"""What speaks for a line: a second reader's reading, and its ink, where the readings differ or readers may err alike."""

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
_KEPT, _LIKE = 0.03, 0.35  # so much less is the other reading; and so much is ink like its own text, at least, to be like any
_SURELY = 0.1  # in likeness: so much more like the other reading is a single word by no chance
_NEAR = 2  # letters: a word that differs in more was read badly, or cut in the wrong place
_NEARLY = 0.34  # of a word's letters
_SURE = 0.95  # the first reader, of a line
_OPEN = 0.25  # of a character that the readers differ in, where the first was sure and the ink takes no side
_NEARLY_SURE = 0.85
_FAILED, _NOTHING = 0.5, 0.9  # of a line's characters: a reader to which so many are others failed on it
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
    """Of a line: its number of characters, and its text as it is compared; how many characters a second reader reads otherwise
    (`differing`); how many of these are in words whose ink is more like the line's text (`kept`), or more like the other reading
    (`wrong`); how many words are surely wrong in a letter or two (`misread`); whether its words end elsewhere (`spaces`); each
    letter for which the second reader has another, with how much more like that its word's ink is (`swaps`); and how sure the
    first reader was (`score`), 0 for the file's own text. `is_alike`: both readings have the same signs, small and large, but for
    quotes, dashes, dots and widths, and for those that the ink keeps. `lacks_sign`: the second reader has one sign more, alone
    before the line. `apostrophes`: straight ones between letters that it has curved, and straight."""

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
    lacks_sign: bool = False
    apostrophes: tuple[int, int] = (0, 0)

    @property
    def is_sure(self) -> bool:
        return self.score >= _SURE

    @property
    def agreement(self) -> float:
        """The share of the characters that both readers have, or that the ink keeps. Of a line that the first reader was sure of,
        a character on whose side the ink takes neither counts as a quarter."""
        open_ones = max(0, self.differing - self.kept - self.wrong)
        against = self.wrong + open_ones * (_OPEN if self.is_sure else 1.0)
        return 1.0 - min(1.0, max(0.0, against) / max(1, self.chars))

    @property
    def says_nothing(self) -> bool:
        """Whether the second reader failed on a line that the first one was sure of: it read hardly any of its characters, as of
        vertical text and small print. Two such readings share nothing that could be compared."""
        share = (self.differing - self.kept) / max(1, self.chars)
        return share > (_FAILED if self.is_sure else _NOTHING if self.score >= _NEARLY_SURE else float("inf"))


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
    score = cut.line.score or 0.0
    differing = Levenshtein.distance(ours, theirs)
    spaces = _spaces_are_wrong(cut, reading, script)
    alike, lacks = _are_alike(cut.line.text, reading), _lacks_sign(cut.line.text, reading)
    marks = _apostrophes(cut.line.text, reading)
    if not differing:
        misread = _digits_for_letters(cut.line.text, reading)
        return Spoken(
            len(ours), ours, misread=misread, spaces=spaces, score=score, is_alike=alike, lacks_sign=lacks, apostrophes=marks
        )
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
    return Spoken(len(ours), ours, differing, kept, wrong, counts["misread"], spaces, tuple(swaps), score, alike, lacks, marks)


def _is_near(letters: str, others: str, distance: int) -> bool:
    """Whether two words differ in a letter or two within. At its ends a word may have a letter too many by how it was cut."""
    within = len(letters) == len(others) or (letters[:1] == others[:1] and letters[-1:] == others[-1:])
    return within and distance <= min(_NEAR, _NEARLY * max(len(letters), len(others)))


def _digits_for_letters(text: str, reading: str) -> int:
    """The number of words of one sign that the text has as a digit, and a second reader as a letter."""
    pairs = zip(text.split(), reading.split(), strict=False) if len(text.split()) == len(reading.split()) else ()
    return sum(a in _DIGITS and b in _LETTERS for a, b in pairs)


def _base(letter: str) -> str:
    return _plain_kana(letter)[:1]


def _plain_kana(text: str) -> str:
    """`text` with small kana as large ones, and without the marks of voice: what the ink of small print hardly tells apart."""
    return "".join(c for c in unicodedata.normalize("NFD", text.translate(_LARGE)) if c not in _VOICE)


def _spaces_are_wrong(cut: Cut, reading: str, script: str) -> bool:
    """Whether words end elsewhere than a line's text says: a reading parts or joins letters that the text doesn't, or ends with a
    hyphen, and the gaps in the ink don't confirm the text."""
    text = cut.line.text
    if script in UNSPACED:  # names of several words, which stand within a text without spaces
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
    """Whether a space stands between two letters in one of the texts, and the same two stand together in the other."""
    letters, between = _apart(text)
    others, of_others = _apart(reading)
    return any(
        {between[block.src_start + n], of_others[block.dest_start + n]} == {"", " "}
        for block in Levenshtein.opcodes(letters, others)
        if block.tag == "equal"
        for n in range(1, block.src_end - block.src_start)
    )


def _apart(text: str) -> tuple[str, list[str]]:
    """The letters and digits of a text, in small letters, and what stands before each: "" for nothing, " " for a space, and "."
    for signs, which readers may leave out."""
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
    """Whether two readings have the same signs. A list's sign is read as many things: what one sign says is enough."""
    if (item := _ITEM.match(text)) and len(other := reading.split(maxsplit=1)) > 1 and len(other[0]) == 1:
        text, reading = text[item.end() :], other[1]
    return _signs(text) == _signs(reading)


def _apostrophes(text: str, reading: str) -> tuple[int, int]:
    ours, theirs = _APOSTROPHE.findall(text), _APOSTROPHE.findall(reading)
    pairs = list(zip(ours, theirs, strict=True)) if len(ours) == len(theirs) else []
    return pairs.count(("'", "’")), pairs.count(("'", "'"))


def _lacks_sign(text: str, reading: str) -> bool:
    """Whether a reading is the same text behind a sign that stands alone, as a list's dot that the first reader left out."""
    first, _, rest = reading.partition(" ")
    return len(first) == 1 and not first.isdecimal() and _signs(rest) == _signs(text) != ""


def _signs(text: str) -> str:
    return "".join(one_sign(unicodedata.normalize("NFKC", text)).split())


def _compared(text: str, script: str) -> str:
    return one_sign(fold(plain(in_context(text)), script)).translate(_LETTERS_AS_ONE)
