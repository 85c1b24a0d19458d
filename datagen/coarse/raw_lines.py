"""Short lines of the same pages twice: with our text, and with MuPDF's as it comes. A model that learned each shows what the
difference is worth.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from datagen.coarse.answers import RawLine
from datagen.coarse.line_crops import STAGE, LineCrops
from datagen.record import Drop, Line, Origin, Quality, Range, Region, Sample, words_hold
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed, Part
from datagen.writing import scripts

CUT = "datagen.coarse.raw_lines_child:raw_lines"
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
        return read_parts(
            CUT,
            list[RawLine],
            self.limits,
            range(len(pages)),
            noun="pages",
            path=path,
            orders=[self.order(page, []) for page in pages],
            lengths=(self.shortest, self.longest),
            heights=(self.min_height, self.max_height),
            margin=self.margin,
            jpeg_quality=self.jpeg_quality,
            passwords=self.passwords,
        )

    def _crops(self, page: Sample, crops: list[RawLine]) -> Iterator[Sample | Drop]:  # type: ignore[override]
        engines, o = self.engines(), page.origin
        for number, (text, crop) in enumerate(crops):
            key = f"{page.key}-{number:04d}"
            box = crop.box if crop else None
            is_turned = box is not None and box.y1 - box.y0 > 1.5 * (box.x1 - box.x0) and len(text) > 2
            if crop is None or is_turned:
                reason = "turned" if is_turned else "not_in_the_image"
                yield Drop(key, o.uri, Range(o.page, o.page + 1), STAGE, reason, text[:80])
                continue
            yield Sample(
                key=key,
                task="crop",
                image=crop.image,
                size=crop.size,
                lang=page.lang,
                script=page.script,
                text=text,
                regions=(Region(crop.box, "text", text, None, "pymupdf", lines=(Line(crop.box, text),)),),
                quality=Quality("trusted"),
                origin=Origin(o.uri, o.sha256, o.page, o.licence, engines, page.key),
                stage="raw_lines",
                group=page.group,
            )
