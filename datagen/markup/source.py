"""Documents of markup as samples of pages, tables and formulas: the worker's side. `datagen.markup.child` is the child's side."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from datagen.coarse.source import failed_pages, page_key
from datagen.disk.storage import Folder
from datagen.drawing import typefaces
from datagen.drawing.worn_pages import Wear
from datagen.formulas import katex
from datagen.inputs import archive
from datagen.inputs.formats import MARKUP
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.local import archive_at, fetched, sha256_of
from datagen.markdown import content, markdown
from datagen.markup import browser
from datagen.markup.answers import BY, Cut, MarkupPage
from datagen.markup.documents.read import kind_of, versions
from datagen.record import Box, Drop, Origin, Quality, Range, Region, Sample, SampleError, clean_text
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed
from datagen.sandbox.process import Limits
from datagen.work.pipeline import Estimate, Source

READ = "datagen.markup.child:read_document"
STAGE = "MarkupSource"
_PAGE_BYTES, _UNKNOWN_PAGES = 6_000, 3
_ADDRESSES = 1 << 46
"""The child's address space. Chromium reserves terabytes and uses little: its memory is capped by `browser.MEMORY_BYTES`."""


@dataclass(frozen=True)
class MarkupSource(Source):
    """Pages of HTML, EPUB, Markdown and ZIM articles, laid out by Chromium in a look that `seed` and the file draw. Each table
    and displayed formula is also a sample of its own, cut out of the page's image.

    `long_side` is the image's longer side in pixels. At most the first `max_pages` of a document are read (0: all). The rest of a
    document is given up after `max_document_s` seconds of processor time. A shard reads about `shard_pages` pages. Files beside a
    document, such as its pictures, are read if they are in the folder `root` ("": in the document's own folder). Some letters and
    digits are wrong in `error_share` of the documents (`metadata`: `typing_errors`), in the image and in the label. `wear` makes
    scans and photographs of some pages; their boxes are moved along. `pdfs` is a folder, "" for none, that gets each page as
    KEY.pdf, born digital and unworn.
    """

    version: ClassVar[int] = 5  # 5: a formula without LaTeX takes the room of its letters, and costs its page in tables, too

    seed: int = 0
    long_side: int = 1920
    jpeg_quality: int = 90
    max_pages: int = 0
    error_share: float = 0.15
    wear: Wear = field(default_factory=Wear)
    max_bytes: int = 256 << 20
    max_document_s: float = 600.0
    root: str = field(default="", repr=False, metadata={"secret": True})
    pdfs: str = field(default="", repr=False, metadata={"secret": True})
    limits: Limits = field(default_factory=lambda: Limits(60.0, _ADDRESSES))
    shard_pages: int = 128
    stage: str = "markup"

    def engines(self) -> dict[str, str]:
        """Raises `ValueError` with the way to install it if Chromium or Playwright is missing."""
        return versions() | browser.versions() | {"katex": katex.version(), "fonts": typefaces.digest(typefaces.files().values())}

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of(items, self.expected_pages, self.shard_pages, cut=False)  # a document is laid out as a whole

    def expected_pages(self, item: Item) -> int:
        total = num_parts(item, _PAGE_BYTES, _UNKNOWN_PAGES)
        return max(1, min(total, self.max_pages or total))

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(map(self.expected_pages, inputs))
        return Estimate(pages, 300_000 * pages, 0.2 * len(inputs) + 0.2 * pages)

    def probe(self, item: Item) -> Item:
        """The item with its content's sha256. The number of pages isn't known before the document is laid out."""
        try:
            with fetched(item.uri, MARKUP, self.max_bytes, self.limits) as (path, _):
                return replace(item, sha256=sha256_of(path))
        except SampleError:
            return item

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        with contextlib.ExitStack() as stack:
            path, form = stack.enter_context(fetched(item.uri, MARKUP, self.max_bytes, self.limits))
            sha256, engines = sha256_of(path), self.engines()
            kind, article = kind_of(item.uri, form.name), ""
            member = archive.parse(item.uri)
            if member is not None and member.kind == "zim":  # its pictures are in the archive, too
                path, kind, article = stack.enter_context(archive_at(member.archive)), "zim", member.name
            pages = read_parts(
                READ,
                MarkupPage,
                self.limits,
                max_fatal=1,
                max_cpu_s=self.max_document_s,
                noun="pages",
                path=path,
                kind=kind,
                root=self.root or (os.path.dirname(path) if path == item.uri else ""),
                article=article,
                seed=f"{self.seed} {sha256}",
                within=item.part,
                long_side=self.long_side,
                jpeg_quality=self.jpeg_quality,
                max_pages=self.max_pages,
                lang=item.lang,
                error_share=self.error_share,
                wear=self.wear,
                with_pdf=bool(self.pdfs),
            )
            for page in pages:
                if isinstance(page, Failed):
                    yield failed_pages(item.uri, sha256, STAGE, page)
                else:
                    origin = Origin(item.uri, sha256, page.number, item.licence, engines)
                    if page.value.pdf:
                        Folder(self.pdfs).write(f"{page_key(item.uri, sha256, page.number)}.pdf", page.value.pdf)
                    yield from _outcomes(item, origin, page.value, self.stage)


def _outcomes(item: Item, origin: Origin, page: MarkupPage, stage: str) -> Iterator[Sample | Drop]:
    """The page and its cuts, or a drop."""
    key = page_key(item.uri, origin.sha256, origin.page)
    if page.reason:
        yield Drop(key, item.uri, Range(origin.page, origin.page + 1), STAGE, page.reason, clean_text(page.detail))
        return
    document = page.of_document
    assert document is not None
    left_out = {f"cut_{name}": str(count) for name, count in sorted(document.left_out.items())}
    sample = Sample(
        key=key,
        task="page",
        image=page.image,
        size=page.size,
        lang=document.lang if document.lang != "und" else item.lang or "und",
        script=document.script,
        text=markdown(page.regions),
        regions=page.regions,
        quality=Quality("trusted", (), page.signals),
        origin=origin,
        stage=stage,
        metadata={"look": document.look, "worn": page.worn, "typing_errors": str(document.num_errors)} | left_out,
    )
    yield sample
    for cut in page.cuts:
        yield _cut_out(sample, cut)


def _cut_out(page: Sample, cut: Cut) -> Sample:
    is_table = cut.kind == "table"
    region = Region(cut.inner, "table" if is_table else "equation", cut.text, None, BY, format="html" if is_table else "latex")
    return replace(
        page,
        key=f"{page.key}-{cut.kind[0]}{cut.number:04d}",
        task=cut.kind,
        image=cut.image,
        size=cut.size,
        text=content(region),
        regions=(region,),
        quality=Quality("trusted"),
        origin=replace(page.origin, parent=page.key, box=Box(*cut.box)),
        metadata={"look": page.metadata["look"]},
    )
