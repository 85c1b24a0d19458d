"""The document that a Word file holds, and the copy of the file that is rendered, with marks (`copy_marks`). One walk makes both,
so they can't disagree.

In the copy, changes are accepted and comments are gone (`accept_changes.accept`). Hidden text stays in the copy, which doesn't
show it, and is in no block.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from datagen.coarse.glyph_names import private_character
from datagen.page.line_breaks import has_one_width
from datagen.record import SampleError
from datagen.word.file.accept_changes import accept
from datagen.word.file.copy_marks import CopyMarks, colours_in
from datagen.word.file.document import UNKNOWN, Block, Cell, Document, Formula, Paragraph, Piece, Row, Table, Where
from datagen.word.file.drawable import make_drawable
from datagen.word.file.drawings import DRAWN, picture, text_boxes
from datagen.word.file.fields import Fields
from datagen.word.file.fitting_pictures import Shown, shown_pictures
from datagen.word.file.names import FALLBACK, XML_SPACE, M, R, W, sign_code
from datagen.word.file.package import Package
from datagen.word.file.package_docx import related, with_part
from datagen.word.file.run_pieces import Pieces, displayed
from datagen.word.file.styles import Around, Look, Styles
from datagen.word.file.table_cells import Fills, drafts
from datagen.word.file.xml_parts import written

_SIGNS = {
    W + "tab": "\t",
    W + "ptab": "\t",
    W + "br": "\n",
    W + "cr": "\n",
    W + "noBreakHyphen": "-",
    W + "softHyphen": "",
    W + "lastRenderedPageBreak": "",
}
_NOTES = {W + "footnoteReference": "footnote", W + "endnoteReference": "endnote"}
_NOTE_NUMBERS = (W + "footnoteRef", W + "endnoteRef")
_FIRST_PRIVATE, _LAST_PRIVATE = 0xE000, 0xF8FF
_RAISED = Look(raised=1)


def read(package: Package) -> tuple[Document, dict[str, bytes]]:
    """The document, and the parts that the copy has in place of the file's. Raises `SampleError` for a file that is no .docx, and
    for a table too large for any page."""
    if package.kind != "docx":
        raise SampleError("not_a_word_document", f"a .{package.kind} is converted first")
    reader = _Reader(package)
    blocks = reader.story_of(package.main, "body")
    notes = {kind: reader.notes(kind) for kind in ("footnote", "endnote")}
    whole: list[Block] = []
    for block in blocks:
        if isinstance(block, _Note):
            whole += notes[block.kind].pop(block.number, ())
        else:
            whole.append(block)
    for kind in ("header", "footer"):
        for part in reader.running(kind):
            whole += [block for block in reader.story_of(part, kind) if not isinstance(block, _Note)]
    signs = {name: count for name, count in reader.signs.items() if count}
    numbers = reader.num_marks, reader.num_formulas, reader.num_tables
    return Document(tuple(whole), *numbers, signs, reader.marks, tuple(reader.pictures)), reader.copied()


@dataclass(frozen=True)
class _Note:
    """The place at which a note is anchored."""

    kind: str
    number: str


class _Reader:
    """Reads the parts of one file, one after another, and counts their marks, formulas, tables and signs."""

    def __init__(self, package: Package):
        self._package = package
        self._related = related(package.parts, package.main)
        self._running: dict[str, dict[str, None]] = {"header": {}, "footer": {}}
        self.styles = Styles(self._tree("styles"), self._tree("numbering"))
        self.signs: Counter[str] = Counter()
        self.pictures: list[Shown] = []
        self._copied: dict[str, bytes] = {}
        self.marks = CopyMarks(taken=colours_in(content for name, content in package.parts.items() if name.endswith(".xml")))
        self.num_marks = self.num_formulas = self.num_tables = 0

    def new_mark(self) -> int:
        self.num_marks += 1
        return self.num_marks

    def story_of(self, part: str, where: Where) -> list[Block | _Note]:
        """The blocks of a part, and the places of notes among them."""
        root = self._accepted(part, where)
        body = root.find(W + "body") if where == "body" else root
        if body is None:
            raise SampleError("not_a_word_document", f"{part} has no body")
        if where == "body":
            for section in root.iter(W + "sectPr"):
                for kind, parts in self._running.items():
                    asked = (self._related.get(e.get(R + "id", "")) for e in section.findall(f"{W}{kind}Reference"))
                    parts |= {reference[1]: None for reference in asked if reference is not None}
        blocks = list(_Story(self, where).blocks(body, is_outermost=True))
        self._copied[part] = _drawable(root)
        return blocks

    def notes(self, kind: str) -> dict[str, list[Block]]:
        """The blocks of each footnote, or of each endnote, by the note's id."""
        part = self._part(f"{kind}s")
        if not part:
            return {}
        where: Where = "footnote" if kind == "footnote" else "endnote"
        root = self._accepted(part, where)
        notes: dict[str, list[Block]] = {}
        for note in root.findall(W + kind):
            if note.get(W + "type", "normal") == "normal":
                blocks = _Story(self, where).blocks(note, is_outermost=True)
                notes[note.get(W + "id", "")] = [block for block in blocks if not isinstance(block, _Note)]
        self._copied[part] = _drawable(root)
        return notes

    def running(self, kind: str) -> list[str]:
        """The names of the parts that hold the headers or footers of the sections."""
        return [part for part in self._running[kind] if part in self._package.parts]

    def copied(self) -> dict[str, bytes]:
        """The parts that were read, with their marks, and the part of styles, with the styles of the marks."""
        part = self._part("styles")
        if part:
            return self._copied | {part: self.marks.with_styles(self._package.xml(part))}
        styles = self.marks.with_styles(etree.Element(W + "styles"))
        return self._copied | with_part(self._package.parts, self._package.main, "styles", styles)

    def _accepted(self, part: str, where: Where) -> etree._Element:
        root = self._package.xml(part)
        accept(root, self.signs, keeps_fields=where in ("header", "footer"))
        self.pictures += shown_pictures(root, related(self._package.parts, part))
        return root

    def _part(self, kind: str) -> str:
        return next((part for of, part in self._related.values() if of == kind and part in self._package.parts), "")

    def _tree(self, kind: str) -> etree._Element | None:
        part = self._part(kind)
        return self._package.xml(part) if part else None


