"""Where formulas and pictures stand in a tagged PDF of LibreOffice's: an element with a box for each, in the text's order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from datagen.sources.light_pymupdf import pymupdf
from datagen.sources.pdf_page import native
from datagen.word.letters import Rect

_KINDS: dict[str, Literal["formula", "picture"]] = {"/Formula": "formula", "/Figure": "picture"}
_REFERENCE = re.compile(r"(\d+) 0 R")
_IN_PLACE = re.compile(r"<<.*?>>", re.DOTALL)  # marked content of another page, annotations
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MAX_ELEMENTS = 200_000


@dataclass(frozen=True)
class Tagged:
    """An element: its `page`, from 0, and its place there. A picture may be the frame of a text box. Notes stand behind the text
    of their page or section, so an element says whether it `is_in_note`."""

    kind: Literal["formula", "picture"]
    page: int
    box: Rect
    is_in_note: bool = False


def tagged_places(pdf: pymupdf.Document) -> list[Tagged]:
    """The formulas and pictures of the document's structure tree, in its order. What stands in headers and footers isn't in it.
    Raises `SampleError` (`broken`)."""
    with native("broken"):
        pages = {pdf.page_xref(number): number for number in range(len(pdf))}
        heights = [page.mediabox.height for page in pdf.pages()]
        root = pdf.xref_get_key(pdf.pdf_catalog(), "StructTreeRoot")
        if root[0] != "xref":
            return []
        return list(_walked(pdf, int(root[1].split()[0]), pages, heights))


def _walked(pdf: pymupdf.Document, root: int, pages: dict[int, int], heights: list[float]) -> Iterator[Tagged]:
    waiting, num = [(root, False)], 0
    while waiting and num < _MAX_ELEMENTS:
        num += 1
        xref, is_in_note = waiting.pop()
        name = pdf.xref_get_key(xref, "S")[1]
        is_in_note |= name == "/Note"
        kind = _KINDS.get(name)
        if kind is not None:
            page = pages.get(_first_reference(pdf.xref_get_key(xref, "Pg")[1]))
            box = _box(pdf, xref)
            if page is not None and box is not None:
                x0, y0, x1, y1 = box
                yield Tagged(kind, page, (x0, heights[page] - y1, x1, heights[page] - y0), is_in_note)
        kids = _IN_PLACE.sub(" ", pdf.xref_get_key(xref, "K")[1])
        waiting += [(int(number), is_in_note) for number in reversed(_REFERENCE.findall(kids))]


def _first_reference(text: str) -> int:
    match = _REFERENCE.match(text)
    return int(match[1]) if match else -1


def _box(pdf: pymupdf.Document, xref: int) -> Rect | None:
    """What /A has as its /BBox, in the PDF's own coordinates."""
    kind, text = pdf.xref_get_key(xref, "A")
    if kind == "xref":
        text = pdf.xref_object(int(text.split()[0]))
    match = re.search(r"/BBox\s*\[([^]]*)\]", text)
    numbers = [float(number) for number in _NUMBER.findall(match[1])] if match else []
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None
