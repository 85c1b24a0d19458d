"""The places of formulas and pictures in LibreOffice's tagged PDF: an element with a box for each, in the text's order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from datagen.coarse.page import native
from datagen.engines.light_pymupdf import pymupdf
from datagen.word.pages.page_letters import Rect

_KINDS: dict[str, Literal["formula", "picture"]] = {"Formula": "formula", "Figure": "picture"}
_REFERENCE = re.compile(r"(\d+) 0 R")
_IN_PLACE = re.compile(r"<<.*?>>", re.DOTALL)  # attributes, marked content of another page, annotations
_KIND = re.compile(r"/S\s*/([^\s/\[\]<>()]+)")
_PAGE = re.compile(r"/Pg\s+(\d+) 0 R")
_KIDS = re.compile(r"/K\s*(\[[^\]]*\]|\d+ 0 R)")
_BOX = re.compile(r"/BBox\s*\[([^]]*)\]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MAX_ELEMENTS = 200_000


@dataclass(frozen=True)
class Tagged:
    """An element: its `page`, from 0, and its place there. A picture may be the frame of a text box. Notes stand behind the text
    of their page or section, so `is_in_note` tells an element in a note."""

    kind: Literal["formula", "picture"]
    page: int
    box: Rect
    is_in_note: bool = False


def tagged_places(pdf: pymupdf.Document) -> list[Tagged]:
    """The formulas and pictures of the document's structure tree, in order. The tree lacks headers and footers. Raises
    `SampleError` (`broken`)."""
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
        whole = pdf.xref_object(xref, compressed=True)[2:-2]
        element = _IN_PLACE.sub(" ", whole)
        name = _KIND.search(element)
        is_in_note |= name is not None and name[1] == "Note"
        kind = _KINDS.get(name[1]) if name is not None else None
        if kind is not None:
            of_page = _PAGE.search(element)
            page = pages.get(int(of_page[1])) if of_page is not None else None
            box = _box(whole)
            if page is not None and box is not None:
                x0, y0, x1, y1 = box
                yield Tagged(kind, page, (x0, heights[page] - y1, x1, heights[page] - y0), is_in_note)
        kids = _KIDS.search(element)
        waiting += [(int(number), is_in_note) for number in reversed(_REFERENCE.findall(kids[1]) if kids is not None else [])]


def _box(element: str) -> Rect | None:
    """The element's /BBox, in the PDF's own coordinates."""
    match = _BOX.search(element)
    numbers = [float(number) for number in _NUMBER.findall(match[1])] if match else []
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None
