"""Three readings of a page: by the package's readers or PP-OCR, by Tesseract, which finds its own lines but for those from right
to left, and a simulated one, which has many of the first one's errors and some of its own."""

import io
import random
from dataclasses import replace
from typing import Any, NamedTuple

import numpy
from PIL import Image
from rapidfuzz.distance import Levenshtein

from datagen.engines import OPEN, tesseract
from datagen.page.boxes import area, shared
from datagen.page.region_order import in_reading_order
from datagen.reading.cuts import box_around, cut, padded
from datagen.reading.page_lines import drift
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from datagen.tables import cells
from datagen.writing.direction import is_rtl
from tests.bench.agree.typeset import Known, typeset

FIRST, SECOND, SIMULATED = "first", "tesseract", "model-x"
OTHER_SIMULATED = "model-y"
SHARED_ERRORS = 0.7
"""Of the lines that the first reader misreads, the share that the simulated one misreads alike."""
_OWN_ERRORS = 0.004  # of the characters
_LOST_LINE, _SWAPPED = 0.01, 0.02  # of the paragraphs
_FORMULA_ERRORS, _FORMULA_SHARED = 0.08, 0.6  # of the formulas; of one's errors those that the other one has, too


class Read(NamedTuple):
    """A page with what two engines read on it."""

    known: Known
    first: Sample
    second: Sample


def read(seed: int, script: str, code: str) -> Read:
    known = typeset(seed, script, code)
    return Read(known, by_first(known), by_tesseract(known))


def by_first(known: Known) -> Sample:
    """What PP-OCR finds and reads; in scripts that it doesn't know the package's reader reads."""
    page = known.page
    is_pp = page.script in ("Latn", "Hans", "Jpan")
    quads, crops = _found(page, is_pp)
    reader = OPEN.get("ppocr") if is_pp else OPEN.get("script", script=page.script)
    readings = [(quad, *one) for quad, one in zip(quads, reader.read(crops, page.lang), strict=True)]
    return _of_lines(page, readings, "ppocr" if is_pp else "script", "fine")


def _found(page: Sample, is_padded: bool) -> tuple[list, list[numpy.ndarray]]:
    """Where PP-OCR finds lines, and their images."""
    image = numpy.asarray(Image.open(io.BytesIO(page.image or b"")).convert("RGB"))
    gray = numpy.ascontiguousarray(numpy.asarray(Image.fromarray(image).convert("L")))
    (found,) = OPEN.get("ppocr-detector").detect([image])
    quads = [quad for quad, _ in found]
    return quads, [cut(gray, padded(quad, page.size) if is_padded else quad, drift(quad)).image for quad in quads]


def by_tesseract(known: Known) -> Sample:
    """What Tesseract finds and reads of the whole page, in its own order."""
    from tesserocr import OEM, PSM, RIL, PyTessBaseAPI, iterate_level

    page = known.page
    if page.script in ("Arab", "Hebr"):
        return _lines_by_tesseract(page)
    code = tesseract.second_language(page.lang.split("-")[0] if not page.lang.startswith("zh") else "zh", page.script)
    name = tesseract._name(code)
    lines: list[Line] = []
    with PyTessBaseAPI(path=str(tesseract._data_folder()), lang=name, psm=PSM.AUTO, oem=OEM.LSTM_ONLY) as api:
        api.SetImage(Image.open(io.BytesIO(page.image or b"")).convert("L"))
        api.SetSourceResolution(150)
        api.Recognize()
        for item in iterate_level(api.GetIterator(), RIL.TEXTLINE):
            box, text = item.BoundingBox(RIL.TEXTLINE), item.GetUTF8Text(RIL.TEXTLINE) or ""
            if box and text.strip():
                x0, y0, x1, y1 = box
                inside = Box(max(0, x0), max(0, y0), min(page.size[0], max(x1, x0 + 1)), min(page.size[1], max(y1, y0 + 1)))
                direction = "rtl" if is_rtl(text, page.script) else "ltr"
                score = item.Confidence(RIL.TEXTLINE) / 100
                lines.append(Line(inside, " ".join(text.split()), direction=direction, score=score))
    regions = tuple(Region(line.box, "text", line.text, line.score, "tesseract", lines=(line,)) for line in lines)
    return _sample(page, regions, "tesseract", {"tesserocr": tesseract.version()})


def _lines_by_tesseract(page: Sample) -> Sample:
    """The lines that PP-OCR finds, read by Tesseract: it takes pages from right to left for columns of words."""
    quads, crops = _found(page, False)
    engine = OPEN.get("tesseract")
    texts = [text for text, _ in engine.read(crops, page.lang)]
    return _of_lines(page, list(zip(quads, texts, engine.confidences, strict=True)), "tesseract", "tesseract")


