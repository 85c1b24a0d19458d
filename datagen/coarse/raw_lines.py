"""Short lines of the same pages twice: with our text, and with MuPDF's as it comes. A model that learned each shows what the
difference is worth.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from datagen.coarse.answers import RawLine
from datagen.coarse.line_crops import LineCrops, drop_of_line, sample_of_line
from datagen.record import Drop, Line, Sample, words_hold
from datagen.sandbox.parts import Failed, Part
from datagen.writing import scripts

_LEADER = re.compile(rf"(?:[{scripts.LEADER_DOTS}]\s*){{4}}")


@dataclass(frozen=True)
class ShortLineCrops(LineCrops):
    """The lines of `LineCrops` that have `shortest` to `longest` characters, of pages in one of `scripts`, whatever the
    language; of those in `languages`, if there are some. Lines with a leader are left out: as how many dots it is written is
    ours alone to say, and nobody else's label could be right about it."""

    version: ClassVar[int] = 3

    scripts: tuple[str, ...] = ("Latn",)
    shortest: int = 2
    longest: int = 24

    def is_chosen(self, row: dict[str, Any]) -> bool:
        return self.is_asked_for(row) and words_hold(row["verdict"], row["reasons"])

    def is_asked_for(self, row: dict[str, Any]) -> bool:
        """Whether the page is in a language and a script that lines are cut of."""
        return row["script"] in self.scripts and (not self.languages or row["lang"] in self.languages)

    def lines(self, page: Sample) -> list[Line]:
        fit = [line for line in super().lines(page) if self.shortest <= len(line.text) <= self.longest]
        return [line for line in fit if not _LEADER.search(line.text)]


@dataclass(frozen=True)
class RawLines(ShortLineCrops):
    """Lines of the same pages, as MuPDF's `get_text("dict")` gives them: its boxes, and its spans put together. They are
    cut at the height that the page's lines have elsewhere. White space at the ends goes; nothing else is put right, and no page
    is left out for its verdict, since whoever takes raw text has none.

    Dropped are lines that are `turned` (higher than wide), and those `not_in_the_image` or too long for one.
    """

    version: ClassVar[int] = 3

    def is_chosen(self, row: dict[str, Any]) -> bool:
        return self.is_asked_for(row) and row["num_chars"] > 0

    def _cut(self, path: str, pages: list[Sample]) -> Iterator[Part[list[RawLine]] | Failed]:  # type: ignore[override]
        orders = [self.order(page, []) for page in pages]
        return self._in_child(list[RawLine], path, orders, lengths=(self.shortest, self.longest))

    def _crops(self, page: Sample, crops: list[RawLine]) -> Iterator[Sample | Drop]:  # type: ignore[override]
        engines = self.engines()
        for number, (text, crop) in enumerate(crops):
            box = crop.box if crop else None
            is_turned = box is not None and box.y1 - box.y0 > 1.5 * (box.x1 - box.x0) and len(text) > 2
            if crop is None or is_turned:
                yield drop_of_line(page, number, "turned" if is_turned else "not_in_the_image", text)
            else:
                yield sample_of_line(page, number, crop, Line(crop.box, text), engines, "raw_lines")
