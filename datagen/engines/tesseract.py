"""Tesseract, in this process, by tesserocr. It tells whether a text layer is true where no other reader knows the script, and is
what the flywheel's readers are compared with. Its languages are packages of the system (`tesseract-ocr-rus`)."""

import contextlib
import functools
import importlib.metadata
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from datagen.engines import needed_by, tessdata

# Where systems keep its data.
_DATA_FOLDERS = ("usr/share/tesseract-ocr/*/tessdata", "usr/share/tessdata", "usr/local/share/tessdata", "opt/*/share/tessdata")
_MARGIN, _DPI = 10, 200  # it reads badly what touches the image's edge, and guesses letters' sizes without a resolution
_RAW_LINE = 13  # PSM.RAW_LINE: what it is given is one line, whatever its parts look like
_CONTRAST = 64  # of 255, of ink to paper
# From BCP-47 to Tesseract's names: the languages in scripts other than Latin, and those in Latin with letters that PP-OCRv6 may
# not know.
_NAMES = {
    "am": "amh", "ar": "ara", "as": "asm", "az": "aze", "be": "bel", "bg": "bul", "bn": "ben", "bo": "bod", "chr": "chr",
    "dv": "div", "dz": "dzo", "el": "ell", "fa": "fas", "gu": "guj", "he": "heb", "hi": "hin", "hy": "hye", "iu": "iku",
    "ka": "kat", "kk": "kaz", "km": "khm", "kn": "kan", "ko": "kor", "ky": "kir", "lo": "lao", "mk": "mkd", "ml": "mal",
    "mn": "mon", "mr": "mar", "my": "mya", "ne": "nep", "or": "ori", "pa": "pan", "ps": "pus", "ru": "rus", "sa": "san",
    "sd": "snd", "si": "sin", "sr": "srp", "syr": "syr", "ta": "tam", "te": "tel", "tg": "tgk", "th": "tha", "ti": "tir",
    "tt": "tat", "ug": "uig", "uk": "ukr", "ur": "urd", "vi": "vie", "yi": "yid", "yo": "yor",
}  # fmt: skip
# What reads those scripts first of which no language stands for the others.
FIRST_OF_SCRIPT = {"Arab": "ar", "Cyrl": "ru"}
# Those in Latin, and in scripts that PP-OCRv6 reads better. They are second readers of what it has read, and read nothing first.
_SECOND_NAMES = {
    "cs": "ces", "de": "deu", "en": "eng", "es": "spa", "fr": "fra", "it": "ita", "ja": "jpn", "nl": "nld", "pl": "pol",
    "pt": "por", "tr": "tur", "zh": "chi_sim",
}  # fmt: skip
_SECOND_OF_SCRIPT = {
    "Hani": ("zh",), "Hans": ("zh",), "Hant": ("zh-Hant",), "Jpan": ("ja",), "Latn": ("und-Latn", "en"),
}  # fmt: skip
_WHOLE_NAMES = {"zh-Hant": "chi_tra", "und-Latn": "Latin"}
_OF_ALL_LANGUAGES = "Latin"
"""Its data of a script, which has the letters of all languages: English takes an Estonian õ for o, and a ü for ii."""
# The language that reads a script, where a text's own language isn't known or has no data. Only scripts whose languages share
# most letters have one.
_OF_SCRIPT = {
    "Armn": "hy", "Beng": "bn", "Cans": "iu", "Cher": "chr", "Deva": "hi", "Ethi": "am", "Geor": "ka", "Grek": "el",
    "Gujr": "gu", "Guru": "pa", "Hebr": "he", "Khmr": "km", "Knda": "kn", "Kore": "ko", "Laoo": "lo", "Mlym": "ml",
    "Mymr": "my", "Orya": "or", "Sinh": "si", "Syrc": "syr", "Taml": "ta", "Telu": "te", "Thaa": "dv", "Thai": "th",
    "Tibt": "bo",
}  # fmt: skip

# Those of its data. Sanskrit in Grantha, or Mongolian from top to bottom, it can't read in any language.
_SCRIPTS = frozenset((*_OF_SCRIPT, *FIRST_OF_SCRIPT, *_SECOND_OF_SCRIPT, "Zyyy", "Zinh", "Zzzz", ""))


def language(lang: str) -> str:
    """Tesseract's name for a language (BCP-47), or "" if this machine hasn't its data."""
    name = _NAMES.get(lang.split("-")[0], "")
    return name if name in _installed() else ""


def reads(lang: str, script: str) -> str:
    """The language (BCP-47) in which to read `lang`: itself, or else the one of its script; "" if neither is installed, or if
    Tesseract has no data of the script."""
    if script not in _SCRIPTS:
        return ""
    return next((code for code in (lang, _OF_SCRIPT.get(script, "")) if language(code)), "")


def second_language(lang: str, script: str) -> str:
    """The language (BCP-47) in which to read what another engine has read in `lang`: as `reads` has it, or one of those that
    nothing is read in first; "" if this machine hasn't the data of any."""
    codes = (lang, _OF_SCRIPT.get(script, ""), *_SECOND_OF_SCRIPT.get(script, ()))
    return next((code for code in codes if code and _name(code) in _installed()), "")


