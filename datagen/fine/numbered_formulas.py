"""Displayed formulas that no layout engine saw, told by the number that stands at the end of their line."""

import re
import statistics
from collections.abc import Sequence

from datagen.page.boxes import around, overlap
from datagen.record import Line, Region

_NUMBER = re.compile(r"[(（]\s*[A-Z]?\.?\d{1,3}(?:[.–-]\d{1,3}){0,2}\s*[a-z]?['′]?\s*[)）]")
_SIGNS = re.compile(r"[=≡≠≈≃≅∝<>≤≥≪≫∈⊂∑∏∫∂∇±×→⇒↦^]")
_CONTINUES = re.compile(r"[=≡≈+×·−–-]")
_FEW_WORDS, _LETTERS = 4, 0.85
_GAP_EM, _INDENT_EM, _BELOW_EM = 1.5, 0.8, 1.2


def is_number(text: str) -> bool:
    """Whether a line is no more than the number of a formula, such as (12) or (A.3)."""
    return bool(_NUMBER.fullmatch(text.strip()))


def are_words(lines: Sequence[Line]) -> bool:
    """Whether lines that an engine takes for a formula are words, as verse is: several, and no sign of a relation or operator."""
    text = " ".join(line.text for line in lines)
    num_letters = sum(char.isalpha() or char.isspace() for char in text)
    return len(text.split()) >= _FEW_WORDS and not _SIGNS.search(text) and num_letters > _LETTERS * len(text)


def numbered_formulas(lines: Sequence[Line], detected_by: str) -> list[Region]:
    """Regions around lines that stand apart from the left margin, have a sign of a relation, and a number far to the right; with
    lines above that they go on from."""
    if not lines:
        return []
    em = statistics.median(line.box.y1 - line.box.y0 for line in lines)
    numbers = [line for line in lines if is_number(line.text)]
    found = []
    for number in numbers:
        before = [line for line in lines if line.box.x0 < number.box.x0]
        beside = [line for line in before if overlap(line.box, number.box, 1) > 0.5]
        if not beside or max(line.box.x1 for line in beside) > number.box.x0 - _GAP_EM * em:
            continue
        column = [line for line in lines if line.box.x1 <= number.box.x1 + em and line.box.x1 > beside[0].box.x0]
        left = min(line.box.x0 for line in column) + _INDENT_EM * em
        own = [line for line in beside if any(overlap(line.box, other.box, 0) > 0 for other in column)]
        if not own or min(line.box.x0 for line in own) < left or not any(_SIGNS.search(line.text) for line in own):
            continue
        while True:
            top, first = min(line.box.y0 for line in own), min(own, key=lambda line: line.box.x0)
            above = [
                line
                for line in column
                if line not in own and line.box.x0 >= left and _SIGNS.search(line.text) and not is_number(line.text)
                if top - _BELOW_EM * em < line.box.y1 < top + 0.5 * em and overlap(line.box, first.box, 0) > 0
            ]
            if not above or not _CONTINUES.match(first.text):
                break
            own += above
        found.append(Region(around(line.box for line in own), "equation", "", None, detected_by, format="latex", is_unread=True))
    return found
