"""The pages of a Word document: the image, the label, cuts of formulas and tables, and a check of the label by the page's text.

document, marks ──┐
PDF ──> streams ──┴──> letters ──> parts of paragraphs, pieces of tables, places of formulas ──> regions ──> check ──> page
"""

import contextlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy

from datagen.coarse.page import OpenPage, encoded, native, open_document, rendered
from datagen.engines.light_pymupdf import pymupdf
from datagen.page.boxes import around
from datagen.word.file.document import UNKNOWN, Document, Formula
from datagen.word.pages.answers import Cut, Lost, WordPage
from datagen.word.pages.page_check import is_blank, letters_apart, text_distance
from datagen.word.pages.page_cuts import cut, formula_ink
from datagen.word.pages.page_letters import TEXT_FLAGS, Letter, PageLetters, Rect, page_letters
from datagen.word.pages.page_regions import PageRegion, PageRegions, is_display, page_regions
from datagen.word.pages.page_streams import PageStreams
from datagen.word.pages.paragraph_parts import formulas_of, is_rtl_within, paragraphs_of
from datagen.word.pages.placement import PlacedDocument, cut_off, misdrawn, placed, tables_of
from datagen.word.pages.split_tables import TablePiece, has_spans_of_places
from datagen.word.pages.tagged_places import tagged_places
from datagen.word.pages.text_shares import letters_of
from datagen.writing import scripts

MAX_DISTANCE = 0.02
"""The most edits between a page's label and its text layer, as a share of the letters."""
MAX_APART = 0.003
"""The largest share of letters that only the page or only its label has, by counts of each letter. Right-to-left pages may have
`MAX_DISTANCE`, since their PDFs have some points over letters twice."""
_UNKNOWN = re.compile(f"[{UNKNOWN}{scripts.PRIVATE}]")  # for some fields LibreOffice draws signs of a symbol font, too
_SPANS_DIFFER = "its cells stand where the file's rows, columns and spans don't put them"
_MAX_PAGE_PT = 5000.0
Refusals = Mapping[int, tuple[str, str]]
"""The reason and the detail for each formula without LaTeX, by the formula's number."""
_LEAST_PT = 2.0  # the least sides of two tables' overlap
_UNSEEN = 24  # of 255: a seen letter's ink changes more
_MODE = re.compile(rb"(?<=\s)[0-7]\s+Tr(?=\s)")


@dataclass(frozen=True)
class Rendering:
    """The path of the PDF, and how its pages are drawn. `long_side` is the image's longer side in pixels. At most `max_pages` are
    read (0: all)."""

    pdf: str
    long_side: int
    jpeg_quality: int
    max_pages: int = 0


