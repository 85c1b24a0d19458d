"""PDF files as page samples: the worker's side. `page.py` is the parser's side, which runs in the sandboxed child."""

import importlib.metadata
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from datagen.coarse.answers import Draw, PageCall, Probe, ReadPage
from datagen.drawing import typefaces
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.local import fetched, sha256_of
from datagen.inputs.selection import seeded
from datagen.markdown import markdown
from datagen.reading.language import identify
from datagen.record import Drop, Origin, Quality, Region, Sample, SampleError, clean_text, source_key
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed, Part
from datagen.sandbox.process import Limits
from datagen.work.pipeline import Estimate, Source

log = logging.getLogger(__name__)

READ = "datagen.coarse.page:read_pages"
PROBE = "datagen.coarse.page:probe_document"
STAGE = "PdfSource"
_PAGE_BYTES, _UNKNOWN_PAGES = 25_000, 20


@dataclass(frozen=True)
class PageFunction:
    """A function that the child calls on an open page: `function(OpenPage, **arguments)` returns a `PageContent`; see `page.py`.
    `version` goes up whenever the function returns something else.

    `function` is the function's name in outputs: "module:name", where it lay when the first output was made. `place` is where a
    moved function lies now; `place` is no part of the fingerprint. `annotates`: the function's regions have labels and are in
    reading order."""

    function: str
    version: int = 1
    arguments: tuple[tuple[str, Any], ...] = ()
    place: str = field(default="", repr=False, metadata={"secret": True})
    annotates: bool = field(default=False, repr=False, metadata={"secret": True})

    @property
    def runs(self) -> str:
        """Where the function lies, "module:name"."""
        return self.place or self.function


TEXT_LAYER = PageFunction("datagen.sources.pdf_text:text_layer", version=18, place="datagen.coarse.text_layer:text_layer")
PICTURES = PageFunction("datagen.sources.pdf_page:pictures", version=3, place="datagen.coarse.page:pictures")


@dataclass(frozen=True)
class PdfSource(Source):
    """Pages of PDF files, each with its image, its text layer as regions and lines, and signals to judge the layer by.

    - `long_side`: the image's longer side in pixels, whatever the page's size.
    - `max_pages` (0: all): so many pages of a document are read at most, chosen by `seed`.
    - `max_document_s`: seconds of the parser's processor time for a document, or for the part of it that a shard reads. The pages
      that are left after this time are given up.
    - `max_page_pt`: a longer page, in points, is dropped, since nobody could read it on an image of `long_side`.
    - `page_functions`: run in the child on the open page, and add regions and signals: see `page.OpenPage`.
    - `shard_pages`: a shard reads about so many pages. If there are few documents it reads fewer, but `few_pages` at least
      (0: `shard_pages` always).
    - `passwords`: tried on encrypted files. They are written down nowhere and are no part of the fingerprint.
    """

    version: ClassVar[int] = 9

    long_side: int = 1920
    jpeg_quality: int = 90
    max_pages: int = 0
    seed: int = 0
    max_page_pt: float = 14_400.0
    max_bytes: int = 2 << 30
    max_fatal_pages: int = 3
    max_document_s: float = 1800.0
    page_functions: tuple[PageFunction, ...] = (TEXT_LAYER, PICTURES)
    limits: Limits = field(default_factory=Limits)
    shard_pages: int = 256
    few_pages: int = 12
    stage: str = "coarse"
    passwords: tuple[str, ...] = field(default=(), repr=False, metadata={"secret": True})

    def engines(self) -> dict[str, str]:
        names = ["fonttools", "pillow", "pymupdf", "simplejpeg"]
        if self._annotates:
            names += ["numpy", "onnxruntime", "pymupdf_layout"]
        versions = {name: importlib.metadata.version(name) for name in sorted(names)}
        return versions | {"sign_fonts": typefaces.digest(typefaces.sign_faces())}

    @property
    def _annotates(self) -> bool:
        return any(f.annotates for f in self.page_functions)

    def split(self, documents: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of(documents, self.expected_pages, self.shard_pages, cut=not self.max_pages, least=self.few_pages)

    def expected_pages(self, part: Item) -> int:
        """How many pages a document, or a range of one, gives: known, or guessed from its bytes."""
        total = num_parts(part, _PAGE_BYTES, _UNKNOWN_PAGES)
        return max(1, min(total, self.max_pages or total))

    def estimate(self, inputs: Inputs) -> Estimate:
        """The cost of A4 documentation pages, which `make bench` measures."""
        pages, pixels = sum(map(self.expected_pages, inputs)), self.long_side**2
        return Estimate(pages, round(pages * 0.12 * pixels), pages * (0.006 + 2.4e-9 * pixels))

    def read(self, document: Item) -> Iterator[Sample | Drop]:
        """The document's pages, or the pages of its range. A page that ends the parser is dropped alone."""
        with fetched(document.uri, ("pdf",), self.max_bytes, self.limits) as (path, _):
            sha256 = sha256_of(path)
            pages = read_parts(
                READ,
                ReadPage,
                self.limits,
                imports=[f.runs for f in self.page_functions],
                max_fatal=self.max_fatal_pages,
                max_cpu_s=self.max_document_s,
                noun="pages",
                path=path,
                within=document.part,
                draw=Draw(self.max_pages, seeded(self.seed, sha256).hex()),
                long_side=self.long_side,
                jpeg_quality=self.jpeg_quality,
                max_page_pt=self.max_page_pt,
                page_functions=[PageCall(f.runs, dict(f.arguments)) for f in self.page_functions],
                passwords=self.passwords,
            )
            for page in pages:
                if isinstance(page, Failed):
                    yield failed_pages(document.uri, sha256, STAGE, page)
                else:
                    yield self._sample(document, sha256, page)

    def probe(self, document: Item) -> Item:
        try:
            with fetched(document.uri, ("pdf",), self.max_bytes, self.limits) as (path, _):
                sha256 = sha256_of(path)
                (part,) = read_parts(PROBE, Probe, self.limits, [0], path=path, passwords=self.passwords)
            if isinstance(part, Failed):
                raise SampleError(part.reason, part.detail)
        except SampleError as error:
            log.info("census: could not look into %s: %s", document.uri, error)
            return document
        lang = document.lang or identify(part.value.text).lang
        return replace(document, count=part.value.num_pages, sha256=sha256, lang="" if lang == "und" else lang)

    def _sample(self, document: Item, sha256: str, page: Part[ReadPage]) -> Sample:
        image, size, content = page.value
        return Sample(
            key=page_key(document.uri, sha256, page.number),
            task="page",
            image=image,
            size=size,
            lang=document.lang or "und",  # the declared language holds until a stage has read the text
            script="Zyyy",
            text=markdown(content.regions) if self._annotates else paragraphs(content.regions),
            regions=content.regions,
            quality=Quality(signals=content.signals),
            origin=Origin(document.uri, sha256, page.number, document.licence, content.engines),
            stage=self.stage,
        )


def paragraphs(regions: Sequence[Region]) -> str:
    """The text of all regions, with a blank line between two regions."""
    return "\n\n".join(region.text for region in regions if region.text)


def failed_pages(uri: str, sha256: str, stage: str, failed: Failed) -> Drop:
    """The drop of a document's pages that could not be read."""
    first, stop = failed.parts
    key = page_key(uri, sha256, first) if stop == first + 1 else ""
    return Drop(key, uri, failed.parts, stage, failed.reason, clean_text(failed.detail))


def page_key(uri: str, sha256: str, page: int) -> str:
    return f"{source_key(uri, sha256)}-{page:06d}"
