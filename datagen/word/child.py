"""A Word file read in the sandboxed child: opened, read, drawn by LibreOffice, and taken apart page by page.

file ──> package ──> content ──> copy with marks ──> office ──> pages
                        └──> formulas ──> LaTeX ──────────────────┘
"""

import contextlib
import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from datagen.disk.temporary import temporary_folder
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts, each
from datagen.word import office
from datagen.word.file import content
from datagen.word.file.document import Document
from datagen.word.file.fitting_pictures import fitting_pictures
from datagen.word.file.package import Package, opened
from datagen.word.formulas.document_formulas import Refusal, to_latex
from datagen.word.pages.answers import Lost, WordPage
from datagen.word.pages.document_pages import Rendering, WordPages
from datagen.word.pages.paragraph_parts import formulas_of

gc.set_threshold(200_000, 20, 20)  # a document makes millions of values and no cycles; looking for some took a tenth of its time


def read_document(
    path: str, within: Range, long_side: int, jpeg_quality: int, max_pages: int, numbers: list[int] | None
) -> Iterator[Parts | Part[WordPage] | Failed]:
    """Yields the pages with these `numbers`, else those of the first `max_pages` (0: all) that lie `within` a range. A document
    that LibreOffice can't draw is one page without an image and with a `reason`; its formulas and tables are lost. Raises
    `SampleError` for the whole document, as `package.opened` and `content.read` do."""
    with temporary_folder() as folder:
        package = opened(path)
        document, copy = _copied(package, folder, long_side)
        signs = dict(Counter(package.signs) + Counter(document.signs))
        latex, refusals = _latex(document)
        try:
            (pdf,) = office.convert([copy], folder, "pdf")
            pages = WordPages(document, latex, refusals, Rendering(pdf, long_side, jpeg_quality, max_pages))
        except SampleError as error:
            if numbers is None:
                yield Parts([0])
            yield Part(0, msgspec.structs.replace(_undrawn(document, error), signs=signs))
            return
        with contextlib.closing(pages):
            if numbers is None:
                numbers = [number for number in pages.numbers if number in within]
                yield Parts(numbers)
            yield from each(numbers, lambda number: msgspec.structs.replace(pages.page(number), signs=signs))


def _copied(package: Package, folder: str, long_side: int) -> tuple[Document, str]:
    """The document, and the path of its copy, whose pictures fit images of `long_side` pixels. Other formats become .docx
    first."""
    if package.kind != "docx":
        source = str(Path(folder) / f"file.{package.kind}")
        package.write(source)
        package = opened(office.convert([source], folder, "docx")[0])
    document, parts = content.read(package)
    path = str(Path(folder) / "copy.docx")
    package.write(path, parts | fitting_pictures(package.parts, document.pictures, long_side))
    return document, path


def _latex(document: Document) -> tuple[dict[int, str], dict[int, tuple[str, str]]]:
    """The LaTeX of formulas by number; and for formulas without LaTeX the reason and its detail."""
    formulas = formulas_of(document.blocks)
    latex: dict[int, str] = {}
    refusals: dict[int, tuple[str, str]] = {}
    for formula, answer in zip(formulas, to_latex([formula.omml for formula in formulas]), strict=True):
        if isinstance(answer, Refusal):
            refusals[formula.number] = answer.reason, answer.detail
        else:
            latex[formula.number] = answer
    return latex, refusals


def _undrawn(document: Document, error: SampleError) -> WordPage:
    detail = clean_text(error.detail)
    lost = [Lost("formula", number, error.reason, detail) for number in range(document.num_formulas)]
    lost += [Lost("table", number, error.reason, detail) for number in range(document.num_tables)]
    return WordPage(
        b"",
        (0, 0),
        lost=tuple(lost),
        reason=error.reason,
        detail=detail,
        num_formulas=document.num_formulas,
        num_tables=document.num_tables,
    )
