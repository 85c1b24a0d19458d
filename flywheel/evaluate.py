"""How well readers read lines they were never trained on, what confidence their labels need, and how Tesseract fares beside
them."""

import hashlib
import json
import logging
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from datagen.engines import tesseract as engine
from datagen.engines.compact import Reader
from datagen.storage import Folder
from flywheel import gate
from flywheel.crops import Crop, read_crops
from flywheel.pools import Place, Pools

log = logging.getLogger(__name__)

MARGINS = (0.1, 0.22)
"""The two views of a line, in heights of margin around it, on which a reader has to say the same."""


@dataclass(frozen=True)
class HeldOut:
    """Crops by language: `test` measures, `calibration` sets the gate."""

    test: Mapping[str, Sequence[Crop]]
    calibration: Mapping[str, Sequence[Crop]]
    scripts: Mapping[str, str]

    @classmethod
    def read(cls, crops: Folder, served: Iterable[Pools], most: int) -> "HeldOut":
        """At most `most` crops of a language and pool, drawn by their keys; a text that trains, or came before, is left out."""
        served = list(served)
        # Also what waits to be read: the next round trains on it.
        trained = {c.text for c in read_crops(crops, {p.lang: frozenset(p.train + p.unlabelled) for p in served})}

        def pool(wanted: dict[str, frozenset[Place]]) -> dict[str, list[Crop]]:
            found = _by_language(read_crops(crops, wanted))
            drawn = {lang: _drawn(of_it, trained, most) for lang, of_it in found.items()}
            return {lang: of_it for lang, of_it in drawn.items() if of_it}

        test, calibration = ({p.lang: frozenset(getattr(p, name)) for p in served} for name in ("test", "calibration"))
        return cls(pool(test), pool(calibration), {p.lang: p.script for p in served})


def measure(
    readers: Mapping[str, Reader], held_out: HeldOut, precision: float
) -> tuple[dict[str, gate.Errors], dict[str, float]]:
    """Errors on the test lines, and thresholds from the calibration lines, by language. `readers` are by script."""
    errors, thresholds = {}, {}
    for lang, crops in held_out.test.items():
        said = readers[held_out.scripts[lang]].read([c.line(MARGINS[0]) for c in crops])
        errors[lang] = gate.errors([c.text for c in crops], [text for text, _ in said])
        log.info("held out, %s: %.2f%% character error on %d lines", lang, 100 * errors[lang].cer, len(crops))
    for lang, crops in held_out.calibration.items():
        reader = readers[held_out.scripts[lang]]
        views = [reader.read([c.line(margin) for c in crops]) for margin in MARGINS]
        agreed = [(c, a, min(p, q)) for c, (a, p), (b, q) in zip(crops, *views, strict=True) if a == b and a]
        right = [text == c.text for c, text, _ in agreed]
        thresholds[lang] = gate.threshold([score for _, _, score in agreed], right, precision)
    return errors, thresholds


def tesseract(folder: Folder, held_out: HeldOut) -> dict[str, float | None]:
    """Tesseract's character error rate on the same test lines, None where it isn't installed for a language.

    Kept in tesseract.json, since it is slow and no round changes it.
    """
    held = json.loads(folder.read("tesseract.json")) if folder.exists("tesseract.json") else {}
    rates: dict[str, float | None] = {}
    for lang, crops in held_out.test.items():
        if not engine.language(lang):
            log.info("tesseract: no data for %s; its column stays empty (tesseract-ocr-* of your system)", lang)
            rates[lang] = None
            continue
        mark = hashlib.sha256(f"{engine.version()}{[c.key for c in crops]}".encode()).hexdigest()
        if held.get(lang, {}).get("mark") != mark:
            log.info("tesseract: reading %d lines, %s", len(crops), lang)
            try:
                readings = engine.Tesseract(workers=2).read([c.line(MARGINS[0]) for c in crops], lang)
            except (OSError, subprocess.SubprocessError) as error:  # it is but a witness
                log.warning("tesseract: %s: %s; its column stays empty", lang, error)
                rates[lang] = None
                continue
            cer = gate.errors([c.text for c in crops], [text for text, _ in readings]).cer
            held[lang] = {"mark": mark, "cer": cer, "version": engine.version()}
            folder.write("tesseract.json", json.dumps(held, indent=1).encode())
        rates[lang] = held[lang]["cer"]
    return rates


def _by_language(crops: Iterable[Crop]) -> dict[str, list[Crop]]:
    found: dict[str, list[Crop]] = {}
    for crop in crops:
        found.setdefault(crop.lang, []).append(crop)
    return dict(sorted(found.items()))


def _drawn(crops: Sequence[Crop], trained: set[str], most: int) -> list[Crop]:
    fresh = {c.text: c for c in reversed(crops) if c.text not in trained}
    drawn = sorted(fresh.values(), key=lambda c: hashlib.sha256(c.key.encode()).digest())[:most]
    return sorted(drawn, key=lambda c: c.key)
