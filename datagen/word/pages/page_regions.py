"""The blocks of a document that a page shows, as regions with labels, boxes and text, in the document's order."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from datagen.coarse.clean_line import cleaner
from datagen.coarse.page import OpenPage
from datagen.fine.region_markdown import list_marker
from datagen.labels import is_page_number
from datagen.page.boxes import area, around, shared
from datagen.page.visual_lines import leaders_as_one
from datagen.record import Box, Line, Region
from datagen.tables import cells as tables
from datagen.word.file.document import Block, Cell, Formula, Paragraph, Picture, Table, Text
from datagen.word.pages.answers import BY
from datagen.word.pages.page_cuts import formula_ink, table_box
from datagen.word.pages.page_letters import Letter, Rect
from datagen.word.pages.page_region import PageRegion, indented, marker_text, part_markdown, with_whole_code
from datagen.word.pages.paragraph_parts import Part, is_rtl_within, line_text, line_texts, paragraphs_of
from datagen.word.pages.placement import PlacedDocument
from datagen.word.pages.split_tables import TablePiece, grid
from datagen.word.pages.text_shares import letters_of
from datagen.writing import scripts
from datagen.writing.bidi import num_rtl

_NUMBER_OF_FORMULA = re.compile(r"[\s.…]*(?:[(\[（]\s*[\w.\-–:]{1,8}\s*[)\]）])?[\s.,;。，]*")
_USUAL = 0.6  # of a page's letters: a style that more of them have emphasises nothing
_EMPHASISED = frozenset({"text", "list", "footnote", "image_caption", "table_caption"})
_WHOLE_PAGE = 0.8  # of a page: a larger picture is the page's paper
_DASHES = frozenset("-–—‒−‐")
_LEAST_PT = 8.0  # a smaller picture is an ornament
_LONG, _SHORT = 30, 9  # words: a heading has no more; a clause with a full stop has no fewer
_END_OF_CLAUSE = re.compile(r"[.,;:。，；：][\])}」』”’\"]*\Z")
_UPRIGHT = re.compile(f"[{scripts.KANA}{scripts.HAN}]")
_PRIVATE = re.compile(f"[{scripts.PRIVATE}]")
_NOWHERE: Rect = (0.0, 0.0, 0.0, 0.0)
_ORDER = {"header": 0, "footnote": 2, "footer": 3}


def _shown(marker: str) -> str:
    """A number or a bullet as the page shows it. A private character of a symbol font counts as a round bullet."""
    return _PRIVATE.sub("•", marker)


@dataclass
class PageRegions:
    """The regions of a page. `tables` are all pieces of tables, those in cells and in running heads included. `missing` has the
    formulas that the page's text lacks, each with a reason; the regions that show these formulas are unread. A page with a
    `reason` is no sample."""

    regions: list[PageRegion]
    tables: list[PageRegion]
    missing: dict[int, str]
    cuts_are_found: bool = True
    """Whether the place at which a page cuts a text is known for all texts."""
    reason: str = ""
    detail: str = ""


def page_regions(view: OpenPage, number: int, document: PlacedDocument, latex: Mapping[int, str]) -> PageRegions:
    """The regions of the document on the page `number`. `latex` has the formulas that could be read, by their numbers."""
    return _Writer(view, number, document, latex).regions()


def is_display(paragraph: Paragraph) -> bool:
    """Whether the paragraph holds nothing but formulas and their numbers."""
    formulas = [piece for piece in paragraph.pieces if isinstance(piece, Formula)]
    text = "".join(piece.text for piece in paragraph.pieces if isinstance(piece, Text))
    return bool(formulas) and not paragraph.list_depth and bool(_NUMBER_OF_FORMULA.fullmatch(text))


class _Writer:
    def __init__(self, view: OpenPage, number: int, document: PlacedDocument, latex: Mapping[int, str]):
        self.view, self.number, self.document, self.latex = view, number, document, latex
        self.page = PageRegions([], [], {})
        blocks = document.document.blocks
        self.shown = [(n, blocks[n]) for n in document.blocks.get(number, ())]
        parts = [part for paragraph in paragraphs_of([block for _, block in self.shown]) for part in self._parts(paragraph)]
        letters = Counter(char for part in parts for segment in part.segments for char in segment.text)
        clean = cleaner("".join(sorted(letters)))
        self.clean: Callable[[str], str] = lambda text: clean(leaders_as_one(text))
        styles: Counter[tuple[bool, bool]] = Counter()
        for part in parts:
            for segment in part.segments:
                styles[segment.is_bold, segment.is_italic] += len(segment.text)
        self.standing_out = {style for style, num in styles.items() if any(style) and num <= _USUAL * styles.total()}

    def regions(self) -> PageRegions:
        blocks = self.document.document.blocks
        entries: list[tuple[int, int, PageRegion]] = []
        for n, block in self.shown:
            order = _ORDER.get(block.where, 1)
            made = self._paragraph(block, blocks, n) if isinstance(block, Paragraph) else self._table(block)
            entries += [(order, n, region) for region in made]
        entries.sort(key=lambda entry: entry[:2])
        self.page.regions = indented(list(with_whole_code(entries)))
        self._add_pictures()
        whole = {id(entry.table): entry for entry in self.page.regions if entry.table is not None}
        for pieces in self.document.pieces.values():
            is_running = any(piece.table.where in ("header", "footer") for piece in pieces)
            for piece in pieces[:1] if is_running else pieces:
                if piece.page == self.number and (entry := whole.get(id(piece)) or self.table_piece(piece)) is not None:
                    self.page.tables.append(entry)
        return self.page

    def _parts(self, paragraph: Paragraph) -> list[Part]:
        return [part for part in self.document.parts.get(id(paragraph), ()) if part.page == self.number]

    # Paragraphs

    def _paragraph(self, paragraph: Paragraph, blocks: Sequence[Block], at: int) -> Iterator[PageRegion]:
        lacks = self._lacks(paragraph)
        for part in self._parts(paragraph):
            self.page.cuts_are_found &= part.is_found
            if is_display(paragraph):
                yield from self._equations(part)
            elif any(segment.text.strip() or segment.formula >= 0 for segment in part.segments) or part.marker:
                entry = self._text(part, _label(paragraph, blocks, at))
                yield entry.unread() if lacks else entry
        parts = self._parts(paragraph)
        has_text = any(segment.text.strip() for part in parts for segment in part.segments)
        for formula in (piece for piece in paragraph.pieces if isinstance(piece, Formula)):
            page, place = self.document.strange.get(formula.number, (-1, _NOWHERE))
            if page == self.number and (is_display(paragraph) or not has_text):
                unread = Region(self._box(place), "equation", "", None, BY, format="latex", is_unread=True)
                yield PageRegion(unread, "")
        own = [box for page, box in self.document.own_pictures.get(id(paragraph), ()) if page == self.number]
        kinds = [piece.kind for piece in paragraph.pieces if isinstance(piece, Picture)]
        if "equation" in kinds and has_text:
            self.page.reason, self.page.detail = "equation_is_picture", "in a line of text"
        for box in own:
            yield from self._picture(box, "equation" if "equation" in kinds else "chart" if "chart" in kinds else "image")

    def _lacks(self, paragraph: Paragraph, is_in_cell: bool = False) -> bool:
        """Whether this page's part of a paragraph lacks formulas, which have no place or no LaTeX. They are put into `missing`. A
        paragraph in a cell on the page is on the page, too, unless the paragraph has a place on another page."""
        missing: dict[int, str] = {}
        is_here = self._parts(paragraph) or (is_in_cell and not self.document.parts.get(id(paragraph)))
        for piece in paragraph.pieces if is_here else ():
            if isinstance(piece, Formula) and piece.number not in self.document.formulas:
                missing[piece.number] = "formula_not_placed"
            elif isinstance(piece, Formula) and piece.number not in self.latex:
                missing[piece.number] = "formula_not_converted"
        self.page.missing |= missing
        return bool(missing)

    def _text(self, part: Part, label: str) -> PageRegion:
        paragraph = part.paragraph
        formulas = tuple(segment.formula for segment in part.segments if segment.formula >= 0)
        body = self.markdown(part, label in _EMPHASISED)
        marker, bullet = marker_text(part, self.clean), ""
        if label in ("title", "sub_title"):
            whole = f"{marker} {body}".strip()
            text = f"{'#' * min(6, max(1, paragraph.level))} {' '.join(whole.split())}"
        elif label == "list" and marker:
            _, replaced = list_marker(f"{marker} x")
            text = f"{replaced.strip() or marker} {body}"
            bullet = part.marker if text.startswith("- ") else ""
        else:
            text = f"{_shown(marker)} {body}" if marker else body
        if label in ("header", "footer") and is_page_number(text):
            label = "page_number"
        box = self._box(part.box)
        lines = self._lines(part)
        if lines and label == "list" and text.startswith("- ") and marker and lines[0].text.startswith(marker):
            typed = "-" if marker in _DASHES else "•"  # the marker may be a letter or a private character of a symbol font
            lines = (replace(lines[0], text=f"{typed}{lines[0].text[len(marker) :]}"), *lines[1:])
        region = Region(box, label, text, None, BY, lines=lines, continues=part.continues)
        depth = paragraph.list_depth if label == "list" and marker else 0
        return PageRegion(region, self.layer_text(part).replace(bullet, "", 1), formulas, depth=depth, unread_text=bullet)

    def markdown(self, part: Part, is_emphasised: bool = False) -> str:
        """The part's text with its formulas, and with stars around text in an emphasised style."""
        return part_markdown(part, self.latex, self.standing_out if is_emphasised else frozenset(), self.clean)

    def layer_text(self, part: Part) -> str:
        """The text of the page's text layer at the part's place."""
        lines = ["".join([letter.char for letter in line]) for line in part.lines]
        if not any(map(is_rtl_within, lines)):
            return " ".join(lines)
        label = letters_of("".join(segment.text for segment in part.segments))
        return " ".join(line_text(line, part.paragraph.is_right_to_left, label) for line in part.lines)

    def _lines(self, part: Part) -> tuple[Line, ...]:
        texts = line_texts(part)
        if texts is None:
            return ()
        return tuple(
            Line(
                self._box(around([letter.box for letter in line if letter.counts])),
                self.clean(text),
                line[0].font,
                _direction(line, text),
            )
            for line, text in zip(part.lines, texts, strict=True)
            if text
        )

    def _equations(self, part: Part) -> Iterator[PageRegion]:
        for number, place in sorted(part.formulas.items()):
            ink = formula_ink(self.view, place)
            box = ink.box if ink else self._box(place)
            latex = self.latex.get(number, "")
            yield PageRegion(Region(box, "equation", latex, None, BY, format="latex", is_unread=not latex), "", (number,))
        text = self.clean("".join(segment.text for segment in part.segments if segment.formula < 0))
        letters = [letter for letter in part.letters if letter.counts]
        if text and letters:
            region = Region(self._box(around([letter.box for letter in letters])), "text", text, None, BY, lines=())
            yield PageRegion(region, self.layer_text(part))

    def _box(self, rect: Rect) -> Box:
        box = self.view.pixels(rect)
        if box is None:  # out of the page's edge, or without an extent
            (width, height), zoom = self.view.size, self.view.zoom
            x, y = min(width - 1, max(0, int(rect[0] * zoom))), min(height - 1, max(0, int(rect[1] * zoom)))
            return Box(x, y, x + 1, y + 1)
        return box

    # Tables

    def _table(self, table: Table) -> Iterator[PageRegion]:
        pieces = [piece for piece in self.document.pieces.get(table.number, ()) if piece.page == self.number]
        if table.where in ("header", "footer") or not pieces:
            for paragraph in paragraphs_of([table]):
                yield from self._paragraph(paragraph, [paragraph], 0)
            return
        for piece in pieces:
            made = self.table_piece(piece)
            if made is not None:
                yield made

    def table_piece(self, piece: TablePiece) -> PageRegion | None:
        """The piece as a region. None if its cells overlap: then the page gets a reason."""
        layer: list[str] = []
        formulas: list[int] = []
        shown = [piece.table.rows[r].cells[n] for r, n in piece.cells]
        lacks = [self._lacks(paragraph, True) for cell in shown for paragraph in paragraphs_of(cell.blocks)]

        def text(cell: Cell, piece: TablePiece) -> str:
            return tables.plain(self._cell_lines(cell, piece, layer, formulas))

        try:
            html = tables.to_html(grid(piece, text))
        except ValueError as error:
            self.page.reason, self.page.detail = "table_spans_differ", str(error)
            return None
        box = table_box(self.view, piece.box) or self._box(piece.box)
        region = Region(box, "table", html, None, BY, format="html")
        entry = PageRegion(region, " ".join(layer), tuple(formulas), piece)
        return entry.unread() if any(lacks) else entry

    def _cell_lines(self, cell: Cell, piece: TablePiece, layer: list[str], formulas: list[int]) -> Iterator[str]:
        """The lines of a cell's text. A table within the cell gives a line for each row. The text layer's text goes into `layer`,
        the numbers of formulas into `formulas`."""
        for block in cell.blocks:
            if isinstance(block, Table):
                for row in block.rows:
                    lines = [" ".join(self._cell_lines(inner, piece, layer, formulas)) for inner in row.cells]
                    yield " ".join(line for line in lines if line)
                continue
            for part in self._parts(block):
                if not shared(part.box, piece.box) > 0.5 * area(part.box):
                    continue
                self.page.cuts_are_found &= part.is_found
                formulas += [segment.formula for segment in part.segments if segment.formula >= 0]
                layer.append(self.layer_text(part))
                marker = marker_text(part, self.clean)
                yield from f"{_shown(marker)} {self.markdown(part)}".strip().split("\n")

    # Pictures

    def _picture(self, rect: Rect, label: str) -> Iterator[PageRegion]:
        """The region of a picture. The picture of an equation is unread: its LaTeX is unknown."""
        box = self.view.pixels(rect)
        width, height = self.view.size
        is_paper = area(rect) * self.view.zoom**2 > _WHOLE_PAGE * width * height
        if box is not None and not is_paper and min(rect[2] - rect[0], rect[3] - rect[1]) >= _LEAST_PT:
            is_equation = label == "equation"
            format = "latex" if is_equation else "markdown"
            yield PageRegion(Region(box, label, "", None, BY, format=format, is_unread=is_equation), "")

    def _add_pictures(self) -> None:
        """Put each picture that belongs to no known paragraph behind the last region above the picture."""
        regions = self.page.regions
        taken = {tuple(entry.region.box) for entry in regions if not entry.region.text}
        for rect in sorted(self.document.pictures.get(self.number, ()), key=lambda rect: rect[1]):
            for picture in self._picture(rect, "image"):
                box = picture.region.box
                if tuple(box) in taken:
                    continue
                is_in_table = any(
                    entry.region.label == "table" and shared(box, entry.region.box) > 0.5 * area(box) for entry in regions
                )
                if is_in_table:
                    continue
                above = [
                    n
                    for n, entry in enumerate(regions)
                    if entry.region.label == "header"
                    or (
                        entry.region.box.y1 <= (box.y0 + box.y1) / 2
                        and entry.region.box.x0 < box.x1
                        and box.x0 < entry.region.box.x1
                    )
                ]
                regions.insert(max(above, default=-1) + 1, picture)


