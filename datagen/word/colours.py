"""The colour that each piece's letters have in the marked copy, and which piece a letter of that colour belongs to.

The time that LibreOffice takes grows with the square of how many colours there are: 9,000 cost 4 s, 2,000 nothing that one could
measure. So the pieces of the main text take `NUM_SHARED` colours in turn. Pages show these pieces in the document's order, so of
the pieces of a colour a letter belongs to the one that is next to the piece of the letter before it; they are further apart than
what one page shows. What pages show out of that order, such as notes and what is repeated, has colours of its own. All are
nearly black, and none is one that people choose.
"""

from dataclasses import dataclass, field

NUM_SHARED = 2048
_FIRST_SHARED, _FIRST_ALONE = 0x050000, 0x060000


@dataclass
class Colours:
    """The colours of a document's marks, 0xRRGGBB. `in_order` are the marks of the main text, `alone` the others."""

    in_order: list[int] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
    _of_marks: dict[int, int] = field(default_factory=dict)

    def add(self, mark: int, is_in_order: bool) -> None:
        if is_in_order:
            self._of_marks[mark] = _FIRST_SHARED + len(self.in_order) % NUM_SHARED
            self.in_order.append(mark)
        else:
            self._of_marks[mark] = _FIRST_ALONE + len(self.alone)
            self.alone.append(mark)

    def of(self, mark: int) -> int:
        """The colour of a mark. Raises `KeyError` for one that was never added."""
        return self._of_marks[mark]


@dataclass
class Marks:
    """Says the marks of colours, which it must be asked in the order in which the document's pages draw their letters."""

    colours: Colours
    at: int = 0
    """Where in the main text the last letter of it stood."""

    def mark(self, colour: int) -> int:
        """The mark of the next letter of this colour; 0 for a colour that is no mark's."""
        alone, in_order = self.colours.alone, self.colours.in_order
        if 0 <= (place := colour - _FIRST_ALONE) < len(alone):
            return alone[place]
        place = colour - _FIRST_SHARED
        if not 0 <= place < min(NUM_SHARED, len(in_order)):
            return 0
        last = (len(in_order) - 1 - place) // NUM_SHARED
        nearest = round((self.at - place) / NUM_SHARED)
        self.at = place + NUM_SHARED * min(last, max(0, nearest))
        return in_order[self.at]
