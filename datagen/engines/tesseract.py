"""Tesseract, by its command line. It tells whether a text layer is true where no other reader knows the script, and is what the
flywheel's readers are compared with. Its languages are packages of the system (`tesseract-ocr-rus`)."""

import functools
import logging
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from PIL import Image

from datagen.temporary import temporary_folder

log = logging.getLogger(__name__)

_LINES_A_RUN = 60
_SINGLE_LINE = "7"
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
# The language that reads a script, where a text's own language isn't known or has no data. Only scripts whose languages share
# most letters have one.
_OF_SCRIPT = {
    "Armn": "hy", "Beng": "bn", "Cans": "iu", "Cher": "chr", "Deva": "hi", "Ethi": "am", "Geor": "ka", "Grek": "el",
    "Gujr": "gu", "Guru": "pa", "Hebr": "he", "Khmr": "km", "Knda": "kn", "Kore": "ko", "Laoo": "lo", "Mlym": "ml",
    "Mymr": "my", "Orya": "or", "Sinh": "si", "Syrc": "syr", "Taml": "ta", "Telu": "te", "Thaa": "dv", "Thai": "th",
    "Tibt": "bo",
}  # fmt: skip


def language(lang: str) -> str:
    """Tesseract's name for a language (BCP-47), or "" if this machine hasn't its data."""
    name = _NAMES.get(lang.split("-")[0], "")
    return name if name in _installed() else ""


def reads(lang: str, script: str) -> str:
    """The language (BCP-47) in which to read `lang`: itself, or else the one of its script; "" if neither is installed."""
    return next((code for code in (lang, _OF_SCRIPT.get(script, "")) if language(code)), "")


class Tesseract:
    """Reads lines, `workers` processes at a time."""

    def __init__(self, workers: int = 1):
        self.workers = workers

    def versions(self) -> dict[str, str]:
        """Its version and languages, which decide who reads what; no version where it isn't installed."""
        return {"tesseract": " ".join([version(), *sorted(_installed())])}

    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> list[tuple[str, None]]:
        """The text of each crop, (H, W) gray bytes with one line in it, in `lang` or in English, as documents mix them.

        Raises `ValueError` if the language isn't installed, and what `subprocess.run` raises if the program fails twice.
        """
        name = language(lang)
        if not name:
            packages = f"tesseract-ocr tesseract-ocr-{_NAMES.get(lang, lang)}"
            raise ValueError(f"tesseract has no data for {lang}: apt-get install {packages}")
        names = f"{name}+eng" if "eng" in _installed() else name
        parts = [crops[i : i + _LINES_A_RUN] for i in range(0, len(crops), _LINES_A_RUN)]
        with ThreadPoolExecutor(self.workers) as pool:
            return [(text, None) for texts in pool.map(lambda part: _run(part, names), parts) for text in texts]

    def close(self) -> None:
        """Nothing stays open: each run is a process of its own."""


@functools.cache
def version() -> str:
    """Its version, or "" where there is none."""
    if shutil.which("tesseract") is None:
        return ""
    run = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, timeout=60, check=True)
    return (run.stdout or run.stderr).split()[1]


@functools.cache
def _installed() -> frozenset[str]:
    if not version():
        return frozenset()
    run = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, timeout=60, check=True)
    return frozenset(run.stdout.split("\n")[1:]) - {""}


def _run(crops: Sequence[numpy.ndarray], names: str) -> list[str]:
    """The texts of the crops, by one process, since loading a language takes longer than reading a line.

    In what Tesseract prints, a form feed ends each line's text.
    """
    with temporary_folder() as folder:
        paths = [Path(folder, f"{i:03d}.png") for i in range(len(crops))]
        for path, crop in zip(paths, crops, strict=True):
            padded = numpy.pad(crop, 10, constant_values=255)  # it reads badly what touches the image's edge
            Image.fromarray(padded).save(path, dpi=(200, 200))
        Path(folder, "list.txt").write_text("".join(f"{path}\n" for path in paths))
        command = ["tesseract", str(Path(folder, "list.txt")), "stdout", "-l", names, "--psm", _SINGLE_LINE]
        out = _output(command).decode(errors="replace")
    pages = out.split("\f")[: len(crops)]
    return [" ".join(page.split()) for page in pages] + [""] * (len(crops) - len(pages))


def _output(command: Sequence[str]) -> bytes:
    """What the command prints. It runs once more if it fails, since a machine short of memory fails now and then.

    A second failure is raised: without the answer a page would get another verdict.
    """
    env = os.environ | {"OMP_THREAD_LIMIT": "1"}

    def output() -> bytes:
        return subprocess.run(command, capture_output=True, timeout=1800, check=True, env=env).stdout

    try:
        return output()
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("tesseract: %s; trying again", error)
        return output()
