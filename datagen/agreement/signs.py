"""Compare readings of a few words sign by sign: which signs are lost, doubled, turned round, or confirmed."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from rapidfuzz.distance import Levenshtein

from datagen.agreement.words import UNSPACED, in_one_form
from datagen.writing import scripts

IS_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MIXED = re.compile(r"[^\W\d_]\d+[^\W\d_]")
_DOUBLE = re.compile(r"(.)\1+")
_DIGIT = re.compile(r"\d")
_BETWEEN_DIGITS = re.compile(r"[.,:/\u066b\u066c]")
_HAN_ALONE = frozenset("Hans Hant Hani".split())
_MORE = 2  # signs: a reading that is longer than the label by more has other words
_FAR, _NEAR = 0.5, 0.6  # similarity: below the first nobody confuses two words; from the second on readers may


def is_native(text: str, script: str) -> bool:
    """Whether all letters are of the page's script."""
    used = {scripts.script(char) for char in text if char.isalpha()} - scripts.NO_SCRIPT
    return used <= scripts.parts(script) | ({"Bopo"} if script in _HAN_ALONE else frozenset())


def is_odd(text: str, script: str) -> bool:
    """Whether a text has letters of another script, or digits among letters."""
    return not is_native(text, script) or _MIXED.search(text) is not None


def digits(text: str) -> str:
    return "".join(_DIGIT.findall(text))


def has_digit(text: str) -> bool:
    return _DIGIT.search(text) is not None


def straight(label: str, reading: str, script: str) -> str:
    """The reading. If the label is a number and the reading only swaps the parts around its points, as readers of right-to-left
    lines do, the label itself."""
    parts = _BETWEEN_DIGITS.split(label)
    is_turned = len(parts) > 1 and _BETWEEN_DIGITS.sub("", reading) == "".join(reversed(parts))
    return label if script in scripts.RTL and is_turned and IS_NUMBER.fullmatch(label) else reading


def are_confirmed(label: str, readings: Mapping[str, Sequence[str]]) -> bool:
    """Whether two voters or more confirm the label sign by sign, though none reads the whole label. Each sign of the label is in
    some reading. Where a reading has a sign that the label lacks, another reading lacks it, too. A number's points don't
    count."""
    if IS_NUMBER.fullmatch(label):
        label = _BETWEEN_DIGITS.sub("", label)
        readings = {voter: [_BETWEEN_DIGITS.sub("", text) for text in texts] for voter, texts in readings.items()}
    spoken = [texts for texts in readings.values() if any(texts)]
    is_long = any(len(text) > len(label) + _MORE for texts in spoken for text in texts)
    if len(spoken) < 2 or not label or is_long:
        return False
    signs, gaps = [False] * len(label), [False] * (len(label) + 1)
    for text in (text for texts in spoken for text in texts if text):
        inserted = set()
        for code in Levenshtein.opcodes(label, text):
            if code.tag == "equal":
                signs[code.src_start : code.src_end] = [True] * (code.src_end - code.src_start)
            elif code.tag == "insert":
                inserted.add(code.src_start)
        gaps = [is_clean or n not in inserted for n, is_clean in enumerate(gaps)]
    return all(signs) and all(gaps)


def only_lost(label: str, readings: Mapping[str, Sequence[str]]) -> bool:
    """Whether the readings of two voters or more differ from the label's number only by lost digits, at most half of them."""
    own = _BETWEEN_DIGITS.sub("", label)
    spoken = [_BETWEEN_DIGITS.sub("", text) for texts in readings.values() for text in texts]
    return len(readings) > 1 and all(2 * len(text) >= len(own) and _is_within(text, own) for text in spoken)


def _is_within(part: str, whole: str) -> bool:
    signs = iter(whole)
    return all(sign in signs for sign in part)


def is_near(label: str, reading: str, script: str) -> bool:
    """Whether a reader may confuse two words in the page's script: most of their letters are the same, they differ in marks
    alone, or, in a script without spaces, both are one sign. Words with digits are never near."""
    if not label or not reading or has_digit(label + reading) or not (is_native(label, script) and is_native(reading, script)):
        return False
    one, other = _unmarked(label), _unmarked(reading)
    if one == other or (script in UNSPACED and len(one) == len(other) == 1):
        return True
    return Levenshtein.normalized_similarity(label, reading) >= _NEAR


def ink_says_little(one: str, other: str) -> bool:
    """Whether the ink says little of the difference: one of the two has digits, or only the form of a letter differs."""
    return has_digit(one + other) or in_one_form(one) == in_one_form(other)


def _unmarked(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char)[0] != "M")


def is_far(label: str, reading: str) -> bool:
    """Whether the two are so unlike that nobody confuses them."""
    return bool(label) and Levenshtein.normalized_similarity(label, reading) < _FAR


def is_doubled(text: str, other: str) -> bool:
    """Whether `text` is `other` with some signs doubled. Line readers make such errors, and the ink shows them badly."""
    return len(text) > len(other) and _DOUBLE.sub(r"\1", text) == _DOUBLE.sub(r"\1", other)