class WordPages:
    """The pages of a document whose copy was rendered. The PDF stays open until `close`. Raises `SampleError` if the PDF can't be
    read."""

    def __init__(self, document: Document, latex: Mapping[int, str], refusals: Refusals, rendering: Rendering):
        self._document, self._rendering = document, rendering
        self._latex, self._refusals = dict(latex), dict(refusals)
        with contextlib.ExitStack() as opened:
            self._pdf = opened.enter_context(open_document(rendering.pdf))
            self.num_pages = len(self._pdf)
            streams = PageStreams(document)
            tagged = tagged_places(self._pdf)
            whole = ((n, table) for n, block in enumerate(document.blocks) for table in tables_of([block]))
            tables = {cell.mark: n for n, table in whole for row in table.rows for cell in row.cells}
            figures: dict[int, list[Rect]] = {n: [] for n in range(self.num_pages)}
            for place in (place for place in tagged if place.kind == "picture"):
                figures[place.page].append(place.box)
            drawn = [_read(self._pdf, number, streams, figures[number], tables) for number in range(self.num_pages)]
            self._letters = [letters for letters, _ in drawn]
            images = {number: rects for number, (_, rects) in enumerate(drawn)}
            self._placed: PlacedDocument = placed(document, tagged, self._letters, images)
            self._opened = opened.pop_all()
        for number, signs in misdrawn(document, self._placed, self._letters).items():
            self._latex.pop(number, None)
            self._refusals.setdefault(number, ("formula_unlike", f"LibreOffice drew it with {' '.join(signs)}"))
        sizes = [(page.rect.width, page.rect.height) for page in self._pdf.pages()]
        for number in cut_off(self._placed, sizes):
            self._latex.pop(number, None)
            self._refusals.setdefault(number, ("formula_off_page", "the page's edge cuts it off"))
        self._displayed = {
            piece.number
            for paragraph in paragraphs_of(document.blocks)
            for piece in paragraph.pieces
            if isinstance(piece, Formula) and (piece.is_display or is_display(paragraph))
        }

    @property
    def numbers(self) -> list[int]:
        """The pages that are read."""
        return list(range(min(self.num_pages, self._rendering.max_pages or self.num_pages)))

    def page(self, number: int) -> WordPage:
        """The page with a number. Page 0 also has the losses of the whole document. Raises `SampleError` as `page.rendered`
        does."""
        return self._page(rendered(self._pdf, number, self._rendering.long_side, _MAX_PAGE_PT), number)

    def close(self) -> None:
        self._opened.close()
        pymupdf.TOOLS.store_shrink(100)  # nothing in MuPDF's store serves the next document

    def _page(self, view: OpenPage, number: int) -> WordPage:
        page = page_regions(view, number, self._placed, self._latex)
        others = "".join(letter.char for letter in self._placed.unowned[number])
        distance, detail = text_distance([(entry.region, entry.text) for entry in page.regions], others)
        cuts, lost = self._formula_cuts(view, number)
        for entry in page.tables:
            self._cut_table(view, entry, page, cuts, lost)
        in_regions = {e.table.table.number for e in page.regions if e.table is not None and not e.region.is_unread}
        if any(loss.reason == "table_spans_differ" and loss.number in in_regions for loss in lost if loss.kind == "table"):
            page.reason, page.detail = page.reason or "table_spans_differ", page.detail or _SPANS_DIFFER
        reason, detail = self._reason(page, distance, detail)
        regions = tuple(entry.region for entry in page.regions)
        unread = "".join(entry.unread_text for entry in page.regions)
        apart, why = letters_apart(regions, "".join(letter.char for letter in self._placed.seen[number]), unread, others)
        most = MAX_DISTANCE if any(is_rtl_within(region.text) for region in regions) else MAX_APART
        if not reason and (apart > most or letters_of(others)):  # such as a list's number that belongs to no paragraph
            reason, detail = "page_letters_differ", f"{apart:.3f}: {why}"
        return WordPage(
            image=encoded(view.image, self._rendering.jpeg_quality),
            size=view.size,
            regions=regions,
            formulas=tuple(sorted({n for entry in page.regions for n in entry.formulas if n in self._latex})),
            tables=tuple(sorted(in_regions)),
            signals={"text_distance": distance, "letters_apart": apart},
            cuts=tuple(cuts),
            lost=tuple(lost) + (tuple(self._lost_everywhere()) if number == 0 else ()),
            reason=reason,
            detail=detail,
            num_formulas=self._document.num_formulas,
            num_tables=self._document.num_tables,
            doubts=("table_in_table",) if any(e.table and _holds_table(e.table) for e in page.regions) else (),
        )

    def _reason(self, page: PageRegions, distance: float, detail: str) -> tuple[str, str]:
        """The reason why the page is no sample, "" for none, and its detail."""
        if page.reason:
            return page.reason, page.detail
        if not page.cuts_are_found:
            return "text_place_unsure", "a text's cut at the page's edge, or a sign of a note"
        if unknown := [entry.region.text for entry in page.regions if _UNKNOWN.search(entry.region.text)]:
            return "unknown_sign", f"in {unknown[0][:60]!r}"
        if distance > MAX_DISTANCE:
            return "page_text_differs", f"{distance:.3f}: {detail}"
        if is_blank([entry.region for entry in page.regions]):
            return "no_text", "nothing is written on it"
        return "", ""

    # Cuts

    def _formula_cuts(self, view: OpenPage, number: int) -> tuple[list[Cut], list[Lost]]:
        cuts: list[Cut] = []
        lost: list[Lost] = []
        for formula, places in sorted(self._placed.formulas.items()):
            page, place = places[0]
            if page != number:
                continue
            if formula in self._refusals or formula not in self._latex:
                lost.append(Lost("formula", formula, *self._refusals.get(formula, ("formula_not_converted", ""))))
                continue
            ink = formula_ink(view, place)
            if ink is None:
                lost.append(Lost("formula", formula, "formula_not_apart", "its ink isn't apart from what stands around it"))
                continue
            image, size, inner = cut(ink.image, self._rendering.jpeg_quality)
            is_displayed = formula in self._displayed
            cuts.append(Cut("formula", formula, 0, ink.box, image, size, inner, self._latex[formula], is_displayed))
        return cuts, lost

    def _cut_table(self, view: OpenPage, entry: PageRegion, page: PageRegions, cuts: list[Cut], lost: list[Lost]) -> None:
        """Adds the cut of a table's piece, or the reason why there is none."""
        piece = entry.table
        assert piece is not None
        number = piece.table.number
        unread = page.missing.keys() | ({*entry.formulas} - self._latex.keys())
        missing = [formula.number for formula in formulas_of([piece.table]) if formula.number in unread]
        distance, detail = text_distance([(entry.region, entry.text)], "")
        reason = ""
        if missing:
            reason, detail = self._refusals.get(missing[0], ("formula_not_placed", f"formula {missing[0]}"))
        elif _holds_table(piece):
            reason, detail = "table_in_table", ""
        elif _UNKNOWN.search(entry.region.text):
            reason, detail = "unknown_sign", ""
        elif distance > MAX_DISTANCE:
            reason, detail = "table_text_differs", f"{distance:.3f}: {detail}"
        elif not has_spans_of_places(piece):
            reason, detail = "table_spans_differ", _SPANS_DIFFER
        if reason:
            lost.append(Lost("table", number, reason, detail, piece.piece))
            return
        signals = {"text_distance": distance, "structure_equal": 1.0}
        x0, y0, x1, y1 = entry.region.box
        image, size, inner = cut(view.image[y0:y1, x0:x1], self._rendering.jpeg_quality)
        cuts.append(Cut("table", number, piece.piece, entry.region.box, image, size, inner, entry.region.text, False, signals))

    def _lost_everywhere(self) -> Iterator[Lost]:
        """The formulas and tables that are on none of the pages that are read."""
        read = set(self.numbers)
        for number in range(self._document.num_formulas):
            places = self._placed.formulas.get(number, ())
            if not places:
                yield Lost("formula", number, *self._refusals.get(number, ("formula_not_placed", "")))
            elif places[0][0] not in read:
                yield Lost("formula", number, "page_not_read", f"page {places[0][0]}")
        for number in range(self._document.num_tables):
            pages = {piece.page for piece in self._placed.pieces.get(number, ())}
            if not pages:
                yield Lost("table", number, "table_not_placed")
            elif not pages & read:
                yield Lost("table", number, "page_not_read", f"page {min(pages)}")


