"""A document on its pages: the parts of each paragraph, the pieces of each table, the places of formulas and pictures."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from datagen.page.boxes import area, shared
from datagen.word.file.document import Block, Cell, Document, Formula, Paragraph, Picture, Table
from datagen.word.pages.formula_places import Gaps, formula_places, formula_text, gaps, within
from datagen.word.pages.page_letters import Letter, PageLetters, Rect
from datagen.word.pages.paragraph_parts import Part, formulas_of, marks_of, paragraph_parts, paragraphs_of
from datagen.word.pages.split_tables import TablePiece, table_pieces
from datagen.word.pages.tagged_places import Tagged

_REACH_PT = 1.0  # a formula's letters may reach so far beyond its place
_EDGE_PT = 0.5  # around a cell
_SIGNS_OF_ERRORS = frozenset("¿❑")
_INSIDE = 0.5  # of an area: a place that shares more with another one lies in it


@dataclass(frozen=True)
class PlacedDocument:
    """`blocks` are the numbers of the blocks that each page shows. `parts` are keyed by a paragraph's identity, `pieces` by a
    table's number. `formulas` has the places of each formula: first the place in the text, then the places in repeated heads of
    its table. `pictures` are the places of each page's pictures, without text boxes. `own_pictures` has the pictures of each
    paragraph, by the paragraph's identity; it is empty unless every picture's paragraph is known. `strange` has, by a formula's
    number, the place between the formula's neighbours if something unlike the formula stands there.

    `seen` are all letters of each page, `unowned` the letters that belong to no piece of text. Both lack the letters of formulas
    and unowned letters in pictures."""

    document: Document
    blocks: Mapping[int, Sequence[int]]
    parts: Mapping[int, Sequence[Part]]
    pieces: Mapping[int, Sequence[TablePiece]]
    formulas: Mapping[int, Sequence[tuple[int, Rect]]]
    pictures: Mapping[int, Sequence[Rect]]
    own_pictures: Mapping[int, Sequence[tuple[int, Rect]]]
    strange: Mapping[int, tuple[int, Rect]]
    unowned: Mapping[int, Sequence[Letter]]
    seen: Mapping[int, Sequence[Letter]]


def placed(
    document: Document, tagged: Sequence[Tagged], pages: Sequence[PageLetters], images: Mapping[int, Sequence[Rect]]
) -> PlacedDocument:
    """The document with the places of all its parts. `images` are the places of each page's pictures as the PDF draws them."""
    paragraphs = list(paragraphs_of(document.blocks))
    tables = list(tables_of(document.blocks))
    pages = with_repeated_heads(pages, tables)
    unmarked = {n: [letter for letter in page.letters if letter.counts and not letter.mark] for n, page in enumerate(pages)}
    first: dict[int, tuple[int, Rect]] = {}
    for is_in_note in (False, True):  # headers and footers have no tags
        wheres = ("footnote", "endnote") if is_in_note else ("body", "textbox")
        formulas = [x for p in paragraphs if p.where in wheres for x in p.pieces if isinstance(x, Formula)]
        of_kind = [place for place in tagged if place.kind == "formula" and place.is_in_note == is_in_note]
        first |= formula_places(formulas, of_kind, unmarked)
    gap = _gaps(paragraphs, first, pages, images)
    first |= gap.placed
    cells = {n: page.cells for n, page in enumerate(pages)}
    places = {number: [place] for number, place in first.items()}
    for table in tables:
        _repeat(table, cells, places)
    owners = {mark: id(paragraph) for paragraph in paragraphs for mark in marks_of(paragraph)}
    own: dict[int, dict[int, list[Letter]]] = defaultdict(dict)
    for n, page in enumerate(pages):
        for letter in page.letters:
            if (owner := owners.get(letter.mark)) is not None:
                own[owner].setdefault(n, []).append(letter)
    marked = {n: [letter.box for letter in page.letters if letter.mark and letter.counts] for n, page in enumerate(pages)}
    figures = [place for place in tagged if place.kind == "picture" and not _is_text_box(place, marked, images)]
    pictures: dict[int, list[Rect]] = {n: [] for n in range(len(pages))}
    for place in figures:
        pictures[place.page].append(place.box)
    for n, boxes in images.items():
        pictures[n] += [box for box in boxes if not any(shared(box, other) > _INSIDE * area(box) for other in pictures[n])]
    parts = {id(p): paragraph_parts(p, own.get(id(p), {}), places, pictures) for p in paragraphs}

    def is_filled(cell: Cell, page: int) -> bool:
        inside = list(paragraphs_of(cell.blocks))
        has_picture = any(isinstance(piece, Picture) for paragraph in inside for piece in paragraph.pieces)
        return has_picture or any(part.page == page for paragraph in inside for part in parts[id(paragraph)])

    pieces = {table.number: table_pieces(table, cells, is_filled) for table in tables}
    own_pictures = _own_pictures(paragraphs, figures)
    blocks: dict[int, list[int]] = defaultdict(list)
    for n, block in enumerate(document.blocks):
        inside = [id(paragraph) for paragraph in paragraphs_of([block])]
        numbers = {part.page for one in inside for part in parts[one]}
        numbers |= {page for one in inside for page, _ in own_pictures.get(one, ())}
        numbers |= {gap.strange[x.number].page for x in formulas_of([block]) if x.number in gap.strange}
        numbers |= {piece.page for piece in pieces[block.number]} if isinstance(block, Table) else set()
        for number in numbers:
            blocks[number].append(n)
    unowned = {n: [x for x in page.letters if x.counts and x.mark not in owners] for n, page in enumerate(pages)}
    taken = [*((n, box) for of_formula in places.values() for n, box in of_formula), *gap.strange.values()]
    unowned = {n: _outside(letters, [box for k, box in taken if k == n] + pictures[n]) for n, letters in unowned.items()}
    owned = {n: [letter for letter in page.letters if letter.counts and letter.mark in owners] for n, page in enumerate(pages)}
    seen = {n: owned[n] + unowned[n] for n in owned}
    return PlacedDocument(document, blocks, parts, pieces, places, pictures, own_pictures, gap.strange, unowned, seen)


