"""A PDF's page as `text_layer`, or another page function, reads it, in this process."""

from pathlib import Path

import numpy
import pymupdf

from datagen.coarse.answers import PageContent
from datagen.coarse.page import OpenPage, PageReader
from datagen.coarse.text_layer import text_layer


def read(pdf: bytes | Path, page: int = 0, function: PageReader = text_layer) -> PageContent:
    with pymupdf.open(stream=pdf.read_bytes() if isinstance(pdf, Path) else pdf, filetype="pdf") as doc:
        opened = doc[page]
        zoom = 1920 / max(opened.rect.width, opened.rect.height)
        displaylist = opened.get_displaylist()
        pixmap = displaylist.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
        pixels = numpy.array(pixmap.samples_mv, numpy.uint8).reshape(pixmap.height, pixmap.width, 3)
        return function(OpenPage(opened, displaylist, zoom, (pixmap.width, pixmap.height), pixels))
