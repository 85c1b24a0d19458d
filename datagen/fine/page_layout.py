"""PyMuPDF's layout model on an open page, and the page's pictures and rules.

The model's weights are in the wheel of `pymupdf_layout`. It reads the page through `_Shown`, which gives it the display list
that text and image come from. So the page isn't interpreted again, and a turned page is seen as it is shown: PyMuPDF's own
`get_layout` lays unturned text over a turned image.
"""

import importlib.metadata
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from datagen.coarse.page import OpenPage, native
from datagen.engines.light_pymupdf import pymupdf
from datagen.engines.pymupdf_layout import layout_model
from datagen.labels import label_of
from datagen.page.line_pieces import Rect
from datagen.record import SampleError

ENGINES = {"pymupdf-layout": importlib.metadata.version("pymupdf_layout")}
# The model compares each line with every other one, and its image has a pixel a point.
_MAX_LINES, _MAX_SIDE_PT = 3000, 5000.0
_TEXT, _STRUCTURE = 0, 2  # kinds of blocks in MuPDF's dictionary


@dataclass(frozen=True, slots=True)
class Block:
    """A block that the model sees: its box in points, its label in the record's terms, and the boxes of its lines."""

    box: Rect
    label: str
    parts: tuple[Rect, ...]


@dataclass(frozen=True)
class PageLayout:
    """The model's blocks in its own order (columns from the left, then from the top), and boxes, in points, of the page's images
    and of what is drawn."""

    blocks: tuple[Block, ...] = ()
    pictures: tuple[Rect, ...] = ()
    drawings: tuple[Rect, ...] = ()
    failed: bool = False


def page_layout(view: OpenPage) -> PageLayout:
    """The layout that the model sees on a page. If the page is too large or the model fails on it, the layout is empty and
    `failed`."""
    shown = _Shown(view)
    try:
        if max(shown.rect.width, shown.rect.height) > _MAX_SIDE_PT:
            raise SampleError("too_large")
        with native("layout"):
            groups = _predict(shown)
    except SampleError:
        return PageLayout(failed=True)
    blocks = tuple(
        Block(_rect(group["group_bbox"]), label_of("pymupdf-layout", group["class_name"]), tuple(map(_rect, group["bboxes"])))
        for group in groups
    )
    return PageLayout(blocks, *_walked(shown.blocks))


def is_tagged(doc: pymupdf.Document) -> bool:
    """Whether the file has a structure tree."""
    with native("broken"):
        kind, _ = doc.xref_get_key(doc.pdf_catalog(), "StructTreeRoot")
    return str(kind) not in ("null", "undefined")


@dataclass
class _Shown:
    """As much of a `pymupdf.Page` as the model asks for, in the frame of the page as it is shown."""

    view: OpenPage
    blocks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rect(self) -> pymupdf.Rect:
        return self.view.page.rect

    def get_pixmap(self) -> pymupdf.Pixmap:
        return self.view.displaylist.get_pixmap(alpha=False)

    def get_textpage(self, flags: int) -> pymupdf.TextPage:
        if is_tagged(self.view.page.parent):
            flags &= ~pymupdf.TEXT_TABLE_HUNT  # MuPDF's search for tables ends the process on some tagged pages with drawings
        return pymupdf.TextPage(self.view.displaylist.get_textpage(flags))

    def get_text(self, kind: str, textpage: pymupdf.TextPage) -> dict[str, Any]:
        assert kind == "dict", kind
        content: dict[str, Any] = textpage.extractDICT()
        self.blocks = content["blocks"]
        if sum(len(block["lines"]) for block in _flat(self.blocks) if block["type"] == _TEXT) > _MAX_LINES:
            raise SampleError("too_many_lines")
        return content

    def widgets(self) -> Iterator[Any]:
        return iter(())


def _predict(shown: _Shown) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = layout_model().predict(shown, return_raw=True)
    return groups


def _flat(blocks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        yield block
        if block["type"] == _STRUCTURE:
            yield from _flat(block["blocks"])


def _walked(blocks: Sequence[dict[str, Any]]) -> tuple[tuple[Rect, ...], tuple[Rect, ...]]:
    pictures, drawings = [], []
    for block in _flat(blocks):
        box = _rect(block["bbox"])
        if all(map(math.isfinite, box)):
            match block["type"]:
                case 1:
                    pictures.append(box)
                case 3:
                    drawings.append(box)
    return tuple(pictures), tuple(drawings)


def _rect(box: Sequence[float]) -> Rect:
    x0, y0, x1, y1 = map(float, box[:4])
    return x0, y0, x1, y1
