"""Pages of known truth as the labeller meets them in use: what their PDFs consist of, and what their images consist of."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy

from datagen.coarse.page import open_document, rendered
from datagen.coarse.text_layer import read_layer
from datagen.engines import Choice, Engines
from datagen.fine import lines_to_regions, text_layer
from datagen.fine.line_looks import Looks
from datagen.fine.page_layout import page_layout
from datagen.layouts.elements import Elements, LineElement, SeenBlock
from datagen.layouts.training import TrainingPage
from datagen.layouts.truth import Answer, answer
from datagen.page.images import pixels
from datagen.reading.page_lines import PageLines
from datagen.record import Region, Sample

LAYOUT, EQUATIONS = Choice("pymupdf-layout"), Choice("cdla", (("classes", ("equation",)),))
"""The engines whose regions the labeller sees beside the lines of an image, as in `AnnotateImage`."""
_LARGEST_SIDE, _MAX_SIDE_PT = 1600, 5000.0


def of_pdf(path: str, number: int, truth: Sequence[Region], size: tuple[int, int], document: str) -> TrainingPage:
    """The page `number` of a PDF file, with the true regions in a page of `size`. Raises `SampleError` (`broken_page`, …)."""
    page = pdf_elements(path, number)
    return TrainingPage(page, answer(page, truth, size), document)


def pdf_elements(path: str, number: int) -> Elements:
    """What the page `number` of a PDF file consists of. Raises `SampleError` (`broken_page`, …)."""
    with open_document(path) as file:
        view = rendered(file, number, _LARGEST_SIDE, _MAX_SIDE_PT)
        layer, layout = read_layer(view), page_layout(view)
        page = text_layer.elements(view, layer, layout, Looks(layer.spans, layout.drawings))
        del view  # before its document is closed
    return page


def of_image(sample: Sample, engines: Engines) -> TrainingPage:
    """The sample's image, with the true lines. A detector finds others: `training.variant` tears and moves some."""
    image = pixels(sample.image or b"")
    lines = [line for region in sample.regions for line in region.lines if line.text.strip()]
    layout = LAYOUT.opened(engines).regions([image], [lines])[0]
    seen = lines_to_regions.with_equations(layout, EQUATIONS.opened(engines).regions([image], [lines])[0])
    read_lines = PageLines(tuple(lines), 0, sample.lang, sample.script, Choice("truth"))
    page, _ = lines_to_regions.elements(read_lines, seen, image)
    return TrainingPage(page, answer(page, sample.regions, sample.size), document_of(sample))


def written(pages: Iterable[TrainingPage]) -> bytes:
    """The pages as compressed lines of JSON."""
    return gzip.compress("".join(json.dumps(_packed(page)) + "\n" for page in pages).encode(), mtime=0)


def read(data: bytes) -> Iterator[TrainingPage]:
    """The pages of `written`."""
    for line in gzip.decompress(data).decode().splitlines():
        packed = json.loads(line)
        page = packed["page"]
        page["lines"] = [LineElement(**one) for one in page["lines"]]
        page["blocks"] = [SeenBlock(**one) for one in page["blocks"]]
        columns = (numpy.array(packed[name], int) for name in Answer._fields)
        yield TrainingPage(Elements(**page), Answer(*columns), packed["document"])


def _packed(page: TrainingPage) -> dict[str, Any]:
    columns = {name: column.tolist() for name, column in page.answer._asdict().items()}
    return {"page": asdict(page.page), "document": page.document} | columns


def document_of(sample: Sample) -> str:
    return sample.origin.sha256[:16]
