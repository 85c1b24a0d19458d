"""Paragraphs with formulas, which no line of text can hold: an engine that writes LaTeX reads them, or nobody does."""

import re
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
_MICRO = re.compile("\u00b5(?=[mgslLAVFHNPW]\\b|m[²³2]|Torrent)")
_UNITS = re.compile(r"\b[mgsl][²³]|(?<=\d)\s?[a-zA-Z]{1,2}[²³]")
_PAIRED = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\$[^$]+\$", re.DOTALL)


@dataclass(frozen=True)
class MarkFormulas(Stage):
    """Makes paragraphs `is_unread` in which formulas stand, by their signs: a text of them would be flattened. `ReadRegions` asks
    the engine for `text` for them, where there is one, and believes it if it wrote LaTeX. The lines stay.

    On pages in Greek, Greek letters say nothing. What is lost without a trace, such as an index that was read as a letter, isn't
    found. Signal: `formulas_in_text`, the number of these regions; absent if it is 0.
    """

    version: ClassVar[int] = 1
    batch_size: int = 64

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            marked = tuple(_unread(region) if has_formula(region, page.script) else region for region in page.regions)
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
    return any(pattern.search(text) for pattern in (_RELATION, _NUMBERED, _INDEXED, _RAISED))


def _unread(region: Region) -> Region:
    return replace(region, text="", score=None, is_unread=True, continues=False)