def _holds_table(piece: TablePiece) -> bool:
    """Whether a cell of the piece holds a table of several columns. The label has only the words of such a table."""
    cells = (piece.table.rows[r].cells[n] for r, n in piece.cells)
    return any(len(row.cells) > 1 for cell in cells for table in tables_of(cell.blocks) for row in table.rows)


def _read(
    pdf: pymupdf.Document, number: int, streams: PageStreams, figures: Sequence[Rect], tables: Mapping[int, int]
) -> tuple[PageLetters, list[Rect]]:
    """The page's letters, and the places of its pictures. `figures` are the places of tagged pictures. `tables` has the table of
    each cell's mark. Afterwards the page's stream in the PDF is the one to render."""
    with native("broken_page"):
        page = pdf[number]
        at, *others = page.get_contents()
        stream = streams.page(page.read_contents(), page.mediabox.height)
        for other in others:
            pdf.update_stream(other, b" ", compress=False)
        pdf.update_stream(at, stream.read, compress=False)
        textpage = page.get_textpage(flags=TEXT_FLAGS)
        pdf.update_stream(at, stream.shown, compress=False)
        images = [tuple(info["bbox"]) for info in page.get_image_info()] if b" Do" in stream.shown else []
        drawn = page_letters(page, textpage, stream.cells)
        over = [*images, *figures, *overlaps(stream.cells, tables)]
        covered = covered_letters(page, at, stream.shown, drawn.letters, over)
    if covered:
        drawn = replace(drawn, letters=tuple(letter for n, letter in enumerate(drawn.letters) if n not in covered))
    return drawn, images


