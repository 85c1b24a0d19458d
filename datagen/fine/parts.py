"""A part of a page that becomes a region."""

from dataclasses import dataclass

from datagen.page.boxes import around
from datagen.page.line_pieces import Piece, Rect
from datagen.page.paragraphs import Paragraph


@dataclass(eq=False)
class Part:
    """Lines that become a region with this label; `paragraph` is None for a picture without text. All boxes are in points.

    `level` is a heading's level, from 1. `picture` is the picture's box, `frame` the frame drawn around a table.
    `has_drawn_sign`: the part is a list item whose sign is a drawing. `structure` is that of `record.Region`.
    """

    paragraph: Paragraph | None
    label: str
    level: int = 0
    picture: Rect | None = None
    frame: Rect | None = None
    has_drawn_sign: bool = False
    structure: float | None = None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The lines."""
        return () if self.paragraph is None else self.paragraph.pieces

    @property
    def box(self) -> Rect:
        """The box around the lines, the picture and the frame."""
        boxes = [piece.bbox for piece in self.pieces] + [box for box in (self.picture, self.frame) if box is not None]
        return around(boxes)

    @property
    def size(self) -> float:
        """The largest size of its letters, in points."""
        return max((piece.size for piece in self.pieces), default=0.0)
