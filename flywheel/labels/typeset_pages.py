"""Typeset pages that calibrate gates. They look like documents' pages, with text that no reader learned in typefaces for tests.

A language with few documents has few lines to calibrate a gate. The test lines of its frozen text are set as pages with titles,
paragraphs, lists and columns, at the size of images of documents' pages. Some look like rendered PDFs, the others like scans. The
samples are like those of documents: regions with lines and their true boxes, and trusted text.
"""

import importlib.metadata
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar

import cairocffi
import cv2
import numpy
import pangocffi
import simplejpeg

from datagen.disk import manifest
from datagen.disk.storage import Folder
from datagen.drawing import page_looks, wear, worn_pages
from datagen.drawing.sheet import Sheet
from datagen.drawing.typeset import Style
from datagen.inputs.census import Census
from datagen.inputs.items import Inputs, Item, shards_of
from datagen.record import Drop, Origin, Quality, Range, Sample, content_key
from datagen.work.pipeline import Estimate, Pipeline, Source
from flywheel.labels import calibrate, score_readings
from flywheel.lines import typeset_lines
from flywheel.pools import pools_file
from flywheel.pools.pools import Pools
from flywheel.pools.pools_file import FrozenPools
from flywheel.pools.texts import TextFile, Texts, licence
from flywheel.step import TYPESET, Flywheel

BY = "typeset"
"""The origin that regions and records name."""

OWN_LINES = 200
"""The least number of a language's lines that calibrate its script's gate, if it has text."""

_ITEM = re.compile(r"[•–*→-]|\(?\w{1,2}\)|\d+[.)]|\d+(\.\d+)+ ")
_SCAN = ((0.3, wear.bleed_through), (0.2, wear.gaps), *wear.SCAN)


@dataclass(frozen=True)
class FrozenTexts(Census):
    """The frozen texts of languages as items, with their sha256 as etag."""

    files: tuple[TextFile, ...]

    def items(self) -> list[Item]:
        return sorted((Item(f"{f.url}/{f.lang}.json", f.sha256, lang=f.lang) for f in self.files), key=lambda item: item.uri)


@dataclass
class UnsetLines:
    """A text that is set line by line, each line once: the waiting `lines` with their possible typefaces. `family` is the current
    typeface."""

    lang: str
    lines: list[tuple[str, Sequence[str]]]
    family: str = ""
    random: Random = field(default_factory=Random)

    def has(self, family: str) -> bool:
        """Whether a line is left for a typeface."""
        return any(family in families for _, families in self.lines)

    def heading(self, most: int) -> str:
        return self._take(True)

    def item(self) -> str:
        return self._take(True)

    def paragraph(self, least: int) -> str:
        lines: list[str] = []
        while sum(map(len, lines)) < least and (line := self._take(False)):
            lines.append(line)
        return " ".join(lines)

    def _take(self, is_item: bool) -> str:
        """The next line for the typeface, of an item or a paragraph if there is one; "" if no line is left."""
        able = [i for i, (_, families) in enumerate(self.lines) if self.family in families]
        chosen = next((i for i in able if _is_item(self.lines[i][0]) == is_item), able[0] if able else -1)
        return self.lines.pop(chosen)[0] if able else ""


def _is_item(text: str) -> bool:
    return len(text) <= page_looks.SHORT or bool(_ITEM.match(text) or score_readings.LEADER.search(text))


