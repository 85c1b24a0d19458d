"""Letters that look the same in two scripts: one class to a reader that sees shapes, told apart by the word they stand in.

Cyrillic `Все` and Latin `Bce` are one picture. No word mixes two scripts, so a word's other letters say which it is; where it has
none, the nearest word that has some does.
"""

import re
from collections.abc import Sequence

# By script, its letters and the Latin ones that are drawn alike, in the same order (after Unicode's confusables, UTS 39; only those
# that no common typeface tells apart).
_ALIKE = {
    "Cyrl": ("асеорхуіјѕАВСЕНІЈКМОРЅТХҮ", "aceopxyijsABCEHIJKMOPSTXY"),
    "Grek": ("οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oABEZHIKMNOPTYX"),
}
_TO_LATIN = {script: str.maketrans(own, latin) for script, (own, latin) in _ALIKE.items()}
_FROM_LATIN = {script: str.maketrans(latin, own) for script, (own, latin) in _ALIKE.items()}
_WORD = re.compile(r"[^\W\d_]+")


def fold(text: str, script: str) -> str:
    """`text` with the script's letters that look Latin written as Latin."""
    return text.translate(_TO_LATIN.get(script, {}))


def unfold(text: str, script: str) -> str:
    """What `fold` made of a text, as far as words tell: the inverse, but for a Latin word among the script's that has only letters
    that look alike."""
    if script not in _ALIKE:
        return text
    words = list(_WORD.finditer(text))
    sides = [_side(word[0], script) for word in words]
    out, end = [], 0
    for i, word in enumerate(words):
        own = _nearest(sides, i) >= 0
        out += [text[end : word.start()], word[0].translate(_FROM_LATIN[script]) if own else word[0]]
        end = word.end()
    return "".join([*out, text[end:]])


def _side(word: str, script: str) -> int:
    """How many more letters of a word are surely the script's than are surely Latin."""
    own, latin = _ALIKE[script]
    sure = [c for c in word if c not in latin and c not in own]
    return sum(-1 if c < "\u0250" or "\u1e00" <= c <= "\u1eff" else 1 for c in sure)


def _nearest(sides: Sequence[int], i: int) -> int:
    """The side of the word `i`, or of the nearest one that has a side, the one before it first; 1, the script's own, if none has."""
    for distance in range(len(sides)):
        for j in (i - distance, i + distance):
            if 0 <= j < len(sides) and sides[j]:
                return sides[j]
    return 1