def _label(paragraph: Paragraph, blocks: Sequence[Block], at: int) -> str:
    if paragraph.where in ("header", "footer"):
        return paragraph.where
    if paragraph.where in ("footnote", "endnote"):
        return "footnote"
    if paragraph.is_caption:
        beside = [block for block in (_next(blocks, at, 1), _next(blocks, at, -1)) if block is not None]
        return "table_caption" if any(isinstance(block, Table) for block in beside) else "image_caption"
    if paragraph.level and not _is_clause(paragraph):
        return "title" if paragraph.level == 1 else "sub_title"
    if paragraph.is_code:
        return "code"
    if paragraph.is_contents:
        return "toc"
    return "list" if paragraph.list_depth else "text"


def _is_clause(paragraph: Paragraph) -> bool:
    """Whether a paragraph in a heading's style is a sentence or more, such as a numbered paragraph of a contract."""
    text = "".join(piece.text for piece in paragraph.pieces if isinstance(piece, Text)).strip()
    size = len(text.split()) + sum(map(bool, _UPRIGHT.findall(text))) // 2
    return size > _LONG or (size >= _SHORT and bool(_END_OF_CLAUSE.search(text)))


def _next(blocks: Sequence[Block], at: int, step: int) -> Block | None:
    """The nearest block in the direction `step` that isn't empty."""
    at += step
    while 0 <= at < len(blocks):
        block = blocks[at]
        if isinstance(block, Table) or any(not isinstance(piece, Text) or piece.text.strip() for piece in block.pieces):
            return block
        at += step
    return None


def _direction(line: Sequence[Letter], text: str) -> str:
    if line[0].is_vertical:
        return "ttb"
    return "rtl" if num_rtl(text) > 0 else "ltr"