def covered_letters(page: pymupdf.Page, xref: int, shown: bytes, letters: Sequence[Letter], over: Sequence[Rect]) -> set[int]:
    """The numbers of the letters without effect on the drawn page, among letters at places that may be covered (`over`): by
    pictures, shapes, other tables. `shown` is the page's stream, the object `xref` of the document."""
    near = _within(letters, over)
    if not near:
        return set()
    clip = pymupdf.Rect(*around([letters[n].box for n in near]))
    with_text, left, top = _pixels(page, clip)
    page.parent.update_stream(xref, b" 3 Tr " + _MODE.sub(b"3 Tr", shown), compress=False)
    without = _pixels(page, clip)[0]
    changes = numpy.maximum(with_text, without) - numpy.minimum(with_text, without)
    page.parent.update_stream(xref, shown, compress=False)
    covered = set()
    for n in near:
        x0, y0, x1, y1 = map(int, letters[n].box)
        rows, columns = slice(max(0, y0 - top), max(y0 + 1, y1) - top), slice(max(0, x0 - left), max(x0 + 1, x1) - left)
        part = changes[rows, columns]
        if part.size and part.max() < _UNSEEN:
            covered.add(n)
    return covered


def overlaps(cells: Mapping[int, Sequence[Rect]], tables: Mapping[int, int]) -> list[Rect]:
    """The overlaps of two tables. `cells` are the places of cells by mark; `tables` has the table of each mark."""
    whole: dict[int, Rect] = {}
    for mark, rects in cells.items():
        for rect in rects if mark in tables else ():
            whole[tables[mark]] = around([rect, whole.get(tables[mark], rect)])
    shared = (
        (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])) for a, b in itertools.combinations(whole.values(), 2)
    )
    return [rect for rect in shared if rect[2] - rect[0] > _LEAST_PT and rect[3] - rect[1] > _LEAST_PT]


def _within(letters: Sequence[Letter], over: Sequence[Rect]) -> list[int]:
    """The numbers of the letters with their middle in one of the boxes."""
    if not over:
        return []
    boxes = numpy.array([letter.box for letter in letters]).reshape(-1, 4)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    is_near = numpy.zeros(len(letters), bool)
    for x0, y0, x1, y1 in over:
        is_near |= (x0 < x) & (x < x1) & (y0 < y) & (y < y1)
    return [n for n in numpy.flatnonzero(is_near).tolist() if letters[n].counts]


def _pixels(page: pymupdf.Page, clip: pymupdf.Rect) -> tuple[numpy.ndarray, int, int]:
    """A part of the page, (H, W) of uint8, a pixel a point, and the coordinates of its first pixel."""
    pixmap = page.get_pixmap(clip=clip, colorspace=pymupdf.csGRAY, alpha=False)
    return numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width), pixmap.x, pixmap.y