def tables_of(blocks: Sequence[Block]) -> Iterator[Table]:
    """All tables, each before the tables within it."""
    for block in blocks:
        if isinstance(block, Table):
            yield block
            for row in block.rows:
                for cell in row.cells:
                    yield from tables_of(cell.blocks)


def misdrawn(document: Document, places: PlacedDocument, pages: Sequence[PageLetters]) -> dict[int, str]:
    """The formulas in which LibreOffice drew a sign of an error or of an empty place, by number, and these signs."""
    signs: dict[int, str] = {}
    for formula in formulas_of(document.blocks):
        for page, box in places.formulas.get(formula.number, ())[:1]:
            drawn = {letter.char for letter in within(box, pages[page].letters)} & _SIGNS_OF_ERRORS
            if strange := drawn.difference(formula_text(formula.omml)):
                signs[formula.number] = "".join(sorted(strange))
    return signs


def cut_off(places: PlacedDocument, sizes: Sequence[tuple[float, float]]) -> Iterator[int]:
    """The formulas that run over an edge of their page, by number. `sizes` are the widths and heights of pages in points."""
    for number, of_formula in places.formulas.items():
        page, (x0, y0, x1, y1) = of_formula[0]
        width, height = sizes[page]
        if min(x0, y0) < -_REACH_PT or x1 > width + _REACH_PT or y1 > height + _REACH_PT:
            yield number


def _repeat(table: Table, cells: Mapping[int, Mapping[int, Sequence[Rect]]], places: dict[int, list[tuple[int, Rect]]]) -> None:
    """Add the places of formulas in a table's repeated heads."""
    for cell in (cell for row in table.rows if row.is_header for cell in row.cells):
        rects = [(page, rect) for page in sorted(cells) for rect in cells[page].get(cell.mark, ())] if cell.mark else []
        own = [formula.number for formula in formulas_of(cell.blocks) if formula.number in places] if len(rects) > 1 else []
        for number in own:
            page, box = places[number][0]
            home = next((rect for n, rect in rects if n == page and shared(rect, box) > _INSIDE * area(box)), None)
            if home is None:
                continue
            for n, rect in rects:
                if rect is not home:
                    x, y = rect[0] - home[0], rect[1] - home[1]
                    places[number].append((n, (box[0] + x, box[1] + y, box[2] + x, box[3] + y)))


