"""Which scripts a reader comes with, in the folder `scripts`: `script_readers` opens them. This file loads no torch."""

import functools
import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("scripts")
TRUNK, CARDS = "trunk", "cards.json"
PACKAGES = ("torch", "pillow", "numpy", "simplejpeg")
"""Those whose versions decide what such a network reads."""
BETTER_ON_PAPER = ("Arab", "Geor", "Grek", "Syrc", "Tibt")
"""Scripts of which the package's reader read lines of printed books and photographs with fewer errors than Tesseract, in Georgian
and Tibetan by less than chance may bring. On lines that are drawn and worn here it does so in most scripts; of Russian
books, where Tesseract had 3% of characters wrong, it had 13%."""


@functools.cache
def sha256(name: str) -> str:
    """That of the file of a script's reader, or of the trunk's."""
    return hashlib.sha256((FOLDER / f"{name}.safetensors").read_bytes()).hexdigest()


def reader_sha256(script: str) -> str:
    """What a script's reader is known as: the trunk with the script's change."""
    return hashlib.sha256((sha256(TRUNK) + sha256(script)).encode()).hexdigest()


@functools.cache
def available() -> tuple[str, ...]:
    """The scripts (ISO 15924) that a reader comes with, sorted. One without a card isn't whole, and doesn't count."""
    there = {path.stem for path in FOLDER.glob("*.safetensors")}
    return tuple(sorted(there & cards().keys())) if TRUNK in there else ()


def versions() -> dict[str, str]:
    """What decides what all of these readers read, and which script they take a line for."""
    return {name: importlib.metadata.version(name) for name in PACKAGES} | {"script_readers": digest()}


@functools.cache
def digest() -> str:
    """The sha256 of all files together."""
    return hashlib.sha256("".join(sha256(name) for name in (*available(), TRUNK)).encode()).hexdigest()


@functools.cache
def is_first(script: str) -> bool:
    """Whether a reader reads before Tesseract does, where that is installed: it read real lines and those of its test better, the
    latter beyond chance; or Tesseract knows none of its languages."""
    compared: Any = cards()[script]["tesseract"]
    return not compared or (script in BETTER_ON_PAPER and compared["difference"][0] > 0)


@functools.cache
def cards() -> dict[str, dict[str, object]]:
    """What each reader learned from, and how well it reads, by script."""
    path = FOLDER / CARDS
    of_scripts: dict[str, dict[str, object]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return of_scripts
