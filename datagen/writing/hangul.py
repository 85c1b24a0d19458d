"""Hangul syllables as the letters that they are made of.

A syllable is a square of two or three letters, and there are 11,172 syllables of 67 letters. A reader that learns letters needs
few lines, and reads syllables that it never saw. Unicode has two letters for one that may stand at the beginning and at the end
of a syllable, so a row of them makes up syllables in one way.
"""

import re
import unicodedata

from datagen.writing import scripts

_SYLLABLES = re.compile(f"[{scripts.HANGUL}]+")
_LETTERS = re.compile(f"[{scripts.HANGUL_PARTS}]+")


def take_apart(text: str) -> str:
    """`text` with the letters of its syllables in their place."""
    return _SYLLABLES.sub(lambda syllables: unicodedata.normalize("NFD", syllables[0]), text)


def put_together(text: str) -> str:
    """The text that `take_apart` was given. Letters that make up no syllable stay as they are."""
    return _LETTERS.sub(lambda letters: unicodedata.normalize("NFC", letters[0]), text)
