"""How far a page's label is from the page's own text: letters and digits, formulas left out of both."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Levenshtein

from datagen.record import Region

_FORMULA = re.compile(r"\\\(.*?\\\)", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


def letters_of(text: str) -> str:
    """The letters, their marks and the digits of a text, each in the one form that it has among those that look the same."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(char for char in text if char.isalnum() or unicodedata.category(char)[0] == "M")


def label_letters(region: Region) -> str:
    """The letters of a region's label, without its formulas and the tags of a table."""
    if region.format == "latex":
        return ""
    text = region.text
    if region.format == "html":
        text = html.unescape(_TAG.sub(" ", text))
    return letters_of(_FORMULA.sub(" ", text))


def text_distance(regions: Iterable[tuple[Region, str]], others: str) -> tuple[float, str]:
    """The edits between labels and the page's text, as a share of the longer one's letters, and the region that has most of them.

    Each region comes with what the page's text layer has in its place; `others` is what it has in none."""
    num_edits, num_label, num_page = len(letters_of(others)), 0, len(letters_of(others))
    worst = (num_edits, f"{num_edits} letters in no region: {others[:60]!r}" if num_edits else "")
    for region, text in regions:
        label, page = label_letters(region), letters_of(text)
        edits = Levenshtein.distance(label, page)
        num_edits, num_label, num_page = num_edits + edits, num_label + len(label), num_page + len(page)
        if edits > worst[0]:
            worst = edits, f"{edits} edits in {region.label} {region.text[:60]!r}, of the page {text[:60]!r}"
    return num_edits / max(1, num_label, num_page), worst[1]


def is_blank(regions: Sequence[Region]) -> bool:
    return not any(label_letters(region) or region.format == "latex" for region in regions)
