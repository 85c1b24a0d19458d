"""The card of a script's reader: its training, and its error rates on text and typefaces that it never saw. And a table of all
cards."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy

from datagen.engines import OPEN, tesseract
from datagen.engines.compact import Reader
from datagen.record import Box
from flywheel.labels import error_rates
from flywheel.lines import typeset_lines
from flywheel.lines.crops import Crop, degraded
from flywheel.pools import texts as pool_texts
from flywheel.pools.texts import Texts
from flywheel.step import Fit

OTHER_WIDTHS = (0.8, 1.22)
"""The relative widths of test lines in a learned typeface: narrower, or wider, than any that the reader learned."""

FIRST = 100
"""The number of a test's lines that `make test` reads again."""

_COLUMNS = ("script", "languages", "typefaces", "characters wrong", "Tesseract for ours, lines", "minutes", "kB")
_NAMED = 8  # languages
# Published in 2026, in per cent of tests passed, each on its maker's own tests.
_INDRA = {
    "Geor": 100, "Armn": 100, "Ethi": 100, "Laoo": 96, "Knda": 94, "Telu": 88, "Taml": 84, "Gujr": 80, "Hebr": 80, "Beng": 78,
    "Khmr": 71, "Mlym": 65, "Guru": 65,
}  # fmt: skip
_CHANDRA = {"Ethi": ("am", 34), "Beng": ("bn", 73), "Armn": ("hy", 64), "Geor": ("ka", 77), "Gujr": ("gu", 71)}


def test_lines(texts: Sequence[Texts], most: int) -> list[Crop]:
    """At most `most` test lines of a script's reader, without images, evenly over its languages, each with its typeface. Test
    typefaces take turns."""
    by_language: list[list[Crop]] = []
    for text in texts:
        lines: list[Crop] = []
        for line in text.held_out:
            able = typeset_lines.families_for(line, text.families.test, text.lang)
            if able and len(lines) < most:
                lines.append(to_draw(text.lang, text.script, line, able[len(lines) % len(able)]))
        by_language.append(lines)
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*by_language))
    return [crop for crop in in_turn if crop is not None][:most]


def to_draw(lang: str, script: str, text: str, family: str) -> Crop:
    """A line that is drawn in a typeface whenever it is degraded."""
    return Crop("", lang, script, text, b"", Box(0, 0, 1, 1), (family,))


def images(crops: Sequence[Crop], are_unseen: Sequence[bool], seed: int) -> list[numpy.ndarray]:
    """The lines like a poor scan's or a careless detector's, (H, W) gray bytes. Those in a typeface that isn't `are_unseen` are
    also drawn in other widths."""
    drawn = []
    for number, (crop, is_unseen) in enumerate(zip(crops, are_unseen, strict=True)):
        line = degraded(crop, numpy.random.default_rng([seed, 3, number]))
        if not is_unseen:
            width = max(1, round(line.shape[1] * OTHER_WIDTHS[number % 2]))
            line = cv2.resize(line, (width, line.shape[0]), interpolation=cv2.INTER_AREA)
        drawn.append(numpy.asarray(line))
    return drawn


def card(reader: Reader, texts: Sequence[Texts], max_test: int, compared: int, seed: int) -> dict[str, Any]:
    """A reader's error rates on lines of `texts` that it didn't learn; and Tesseract's on the first `compared` lines, if this
    machine has its data. Rates are shares of characters, with 95% intervals."""
    script = reader.alphabet.script
    unseen = {text.lang: text.families.has_held_out for text in texts}
    crops = test_lines(texts, max_test)
    are_unseen = [unseen[crop.lang] for crop in crops]
    lines = images(crops, are_unseen, seed)
    truths = [crop.text for crop in crops]
    readings = [text for text, _ in reader.read(lines)]
    first: dict[str, Any] = {
        "lines": [[crop.lang, crop.text, crop.families[0], new] for crop, new in zip(crops[:FIRST], are_unseen, strict=False)]
    }
    if crops:
        first |= {"rates": _rates(truths[:FIRST], readings[:FIRST])}
    of_language = {}
    for lang in sorted({crop.lang for crop in crops}):
        rows = [i for i, crop in enumerate(crops) if crop.lang == lang]
        of_language[lang] = _rates([truths[i] for i in rows], [readings[i] for i in rows])
    return {
        "script": script,
        **(_rates(truths, readings) if crops else {}),
        "first": first,
        "unseen_typefaces": all(unseen.values()),
        "languages": of_language,
        "tesseract": _tesseract(crops[:compared], lines, truths, readings, script),
        "text": {text.lang: {"lines": len(text.train), "paragraphs": dict(text.paragraphs)} for text in texts},
        "licence": pool_texts.licence({name for text in texts for name in text.paragraphs}),
        "typefaces": sorted({name for text in texts for name in text.families.train}),
        "typefaces_to_test": sorted({name for text in texts for name in text.families.test}),
        "symbols": len(reader.alphabet.symbols),
        "height": reader.config.height,
    }


