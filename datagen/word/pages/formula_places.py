"""Which formula of the file stands where: the formulas of the tagged PDF, in its order, against those of the document; and what
the PDF doesn't tag, or with a box of nothing like it, in the gap between the letters before and behind it."""

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
_ALIKE = 0.5  # of a formula's letters and digits, that the page has in its place
_SURELY_ALIKE = 0.9
_ALIKE_IN_GAP = 0.8
_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"


def formula_places(
    formulas: Sequence[Formula], places: Sequence[Tagged], letters: Mapping[int, Sequence[Letter]]
) -> dict[int, tuple[int, Rect]]:
    """The page and the place of each formula that has one, by its number. `letters` are those without a mark, by page.

    Formulas and places are in one order, so the k-th belong together. Each is looked at: what the page shows there must have the
    formula's letters and digits. Where numbers or letters don't agree, as many as do are paired, in order; then those that are
    alike and alone in it."""
    of_files = [signs_of(formula_text(formula.omml)) for formula in formulas]
    of_pages = [signs_of("".join(letter.char for letter in within(place.box, letters.get(place.page, ())))) for place in places]
    pairs = list(zip(range(len(formulas)), range(len(places)), strict=False))
    is_plain = len(formulas) == len(places) and all(likeness(of_files[i], of_pages[k]) >= _ALIKE for i, k in pairs)
    if not is_plain and len(formulas) * len(places) <= _MAX_PAIRS:
        pairs = _paired(of_files, of_pages)
        pairs += _alone(of_files, of_pages, pairs)
    return {formulas[i].number: (places[k].page, places[k].box) for i, k in pairs if likeness(of_files[i], of_pages[k]) >= _ALIKE}


def formula_text(omml: str) -> str:
    """The text of a formula's elements, in their order; "" if it is no XML."""
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
    """The share of both's letters and digits that are in the other one, too; 1 for a formula that has none."""
    if not of_file:
        return 1.0
    return 2 * (of_file & of_page).total() / (of_file.total() + of_page.total())


def _paired(of_files: Sequence[Counter[str]], of_pages: Sequence[Counter[str]]) -> list[tuple[int, int]]:
    """The pairs, in order, that are most alike taken together."""
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
    """Further pairs, out of order: of formulas that are like one place alone, of which no other formula is like it."""
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
    """`placed` are the places of formulas by their numbers; `strange` those of gaps that hold something else, or several formulas
    of which nobody can tell which is where, by the number of the first."""

    placed: dict[int, Place] = field(default_factory=dict)
    strange: dict[int, Place] = field(default_factory=dict)


def gaps(paragraphs: Sequence[Paragraph], known: Mapping[int, object], pages: Sequence[Sequence[Letter]]) -> Gaps:
    """The places of the formulas of these paragraphs that aren't `known`, by number. `pages` are the letters of each page in
    their order; those of formulas, and of nothing else, have no mark, but those of known formulas are left out."""
    result = Gaps()
    ends: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {}  # of each mark: its first letter and its last one
    for page, letters in enumerate(pages):
        for n, letter in enumerate(letters):
            if letter.mark and letter.counts:
                ends[letter.mark] = ends.get(letter.mark, ((page, n), (page, n)))[0], (page, n)
    for before, formulas, behind in _groups(paragraphs, known, ends):
        first = ends[before][1] if before else (0, -1)
        stop = ends[behind][0] if behind else (len(pages) - 1, len(pages[-1]) if pages else 0)
        inside = {page: found for page, found in _between(pages, first, stop) if found}
        if len(inside) != 1:
            continue
        ((page, found),) = inside.items()
        box = around([letter.box for letter in found])
        text = "".join(letter.char for letter in found)
        own = signs_of(formula_text(formulas[0].omml))
        if len(formulas) == 1 and own and likeness(own, signs_of(text)) >= _ALIKE_IN_GAP:
            result.placed[formulas[0].number] = Place(page, box)
        else:
            result.strange[formulas[0].number] = Place(page, box)
    return result


def _groups(
    paragraphs: Sequence[Paragraph], known: Mapping[int, object], drawn: Mapping[int, object]
) -> Iterator[tuple[int, list[Formula], int]]:
    """The unknown formulas that follow each other, between the marks of the text that is drawn before and behind them; 0 for
    none."""
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
    """The letters without a mark of each page behind one place and before another."""
    for page in range(first[0], stop[0] + 1):
        start = first[1] + 1 if page == first[0] else 0
        end = stop[1] if page == stop[0] else len(pages[page])
        yield page, [letter for letter in pages[page][start:end] if letter.counts and not letter.mark]
