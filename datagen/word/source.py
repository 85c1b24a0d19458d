"""Word files as samples of pages, tables and formulas: the worker's side. `datagen.word.child` is the child's side."""

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

from datagen.coarse.source import failed_pages, page_key
from datagen.drawing import typefaces
from datagen.formulas import katex
from datagen.inputs.formats import WORD
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.local import fetched, sha256_of
from datagen.markdown import all_text, content, markdown
from datagen.reading.language import Language, identify
from datagen.record import Box, Drop, Origin, Quality, Range, Region, Sample, SampleError, clean_text
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed
from datagen.sandbox.process import Limits
from datagen.word import office
from datagen.word.formulas import pandoc
from datagen.word.pages.answers import BY, Cut, Kind, WordPage
from datagen.work.pipeline import Estimate, Source

READ = "datagen.word.child:read_document"
STAGE = "WordSource"
UNLIKE = "formula_unlike"
"""The reason for a formula that LibreOffice draws in another way than the file has it. A page that shows one is suspect."""
_PAGE_BYTES, _UNKNOWN_PAGES = 15_000, 5
_LETTER: dict[Kind, str] = {"formula": "f", "table": "t"}
_OF_PAGE = re.compile(r".*-\d{6,}-([ft])(\d{4,})(?:-(\d+))?")  # the page's key, and the entity's number


class Entity(NamedTuple):
    """A formula or a table of a document, and the number of its piece: see `Cut`."""

    kind: Kind
    number: int
    piece: int = 0


@dataclass(frozen=True)
class WordSource(Source):
    """Pages of Word files, and each formula and table on them, cut out of the page's image.

    LibreOffice renders a copy of the file. The file says what is on a page; marks in the copy say where. Each page, formula and
    table is a sample (tasks `page`, `formula`, `table`) or a drop with a reason. The key of a cut is its page's key and a suffix
    (`entity_of`); its language is the page's.

    `long_side` is the image's longer side in pixels. At most the first `max_pages` of a document are read (0: all). The rest of a
    document is given up after `max_document_s` seconds of processor time, or after `max_fatal_pages` pages ended the child. A
    shard reads about `shard_pages` pages.

    `metadata` counts the document's `formulas` and `tables`, and the things that were left out, such as
    `cut_external_attachedTemplate`. A page's `shows_formulas` and `shows_tables` list the numbers of those on the page.

    LibreOffice has a deadline of its own (`office.DEADLINE_S`) for each conversion. The deadline of `limits` is longer, so a file
    at which LibreOffice hangs costs `office.DEADLINE_S` once.
    """

    version: ClassVar[int] = 9

    long_side: int = 1920
    jpeg_quality: int = 90
    max_pages: int = 0
    max_bytes: int = 256 << 20
    max_fatal_pages: int = 1
    max_document_s: float = 600.0
    limits: Limits = field(default_factory=lambda: Limits(3 * office.DEADLINE_S, office.MEMORY_BYTES))
    shard_pages: int = 64
    stage: str = "word"

    def engines(self) -> dict[str, str]:
        """Raises `ValueError` with the way to install it if LibreOffice or pandoc is missing."""
        names = ("lxml", "pymupdf", "quickjs", "rapidfuzz", "simplejpeg")
        versions = {name: importlib.metadata.version(name) for name in names} | office.versions() | pandoc.versions()
        return versions | {"katex": katex.version(), "fonts": typefaces.digest(typefaces.files().values())}

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of(items, self.expected_pages, self.shard_pages, cut=False)  # a range of pages costs as much as all pages

    def expected_pages(self, item: Item) -> int:
        total = num_parts(item, _PAGE_BYTES, _UNKNOWN_PAGES)
        return max(1, min(total, self.max_pages or total))

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(map(self.expected_pages, inputs))
        return Estimate(3 * pages, 300_000 * pages, 2.0 * len(inputs) + 0.3 * pages)

    def probe(self, item: Item) -> Item:
        """The item with its content's sha256. The number of pages isn't known before the file is rendered."""
        try:
            with fetched(item.uri, WORD, self.max_bytes, self.limits) as (path, _):
                return replace(item, sha256=sha256_of(path))
        except SampleError:
            return item

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        with fetched(item.uri, WORD, self.max_bytes, self.limits) as (path, _):
            sha256, engines = sha256_of(path), self.engines()  # once a document: the versions cost as much as a page
            pages = read_parts(
                READ,
                WordPage,
                self.limits,
                max_fatal=self.max_fatal_pages,
                max_cpu_s=self.max_document_s,
                noun="pages",
                path=path,
                within=item.part,
                long_side=self.long_side,
                jpeg_quality=self.jpeg_quality,
                max_pages=self.max_pages,
            )
            for page in pages:
                if isinstance(page, Failed):
                    yield failed_pages(item.uri, sha256, STAGE, page)
                else:
                    yield from _outcomes(_Place(item, sha256, page.number, self.stage, engines), page.value)


