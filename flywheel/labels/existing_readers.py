"""Round 0: the existing reader that reads each language best, on held-out lines. It is compared with ours, and it votes.

    NAME/existing.json    by language, the reader, and the character error rate of each candidate; NAME is the step's

Tesseract reads with Debian's data, or with npm's if there is some. The step may name a reader of PP-OCR. A language's only reader
needs no comparison.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy

from datagen.disk.storage import Folder
from datagen.engines import OPEN, Engines, is_folder, tessdata, tesseract, versions
from flywheel.labels import error_rates, evaluate
from flywheel.lines.crops import Crop
from flywheel.pools import pools_file
from flywheel.pools.pools_file import FrozenPools
from flywheel.step import CROPS, Flywheel, numbers, numbers_aside

log = logging.getLogger(__name__)

NAME, RATES = "existing.json", "tesseract.json"
DEBIAN, NPM, PPOCR = "tesseract", "tesseract-npm", "ppocr"
_LINES = 100


def candidates(step: Flywheel, lang: str, script: str) -> list[str]:
    """The readers that know a language. Packages are searched only by a step that takes text from packages."""
    code = tesseract.reads(lang, script)
    names = [DEBIAN] if code else []
    if step.text_packages and code and tessdata.has(tesseract.language(code)):
        names.append(NPM)
    return names + list(step.existing)


def choose(step: Flywheel, out: Folder, pools: FrozenPools) -> dict[str, str]:
    """The best existing reader of each served language, by language. It is measured before the first round begins, and kept."""
    folder = out.sub(step.name)
    if numbers(out) or numbers_aside(out):
        return chosen(folder)
    known = {p.lang: candidates(step, p.lang, p.script) for p in pools.served}
    compared = [p for p in pools.served if len(known[p.lang]) > 1]
    texts = pools_file.texts_of(step, out, compared)
    test = evaluate.HeldOut.read(out.sub(CROPS), compared, _LINES, texts=texts, seed=step.seed) if compared else None
    choices: dict[str, dict[str, object]] = {}
    for p in pools.served:
        readers = known[p.lang]
        lines: list[Crop] = []
        if test and len(readers) > 1:
            lines = [*test.test.get(p.lang, ()), *(() if p.lang in test.alone else test.typeset.get(p.lang, ()))]
        rates = {name: rate for name in readers if lines and (rate := _rate(name, p.lang, p.script, lines)) is not None}
        if readers:
            best = min(rates, key=lambda name: (rates[name], readers.index(name))) if rates else readers[0]
            choices[p.lang] = {"reader": best, "num_lines": len(lines), "rates": rates}
            if rates:
                log.info("%s is read best by %s: %s", p.lang, best, ", ".join(f"{n} {100 * r:.1f}%" for n, r in rates.items()))
    folder.write(NAME, json.dumps(choices, ensure_ascii=False, indent=1).encode())
    return chosen(folder)


def chosen(folder: Folder) -> dict[str, str]:
    """The choice in the step's `folder`; empty before the choice."""
    choices = json.loads(folder.read(NAME)) if folder.exists(NAME) else {}
    return {lang: of["reader"] for lang, of in choices.items()}


def read(reader: str, lang: str, script: str, images: Sequence[numpy.ndarray], engines: Engines = OPEN) -> list[str]:
    """A reader's readings of lines, (H, W) gray bytes. Raises `ValueError` if it doesn't know the language, and `RuntimeError` if
    it fails."""
    if reader in (DEBIAN, NPM):
        engine = engines.get("tesseract", data="npm" if reader == NPM else "")
        return [text for text, _ in engine.read(images, tesseract.reads(lang, script))]
    engine = engines.get(PPOCR, model="" if reader == PPOCR else reader)
    return [text for text, _ in engine.read(images)]


def rates(
    folder: Folder, test: Mapping[str, Sequence[Crop]], readers: Mapping[str, str], kind: str = ""
) -> dict[str, float | None]:
    """The character error rates of the languages' existing `readers` (default: Tesseract) on test lines; None without a reader.
    `kind` separates the rates of one kind of lines from another's. The rates stay in tesseract.json in the step's `folder`, since
    Tesseract is slow and no round changes them."""
    saved = json.loads(folder.read(RATES)) if folder.exists(RATES) else {}
    by_language: dict[str, float | None] = {}
    for lang, crops in test.items():
        reader = readers.get(lang, DEBIAN)
        if reader == DEBIAN and not tesseract.language(lang):
            log.info("tesseract: no data for %s; its column stays empty (tesseract-ocr-* of your system)", lang)
            by_language[lang] = None
            continue
        images = [(c.key, hashlib.sha256(c.image).hexdigest()) for c in crops]  # a typeset line's key doesn't tell its typeface
        version = tesseract.version() if reader == DEBIAN else f"{reader} {sorted(engines([reader]).items())}"
        mark = hashlib.sha256(f"{version}{images}".encode()).hexdigest()
        if saved.get(lang + kind, {}).get("mark") != mark:
            log.info("%s: reading %d lines, %s", reader, len(crops), lang)
            cer = _rate(reader, lang, crops[0].script, crops)
            if cer is None:  # a round doesn't need the comparison
                by_language[lang] = None
                continue
            saved[lang + kind] = {"mark": mark, "cer": cer, "reader": reader, "version": tesseract.version()}
            folder.write(RATES, json.dumps(saved, indent=1).encode())
        by_language[lang] = saved[lang + kind]["cer"]
    return by_language


def _rate(name: str, lang: str, script: str, lines: Sequence[Crop]) -> float | None:
    """A reader's character error rate; None if it fails, with a warning in the log."""
    try:
        readings = read(name, lang, script, [crop.line(evaluate.MARGIN) for crop in lines])
    except RuntimeError as error:
        log.warning("%s: %s: %s; its column stays empty", name, lang, error)
        return None
    return error_rates.errors([crop.text for crop in lines], readings).cer


def engines(readers: Iterable[str]) -> dict[str, str]:
    """The versions that decide the readings of these readers."""
    of_readers = versions("tesseract")
    for name in sorted({*readers} - {DEBIAN}):
        if name == NPM:
            of_readers |= versions("tesseract", data="npm")
        else:
            of_one = versions(PPOCR, model="" if name == PPOCR else name)
            of_readers |= {f"{name} {key}": of_one[key] for key in of_one} if is_folder(name) else of_one
    return of_readers