@dataclass
class _Story:
    """Reads text that runs on its own: the body, a note, a header, a text box."""

    reader: _Reader
    where: Where
    fields: Fields = field(default_factory=Fields)
    anchored: list[Block | _Note] = field(default_factory=list)
    """The notes and text boxes of the block that is being read."""
    around: Around = ()
    """The properties that the table's style gives to the runs in the cell that is being read."""
    _initial: tuple[Piece, ...] = ()

    @property
    def is_tagged(self) -> bool:
        """Whether the tags of the rendered PDF say which style each text has."""
        return self.where not in ("header", "footer")

    def mark_run(self, run: etree._Element, mark: int, properties: etree._Element | None) -> None:
        """Give a run a mark in the copy. `properties` are those of the run's paragraph (w:pPr)."""
        marks, styles = self.reader.marks, self.reader.styles
        if self.is_tagged:
            marks.mark_run(run, mark)
        else:
            marks.colour_run(run, mark, styles.colour(run.find(W + "rPr"), properties))

    def blocks(self, holder: etree._Element, is_outermost: bool = False) -> Iterator[Block | _Note]:
        for child in holder:
            block: Block | None = None
            if child.tag == W + "p":
                block = self._paragraph(child)
            elif child.tag == W + "tbl":
                block = self._table(child)
            if block is not None:
                yield block
            if is_outermost:
                yield from self.anchored
                self.anchored.clear()

    def _table(self, element: etree._Element) -> Table | None:
        reader = self.reader
        at = reader.num_tables
        reader.num_tables += 1
        rows = []
        of_rows, properties, around = drafts(element, reader.signs), element.find(W + "tblPr"), self.around
        fills = Fills(reader.styles, element)
        for r, row in enumerate(of_rows):
            cells = []
            for n, cell in enumerate(row.cells):
                places = {
                    "firstRow": r == 0,
                    "lastRow": r == len(of_rows) - 1,
                    "firstCol": n == 0,
                    "lastCol": n == len(row.cells) - 1,
                }
                self.around = reader.styles.of_cell(properties, frozenset(name for name, is_there in places.items() if is_there))
                blocks = tuple(block for e in cell.elements for block in self.blocks(e) if not isinstance(block, _Note))
                reader.signs["nested_tables"] += sum(isinstance(block, Table) for block in blocks)
                mark = reader.new_mark()
                reader.marks.fill_cell(cell.elements, mark, fills.of(cell.elements[0]))
                cells.append(Cell(blocks, cell.column, cell.rowspan, cell.colspan, mark))
            rows.append(Row(tuple(cells), row.is_header))
        self.around = around
        is_right_to_left = element.find(f"{W}tblPr/{W}bidiVisual") is not None
        return Table(at, tuple(rows), self.where, is_right_to_left)

    def _paragraph(self, element: etree._Element) -> Paragraph | None:
        properties = element.find(W + "pPr")
        shape = self.reader.styles.shape(properties)
        line = _Line(self, properties, Pieces(self.reader.new_mark, lambda run, mark: self.mark_run(run, mark, properties)))
        line.read(element)
        pieces = tuple(line.pieces.pieces)
        if self._is_initial(properties):
            self._initial += pieces
            return None
        pieces, self._initial, marker = self._initial + pieces, (), 0
        if shape.is_numbered:
            marker = self.reader.new_mark()
            if not self.is_tagged and properties is not None:
                colour = self.reader.styles.colour(properties.find(W + "rPr"), properties)
                self.reader.marks.colour_run(properties, marker, colour, before="sectPr")
        if not pieces and not marker:
            return None
        return Paragraph(
            displayed(pieces),
            self.where,
            shape.level,
            shape.list_depth,
            marker,
            shape.is_right_to_left,
            shape.is_caption,
            shape.is_code or line.is_monospaced,
            shape.is_contents,
        )

    @staticmethod
    def _is_initial(properties: etree._Element | None) -> bool:
        """Whether the paragraph is a drop cap: a letter as high as several lines of the next paragraph."""
        frame = properties.find(W + "framePr") if properties is not None else None
        return frame is not None and frame.get(W + "dropCap", "none") != "none"


