"""Families of readers, each of which counts as one voter. A family shares a network, its training set, or the source of its text.

Two readings by one family are one opinion. Families err apart from each other: of the words that PP-OCR or Tesseract misread,
both misread 4% alike (1 of 27); of those that the package's readers or Tesseract did, 0.3% (5 of 1,668). This is what
tests/bench/agree/agree.py measures on twenty typeset pages in ten scripts (seeds 0 and 1).
"""

import re
from collections import Counter
from collections.abc import Iterable

from datagen.record import Sample

TEXT_LAYER, PP_OCR, PACKAGE, TESSERACT = "text layer", "pp-ocr", "package readers", "tesseract"
_FAMILIES = (
    (r"pymupdf|text[ _-]layer|mutool", TEXT_LAYER),
    (r"ppocr.*|pp-ocr.*|paddleocr", PP_OCR),
    (r"script|compact|flywheel/.*", PACKAGE),  # one network, taught by lines that were drawn alike
    (r"tesseract.*|tesserocr", TESSERACT),
    (r"(?:.*/)?(?:deepseek-ocr|unlimited-ocr).*", "deepseek-ocr"),  # the second goes on from the first's weights
    (r"(?:.*/)?paddleocr-vl.*", "paddleocr-vl"),
    (r"(?:.*/)?mineru.*", "mineru"),
    (r"(?:.*/)?got(?:[-_]?ocr.*)?", "got-ocr"),
    (r"(?:.*/)?olmocr.*", "olmocr"),
    (r"(?:.*/)?(?:pp-formulanet).*", "pp-formulanet"),
)
"""Patterns of a region's `by` in small letters, and the family of each. Any other name is a family of its own."""
_COMPOSERS = frozenset({"tables", "slanet", "tabular", ""})
"""Engines that put another reader's lines into cells."""
_ORDERED_BY = {"coarse": TEXT_LAYER, "fine": "rules"}


def family(by: str) -> str:
    """The family of the engine, model, round or person that a region's `by` names; "" for engines that read nothing
    themselves."""
    name = by.strip().casefold()
    if name in _COMPOSERS:
        return ""
    return next((of for pattern, of in _FAMILIES if re.fullmatch(pattern, name)), by.strip())


def voter(by: str, page: Sample) -> str:
    """The voter that read a region of a page: the family of the region's reader. If an engine only put lines into cells, the
    family of most of the page's text."""
    return family(by) or _most([family(r.by) for r in page.regions for _ in r.text]) or by or page.stage


def order_voter(page: Sample) -> str:
    """The voter behind a page's reading order: a model that saw the whole page, the file's text layer, this project's rules, or
    the page's reader."""
    model = next((name for name in page.origin.engines if name.startswith("label ") or name == "mineru"), "")
    if model:
        return family(model.removeprefix("label "))
    if page.stage in _ORDERED_BY:
        return _ORDERED_BY[page.stage]
    return _most([family(r.by) for r in page.regions for _ in r.text]) or page.stage


def _most(names: Iterable[str]) -> str:
    counted = Counter(name for name in names if name)
    return max(sorted(counted), key=lambda name: counted[name], default="")
