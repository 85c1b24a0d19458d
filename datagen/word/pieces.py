"""The pieces of a paragraph while its runs are read, and the colour that the runs get in the marked copy."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lxml import etree

from datagen.word.document import Formula, Picture, Piece, Text
from datagen.word.names import VAL, W14, W
from datagen.word.styles import Look
from datagen.word.xml_parts import written


def paint(holder: etree._Element, colour: int, before: str = "") -> None:
    """Gives the run properties of a run, or of a paragraph's mark, a colour, 0xRRGGBB. `before`: the element of `holder` that may
    not stand before them."""
    properties = holder.find(W + "rPr")
    if properties is None:
        properties = etree.Element(W + "rPr")
        later = holder.find(W + before) if before else None
        if later is not None:
            later.addprevious(properties)
        elif before:
            holder.append(properties)
        else:
            holder.insert(0, properties)
    for other in (*properties.findall(W + "color"), *properties.findall(W14 + "textFill")):
        properties.remove(other)
    etree.SubElement(properties, W + "color").set(VAL, f"{colour:06X}")


def fill(cell: etree._Element, mark: int) -> None:
    """Gives a cell the fill `mark`: see `document.Cell`."""
    properties = cell.find(W + "tcPr")
    if properties is None:
        properties = etree.Element(W + "tcPr")
        cell.insert(0, properties)
    for other in properties.findall(W + "shd"):
        properties.remove(other)
    shading = etree.SubElement(properties, W + "shd")
    for name, text in (("val", "clear"), ("color", "auto"), ("fill", f"{mark:06X}")):
        shading.set(W + name, text)


def without_colours(part: etree._Element) -> bytes:
    """A part in which neither numbers and bullets nor styles of letters have a colour: a number takes that of its paragraph, and
    a paragraph that has one colour takes that of a style for the letters of links."""
    for holder in (*part.iter(W + "lvl"), *part.iterfind(f"{W}style[@{W}type='character']")):
        properties = holder.find(W + "rPr")
        for colour in properties.findall(W + "color") if properties is not None else ():
            properties.remove(colour)
    return written(part)


@dataclass
class Pieces:
    """Neighbouring runs of one look are one piece with one mark: where a program breaks a line, joins letters and puts them
    nearer to each other doesn't change then by the colours."""

    new_mark: Callable[[], int]
    colour_of: Callable[[int], int]
    """The colour of a mark."""
    pieces: list[Piece] = field(default_factory=list)
    _kind: tuple[Look, object] | None = None  # of the last piece, if text can be added to it

    def text(self, text: str, look: Look, run: etree._Element, generated: object = None) -> int:
        """Adds the text of a run, and paints the run. `generated`: the field that it is the result of, if that is made anew.
        Returns the mark."""
        last = self.pieces[-1] if self.pieces else None
        if isinstance(last, Text) and self._kind == (look, generated):
            self.pieces[-1] = replace(last, text=last.text + text)
            mark = last.mark
        else:
            mark = self.new_mark()
            self.pieces.append(Text(text, mark, look.is_bold, look.is_italic, look.raised, generated is not None))
            self._kind = (look, generated)
        paint(run, self.colour_of(mark))
        return mark

    def other(self, piece: Formula | Picture) -> None:
        self.pieces.append(piece)
        self._kind = None

    def part(self) -> None:
        """Nothing is added to the last piece any more."""
        self._kind = None
