"""The difference between a page's label and the page's own text, in letters and digits, without formulas."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Levenshtein

from datagen.markdown import text_of_html
from datagen.record import Region
from datagen.word.pages.paragraph_parts import is_rtl_within
from datagen.word.pages.text_shares import letters_of

_FORMULA = re.compile(r"\\\(.*?\\\)", re.DOTALL)
_RAISED_TAG = re.compile(r"</?su[bp]>")


def label_letters(region: Region) -> str:
    """The letters of a region's label, without formulas and a table's tags."""
    if region.format == "latex":
        return ""
    text = region.text
    if region.format == "html":
        text = text_of_html(text)
    return letters_of(_FORMULA.sub(" ", _RAISED_TAG.sub("", text)))


def text_distance(regions: Iterable[tuple[Region, str]], others: str) -> tuple[float, str]:
    """The edits between labels and the page's text, as a share of the longer one's letters, and the region with most edits. Each
    region comes with the text layer's text in its place; `others` is the text layer's text outside all regions."""
    num_edits = num_page = len(letters_of(others))
    num_label = 0
    worst = (num_edits, f"{num_edits} letters in no region: {others[:60]!r}" if num_edits else "")
    for region, text in regions:
        label, page = label_letters(region), letters_of(text)
        edits = _edits(label, page)
        num_edits, num_label, num_page = num_edits + edits, num_label + len(label), num_page + len(page)
        if edits > worst[0]:
            worst = edits, f"{edits} edits in {region.label} {region.text[:60]!r}, of the page {text[:60]!r}"
    return num_edits / max(1, num_label, num_page), worst[1]


def letters_apart(regions: Iterable[Region], page: str, unread: str = "", unowned: str = "") -> tuple[float, str]:
    """The number of letters that only the page or only the whole label has, in any order, as a share of the longer one's letters;
    and these letters. It needs no marks, so it sees text that no region has or two have. Regions without a text show the `unread`
    letters. Of the `unowned` letters, symbols count, too."""
    label, shown = Counter("".join(map(label_letters, regions))), Counter(letters_of(page)) - Counter(letters_of(unread))
    symbols = Counter(char for char in unowned if unicodedata.category(char) in ("Sm", "So", "Co"))
    lacking, strange = shown - label + symbols, label - shown
    num_apart = lacking.total() + strange.total()
    detail = f"the label lacks {_listed(lacking)} and has {_listed(strange)} too much" if num_apart else ""
    return num_apart / max(1, label.total(), shown.total()), detail


def _listed(letters: Counter[str]) -> str:
    return repr("".join(sorted(letters.elements()))[:60]) if letters else "nothing"


def _edits(label: str, page: str) -> int:
    """The edits between two texts' letters. Points of Hebrew and Arabic count in any order: they stand over their letters, and
    each program has its own order of them."""
    if label == page:
        return 0
    if not is_rtl_within(page):
        return Levenshtein.distance(label, page)
    points = [Counter(char for char in text if _is_point(char)) for text in (label, page)]
    bases = ["".join(char for char in text if not _is_point(char)) for text in (label, page)]
    apart = max((points[0] - points[1]).total(), (points[1] - points[0]).total())
    return Levenshtein.distance(bases[0], bases[1]) + apart


def _is_point(char: str) -> bool:
    return char > "\u02ff" and unicodedata.category(char) == "Mn"


def is_blank(regions: Sequence[Region]) -> bool:
    return not any(label_letters(region) or region.format == "latex" for region in regions)
