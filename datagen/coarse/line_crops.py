"""Crops of text lines, cut from the PDFs behind a dataset of pages: the worker's side. `line_crops_child.py` is the child's side.

A page sample has the places and texts of its lines, but its image is too small to learn lines from. So each line is drawn anew
from the PDF, at the height that a reader wants.
"""

import hashlib
import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, ClassVar

from datagen.coarse.answers import CutOrder, LineCrop
from datagen.inputs.items import Inputs, Item
from datagen.inputs.local import fetched, sha256_of
from datagen.record import NOWHERE, Box, Drop, Line, Origin, Quality, Range, Region, Sample, SampleError, words_hold
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed, Part
from datagen.sandbox.process import Limits
from datagen.work.pipeline import Estimate
from datagen.work.samples_of import ShardSource
from datagen.writing import scripts
from datagen.writing.vertical_lines import stands

CUT = "datagen.coarse.line_crops_child:cut_lines"
STAGE = "LineCrops"
_UNMAPPED = re.compile(f"[\ufffd{scripts.PRIVATE}]")


@dataclass(frozen=True)
class LineCrops(ShardSource):
    """The lines of pages in `languages` whose words hold, as gray crops in which a line is `min_height` to `max_height` pixels
    high, with `margin` of that height around it. The height is drawn by `seed` for each page.

    A crop's text is the text layer's. Its region is the line in the crop. A line in a column is laid down in its crop. Lines are
    dropped as `vertical` (in a script without columns), `turned` (higher than wide), `unmapped` (with U+FFFD or private
    characters), or `not_in_the_image` (outside the image, or too long for one).
    """

    version: ClassVar[int] = 7

    languages: tuple[str, ...] = ()
    min_height: int = 28
    max_height: int = 48
    margin: float = 0.3
    seed: int = 0
    jpeg_quality: int = 90
    max_bytes: int = 2 << 30
    limits: Limits = field(default_factory=Limits)
    passwords: tuple[str, ...] = field(default=(), repr=False, metadata={"secret": True})

    def engines(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("pymupdf", "simplejpeg")}

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(max(0, item.count) for item in inputs)
        return Estimate(30 * pages, 300_000 * pages, 0.06 * pages)

    def read(self, document: Item) -> Iterator[Sample | Drop]:
        pages = self.samples(document, self.is_chosen)
        num_items = 0
        for _, of_document in groupby(pages, key=lambda p: p.origin.sha256):
            for outcome in self._document(list(of_document)):
                num_items += 1
                yield outcome
        if not num_items:
            yield Drop("", document.uri, None, STAGE, "no_lines", "no trusted page in the languages asked for")

    def is_chosen(self, row: dict[str, Any]) -> bool:
        """Whether lines are cut from the page of this row of the manifest."""
        return row["lang"] in self.languages and words_hold(row["verdict"], row["reasons"])

    def _document(self, pages: list[Sample]) -> Iterator[Sample | Drop]:
        """The lines of pages of one PDF."""
        origin, num_done = pages[0].origin, 0
        try:
            with fetched(origin.uri, ("pdf",), self.max_bytes, self.limits) as (path, _):
                if sha256_of(path) != origin.sha256:
                    raise SampleError("changed", "the file is not the one that its pages were read from")
                for part in self._cut(path, pages):
                    if isinstance(part, Failed):
                        first, stop = part.parts
                        for page in pages[first : stop if stop >= 0 else None]:
                            yield page.drop(part.reason, STAGE, part.detail)
                    else:
                        yield from self._crops(pages[part.number], part.value)
                    num_done += 1
        except SampleError as error:
            for page in pages[num_done:]:
                yield page.drop(error.reason, STAGE, error.detail)

    def _cut(self, path: str, pages: list[Sample]) -> Iterator[Part[list[LineCrop | None]] | Failed]:
        orders = [self.order(page, [line.box for line in self.lines(page)]) for page in pages]
        return self._in_child(list[LineCrop | None], path, orders)

    def _in_child(self, kind: Any, path: str, orders: list[CutOrder], **arguments: Any) -> Iterator[Part | Failed]:
        """The results, of type `kind`, of the child's function for each order."""
        return read_parts(
            CUT,
            kind,
            self.limits,
            range(len(orders)),
            noun="pages",
            path=path,
            orders=orders,
            heights=(self.min_height, self.max_height),
            margin=self.margin,
            jpeg_quality=self.jpeg_quality,
            passwords=self.passwords,
            **arguments,
        )

    def lines(self, page: Sample) -> list[Line]:
        """The lines of the page that are cut."""
        return [line for region in page.regions for line in region.lines]

    def order(self, page: Sample, boxes: list[Box]) -> CutOrder:
        """The order to cut these boxes from a page, at a height that depends on the seed and the page alone."""
        drawn = int.from_bytes(hashlib.sha256(f"{self.seed}/{page.origin.sha256}/{page.origin.page}".encode()).digest()[:4])
        height = self.min_height + drawn % (self.max_height - self.min_height + 1)
        return CutOrder(page.origin.page, max(page.size), height, boxes, page.script)

    def _crops(self, page: Sample, crops: list[LineCrop | None]) -> Iterator[Sample | Drop]:
        engines = self.engines()  # once a page: looking up versions costs as much as cutting a line
        for number, (line, crop) in enumerate(zip(self.lines(page), crops, strict=True)):
            reason = _unfit(line, page.script) or ("" if crop else "not_in_the_image")
            if reason or crop is None:
                yield drop_of_line(page, number, reason, line.text)
                continue
            direction = "ltr" if line.direction == "ttb" else line.direction  # a column is laid down in its crop
            of_crop = Line(crop.box, line.text, line.font, direction)
            yield sample_of_line(page, number, crop, of_crop, engines, "crops", line.box)


def drop_of_line(page: Sample, number: int, reason: str, text: str) -> Drop:
    part = Range(page.origin.page, page.origin.page + 1)
    return Drop(f"{page.key}-{number:04d}", page.origin.uri, part, STAGE, reason, text[:80])


def sample_of_line(
    page: Sample, number: int, crop: LineCrop, line: Line, engines: dict[str, str], stage: str, box: Box = NOWHERE
) -> Sample:
    """The sample of a crop with its `line`. The line has the `number` in the page and lies at `box` in the page."""
    o = page.origin
    return Sample(
        key=f"{page.key}-{number:04d}",
        task="crop",
        image=crop.image,
        size=crop.size,
        lang=page.lang,
        script=page.script,
        text=line.text,
        regions=(Region(crop.box, "text", line.text, None, "pymupdf", lines=(line,)),),
        quality=Quality("trusted"),
        origin=Origin(o.uri, o.sha256, o.page, o.licence, engines, page.key, box),
        stage=stage,
        group=page.group,
    )


def _unfit(line: Line, script: str) -> str:
    """The reason why no reader should learn from a line of a page in `script`; "" if there is none."""
    is_column = line.direction == "ttb" and stands(line.box, script)
    if line.direction == "ttb" and not is_column:
        return "vertical"
    if _UNMAPPED.search(line.text):
        return "unmapped"
    width, height = line.box.x1 - line.box.x0, line.box.y1 - line.box.y0
    return "turned" if height > 1.5 * width and len(line.text) > 2 and not is_column else ""
