"""What typeset pages say: any text that comes piece by piece."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_UNSPACED = ("zh", "ja", "th")


class Text(Protocol):
    """What a page says, piece by piece, in the language `lang`; `random` decides all that is drawn for the page. A text that may
    end says "" once nothing is left."""

    lang: str
    random: random.Random

    def paragraph(self, least: int) -> str:
        """Of at least so many characters, if as many are left."""

    def heading(self, most: int) -> str:
        """Of about so many characters at most."""

    def item(self) -> str:
        """One of a list, with its sign."""


@dataclass
class Prose:
    """Paragraphs from a place that `random` says, round and round."""

    lang: str
    paragraphs: Sequence[str]
    random: random.Random
    _next: int = 0

    def __post_init__(self) -> None:
        least = 20 if self.lang[:2] in _UNSPACED else 50
        self.paragraphs = [p for p in self.paragraphs if len(p) >= least] or self.paragraphs
        self._next = self.random.randrange(len(self.paragraphs))

    def paragraph(self, least: int) -> str:
        """Whole paragraphs of the text, in one, of at least so many characters."""
        taken = [self._take()]
        while sum(map(len, taken)) < least:
            taken.append(self._take())
        return ("" if self.lang[:2] in _UNSPACED else " ").join(taken)

    def heading(self, most: int) -> str:
        """The beginning of a paragraph: at most so many characters, cut between words where words have spaces between them."""
        text = self._take()[:most]
        if self.lang[:2] not in _UNSPACED and " " in text:
            text = text.rpartition(" ")[0]
        return text.rstrip(" ,.;:—-，。、；：،؛「『（(")

    def item(self) -> str:
        return "• " + self.heading(90)

    def _take(self) -> str:
        text = self.paragraphs[self._next % len(self.paragraphs)]
        self._next += 1
        return text
