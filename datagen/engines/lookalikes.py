"""Letters that look the same in two scripts: one class to a reader that sees shapes, told apart by the word they stand in.

Cyrillic `Все` and Latin `Bce` are one picture. No word mixes two scripts, so a word's other letters say which it is; where it has
none, the nearest word that has some does. The same rule mends a letter of the wrong script that is merely similar (`гm`,
`кaraлог`).
"""

import re
from collections.abc import Sequence

from datagen import scripts

# By script, its letters and the Latin ones that are drawn alike, in the same order: of Unicode's confusables (UTS 39), those that
# no common typeface tells apart. One class.
_ALIKE = {
    "Cyrl": ("асеорхуіјѕАВСЕНІЈКМОРЅТХҮ", "aceopxyijsABCEHIJKMOPSTXY"),
    "Grek": ("οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oABEZHIKMNOPTYX"),
}
# Those that are similar: two classes, but no evidence of which script a word is in.
_SIMILAR = {"Cyrl": ("гкпи", "rknu"), "Grek": ("υνικρ", "uvikp")}
# Of those alike, letters that hardly any language of the script has.
_RARE = {"Cyrl": frozenset("sSjJ"), "Grek": frozenset()}
_TO_LATIN = {script: str.maketrans(own, latin) for script, (own, latin) in _ALIKE.items()}
_MEND_TO_LATIN = {script: str.maketrans(own, latin) for script, (own, latin) in _SIMILAR.items()}
_FROM_LATIN = {s: str.maketrans(_ALIKE[s][1] + _SIMILAR[s][1], _ALIKE[s][0] + _SIMILAR[s][0]) for s in _ALIKE}
_WORD = re.compile(r"[^\W\d_]+")
_THREE_FOR_ZE = re.compile(f"(?<![^\\W_])3(?=[{scripts.SMALL_CYRILLIC}]{{3}})")


def fold(text: str, script: str) -> str:
    """`text` with the script's letters that look Latin written as Latin."""
    return text.translate(_TO_LATIN.get(script, {}))


def unfold(text: str, script: str) -> str:
    """What `fold` made of a text, as far as words tell: the inverse, but for a Latin word that has only letters that look alike
    and stands among the script's."""
    if script not in _ALIKE:
        return text
    words = list(_WORD.finditer(text))
    sides = [_side(word[0], script) for word in words]
    out, end = [], 0
    for i, word in enumerate(words):
        table = _FROM_LATIN if _nearest(sides, i) >= 0 else _MEND_TO_LATIN
        out += [text[end : word.start()], word[0].translate(table[script])]
        end = word.end()
    said = "".join([*out, text[end:]])
    return _THREE_FOR_ZE.sub("\u0417", said) if script == "Cyrl" else said


def _side(word: str, script: str) -> int:
    """How many more letters of a word are surely the script's than are surely Latin; where none is, a rare one speaks for
    Latin."""
    unsure = _ALIKE[script][1] + "".join(_SIMILAR[script])
    sure = [c for c in word if c not in unsure]
    side = sum(-1 if scripts.script(c) == "Latn" else 1 for c in sure)
    return side or -any(c in _RARE[script] for c in word)


def _nearest(sides: Sequence[int], i: int) -> int:
    """The side of the word `i`, or of the nearest one that has a side, the one before first; 1, the script's own, if none has."""
    for distance in range(len(sides)):
        for j in (i - distance, i + distance):
            if 0 <= j < len(sides) and sides[j]:
                return sides[j]
    return 1
