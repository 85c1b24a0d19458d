"""Paragraphs with formulas, which no line of text can hold: an engine that writes LaTeX reads them, or nobody does."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from datagen.engines import Engines
from datagen.markdown import markdown
from datagen.record import Drop, Region, Sample
from datagen.work.pipeline import Stage
from datagen.writing import scripts

LABELS = frozenset({"text", "list", "footnote", "image_caption", "table_caption", "table_footnote", "reference"})
"""The labels of regions that formulas stand in. Code has signs of its own."""

_GREEK = "\u0391-\u03a9\u03b1-\u03c9\u00b5\u03d1\u03d5\u03f1\u03f5"
_SIGNS = "".join(sorted(set("∂∇∑∏∫∈∉⊂⊆⊃⊇∪∩∀∃∝≡≜≪≫⊗⊕ℝℂℕℤℚℏℓ∞√")))
# A letter alone, or one with an index, beside a relation. Switches, paths and settings (`-n=3`, `vga=normal`) aren't that.
_VARIABLE = rf"(?<![\w.\-/$\\'\"])[A-Za-z{_GREEK}](?:[0-9′*]{{1,2}}|[a-z0-9])?"
_RELATION = re.compile(
    rf"{_VARIABLE}(?:\s?\([A-Za-z{_GREEK}][\w,\s]{{0,6}}\))?\s?(?:[=≠≤≥≈≡∼∝∈→↦⇒]|(?<=\s)[<>](?=\s))\s?[−–+\-]?[\w({{\[∞|\\]"
)
_NUMBERED = re.compile(rf"(?<!\w)(?:[{_GREEK}])(?:[0-9]{{1,2}}|[a-z])?\s?[=<>≤≥+×·/^_]|[=<>≤≥+×·/^]\s?(?:[{_GREEK}])(?!\w)")
_INDEXED = re.compile(rf"(?<![\w])[{_GREEK}](?:[0-9]{{1,2}}|[ijknmtxyz]{{1,2}})(?!\w)")
_RAISED = re.compile(r"(?<![\w])[A-Za-z][²³¹⁰-⁹⁻⁺ⁿ₀-₉ᵢⱼ](?!\w)|[⁻⁺ⁿᵢⱼ₊₋]")
# A Greek letter alone, or one that a reader joined to the word behind it: two different ones are variables. Names of substances,
# as in α-helix, and units aren't alone.
_ALONE = re.compile(rf"(?<![\w\-–/(])([{_GREEK}])(?:(?![\w\-–/)°])|(?=[{_GREEK}]?[a-z]{{2}}))")
_BULLETS = frozenset("οΟΩμµ")  # what readers take bullets, rings and units for
# A capital with two indices that no name ends in; with two that some do, which count as a Greek letter does.
_ENTRY = re.compile(r"(?<![\w.\-/])[B-NP-TV-Z](?:ji|jk|kj)(?![\w\-/(])")
_MAYBE_ENTRY = re.compile(r"(?<![\w.\-/])([A-GJ-LNPQRTVXY](?:ij|ki|ik))(?![\w\-/(])")
# Small letters with indices that go on, as x1 and x2 do. Others are fields of a chessboard, headings, pages and versions.
_SERIES = re.compile(r"(?<![\w.\-/])([kmnrtuwxyz])(1?\d|[ijkn])(?![\w\-/(=:])")
# A lowered letter that was read as a comma, as those of F and P in `E(F,)` and `aP, = bP,,`.
_COMMA = re.compile(r"(?<![\w.\-/])[a-z]{0,2}[A-Z],(?:[,)]| =)")
_UNLIKE_WORDS = frozenset("xyzw")
_MICRO = re.compile("[\u00b5\u03bc](?=[mgslLAVFHNPW]\\b|m[²³2]|Torrent)")
_UNITS = re.compile(r"\b[mgsl][²³]|(?<=\d)\s?[a-zA-Z]{1,2}[²³]")
_PAIRED = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\$[^$]+\$", re.DOTALL)


@dataclass(frozen=True)
class MarkFormulas(Stage):
    """Makes paragraphs `is_unread` in which formulas stand, by their signs: a text of them would be flattened. `ReadRegions` asks
    the engine for `text` for them, where there is one, and believes it if it wrote LaTeX. The lines stay.

    On pages in Greek, Greek letters say nothing. One Greek letter alone is no formula, and neither is one letter with a number:
    two different ones are. What is lost without a trace isn't found. Signal: `formulas_in_text`, the number of these regions;
    absent if it is 0.
    """

    version: ClassVar[int] = 3
    batch_size: int = 64

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            marked = tuple(unread(region) if has_formula(region, page.script) else region for region in page.regions)
            num = sum(a is not b for a, b in zip(page.regions, marked, strict=True))
            if page.task != "page" or not num:
                yield page
                continue
            quality = replace(page.quality, signals=page.quality.signals | {"formulas_in_text": float(num)})
            yield replace(page, regions=marked, text=markdown(marked), quality=quality)


def has_formula(region: Region, script: str) -> bool:
    """Whether formulas stand in a region's text, which isn't LaTeX."""
    if region.label not in LABELS or region.format != "markdown":
        return False
    text = "\n".join(line.text for line in region.lines) or region.text
    return not is_latex(region.text) and _has_signs(text, script)


def is_latex(text: str) -> bool:
    """Whether a text has LaTeX in it, as engines set it off: `\\\\(…\\\\)`, `\\\\[…\\\\]` or `$…$`."""
    return _PAIRED.search(text) is not None


def _has_signs(text: str, script: str) -> bool:
    text = _UNITS.sub(" ", _MICRO.sub(" ", text))
    if script == "Grek":
        text = re.sub(f"[{scripts.GREEK}]", "ω", text)
        return any(sign in text for sign in "∂∇∑∏∫∈∉⊂⊆∀∃∝")
    if sum(text.count(sign) for sign in _SIGNS) > 1 or any(sign in text for sign in "∂∑∏∫∇"):
        return True
    if any(pattern.search(text) for pattern in (_RELATION, _NUMBERED, _INDEXED, _RAISED, _ENTRY, _COMMA)):
        return True
    signs = {match[1] for pattern in (_ALONE, _MAYBE_ENTRY) for match in pattern.finditer(text)} - _BULLETS
    return len(signs) > 1 or _has_series(text)


def _has_series(text: str) -> bool:
    """Whether a letter stands in a text with an index and the next one, or with a number and a letter."""
    indices: dict[str, set[str]] = defaultdict(set)
    for match in _SERIES.finditer(text):
        indices[match[1]].add(match[2])
    for letter, of_letter in indices.items():
        numbers = {int(index) for index in of_letter if index.isdecimal()}
        if any(number + 1 in numbers for number in numbers):
            return True
        if letter in _UNLIKE_WORDS and numbers and len(of_letter) > len(numbers):
            return True
    return False


def unread(region: Region) -> Region:
    """The region without its text, which nobody is believed to have read."""
    return replace(region, text="", score=None, is_unread=True, continues=False)
