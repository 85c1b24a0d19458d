"""Words that mix look-alike letters of Latin, Greek and Cyrillic, written in one script.

A font may draw the `A` of all three with one glyph, and its map back to characters names any of them. So a layer says `NОΤЕ`, in
letters of three scripts, where a person types `NOTE`.
"""

import itertools
import re
import unicodedata
from collections import Counter

from datagen.writing import scripts
from datagen.writing.lookalikes import ALIKE

# Beside the letters that readers take for one class: letters that are rare, or that some typefaces tell apart.
_RARE = {"Cyrl": dict(zip("ԌԜԚӔӕԁԛԝ", "GWQÆædqw", strict=True)), "Grek": {}}
_OWN_TO_LATIN = {script: dict(zip(own, latin, strict=True)) for script, (own, latin) in ALIKE.items()}
_TO_LATIN = {char: latin for script, table in _OWN_TO_LATIN.items() for char, latin in (table | _RARE[script]).items()}
_MIN_LETTERS = 3
_MOSTLY = 2 / 3
_LETTERS = re.compile(f"[^\\W\\d_](?:[^\\W\\d_]|[{scripts.ACCENTS}])+")
_MIXED = re.compile(
    "|".join(
        f"[{a}][{scripts.ACCENTS}]*[{b}{c}]"
        for a, b, c in itertools.permutations((scripts.LATIN, scripts.GREEK, scripts.CYRILLIC))
    )
)
_OTHERS = re.compile(f"[{scripts.GREEK}{scripts.CYRILLIC}]")
_LATIN_PART = re.compile("[A-Za-z]{3}")  # of a word of another script: a name or a unit


def _from_others(script: str) -> dict[str, str]:
    """What a script writes for letters of the other two that look like its own."""
    from_latin = {latin: char for char, latin in _OWN_TO_LATIN[script].items()}
    return from_latin | {char: from_latin[latin] for char, latin in _TO_LATIN.items() if latin in from_latin}


_FROM_OTHERS = {"Latn": _TO_LATIN} | {script: _from_others(script) for script in ALIKE}


def has_mixed(text: str) -> bool:
    """Whether letters of two of the three scripts stand side by side."""
    # Most texts have no Greek and no Cyrillic letter, which is seen in a sixtieth of the time.
    return bool(_OTHERS.search(text) and _MIXED.search(text))


def in_one_script(text: str, main_script: str) -> str:
    """`text` with each word that mixes the three scripts in one of them, if one has all of its letters. Accents stay.

    If two have them, the word is Latin where most of it is, or where `main_script`, the page's, is; else it is in `main_script`.
    Words of fewer than three letters stay, as do those that go on in another script behind a Latin part, such as a name.
    """
    return _LETTERS.sub(lambda match: _word(match[0], main_script), text)


def _word(word: str, main_script: str) -> str:
    if len(word) < _MIN_LETTERS or not _MIXED.search(word):
        return word
    apart = unicodedata.normalize("NFD", word)
    letters = Counter(scripts.script(char) for char in apart if char.isalpha())
    if not letters.keys() <= _FROM_OTHERS.keys():
        return word
    able = [script for script in _FROM_OTHERS if all(_has(script, char) for char in apart)]
    if not able:
        return word
    script = main_script if main_script in able else able[0]
    if "Latn" in able and letters["Latn"] >= _MOSTLY * letters.total():
        script = "Latn"
    if script != "Latn" and _LATIN_PART.search(word):
        return word
    return unicodedata.normalize("NFC", "".join(_FROM_OTHERS[script].get(char, char) for char in apart))


def _has(script: str, char: str) -> bool:
    return not char.isalpha() or scripts.script(char) == script or char in _FROM_OTHERS[script]
