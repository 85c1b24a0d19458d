"""The pieces of a paragraph while its runs are read."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lxml import etree

from datagen.word.file.document import Formula, Picture, Piece, Text
from datagen.word.file.styles import Look


@dataclass
class Pieces:
    """Makes one piece with one mark of neighbouring runs that look alike. Otherwise marks would change line breaks, ligatures and
    kerning."""

    new_mark: Callable[[], int]
    mark_run: Callable[[etree._Element, int], None]
    """Gives a run its mark in the copy."""
    pieces: list[Piece] = field(default_factory=list)
    _kind: tuple[Look, object] | None = None  # the kind of the last piece, if text can be added to it

    def text(self, text: str, look: Look, run: etree._Element, generated: object = None) -> int:
        """Adds the text of a run and marks the run; returns the mark. `generated` is the field of which the run is the result, if
        that result is made anew."""
        last = self.pieces[-1] if self.pieces else None
        if isinstance(last, Text) and self._kind == (look, generated):
            self.pieces[-1] = replace(last, text=last.text + text)
            mark = last.mark
        else:
            mark = self.new_mark()
            self.pieces.append(Text(text, mark, look.is_bold, look.is_italic, look.raised, generated is not None))
            self._kind = (look, generated)
        self.mark_run(run, mark)
        return mark

    def other(self, piece: Formula | Picture) -> None:
        self.pieces.append(piece)
        self._kind = None

    def part(self) -> None:
        """Ends the last piece."""
        self._kind = None


def displayed(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The pieces. A formula that is alone in its paragraph becomes a displayed one."""
    rest = [piece for piece in pieces if not (isinstance(piece, Text) and not piece.text.strip() and not piece.is_generated)]
    if len(rest) != 1 or not isinstance(rest[0], Formula):
        return pieces
    return tuple(replace(piece, is_display=True) if isinstance(piece, Formula) else piece for piece in pieces)
