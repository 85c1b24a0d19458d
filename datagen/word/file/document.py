"""The content of a Word file in the order of its text: paragraphs and tables, with their text in pieces.

Each piece of text has a *mark*, a number from 1 on. In the rendered copy the name of the piece's style has the mark
(`datagen/word/file/copy_marks.py`), so every letter on a page tells its piece.
"""

from dataclasses import dataclass
from typing import Literal

from datagen.word.file.copy_marks import CopyMarks
from datagen.word.file.fitting_pictures import Shown

UNKNOWN = "\ufffd"
"""The character for a sign without a known character, such as one of a symbol font."""
Where = Literal["body", "header", "footer", "footnote", "endnote", "textbox"]
"""The part of the document with a paragraph or table."""


@dataclass(frozen=True)
class Text:
    """Letters of one look. `text` is the file's text, in logical order; a tab is a tab, a line break a newline. `is_generated`:
    LibreOffice makes the text itself (a page number, a reference, a date). The file's text may be out of date then, and the
    page's letters count. `raised`: 1 superscript, -1 subscript, 0 neither."""

    text: str
    mark: int
    is_bold: bool = False
    is_italic: bool = False
    raised: int = 0
    is_generated: bool = False


@dataclass(frozen=True)
class Formula:
    """An equation of the file. `number` counts the document's formulas from 0: those of the main part, then of notes, then of
    headers and footers. `omml` is the XML of one m:oMath. `is_display`: the formula has a line of its own."""

    number: int
    omml: str
    is_display: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture, a chart, a drawing, or an old equation that has only an image in the file."""

    kind: Literal["picture", "chart", "equation", "object"]


Piece = Text | Formula | Picture


@dataclass(frozen=True)
class Paragraph:
    """`level` is a heading's: 1 for the document's title, 2 for a heading of the first level, and so on; 0 for other text.
    `list_depth` is a list item's, from 1; 0 elsewhere. LibreOffice makes the number or bullet of an item or heading; its mark is
    `marker_mark`, 0 if there is none. `is_contents`: an entry of a table of contents."""

    pieces: tuple[Piece, ...]
    where: Where = "body"
    level: int = 0
    list_depth: int = 0
    marker_mark: int = 0
    is_right_to_left: bool = False
    is_caption: bool = False
    is_code: bool = False
    is_contents: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell with its blocks, nested tables included, and the numbers of rows and columns that it spans. `column` is the column
    of its left edge in the table's grid, from 0.

    In the copy its fill (w:tcPr/w:shd w:fill, w:val="clear") has a colour for `mark`, a number that no other cell and no piece of
    text has; 0 for none. So a page tells the place of each cell, also of empty ones and repeated heads. (Tried: LibreOffice draws
    one rectangle of this fill for each cell and page, and nothing moves.)
    """

    blocks: tuple["Block", ...]
    column: int
    rowspan: int = 1
    colspan: int = 1
    mark: int = 0


@dataclass(frozen=True)
class Row:
    """The cells that begin in this row, from left to right. `is_header`: each page repeats the row."""

    cells: tuple[Cell, ...]
    is_header: bool = False


@dataclass(frozen=True)
class Table:
    """`number` counts the document's tables from 0, nested ones included, in the order of their beginnings."""

    number: int
    rows: tuple[Row, ...]
    where: Where = "body"
    is_right_to_left: bool = False


Block = Paragraph | Table


@dataclass(frozen=True)
class Document:
    """The blocks of the main part, each followed by its notes and text boxes; then headers and footers. Marks are 1 to
    `num_marks`. `signs` counts content that was left out, by name. `marks` are the marks in the copy. `pictures` are the pictures
    that the text shows."""

    blocks: tuple[Block, ...]
    num_marks: int
    num_formulas: int
    num_tables: int
    signs: dict[str, int]
    marks: CopyMarks
    pictures: tuple[Shown, ...] = ()
