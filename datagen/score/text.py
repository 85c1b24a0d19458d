"""Text as it is compared, and how far two texts are apart."""

import html
import re
import unicodedata
from functools import lru_cache

from pylatexenc.latex2text import LatexNodes2Text
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_NO_WORD = re.compile(r"\W+")
# OmniDocBench's texts have some of these as two characters.
_TYPED_ESCAPES = re.compile(r"\\[tn](?![A-Za-z])")
_INLINE = re.compile(r"(?<!\\)\$(?!\$)(.+?)(?<!\\)\$|\\\((.+?)\\\)", re.DOTALL)


def bare(text: str) -> str:
    """The letters and digits of a text, without HTML's tags: `re.sub(r"\\W+", "", text)` of its NFC form.

    Spaces, punctuation, marks that aren't part of a letter, and Markdown's signs are gone.
    """
    return _NO_WORD.sub("", unicodedata.normalize("NFC", html.unescape(_TAG.sub(" ", text))))


def plain(text: str) -> str:
    """`bare`, once formulas within the text are the characters that they show: `$x_{1}$` is x1, whoever wrote it in which way."""
    return bare(_TYPED_ESCAPES.sub(" ", _INLINE.sub(_shown, text)))


def _shown(formula: re.Match[str]) -> str:
    latex = formula[1] or formula[2]
    try:
        return _SCRIPTS.sub("", _SHOWING.latex_to_text(latex))
    except (ValueError, IndexError, RecursionError):  # what a model writes needn't be LaTeX
        return latex


_SCRIPTS = re.compile("[_^]")
_SHOWING = LatexNodes2Text(math_mode="text")


def normalised_distance(truth: str, predicted: str) -> float:
    """The Levenshtein distance over the longer text's length, from 0 to 1; 0 of two empty texts."""
    return Levenshtein.normalized_distance(truth, predicted)


@lru_cache(maxsize=50_000)
def distance_within(part: str, whole: str) -> float:
    """How far `part` is from the piece of `whole` that is most like it, over the length of `part`; 1 where `part` is the longer
    one or empty."""
    if not part or len(part) > len(whole):
        return 1.0
    place = fuzz.partial_ratio_alignment(part, whole)
    piece = whole[place.dest_start : place.dest_end] if place else ""
    return Levenshtein.distance(part, piece) / len(part)
