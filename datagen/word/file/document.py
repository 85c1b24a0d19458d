"""What a Word file says, in the order in which its text runs: paragraphs and tables, their text in pieces.

Each piece of text has a *mark*, a number from 1 on. In the copy of the file that is rendered the mark is in the name of the
piece's style (`datagen/word/file/copy_marks.py`), so that every letter on a page says which piece it belongs to.
"""

from dataclasses import dataclass
from typing import Literal

from datagen.word.file.copy_marks import CopyMarks
from datagen.word.file.fitting_pictures import Shown

UNKNOWN = "\ufffd"
"""What stands in a text for a sign of which nobody knows the character: one of a symbol font, say."""
Where = Literal["body", "header", "footer", "footnote", "endnote", "textbox"]
"""The part of the document that a paragraph or table stands in."""


@dataclass(frozen=True)
class Text:
    """Letters of one look. `text` is what the file says, in logical order; a tab is a tab, a line break a newline.

    `is_generated`: the program that renders the page makes the text itself (a page number, a reference, a date), so what the file
    says may be out of date, and the page's own letters count. `raised`: 1 superscript, -1 subscript, 0 neither.
    """

    text: str
    mark: int
    is_bold: bool = False
    is_italic: bool = False
    raised: int = 0
    is_generated: bool = False


@dataclass(frozen=True)
class Formula:
    """An equation as the file has it. `number` is its place among the document's formulas, from 0, in the order of the file's
    main part, then notes, then headers and footers. `omml`: the XML of one m:oMath. `is_display`: it stands in a line of its
    own."""

    number: int
    omml: str
    is_display: bool = False


@dataclass(frozen=True)
class Picture:
    """What is no text: a picture, a chart, a drawing, or an equation of an older kind, of which the file has an image alone."""

    kind: Literal["picture", "chart", "equation", "object"]


Piece = Text | Formula | Picture


@dataclass(frozen=True)
class Paragraph:
    """`level` is that of a heading: 1 for the document's title, 2 for a heading of the first level, and so on; 0 for other text.
    `list_depth` is that of an item of a list, from 1; 0 elsewhere. The number or bullet of an item, or of a heading, is made by
    the program that renders the page, and has the mark `marker_mark`, which is 0 where there is none. `is_contents`: an entry of
    a table of contents."""

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
    """A cell with what it holds, a table within it included, and how many rows and columns it spans. `column` is that of its left
    edge in the table's grid, from 0.

    In the copy its fill (w:tcPr/w:shd w:fill, w:val="clear") has a colour for `mark`, a number that no other cell and no piece of
    text has, 0 for none: so a page says where each cell is, an empty one and a repeated head, too. (Tried: LibreOffice draws one
    rectangle of that fill for each cell and page, and nothing moves.)"""

    blocks: tuple["Block", ...]
    column: int
    rowspan: int = 1
    colspan: int = 1
    mark: int = 0


@dataclass(frozen=True)
class Row:
    """The cells that begin in this row, from left to right. `is_header`: the row is repeated on each page."""

    cells: tuple[Cell, ...]
    is_header: bool = False


@dataclass(frozen=True)
class Table:
    """`number` is its place among the document's tables, from 0, nested ones included, in the order in which they begin."""

    number: int
    rows: tuple[Row, ...]
    where: Where = "body"
    is_right_to_left: bool = False


Block = Paragraph | Table


@dataclass(frozen=True)
class Document:
    """The blocks of the main part with notes and text boxes behind the block that they are anchored in, then headers and footers.
    `num_marks`: marks are 1 to this number. `signs` are counts of what the reader met and left out, by name; `marks` says how the
    marks are in the copy; `pictures` are those of its parts that the file's text shows."""

    blocks: tuple[Block, ...]
    num_marks: int
    num_formulas: int
    num_tables: int
    signs: dict[str, int]
    marks: CopyMarks
    pictures: tuple[Shown, ...] = ()