def _name(lang: str) -> str:
    """Tesseract's name for a language, whatever it is read for; "" for one that isn't known here."""
    code = lang.split("-")[0]
    return _WHOLE_NAMES.get(lang) or _NAMES.get(code) or _SECOND_NAMES.get(code, "")


def _package(name: str) -> str:
    """How the end of its package's name has a name of Tesseract's."""
    return "script-latn" if name == _OF_ALL_LANGUAGES else name.replace("_", "-")


class Tesseract:
    """Reads lines, in `workers` threads, with the system's data, or that of npm (`tessdata`) with `data="npm"`. The data of the
    language that was read last stays loaded."""

    def __init__(self, workers: int = 1, data: str = ""):
        if data not in ("", "npm"):
            raise ValueError(f"data is {data!r}: allowed are npm, and none for the system's")
        self.workers, self.data = workers, data
        self.confidences: list[float] = []
        self._names, self._apis = "", []  # type: str, list[Any]

    def versions(self) -> dict[str, str]:
        """Its version and languages, which decide who reads what."""
        of_npm = {f"tessdata_{name}": sha256 for name, sha256 in tessdata.SHA256.items()} if self.data else {}
        return {"tesserocr": f"{version()}+raw", "tesseract_languages": " ".join(sorted(_installed()))} | of_npm

    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> list[tuple[str, None]]:
        """The text of each crop, (H, W) gray bytes with one line in it, in `lang` or in English, as documents mix them. How
        confident Tesseract is of each, from 0 to 1, is then in `confidences`. That compares its readings of one line, and is no
        score.

        Raises `ValueError` if the language isn't installed, and `RuntimeError` if its data can't be loaded.
        """
        name = _name(lang)
        if name not in _installed():
            packages = f"tesseract-ocr tesseract-ocr-{_package(name or lang)}"
            raise ValueError(f"tesseract has no data for {lang}: apt-get install {packages}")
        self._load(f"{name}+eng" if "eng" in _installed() and name not in ("eng", _OF_ALL_LANGUAGES) else name)
        parts = [range(i, len(crops), self.workers) for i in range(self.workers)]
        with ThreadPoolExecutor(self.workers) as pool:
            texts = list(pool.map(lambda api, part: {i: _text(api, crops[i]) for i in part}, self._apis, parts))
        readings = [texts[i % self.workers][i] for i in range(len(crops))]
        self.confidences = [confidence for _, confidence in readings]
        return [(text, None) for text, _ in readings]

    def _folder(self) -> Path | None:
        """The folder of the data. That of npm gets the system's English, which every language is read with."""
        if not self.data:
            return _data_folder()
        english, there = tessdata.folder() / "eng.traineddata", _data_folder()
        if there and (there / english.name).exists() and not english.exists():
            english.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):  # another process was faster
                english.symlink_to(there / english.name)
        return tessdata.folder()

    def close(self) -> None:
        for api in self._apis:
            api.End()
        self._names, self._apis = "", []

    def _load(self, names: str) -> None:
        if self._names != names:
            self.close()
            with needed_by("tesseract"):
                from tesserocr import OEM, PSM, PyTessBaseAPI

            how = {"path": str(self._folder()), "lang": names, "psm": PSM.SINGLE_LINE, "oem": OEM.LSTM_ONLY}
            self._apis = [PyTessBaseAPI(**how) for _ in range(self.workers)]
            self._names = names


def _text(api: Any, crop: numpy.ndarray) -> tuple[str, float]:
    """The text of a line, and how sure Tesseract is. Where it takes tails of the lines around a line for noise, it may return
    nothing for a whole line: then it reads the line without looking for its parts."""
    api.SetImage(Image.fromarray(numpy.pad(crop, _MARGIN, constant_values=255)))
    api.SetSourceResolution(_DPI)
    text = " ".join(api.GetUTF8Text().split())
    if not text and int(crop.max(initial=0)) - int(crop.min(initial=255)) >= _CONTRAST:
        usual = api.GetPageSegMode()
        api.SetPageSegMode(_RAW_LINE)
        text = " ".join(api.GetUTF8Text().split())
        api.SetPageSegMode(usual)
    return text, api.MeanTextConf() / 100


def version() -> str:
    """The version of the package, whose wheel holds Tesseract itself."""
    with needed_by("tesseract"):
        return importlib.metadata.version("tesserocr")


@functools.cache
def _data_folder() -> Path | None:
    """The folder of the languages' data: `TESSDATA_PREFIX`, as Tesseract has it, or the first of those that are usual."""
    named = [Path(os.environ["TESSDATA_PREFIX"])] if os.environ.get("TESSDATA_PREFIX") else []
    usual = (folder for pattern in _DATA_FOLDERS for folder in sorted(Path("/").glob(pattern)))
    return next((folder for folder in (*named, *usual) if any(folder.glob("*.traineddata"))), None)


@functools.cache
def _installed() -> frozenset[str]:
    folder = _data_folder()
    return frozenset(path.stem for path in folder.glob("*.traineddata")) if folder else frozenset()
