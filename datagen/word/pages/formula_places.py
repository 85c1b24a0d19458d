"""The places of the file's formulas on pages. The tagged PDF's formulas are paired with the document's, in order. A formula
without a tag, or with a wrong box, is searched in the gap between the letters before and behind it."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from datagen.page.boxes import around, is_centred_in
from datagen.word.file.document import Formula, Paragraph, Text
from datagen.word.pages.page_letters import Letter, Rect
from datagen.word.pages.tagged_places import Tagged

_MAX_PAIRS = 1_000_000  # beyond, only the k-th are compared
_ALIKE = 0.5  # of a formula's letters and digits: so many must be in its place on the page
_SURELY_ALIKE = 0.9
_ALIKE_IN_GAP = 0.8
_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"


def formula_places(
    formulas: Sequence[Formula], places: Sequence[Tagged], letters: Mapping[int, Sequence[Letter]]
) -> dict[int, tuple[int, Rect]]:
    """The page and the place of each formula that has one, by its number. `letters` are the letters without a mark, by page.

    Formulas and places are in one order, so the k-th belong together. For each pair, the letters and digits at the place must be
    the formula's. If numbers or letters don't agree, the best pairs in order are taken; then pairs out of order in which each is
    like the other alone.
    """
    of_files = [signs_of(formula_text(formula.omml)) for formula in formulas]
    of_pages = [signs_of("".join(letter.char for letter in within(place.box, letters.get(place.page, ())))) for place in places]
    pairs = list(zip(range(len(formulas)), range(len(places)), strict=False))
    is_plain = len(formulas) == len(places) and all(likeness(of_files[i], of_pages[k]) >= _ALIKE for i, k in pairs)
    if not is_plain and len(formulas) * len(places) <= _MAX_PAIRS:
        pairs = _paired(of_files, of_pages)
        pairs += _alone(of_files, of_pages, pairs)
    return {formulas[i].number: (places[k].page, places[k].box) for i, k in pairs if likeness(of_files[i], of_pages[k]) >= _ALIKE}


def formula_text(omml: str) -> str:
    """The text of a formula's elements, in order; "" if it isn't XML."""
    try:
        root = etree.fromstring(omml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return ""
    return "".join(element.text or "" for element in root.iter(_TEXT))


def within(box: Rect, letters: Sequence[Letter]) -> list[Letter]:
    """The letters of which the middle lies in the box."""
    return [letter for letter in letters if is_centred_in(letter.box, box)]


def signs_of(text: str) -> Counter[str]:
    return Counter(char for char in unicodedata.normalize("NFKC", text) if char.isalnum())


def likeness(of_file: Counter[str], of_page: Counter[str]) -> float:
    """The share of letters and digits that formula and page have in common; 1 for a formula without any."""
    if not of_file:
        return 1.0
    return 2 * (of_file & of_page).total() / (of_file.total() + of_page.total())


def _paired(of_files: Sequence[Counter[str]], of_pages: Sequence[Counter[str]]) -> list[tuple[int, int]]:
    """The pairs, in order, with the highest total likeness."""
    rows, columns = len(of_files), len(of_pages)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    alike = [[likeness(a, b) for b in of_pages] for a in of_files]
    for i in range(rows - 1, -1, -1):
        for k in range(columns - 1, -1, -1):
            pair = alike[i][k] + best[i + 1][k + 1] if alike[i][k] >= _ALIKE else 0.0
            best[i][k] = max(pair, best[i + 1][k], best[i][k + 1])
    pairs = []
    i = k = 0
    while i < rows and k < columns:
        if alike[i][k] >= _ALIKE and best[i][k] == alike[i][k] + best[i + 1][k + 1]:
            pairs.append((i, k))
            i, k = i + 1, k + 1
        elif best[i][k] == best[i + 1][k]:
            i += 1
        else:
            k += 1
    return pairs


def _alone(
    of_files: Sequence[Counter[str]], of_pages: Sequence[Counter[str]], pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Further pairs, out of order: the formula is like this place alone, and no other formula is like it."""
    rows = [i for i in range(len(of_files)) if of_files[i] and i not in {i for i, _ in pairs}]
    columns = [k for k in range(len(of_pages)) if k not in {k for _, k in pairs}]
    alike = [(i, k) for i in rows for k in columns if likeness(of_files[i], of_pages[k]) >= _SURELY_ALIKE]
    nums_i, nums_k = Counter(i for i, _ in alike), Counter(k for _, k in alike)
    return [(i, k) for i, k in alike if nums_i[i] == nums_k[k] == 1]


class Place(NamedTuple):
    page: int
    box: Rect


@dataclass
class Gaps:
    """`placed` are the places of formulas by number. `strange` are gaps with other content or with several formulas, by the
    number of the first formula."""

    placed: dict[int, Place] = field(default_factory=dict)
    strange: dict[int, Place] = field(default_factory=dict)


def gaps(paragraphs: Sequence[Paragraph], known: Mapping[int, object], pages: Sequence[Sequence[Letter]]) -> Gaps:
    """The places of these paragraphs' formulas that aren't `known`, by number. `pages` are the letters of each page in order,
    without those of known formulas. Letters of formulas, and no others, have no mark."""
    result = Gaps()
    ends: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {}  # of each mark: its first letter and its last one
    for page, letters in enumerate(pages):
        for n, letter in enumerate(letters):
            if letter.mark and letter.counts:
                ends[letter.mark] = ends.get(letter.mark, ((page, n), (page, n)))[0], (page, n)
    for before, formulas, behind in _groups(paragraphs, known, ends):
        first = ends[before][1] if before else (0, -1)
        stop = ends[behind][0] if behind else (len(pages) - 1, len(pages[-1]) if pages else 0)
        inside = {page: in_gap for page, in_gap in _between(pages, first, stop) if in_gap}
        if len(inside) != 1:
            continue
        ((page, in_gap),) = inside.items()
        box = around([letter.box for letter in in_gap])
        text = "".join(letter.char for letter in in_gap)
        own = signs_of(formula_text(formulas[0].omml))
        if len(formulas) == 1 and own and likeness(own, signs_of(text)) >= _ALIKE_IN_GAP:
            result.placed[formulas[0].number] = Place(page, box)
        else:
            result.strange[formulas[0].number] = Place(page, box)
    return result


def _groups(
    paragraphs: Sequence[Paragraph], known: Mapping[int, object], drawn: Mapping[int, object]
) -> Iterator[tuple[int, list[Formula], int]]:
    """Runs of unknown formulas, each between the marks of the drawn text before and behind it; 0 for none."""
    before, group = 0, list[Formula]()
    for piece in (piece for paragraph in paragraphs for piece in paragraph.pieces):
        if isinstance(piece, Formula) and piece.number not in known:
            group.append(piece)
        elif isinstance(piece, Text) and piece.mark in drawn:
            if group:
                yield before, group, piece.mark
            before, group = piece.mark, []
    if group:
        yield before, group, 0


def _between(
    pages: Sequence[Sequence[Letter]], first: tuple[int, int], stop: tuple[int, int]
) -> Iterator[tuple[int, list[Letter]]]:
    """Each page's letters without a mark between two places."""
    for page in range(first[0], stop[0] + 1):
        start = first[1] + 1 if page == first[0] else 0
        end = stop[1] if page == stop[0] else len(pages[page])
        yield page, [letter for letter in pages[page][start:end] if letter.counts and not letter.mark]