@dataclass
class _Line:
    story: _Story
    properties: etree._Element | None
    pieces: Pieces
    _faces: set[bool] = field(default_factory=set)
    _silent: list[etree._Element] = field(default_factory=list)  # runs of a field that get the mark of the field's result

    @property
    def is_monospaced(self) -> bool:
        return self._faces == {True}

    def read(self, holder: etree._Element) -> None:
        for child in holder:
            if child.tag == W + "r":
                self._run(child)
            elif child.tag == W + "fldSimple":
                self._simple_field(child)
            elif child.tag == M + "oMath":
                self._formula(child, False)
            elif child.tag == M + "oMathPara":
                for formula in child.iter(M + "oMath"):
                    self._formula(formula, True)
            elif child.tag != W + "pPr" and isinstance(child.tag, str):
                self.read(child)  # hyperlinks and other elements around runs

    def _formula(self, element: etree._Element, is_display: bool) -> None:
        reader = self.story.reader
        self.pieces.other(Formula(reader.num_formulas, etree.tostring(element, encoding="unicode", with_tail=False), is_display))
        reader.num_formulas += 1

    def _simple_field(self, element: etree._Element) -> None:
        fields = self.story.fields
        fields.begin()
        fields.instruct(element.get(W + "instr", ""))
        fields.separate()
        num_before = len(self.pieces.pieces)
        self.read(element)
        ended = fields.end()
        if ended is not None and ended.is_generated and len(self.pieces.pieces) == num_before and len(element):
            for run in element.iter(W + "r"):
                self.pieces.text("", Look(), run, ended)

    def _run(self, run: etree._Element) -> None:
        fields = self.story.fields
        style = self.story.reader.styles.run(run.find(W + "rPr"), self.properties, self.story.around)
        if style.is_hidden and not run.findall(W + "fldChar"):
            self.story.reader.signs["hidden_runs"] += 1
            return
        for child in run:
            if child.tag in DRAWN:
                self._drawing(child)
            elif child.tag == W + "fldChar":
                self._field_character(child, run)
            elif child.tag == W + "instrText":
                fields.instruct(child.text or "")
                self._silent.append(run)
            elif child.tag in _NOTES or child.tag in _NOTE_NUMBERS:
                self._note(child, run)
            elif child.tag not in (W + "t", W + "sym", *_SIGNS, W + "rPr") and isinstance(child.tag, str) and len(child):
                self._alternative(child)
        text = self._text_of(run, style.typeface)
        if not text or not fields.shows:
            return
        if style.is_upper:
            text = text.upper()
        if text.strip():
            self._faces.add(has_one_width(style.typeface))
        generated = fields.generated
        mark = self.pieces.text(text, style.look, run, generated)
        if generated is not None:
            generated.mark = mark
            self._paint_silent(mark)

    def _alternative(self, element: etree._Element) -> None:
        """Reads the drawings in an element around drawings, such as mc:AlternateContent."""
        for drawing in element.iter(*DRAWN):
            if not any(holder.tag in DRAWN for holder in drawing.iterancestors() if holder is not element):
                self._drawing(drawing)

    def _text_of(self, run: etree._Element, typeface: str) -> str:
        text = ""
        for child in run:
            if child.tag == W + "t":
                shown = child.text or ""
                text += shown if child.get(XML_SPACE) == "preserve" else shown.strip(" \t\r\n")
            elif child.tag == W + "sym":
                text += self._symbol(sign_code(child) or 0, child.get(W + "font", ""))
            else:
                text += _SIGNS.get(child.tag, "")
        if any(_FIRST_PRIVATE <= ord(c) <= _LAST_PRIVATE for c in text):
            text = "".join(self._symbol(ord(c), typeface) if _FIRST_PRIVATE <= ord(c) <= _LAST_PRIVATE else c for c in text)
        return text

    def _symbol(self, code: int, typeface: str) -> str:
        if 0x20 <= code < _FIRST_PRIVATE and not private_character(0xF000 + code, typeface):
            return chr(code)
        code = code if code >= _FIRST_PRIVATE else 0xF000 + code
        known = private_character(code, typeface) or private_character(code, FALLBACK)
        self.story.reader.signs["unknown_symbols"] += not known
        return known or UNKNOWN

    def _field_character(self, element: etree._Element, run: etree._Element) -> None:
        fields = self.story.fields
        kind = element.get(W + "fldCharType")
        self._silent.append(run)
        if kind == "begin":
            fields.begin()
        elif kind == "separate":
            fields.separate()
        elif kind == "end":
            ended = fields.end()
            if ended is not None and ended.is_generated and not ended.mark and fields.shows and fields.generated is None:
                ended.mark = self.pieces.text("", Look(), run, ended)
            if ended is not None and ended.mark:
                self._paint_silent(ended.mark)
            self._silent.clear()

    def _paint_silent(self, mark: int) -> None:
        for run in self._silent:
            self.story.mark_run(run, mark, self.properties)
        self._silent.clear()

    def _note(self, element: etree._Element, run: etree._Element) -> None:
        kind = _NOTES.get(element.tag)
        if kind is not None:
            self.story.anchored.append(_Note(kind, element.get(W + "id", "")))
        if element.get(W + "customMarkFollows") not in ("1", "true", "on"):
            self.pieces.text("", _RAISED, run, generated=element)

    def _drawing(self, element: etree._Element) -> None:
        story = self.story
        if (shown := picture(element)) is not None:
            self.pieces.other(shown)
            story.reader.signs[f"pictures_{shown.kind}"] += 1
        where: Where = "textbox" if story.where == "body" else story.where
        for box in text_boxes(element):
            inner = _Story(story.reader, where)
            story.anchored += inner.blocks(box, is_outermost=True)
            self.pieces.part()


def _drawable(root: etree._Element) -> bytes:
    make_drawable(root)
    return written(root)
