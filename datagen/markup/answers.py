"""The child's answers about a page of markup. Both sides load this file, so it imports little."""

from typing import Literal

import msgspec

from datagen.record import Box, Region

BY = "markup"
"""The reader of regions whose text comes from markup: `by` of each region here."""


class Cut(msgspec.Struct, frozen=True, array_like=True):
    """A table or a displayed formula, cut out of the page's image.

    `number` counts those of the page. `box` is the place in the page's image. `image` is a JPEG of `size` (width, height) that
    shows the box with some paper around; `inner` is the box in it. `text` is HTML or bare LaTeX.
    """

    kind: Literal["table", "formula"]
    number: int
    box: Box
    image: bytes
    size: tuple[int, int]
    inner: Box
    text: str


class OfDocument(msgspec.Struct, frozen=True, array_like=True):
    """What is the same for all pages of a document: its language and script, its look in words, the number of typing errors that
    were planted in it, and how many elements of a kind were cut from it."""

    lang: str
    script: str
    look: str
    num_errors: int = 0
    left_out: dict[str, int] = {}


class MarkupPage(msgspec.Struct, frozen=True, array_like=True):
    """A page: its JPEG, its size in pixels (width, height), and its regions in reading order.

    `reason` tells why the page is no sample ("" if it is one), with a `detail` for people. `signals` are measurements.
    `worn` tells what a scanner or camera did to it. `of_document` is what all pages of the document share.
    `pdf` is the page as PDF, if it was asked for.
    """

    image: bytes
    size: tuple[int, int]
    regions: tuple[Region, ...] = ()
    cuts: tuple[Cut, ...] = ()
    signals: dict[str, float] = {}
    reason: str = ""
    detail: str = ""
    worn: str = ""
    of_document: OfDocument | None = None
    pdf: bytes = b""
