"""The readers of all scripts as one engine, the default of `make read`."""

from collections.abc import Sequence

import numpy

from datagen.engines import OPEN, packaged, versions
from datagen.reading.line_readers import SCRIPT_OF_LINES, LineReaders, of_script

_SURER = 2.0  # times the confidence of the script's reader; measured


class AnyScript:
    """The engine `any-script`: a line's image tells the script, and the package's reader of the script reads the line. PP-OCR
    reads it if there is no such reader, or if PP-OCR is twice as sure."""

    script = "Zyyy"

    def versions(self) -> dict[str, str]:
        return versions("ppocr") | packaged.versions()

    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> list[tuple[str, float]]:
        """The text of each crop, (H, W) gray bytes, and its reader's score from 0 to 1."""
        readers = LineReaders(OPEN)
        readings = [(text, score or 0.0) for text, score in readers.read(readers.ppocr, crops, lang)]
        by_script: dict[str, list[int]] = {}
        for i, script in enumerate(OPEN.get(SCRIPT_OF_LINES).scripts_of(crops)):
            by_script.setdefault(script, []).append(i)
        for script, rows in sorted(by_script.items()):
            if reader := of_script(script):
                for i, (text, score) in zip(rows, readers.read(reader, [crops[i] for i in rows], lang), strict=True):
                    if readings[i][1] <= _SURER * (score or 0.0):
                        readings[i] = text, score or 0.0
        return readings

    def close(self) -> None:
        """Its readers are closed with all others."""
