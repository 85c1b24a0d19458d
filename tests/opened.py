"""A PDF's page as `text_layer`, or another page function, reads it, in this process."""

import math
from pathlib import Path

import pymupdf

from datagen.coarse.answers import PageContent
from datagen.coarse.page import PageReader, rendered
from datagen.coarse.text_layer import text_layer


def read(pdf: bytes | Path, page: int = 0, function: PageReader = text_layer) -> PageContent:
    with pymupdf.open(stream=pdf.read_bytes() if isinstance(pdf, Path) else pdf, filetype="pdf") as doc:
        return function(rendered(doc, page, 1920, math.inf))
