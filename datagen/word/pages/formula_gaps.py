"""Where formulas stand that the PDF doesn't tag, or tags with a box of nothing like them: in the gap that they leave between the
letters before and behind them, which the page has in the text's order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from datagen.word.file.document import Formula, Paragraph, Text
from datagen.word.pages.formula_places import formula_text, likeness, signs_of
from datagen.word.pages.page_letters import Letter, Rect
from datagen.word.pages.paragraph_parts import union

_ALIKE = 0.8  # of a formula's letters and digits, that its gap has


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
        box = union([letter.box for letter in found])
        text = "".join(letter.char for letter in found)
        own = signs_of(formula_text(formulas[0].omml))
        if len(formulas) == 1 and own and likeness(own, signs_of(text)) >= _ALIKE:
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
