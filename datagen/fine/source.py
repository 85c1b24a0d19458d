"""PDF files and images of pages, side by side: each is read by the source for its kind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from datagen.coarse.source import PageFunction, PdfSource
from datagen.inputs import archive
from datagen.inputs.formats import suffixes
from datagen.inputs.items import Inputs, Item
from datagen.pictures.image_files import FORMATS as IMAGES
from datagen.pictures.source import ImageSource
from datagen.record import Drop, Sample
from datagen.work.pipeline import Estimate, Source

FORMATS = ("pdf", *IMAGES)
"""What to list for this source: members of archives are items of their own."""
ANNOTATED = PageFunction(
    "datagen.sources.pdf_annotated:annotated_layer", version=13, place="datagen.fine.text_layer:annotated_layer", annotates=True
)
"""Stands in place of `TEXT_LAYER`."""


@dataclass(frozen=True)
class PageFiles(Source):
    """Pages of PDF files, and images of pages. A file that has an image's name is an image, any other is a PDF. A shard reads
    files of one kind."""

    pdf: PdfSource
    images: ImageSource

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        yield from self.pdf.split(item for item in items if not _is_image(item))
        yield from self.images.split(item for item in items if _is_image(item))

    def estimate(self, inputs: Inputs) -> Estimate:
        parts = [self._source(item).estimate((item,)) for item in inputs]
        return Estimate(*(sum(column) for column in zip(*parts, strict=True))) if parts else Estimate(0, 0, 0.0)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        yield from self._source(item).read(item)

    def probe(self, item: Item) -> Item:
        return self._source(item).probe(item)

    def _source(self, item: Item) -> PdfSource | ImageSource:
        return self.images if _is_image(item) else self.pdf


def _is_image(item: Item) -> bool:
    return archive.name_of(item.uri).lower().endswith(suffixes(IMAGES))
