"""What a page consists of before it has regions: its lines with their looks, its pictures, what is drawn, what engines saw.

PDF files and images meet here. Nothing behind this module knows which of them a page came from, but for `has_fonts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from datagen.page.boxes import area, shared
from datagen.page.line_pieces import Rect

_SAME, _LEAST, _MOST = 0.5, 0.0004, 0.95  # of a picture: overlap of two that are one; shares of the page's area


@dataclass(frozen=True)
class LineElement:
    """A line at `box`, in the unit of the page. `size` is the height of its font or of its letters, in any unit that is the same
    for the page's lines. `bold` and `mono` are shares of its characters. `look` is that of `record.Line`; "" if unknown. `block`
    is the number of the file's block that holds the line."""

    box: Rect
    text: str
    size: float
    bold: float = 0.0
    mono: float = 0.0
    look: str = ""
    vertical: bool = False
    block: int = 0


@dataclass(frozen=True)
class SeenBlock:
    """A region that a layout engine saw: its box and its label in the record's terms."""

    box: Rect
    label: str


@dataclass(frozen=True)
class Elements:
    """A page of `size`, (width, height) in any unit. The `lines` stand in the order of the file or of the detector.

    `drawings` are the boxes of rules, frames and other strokes. `rtl`: the page has right-to-left letters. `has_fonts`: sizes,
    looks and order of the lines are a file's. Otherwise they are guesses from the lines' boxes. `columns_from`: most lines
    are columns, and the first one is the "right" or the "left" one; "" if they are rows.
    """

    size: tuple[float, float]
    lines: Sequence[LineElement]
    blocks: Sequence[SeenBlock] = ()
    pictures: Sequence[Rect] = ()
    drawings: Sequence[Rect] = ()
    rtl: bool = False
    has_fonts: bool = True
    columns_from: str = ""

    def with_rows(self) -> "Elements":
        """The page as if its columns were rows: turned by a quarter, and mirrored if the first column is the leftmost."""
        if not self.columns_from:
            return self
        (wide, high), is_left = self.size, self.columns_from == "left"

        def turned(box: Rect) -> Rect:
            x0, y0, x1, y1 = box
            return (y0, x0, y1, x1) if is_left else (y0, wide - x1, y1, wide - x0)

        return replace(
            self,
            size=(high, wide),
            lines=[replace(line, box=turned(line.box), vertical=not line.vertical) for line in self.lines],
            blocks=[replace(block, box=turned(block.box)) for block in self.blocks],
            pictures=[turned(box) for box in self.pictures],
            drawings=[turned(box) for box in self.drawings],
            columns_from="",
        )


def distinct_pictures(boxes: Sequence[Rect], size: tuple[float, float]) -> list[Rect]:
    """The boxes of pictures in a page of `size`, without doubles, ornaments and backgrounds."""
    result: list[Rect] = []
    for box in boxes:
        if not _LEAST < area(box) / (size[0] * size[1]) < _MOST:
            continue
        if not any(shared(box, other) > _SAME * (area(box) + area(other) - shared(box, other)) for other in result):
            result.append(box)
    return result