def simulated(known: Known, first: Sample, seed: int) -> Sample:
    """Paragraphs, tables and formulas of a model that was taught by the first reader: where that misreads a line, it does so
    mostly alike. It says no lines."""
    draw = random.Random(f"simulated {seed} {known.page.key}")
    regions = []
    for region in known.truth:
        if region.format == "html":
            table = cells.parse(region.text)
            new = [replace(cell, text=_misread(cell.text, draw)) for cell in table.cells]
            regions.append(replace(region, text=cells.to_html(cells.Table(tuple(new))), by=SIMULATED))
            continue
        if region.format == "latex":
            continue
        if draw.random() < _LOST_LINE and len(region.lines) > 2:
            region = replace(region, lines=region.lines[:1] + region.lines[2:])
        lines = [_misread(_as_first(line, first, draw), draw) for line in region.lines]
        regions.append(replace(region, text=" ".join(lines) if " " in region.text else "".join(lines), lines=(), by=SIMULATED))
    for at in range(len(regions) - 1):
        if draw.random() < _SWAPPED:
            regions[at : at + 2] = regions[at + 1], regions[at]
    return _sample(known.page, tuple(regions), "label", {f"label {SIMULATED}": "1"})


def formula_readers(known: Known, seed: int) -> dict[str, dict[int, str]]:
    """What two simulated readers say of the formulas, by the number of the region; some of their errors they share."""
    draw = random.Random(f"formulas {seed} {known.page.key}")
    formulas: dict[str, dict[int, str]] = {SIMULATED: {}, OTHER_SIMULATED: {}}
    for n, region in enumerate(known.truth):
        if region.format == "latex":
            wrong = wrong_formula(region.text, draw)
            one = wrong if draw.random() < _FORMULA_ERRORS else region.text
            shares = one != region.text and draw.random() < _FORMULA_SHARED
            own = wrong_formula(region.text, draw) if draw.random() < _FORMULA_ERRORS * (1 - _FORMULA_SHARED) else region.text
            formulas[SIMULATED][n], formulas[OTHER_SIMULATED][n] = one, one if shares else own
    return formulas


def wrong_formula(latex: str, draw: random.Random) -> str:
    """One sign of it another one."""
    at = draw.choice([i for i, char in enumerate(latex) if char.isalnum()])
    char = latex[at]
    other = (
        str((int(char) + draw.randint(1, 9)) % 10) if char.isdigit() else draw.choice([c for c in "abcdxyzwuvijkn" if c != char])
    )
    return latex[:at] + other + latex[at + 1 :]


def _as_first(line: Line, first: Sample, draw: random.Random) -> str:
    """The line as it is, or as the first reader misread it."""
    others = [other for region in first.regions for other in region.lines]
    best = max(others, key=lambda other: _share_of_smaller(line.box, other.box), default=None)
    if best is None or _share_of_smaller(line.box, best.box) < 0.5 or draw.random() > SHARED_ERRORS:
        return line.text
    return best.text if 0 < Levenshtein.normalized_distance(best.text, line.text) < 0.3 else line.text


def _share_of_smaller(a: Box, b: Box) -> float:
    return shared(a, b) / max(1, min(area(a), area(b)))


def _misread(text: str, draw: random.Random) -> str:
    letters = [char for char in text if char.isalpha()] or list("abc")
    made = ""
    for char in text:
        if char.isdigit() and draw.random() < _OWN_ERRORS:
            char = str((int(char) + draw.randint(1, 9)) % 10)
        elif char.isalpha() and draw.random() < _OWN_ERRORS:
            char = draw.choice(letters)
        made += char
    return made


def _of_lines(page: Sample, said: list[tuple[Any, str, float]], by: str, stage: str) -> Sample:
    """Lines by their place, text and score; those without text are left out."""
    lines = []
    for quad, text, score in said:
        if text.strip():
            direction = "rtl" if is_rtl(text, page.script) else "ltr"
            lines.append(Line(box_around(quad, page.size), text.strip(), direction=direction, score=score))
    regions = [Region(line.box, "text", line.text, line.score, by, lines=(line,)) for line in lines]
    direction = "rtl" if sum(line.direction == "rtl" for line in lines) > len(lines) / 2 else "ltr"
    return _sample(page, tuple(in_reading_order(regions, direction, page.size)), stage, {by: "1"})


def _sample(page: Sample, regions: tuple[Region, ...], stage: str, engines: dict[str, str]) -> Sample:
    text = "\n\n".join(region.text for region in regions)
    origin = Origin(page.origin.uri, page.origin.sha256, 0, engines=engines)
    return replace(page, image=None, regions=regions, text=text, quality=Quality("trusted"), origin=origin, stage=stage)
