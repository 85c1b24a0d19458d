"""The choice of a reader for lines in a language and script: PP-OCR, Tesseract, the package's reader of the script, or one of the
flywheel's readers."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy

from datagen.engines import Choice, Engines, packaged, tesseract
from datagen.writing.scripts import main_script

PPOCR, COMPACT, TESSERACT, SCRIPT = "ppocr", "compact", "tesseract", "script"
LIKE_LATIN = frozenset(("Cyrl", "Grek", "Copt", "Cher"))
"""Scripts with letters that look like Latin letters."""
VERY_SURE = 0.95
"""A Latin line on a page in another script is PP-OCR's if PP-OCR's score reaches this: no reader of that script is better."""

UNSCORED = 0.75
"""The assumed confidence of a reader that gives neither scores nor confidences."""
SCRIPT_OF_LINES = "script-of-lines"
PP_SCRIPTS = frozenset("Latn Hans Hant Hani Jpan Zyyy".split())
"""The scripts that PP-OCR reads, except in languages that Tesseract knows."""

# Tesseract reads most mus in Greek words as the micro sign, which looks the same.
_MICRO = re.compile("(?<=[\u0370-\u03ff\u1f00-\u1fff])\u00b5|\u00b5(?=[\u0370-\u03ff\u1f00-\u1fff])")
_MOST_ROWS = 40  # lines from which the script is guessed, at most


def of_script(script: str) -> Choice | None:
    """The package's reader of a script; None if the package has none, or if PP-OCR reads the script."""
    return Choice.of(SCRIPT, script=script) if script in packaged.available() and script not in PP_SCRIPTS else None


def by_tesseract(lang: str, script: str) -> tuple[Choice, str] | None:
    """Tesseract and the language in which it should read; None if Tesseract knows neither the language nor the script."""
    read_in = tesseract.reads(lang, script) or tesseract.reads(tesseract.FIRST_OF_SCRIPT.get(script, ""), script)
    return (Choice(TESSERACT), read_in) if read_in else None


class Reading(NamedTuple):
    """The text of a line, its score or None, and the reader's sureness from 0 to 1, which is known even without a score."""

    text: str
    score: float | None
    sure: float


def sureness(readings: Sequence[Reading]) -> float:
    """The mean sureness of readings, by character."""
    return sum(one.sure * len(one.text) for one in readings) / max(1, sum(len(one.text) for one in readings))


class LineReaders(NamedTuple):
    """The readers to choose from: the recogniser `ppocr`, the package's readers of scripts, Tesseract, and the flywheel's readers
    in `folders`."""

    engines: Engines
    folders: Sequence[str] = ()
    ppocr: Choice = Choice(PPOCR)

    def who(self, lang: str, script: str) -> tuple[Choice, str]:
        """The reader of a language (BCP-47) in a script (ISO 15924), and the language in which it should read."""
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
        """The texts and scores that a reader gives for lines, (H, W) gray bytes each: see `Reader.read`."""
        readings: Sequence[tuple[str, float | None]] = reader.opened(self.engines).read(lines, lang)
        return [(_MICRO.sub("μ", text) if "µ" in text else text, score) for text, score in readings]

    def confidence(self, reader: Choice, lines: Sequence[numpy.ndarray], lang: str, script: str) -> float:
        """The reader's sureness of lines, (H, W) gray bytes each, from 0 to 1: the mean by character of scores, or of confidences
        if the reader gives no scores. 0 if the text isn't in `script`: Tesseract reads English in every language, and is
        confident of English, too."""
        readings = self.read_surely(reader, lines, lang)
        if main_script(" ".join(text for text, *_ in readings))[0] != script:
            return 0.0
        return sureness(readings)

    def read_surely(self, reader: Choice, lines: Sequence[numpy.ndarray], lang: str = "und") -> list[Reading]:
        """The readings of `read` with their sureness from 0 to 1: the score, or the confidence if there is no score."""
        readings = self.read(reader, lines, lang)
        unscored = getattr(reader.opened(self.engines), "confidences", None) or [UNSCORED] * len(readings)
        return [
            Reading(text, score, confidence if score is None else score)
            for (text, score), confidence in zip(readings, unscored, strict=True)
        ]

    def likely_scripts(self, lines: Sequence[numpy.ndarray], count: int = 1) -> list[str]:
        """The `count` likeliest scripts of lines, (H, W) gray bytes each, taken together; the likeliest first."""
        classifier = self.engines.get(SCRIPT_OF_LINES)
        order = classifier.likelihoods(lines[:_MOST_ROWS]).sum(0).argsort()[::-1] if lines else ()
        return [classifier.scripts[i] for i in order[:count]]

    def guessed_script(self, lines: Sequence[numpy.ndarray]) -> str:
        """The likeliest script of the lines; "Zyyy" for no lines."""
        return next(iter(self.likely_scripts(lines)), "Zyyy")