def _is_text_box(place: Tagged, marked: Mapping[int, Sequence[Rect]], images: Mapping[int, Sequence[Rect]]) -> bool:
    """Whether a figure is the frame of a text box: the document's text is in it, and no picture."""
    x0, y0, x1, y1 = place.box
    holds_text = any(x0 < (box[0] + box[2]) / 2 < x1 and y0 < (box[1] + box[3]) / 2 < y1 for box in marked.get(place.page, ()))
    return holds_text and not any(shared(box, place.box) > _INSIDE * area(place.box) for box in images.get(place.page, ()))


def _own_pictures(paragraphs: Sequence[Paragraph], figures: Sequence[Tagged]) -> dict[int, list[tuple[int, Rect]]]:
    owners = [id(p) for p in paragraphs if p.where not in ("header", "footer") for x in p.pieces if isinstance(x, Picture)]
    own: dict[int, list[tuple[int, Rect]]] = defaultdict(list)
    if len(owners) == len(figures):
        for owner, figure in zip(owners, figures, strict=True):
            own[owner].append((figure.page, figure.box))
    return own


def _gaps(
    paragraphs: Sequence[Paragraph],
    known: Mapping[int, tuple[int, Rect]],
    pages: Sequence[PageLetters],
    images: Mapping[int, Sequence[Rect]],
) -> Gaps:
    """The places of formulas without a tag, found among the letters outside known formulas and pictures."""
    lacks = any(isinstance(x, Formula) and x.number not in known for p in paragraphs for x in p.pieces)
    if not lacks:
        return Gaps()
    taken = {n: [box for k, box in known.values() if k == n] + list(images.get(n, ())) for n in range(len(pages))}
    visible = []
    for n, page in enumerate(pages):
        outside = {id(letter) for letter in _outside([x for x in page.letters if not x.mark], taken[n])}
        visible.append([letter for letter in page.letters if letter.mark or id(letter) in outside])
    return gaps([p for p in paragraphs if p.where in ("body", "textbox")], known, visible)


def _outside(letters: Sequence[Letter], boxes: Sequence[Rect]) -> list[Letter]:
    grown = [(x0 - _REACH_PT, y0 - _REACH_PT, x1 + _REACH_PT, y1 + _REACH_PT) for x0, y0, x1, y1 in boxes]
    taken = {id(letter) for box in grown for letter in within(box, letters)}
    return [letter for letter in letters if id(letter) not in taken]


def with_repeated_heads(pages: Sequence[PageLetters], tables: Sequence[Table]) -> list[PageLetters]:
    """The pages with marks for the letters of repeated heads: those of the same letters where the cell is drawn first. A tagged
    PDF calls repeated heads ornaments, so their letters have no marks."""
    letters = [list(page.letters) for page in pages]
    for mark in (cell.mark for table in tables for row in table.rows if row.is_header for cell in row.cells):
        places = [(n, rect) for n, page in enumerate(pages) for rect in page.cells.get(mark, ())]
        if len(places) < 2:
            continue
        first = [letters[places[0][0]][at] for at in _inside(places[0][1], letters[places[0][0]])]
        for n, rect in places[1:]:
            again, at = list(_inside(rect, letters[n])), 0
            for letter in first:  # skips the signs of notes, which aren't repeated
                if at < len(again) and letters[n][again[at]].char == letter.char:
                    letters[n][again[at]] = msgspec.structs.replace(letters[n][again[at]], mark=letter.mark)
                    at += 1
    return [replace(page, letters=tuple(of_page)) for page, of_page in zip(pages, letters, strict=True)]


def _inside(rect: Rect, letters: Sequence[Letter]) -> Iterator[int]:
    """The numbers of the letters in a cell, white space left out."""
    x0, y0, x1, y1 = rect
    for n, letter in enumerate(letters):
        left, top, right, bottom = letter.box
        if letter.counts and x0 - _EDGE_PT < (left + right) / 2 < x1 + _EDGE_PT and y0 < (top + bottom) / 2 < y1:
            yield n
