"""Who reads lines in a language and a script: PP-OCR, Tesseract in one of its languages, the script's reader that comes with the
package, or one of the flywheel's readers."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy

from datagen.engines import Choice, Engines, packaged, tesseract
from datagen.writing.scripts import main_script

PPOCR, COMPACT, TESSERACT, SCRIPT = "ppocr", "compact", "tesseract", "script"
LIKE_LATIN = frozenset(("Cyrl", "Grek", "Copt", "Cher"))
"""Scripts with letters of the same shapes as Latin ones."""
VERY_SURE = 0.95
"""PP-OCR's score of a line in Latin that no reader of another script, in which its page or scene is, reads as well."""

UNSCORED = 0.75
"""What counts as the confidence of a reader that gives neither scores nor confidences."""
SCRIPT_OF_LINES = "script-of-lines"
PP_SCRIPTS = frozenset("Latn Hans Hant Hani Jpan Zyyy".split())
"""Which PP-OCR reads, but for the languages of Tesseract."""

# Tesseract takes most of the mus in Greek words for the micro sign, which looks the same.
_MICRO = re.compile("(?<=[\u0370-\u03ff\u1f00-\u1fff])\u00b5|\u00b5(?=[\u0370-\u03ff\u1f00-\u1fff])")
_MOST_ROWS = 40  # lines that the script is guessed by


def of_script(script: str) -> Choice | None:
    """The reader of a script that comes with the package; None if there is none, or if PP-OCR reads that script."""
    return Choice.of(SCRIPT, script=script) if script in packaged.available() and script not in PP_SCRIPTS else None


def by_tesseract(lang: str, script: str) -> tuple[Choice, str] | None:
    """Tesseract, and the language in which to read; None if it knows neither the language nor the script."""
    read_in = tesseract.reads(lang, script) or tesseract.reads(tesseract.FIRST_OF_SCRIPT.get(script, ""), script)
    return (Choice(TESSERACT), read_in) if read_in else None


class Reading(NamedTuple):
    """What is read in a line, its score, and how sure the reader is of that, from 0 to 1, also if it gives no score."""

    text: str
    score: float | None
    sure: float


def sureness(readings: Sequence[Reading]) -> float:
    """How sure a reader is of lines: the mean by character."""
    return sum(one.sure * len(one.text) for one in readings) / max(1, sum(len(one.text) for one in readings))


class LineReaders(NamedTuple):
    """Who may read lines: the recogniser `ppocr`, the package's readers of scripts, Tesseract, and the flywheel's readers in
    these `folders`."""

    engines: Engines
    folders: Sequence[str] = ()
    ppocr: Choice = Choice(PPOCR)

    def who(self, lang: str, script: str) -> tuple[Choice, str]:
        """Who reads a language (BCP-47) in a script (ISO 15924), and the language in which to read."""
        folder = next((f for f in self.folders if self.engines.get(COMPACT, folder=f).script == script), "")
        if folder:
            return Choice.of(COMPACT, folder=folder), lang
        own, other = of_script(script), None
        if not (script in PP_SCRIPTS and not tesseract.language(lang)):
            other = by_tesseract(lang, script)
        if own and (not other or packaged.is_first(script)):
            return own, lang
        return other or (self.ppocr, lang)

    def read(self, reader: Choice, lines: Sequence[numpy.ndarray], lang: str = "und") -> Sequence[tuple[str, float | None]]:
        """What one of them reads in lines, (H, W) gray bytes each, as `Reader.read` gives it."""
        readings: Sequence[tuple[str, float | None]] = reader.opened(self.engines).read(lines, lang)
        return [(_MICRO.sub("μ", text) if "µ" in text else text, score) for text, score in readings]

    def confidence(self, reader: Choice, lines: Sequence[numpy.ndarray], lang: str, script: str) -> float:
        """How sure a reader is of lines, (H, W) gray bytes each, from 0 to 1: the mean by character of its scores, or of the
        confidences of one that gives no scores; 0 where what it says isn't in `script`. Tesseract reads English in every
        language, and is confident of that, too."""
        readings = self.read_surely(reader, lines, lang)
        if main_script(" ".join(text for text, *_ in readings))[0] != script:
            return 0.0
        return sureness(readings)

    def read_surely(self, reader: Choice, lines: Sequence[numpy.ndarray], lang: str = "und") -> list[Reading]:
        """What `read` gives, and how sure of that the reader is, from 0 to 1: its score, or else its confidence."""
        readings = self.read(reader, lines, lang)
        unscored = getattr(reader.opened(self.engines), "confidences", None) or [UNSCORED] * len(readings)
        return [
            Reading(text, score, confidence if score is None else score)
            for (text, score), confidence in zip(readings, unscored, strict=True)
        ]

    def likely_scripts(self, lines: Sequence[numpy.ndarray], count: int = 1) -> list[str]:
        """The scripts that these lines, (H, W) gray bytes each, are likely in together, the likeliest first."""
        classifier = self.engines.get(SCRIPT_OF_LINES)
        order = classifier.likelihoods(lines[:_MOST_ROWS]).sum(0).argsort()[::-1] if lines else ()
        return [classifier.scripts[i] for i in order[:count]]

    def guessed_script(self, lines: Sequence[numpy.ndarray]) -> str:
        """The likeliest of these; "Zyyy" for no lines."""
        return next(iter(self.likely_scripts(lines)), "Zyyy")