def training(fit: Fit, seconds: float, num_bytes: int) -> dict[str, Any]:
    return {"steps": fit.steps, "seed": fit.seed, "fit": asdict(fit), "processor_s": round(seconds), "bytes": num_bytes}


def _rates(truths: Sequence[str], readings: Sequence[str]) -> dict[str, Any]:
    errors = error_rates.errors(truths, readings)
    return {
        "cer": errors.cer,
        "low": errors.cer_low,
        "high": errors.cer_high,
        "lines": errors.num_lines,
        "chars": errors.num_chars,
    }


def _tesseract(
    crops: Sequence[Crop], lines: Sequence[numpy.ndarray], truths: Sequence[str], readings: Sequence[str], script: str
) -> dict[str, Any] | None:
    """Tesseract's rate on lines in its languages, the reader's on the same lines, and the interval of the difference, Tesseract's
    less the reader's."""
    engine = OPEN.get("tesseract")
    theirs: dict[int, str] = {}
    for lang in sorted({crop.lang for crop in crops}):
        read_in = tesseract.reads(lang, script) or tesseract.reads(tesseract.FIRST_OF_SCRIPT.get(script, ""), script)
        rows = [i for i, crop in enumerate(crops) if crop.lang == lang]
        if read_in and rows:
            theirs |= dict(zip(rows, (text for text, _ in engine.read([lines[i] for i in rows], read_in)), strict=True))
    if not theirs:
        return None
    rows = sorted(theirs)
    own = numpy.array(error_rates.distances_of([truths[i] for i in rows], [readings[i] for i in rows]))
    other = numpy.array(error_rates.distances_of([truths[i] for i in rows], [theirs[i] for i in rows]))
    drawn = numpy.random.default_rng(0).integers(0, len(rows), (1000, len(rows)))
    differences = (other[:, 0] - own[:, 0])[drawn].sum(1) / own[:, 1][drawn].sum(1).clip(1)
    low, high = (round(float(x), 5) for x in numpy.quantile(differences, (0.025, 0.975)))
    total = own[:, 1].sum().clip(1)
    return {
        "cer": round(float(other[:, 0].sum() / total), 5),
        "ours": round(float(own[:, 0].sum() / total), 5),
        "difference": [low, high],
        "lines": len(rows),
    }


def table(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """A table in Markdown. A star: no typeface is left for tests alone."""
    columns = (*_COLUMNS, "Indra OCR: OPB's tests passed", "Chandra 2: its maker's tests passed")
    head = f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n"
    return head + "".join(f"| {' | '.join(_cells(script, card))} |\n" for script, card in cards.items())


def _cells(script: str, card: Mapping[str, Any]) -> list[str]:
    faces = f"{len(card['typefaces'])}" + ("" if card["unseen_typefaces"] else "*")
    minutes, kilobytes = f"{card['processor_s'] / 60:.1f}", f"{card['bytes'] / 1e3:.0f}"
    if "cer" in card:
        rate = f"{_percent(card['cer'])} ({_percent(card['low'])} to {_percent(card['high'])}), {card['lines']} lines"
    else:
        rate = "no text is left to test"
    theirs = card["tesseract"]
    other = f"{_percent(theirs['cer'])} for {_percent(theirs['ours'])}, {theirs['lines']}" if theirs else ""
    languages = ", ".join(card["text"]) if len(card["text"]) <= _NAMED else f"{len(card['text'])} languages"
    indra = f"{_INDRA[script]}%" if script in _INDRA else ""
    chandra = "{}: {}%".format(*_CHANDRA[script]) if script in _CHANDRA else ""
    return [script, languages, faces, rate, other, minutes, kilobytes, indra, chandra]


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}%"
