"""Changes to the running text of clean HTML, before it is laid out: soft hyphens, and planted typing errors."""

import functools
import random
import re
import unicodedata
from collections.abc import Callable
from typing import Any

_TOKEN = re.compile(r"(<[^<>]*>)")
_KEPT = re.compile(r"<(/?)(pre|code|math|kbd|samp|svg|h[1-6])\b", re.IGNORECASE)
_WORD = re.compile(r"(?<![&\w/.@-])[^\W\d_]{6,40}(?![\w/@-]|\.\w)")
_MAY_ERR = re.compile(r"(?<![&\w/.@#-])(?:[^\W\d_]{4,40}|\d{2,12})(?![\w/@;-]|\.\w)")
_SOFT_HYPHEN = "\u00ad"


def hyphenated(html: str, lang: str) -> str:
    """HTML with soft hyphens where the language's dictionary has them; the same HTML for a language without one. Chromium as
    Debian has it brings no dictionaries."""
    dictionary = _dictionary(lang)
    return html if dictionary is None else _changed(html, lambda text: _WORD.sub(lambda word: dictionary(word[0]), text))


def with_errors(html: str, draw: random.Random, share: float) -> tuple[str, int]:
    """HTML in which that share of words and numbers has two letters swapped or a digit changed, and how many are. So a network
    that guesses a word from its language is wrong."""
    count = 0

    def changed(match: re.Match[str]) -> str:
        nonlocal count
        word = match[0]
        if draw.random() >= share:
            return word
        wrong = _wrong_number(word, draw) if word[0].isdigit() else _swapped(word, draw)
        count += wrong != word
        return wrong

    return _changed(html, lambda text: _MAY_ERR.sub(changed, text)), count


def _changed(html: str, change: Callable[[str], str]) -> str:
    """HTML with its text changed, but for headings, code and formulas."""
    depth, parts = 0, []
    for token in _TOKEN.split(html):
        if token.startswith("<"):
            if tag := _KEPT.match(token):
                depth += -1 if tag[1] else 0 if token.endswith("/>") else 1
        elif depth <= 0:
            token = change(token)
        parts.append(token)
    return "".join(parts)


def _swapped(word: str, draw: random.Random) -> str:
    """The word with two neighbouring letters swapped. Letters with marks stay, and so do first letters."""
    places = [at for at in range(1, len(word) - 1) if word[at] != word[at + 1] and _is_bare(word, at) and _is_bare(word, at + 1)]
    if not places:
        return word
    at = draw.choice(places)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _is_bare(word: str, at: int) -> bool:
    after = word[at + 1 : at + 2]
    return unicodedata.category(word[at])[0] == "L" and (not after or unicodedata.category(after)[0] != "M")


def _wrong_number(number: str, draw: random.Random) -> str:
    at = draw.randrange(len(number))
    zero = ord(number[at]) - unicodedata.digit(number[at], 0)
    return number[:at] + chr(zero + (unicodedata.digit(number[at], 0) + draw.randint(1, 9)) % 10) + number[at + 1 :]


@functools.lru_cache(maxsize=8)
def _dictionary(lang: str) -> Any:
    """What puts soft hyphens into a word; None for a language without a dictionary."""
    import pyphen

    name = pyphen.language_fallback(lang.replace("-", "_"))
    if name is None:
        return None
    words = pyphen.Pyphen(lang=name, left=2, right=3)
    return functools.lru_cache(maxsize=20_000)(lambda word: words.inserted(word, _SOFT_HYPHEN))
