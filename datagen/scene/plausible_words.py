"""Whether Latin letters that were read in a picture are words of a language. A reader makes Latin letters of letters that it
doesn't know: Thai becomes `BiSRMI`, Devanagari `3TRR` and `HTITERT`, each with a high score.

No dictionary has the names on signs. So words are judged by how often their letters follow each other in CLDR's names of
countries, languages, currencies, months and days, in 36 languages.
"""

import functools
import math
import re
import unicodedata
from collections import Counter
from itertools import chain

_LANGUAGES = (
    "en de fr es it pt nl pl cs sv da nb fi hu tr id vi ro hr sk sl lt lv et ca gl eu is ga cy sq sw ms fil af mt".split()
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_GLUED = re.compile(r"(?a:\d[^\W\d_]{4,}|[^\W\d_]{2,}\d+[^\W\d_]{2,})")  # digits within words: 3iteitit, fa3tar
_LEAST_LETTERS, _LEAST_CAPITALS = 4, 5  # a shorter word may be an abbreviation
_LEAST = -6.2  # bits a letter: 2 to 10% of the Declaration's words in ten languages have less, 89% of letters drawn at random
_LETTERS = 27.0
_SMOOTHING = 0.02
_PLAIN = str.maketrans({"ß": "ss", "ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})


def odd_share(text: str) -> float:
    """The share of a text's letters, of any script, that are in Latin words of at least four letters that no language has."""
    glued = _GLUED.findall(text)
    words = [
        word
        for word in _WORD.findall(_GLUED.sub(" ", text))
        if len(word) >= (_LEAST_CAPITALS if word.isupper() else _LEAST_LETTERS) and len(_folded(word)) >= len(word)
    ]
    odd = sum(map(str.isalpha, "".join(glued))) + sum(len(word) for word in words if _likelihood(word) < _LEAST)
    return odd / max(1, sum(map(str.isalpha, text)))


def _likelihood(word: str) -> float:
    """The mean probability (logarithm to base 2) of a Latin word's letters behind the two letters before each. Accents don't
    count."""
    pairs, triples = _counts()
    framed = f"^{_folded(word)}$"
    likelihoods = [
        math.log2((triples[framed[at : at + 3]] + _SMOOTHING) / (pairs[framed[at : at + 2]] + _LETTERS * _SMOOTHING))
        for at in range(len(framed) - 2)
    ]
    return sum(likelihoods) / max(1, len(likelihoods))


def _folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.casefold().translate(_PLAIN))
    return "".join(char for char in decomposed if char.isascii())


@functools.cache
def _counts() -> tuple[Counter[str], Counter[str]]:
    """The counts of two and three neighbouring letters in CLDR's names; takes half a second."""
    from babel import Locale

    pairs: Counter[str] = Counter()
    triples: Counter[str] = Counter()
    for lang in _LANGUAGES:
        locale = Locale(lang)
        spans = (names for widths in (*locale.months.values(), *locale.days.values()) for names in widths.values())
        named = (locale.territories, locale.languages, locale.currencies, *spans)
        names = chain.from_iterable(names.values() for names in named)
        for word in sorted({_folded(word) for name in names for word in _WORD.findall(str(name))}):
            framed = f"^{word}$"
            pairs.update(framed[at : at + 2] for at in range(len(framed) - 2))
            triples.update(framed[at : at + 3] for at in range(len(framed) - 2))
    return pairs, triples