class _Place(NamedTuple):
    """The page that is read, with the facts that its samples share."""

    item: Item
    sha256: str
    number: int
    stage: str
    engines: dict[str, str]

    @property
    def key(self) -> str:
        return page_key(self.item.uri, self.sha256, self.number)

    def drop(self, key: str, reason: str, detail: str) -> Drop:
        return Drop(key, self.item.uri, Range(self.number, self.number + 1), STAGE, reason, clean_text(detail))


def entity_key(page: str, entity: Entity) -> str:
    """The key of a formula or table on the page with that key."""
    return f"{page}-{_LETTER[entity.kind]}{entity.number:04d}" + (f"-{entity.piece}" if entity.piece else "")


def entity_of(key: str) -> Entity | None:
    """The formula or table of the document that a sample's or a drop's key names; None for a page's key."""
    named = _OF_PAGE.fullmatch(key)
    return Entity("formula" if named[1] == "f" else "table", int(named[2]), int(named[3] or 0)) if named else None


def _outcomes(place: _Place, page: WordPage) -> Iterator[Sample | Drop]:
    """The page, its cut formulas and tables, and drops for lost ones."""
    sample = _page(place, page)
    language = identify(all_text(sample), sample.lang)
    if page.reason:
        yield place.drop(place.key, page.reason, page.detail)
    else:
        yield sample
    for cut in page.cuts:
        yield _cut_out(sample, cut, language)
    for lost in page.lost:
        yield place.drop(entity_key(place.key, Entity(lost.kind, lost.number, lost.piece)), lost.reason, lost.detail)


def _page(place: _Place, page: WordPage) -> Sample:
    of_document = {"formulas": str(page.num_formulas), "tables": str(page.num_tables)}
    unlike = any(lost.kind == "formula" and lost.reason == UNLIKE and lost.number in page.formulas for lost in page.lost)
    doubts = (*((UNLIKE,) if unlike else ()), *page.doubts)
    shown = {"shows_formulas": _listed(page.formulas), "shows_tables": _listed(page.tables)}
    return Sample(
        key=place.key,
        task="page",
        image=page.image,
        size=page.size,
        lang=place.item.lang or "und",
        script="Zyyy",
        text=markdown(page.regions),
        regions=page.regions,
        quality=Quality("suspect" if doubts else "trusted", doubts, page.signals),
        origin=Origin(place.item.uri, place.sha256, place.number, place.item.licence, place.engines),
        stage=place.stage,
        metadata={name: str(count) for name, count in sorted(page.signs.items())} | of_document | shown,
    )


def _cut_out(page: Sample, cut: Cut, language: Language) -> Sample:
    entity = Entity(cut.kind, cut.number, cut.piece)
    is_table = cut.kind == "table"
    region = Region(cut.inner, "table" if is_table else "equation", cut.text, None, BY, format="html" if is_table else "latex")
    return replace(
        page,
        key=entity_key(page.key, entity),
        task=cut.kind,
        image=cut.image,
        size=cut.size,
        lang=language.lang,
        script=language.script,
        text=content(region) if is_table or cut.is_display else rf"\({cut.text}\)",
        regions=(region,),
        quality=Quality("trusted", signals=cut.signals | ({} if is_table else {"is_display": float(cut.is_display)})),
        origin=replace(page.origin, parent=page.key, box=Box(*cut.box)),
        metadata={name: page.metadata[name] for name in ("formulas", "tables")},
    )


def _listed(numbers: Sequence[int]) -> str:
    return " ".join(map(str, sorted(set(numbers))))
