"""Letters that look the same in two scripts. A reader learns them as one class, and the word around them says which is meant.

Cyrillic `Все` and Latin `Bce` are one picture. No word mixes two scripts, so its other letters say which script a word is in. If
it has no others, the nearest word that has some decides. The same rule mends letters of the wrong script that are merely similar
(`гm`, `кaraлог`).
"""

import re
from collections.abc import Sequence

from datagen import scripts

# For each script, its letters and the Latin ones that are drawn alike, in the same order. They are those of Unicode's confusables
# (UTS 39) that no common typeface tells apart. A pair is one class.
ALIKE = {
    "Cyrl": ("асеорхуіјѕАВСЕНІЈКМОРЅТХҮ", "aceopxyijsABCEHIJKMOPSTXY"),
    "Grek": ("οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oABEZHIKMNOPTYX"),
}
# Similar letters are two classes, but they don't show which script a word is in.
_SIMILAR = {"Cyrl": ("гкпи", "rknu"), "Grek": ("υνικρ", "uvikp")}
# The letters among those alike that hardly any language of the script has.
_RARE = {"Cyrl": frozenset("sSjJ"), "Grek": frozenset()}
_TO_LATIN = {script: str.maketrans(own, latin) for script, (own, latin) in ALIKE.items()}
_MEND_TO_LATIN = {script: str.maketrans(own, latin) for script, (own, latin) in _SIMILAR.items()}
_FROM_LATIN = {s: str.maketrans(ALIKE[s][1] + _SIMILAR[s][1], ALIKE[s][0] + _SIMILAR[s][0]) for s in ALIKE}
_WORD = re.compile(r"[^\W\d_]+")
_THREE_FOR_ZE = re.compile(f"(?<![^\\W_])3(?=[{scripts.SMALL_CYRILLIC}]{{3}})")


def fold(text: str, script: str) -> str:
    """`text` with the script's letters that look Latin written as Latin."""
    return text.translate(_TO_LATIN.get(script, {}))


def unfold(text: str, script: str) -> str:
    """The text that `fold` was given, as far as words tell.

    A Latin word that has only letters that look alike, and stands among words of the script, comes back in the script.
    """
    if script not in ALIKE:
        return text
    words = list(_WORD.finditer(text))
    sides = [_side(word[0], script) for word in words]
    out, end = [], 0
    for i, word in enumerate(words):
        table = _FROM_LATIN if _nearest(sides, i) >= 0 else _MEND_TO_LATIN
        out += [text[end : word.start()], word[0].translate(table[script])]
        end = word.end()
    mended = "".join([*out, text[end:]])
    return _THREE_FOR_ZE.sub("\u0417", mended) if script == "Cyrl" else mended


def _side(word: str, script: str) -> int:
    """The number of letters that are surely the script's, less the number that are surely Latin. If there are none of either, a
    rare letter counts as Latin."""
    unsure = ALIKE[script][1] + "".join(_SIMILAR[script])
    sure = [c for c in word if c not in unsure]
    side = sum(-1 if scripts.script(c) == "Latn" else 1 for c in sure)
    return side or -any(c in _RARE[script] for c in word)


def _nearest(sides: Sequence[int], i: int) -> int:
    """The side of word `i`, or of the nearest word that has one; of two as near, the earlier. 1, the script's, if none has."""
    for distance in range(len(sides)):
        for j in (i - distance, i + distance):
            if 0 <= j < len(sides) and sides[j]:
                return sides[j]
    return 1
