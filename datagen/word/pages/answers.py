"""The child's answers about a Word document's page. Both sides load this file, so it imports little.

The worker (`datagen.word.source`) calls `datagen.word.child.read_document` by `datagen.sandbox.loop.read_parts`.
"""

from typing import Literal

import msgspec

from datagen.record import Box, Region

BY = "word"
"""The reader of regions whose text comes from the Word file itself: `by` of each region here."""

Kind = Literal["formula", "table"]


class Cut(msgspec.Struct, frozen=True, array_like=True):
    """A formula, or a page's piece of a table, cut out of the page's image.

    `number` counts the document's formulas or tables (`document.Formula.number`, `document.Table.number`). `piece` counts the
    pieces of a table in the order of its rows, over all pages: 0 for a table on one page, in one column. `box` is the place in
    the page's image. `image` is a JPEG of `size` (width, height) that shows the box with some paper around, and `inner` is the
    box in this JPEG. `text` is bare LaTeX, or HTML as `datagen.tables.cells.to_html` writes it, of this piece's rows. `signals`
    are measurements, such as `structure_equal` (1.0 where rows, columns and spans are the XML's).
    """

    kind: Kind
    number: int
    piece: int
    box: Box
    image: bytes
    size: tuple[int, int]
    inner: Box
    text: str
    is_display: bool = False
    signals: dict[str, float] = {}


class Lost(msgspec.Struct, frozen=True, array_like=True):
    """A formula, a table or a piece of a table without a cut. `reason` is stable snake_case, `detail` is for people."""

    kind: Kind
    number: int
    reason: str
    detail: str = ""
    piece: int = 0


class WordPage(msgspec.Struct, frozen=True, array_like=True):
    """A page: its JPEG, its size in pixels (width, height), and its content.

    `regions` are in the document's order, `by=BY`. A region has `lines` from the page's text layer only if their letters are its
    text's, so none if it has a formula; a table may have lines beside its HTML. `formulas` and `tables` are the numbers of those
    in the page's label. `signals` has at least `text_distance`: the edits between the label and the page's text layer, over the
    longer one's length.

    `reason` tells why the page is no sample ("" if it is one), with a `detail` for people; its cuts are samples all the same.
    Each formula and table of the document is among the `cuts` or the `lost` of at least one page; those without a place are lost
    with the first page. A document that was read and not rendered is a single page without an image, with a reason.
    """

    image: bytes
    size: tuple[int, int]
    regions: tuple[Region, ...] = ()
    formulas: tuple[int, ...] = ()
    tables: tuple[int, ...] = ()
    signals: dict[str, float] = {}
    cuts: tuple[Cut, ...] = ()
    lost: tuple[Lost, ...] = ()
    reason: str = ""
    detail: str = ""
    num_formulas: int = 0
    """The number in the whole document's XML, as is `num_tables`."""
    num_tables: int = 0
    signs: dict[str, int] = {}
    """Counts of the document's content that the pages lack, such as a template on the network, hidden text or comments."""
    doubts: tuple[str, ...] = ()