@dataclass(frozen=True)
class TypesetPages(Source):
    """Pages of test lines, until the number in `lines` of a language's lines are set, or no text is left.

    The share `scans` of the pages look like scans: turned by at most 1.2 degrees, dull, noisy, blurred, saved as JPEG, and at
    times with broken strokes or with the other side of the sheet shining through. A line's box is upright, around the turned
    line; its polygon has the turned corners. The source reads the items of `FrozenTexts`. A wanted page without a line is a drop,
    `no_text`.
    """

    version: ClassVar[int] = 4

    lines: tuple[tuple[str, int], ...] = ()
    scans: float = 0.5
    long_side: int = 1920
    jpeg_quality: int = 90
    seed: int = 0

    def engines(self) -> dict[str, str]:
        packages = {name: importlib.metadata.version(name) for name in ("pangocairocffi", "simplejpeg")}
        made = {"cairo": cairocffi.cairo_version_string(), "opencv": cv2.__version__}
        return packages | made | {"pango": pangocffi.pango_version_string()}

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of(items, lambda item: 1, 1)

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(math.ceil(dict(self.lines)[item.lang] / 40) for item in inputs)
        return Estimate(pages, 400_000 * pages, 0.3 * pages)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        url, _, _ = item.uri.rpartition("/")
        texts = TextFile(url, item.lang, item.etag).read()
        texts.families.check(texts.lang)
        lines = [(text, typeset_lines.families_for(text, texts.families.test, texts.lang)) for text in texts.held_out]
        text = UnsetLines(texts.lang, [(line, families) for line, families in lines if families])
        num_lines = number = 0
        while num_lines < dict(self.lines)[item.lang] and (families := [f for f in texts.families.test if text.has(f)]):
            text.random, text.family = Random(f"{self.seed} {texts.lang} {number}"), families[number % len(families)]
            style = page_looks.style(text.family, texts.script, text.random)
            sheet = page_looks.page(text, texts.script, style)
            yield self._sample(item, texts, sheet, style, number)
            num_lines, number = num_lines + sheet.num_lines, number + 1
        if not number:
            part = Range(0, 1)
            yield Drop("", item.uri, part, type(self).__name__, "no_text", "no line that only tests, or no typeface for it")

    def _sample(self, item: Item, texts: Texts, sheet: Sheet, style: Style, number: int) -> Sample:
        random = numpy.random.default_rng([self.seed, number, int(item.etag[:8], 16)])
        zoom = self.long_side / max(sheet.paper_pt)
        pixels, regions = sheet.pixels(zoom), sheet.in_pixels(zoom, BY)
        height, width = pixels.shape[:2]
        # Every typeface has pages of both looks: the golden ratio's multiples are spread evenly in any arithmetic series.
        if is_scan := (int(item.etag[:8], 16) / 2**32 + number * (math.sqrt(5) - 1) / 2) % 1 < self.scans:
            pixels, matrix = wear.worn(pixels, random, _SCAN, style.size_pt * style.line_spacing * zoom)
            regions = worn_pages.moved(regions, worn_pages.by_matrix(matrix), (width, height))
        image = simplejpeg.encode_jpeg(
            numpy.ascontiguousarray(pixels), quality=self.jpeg_quality, colorspace="RGB", colorsubsampling="420", fastdct=False
        )
        engines = self.engines() | {"typefaces": texts.families.sha256}
        counts = ", ".join(f"{n} paragraphs of {name}" for name, n in sorted(texts.paragraphs.items()))
        return Sample(
            key=f"{content_key(item.etag)}-{number:06d}",
            task="page",
            image=image,
            size=(width, height),
            lang=texts.lang,
            script=texts.script,
            text="\n\n".join(region.text for region in regions),
            regions=tuple(regions),
            quality=Quality("trusted"),
            origin=Origin(item.uri, item.etag, number, licence(texts.paragraphs), engines),
            stage=BY,
            metadata={"text": counts, "typeface": style.family, "look": "scan" if is_scan else "render"},
        )


def lines_needed(served: Sequence[Pools], own: Mapping[str, int], of_script: int) -> dict[str, int]:
    """By language, the number of lines to typeset, beside those of its `own` documents that calibrate. A gate is a script's, so
    all languages of a script with text give the same number, until the script has `of_script` lines. A language has at least
    `OWN_LINES`."""
    with_text = Counter(p.script for p in served if p.text)
    num_own: Counter[str] = Counter()
    for p in served:
        num_own[p.script] += own.get(p.lang, 0)
    shares = {p.lang: math.ceil((of_script - num_own[p.script]) / with_text[p.script]) for p in served if p.text}
    needed = {lang: max(share, OWN_LINES - own.get(lang, 0)) for lang, share in shares.items()}
    return {lang: num_lines for lang, num_lines in needed.items() if num_lines > 0}


def pipeline(step: Flywheel, out: Folder, pools: FrozenPools) -> Pipeline | None:
    """The pipeline that makes the pages of the output; None if no language needs them. Languages need them if their script has
    pages to read, or if they have no document."""
    read = {p.script for p in pools.served if p.unlabelled}
    served = [p for p in pools.served if p.script in read or p.kind == "text"]
    places = calibrate.pages(pools.served, step.max_calibration_pages)
    own: Counter[str] = Counter()
    for row in (row for part in manifest.parts(out.sub(step.pages), list(pools.shards)) for row in part.to_pylist()):
        if lang := places.get((row["sha256"], row["page"])):
            own[lang] += row["num_lines"]
    needed = lines_needed(served, own, step.calibration_lines)
    short = [p for p in served if p.lang in needed]
    files = pools_file.texts_of(step, out, short)
    source = TypesetPages(tuple((lang, needed[lang]) for lang in sorted(files)), seed=step.seed)
    return Pipeline(TYPESET, FrozenTexts(tuple(files.values())), source, (), max_drop=1.0) if files else None
