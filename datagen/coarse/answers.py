"""What the child answers of a PDF, and what it is asked for. Both sides load this file, so it imports little."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from datagen.record import Box, Region

BY = "pymupdf"
"""Who read the text of regions that comes from the file itself."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """What a page function returns: regions in reading order, signals for `Quality`, and the engines it asked, with versions."""

    regions: tuple[Region, ...] = ()
    signals: dict[str, float] = field(default_factory=dict)
    engines: dict[str, str] = field(default_factory=dict)


class ReadPage(NamedTuple):
    """A page: its JPEG, its size in pixels, and what all page functions returned, in one."""

    image: bytes
    size: tuple[int, int]
    content: PageContent


class PageCall(NamedTuple):
    """A page function ("module:name") and its arguments beside the page."""

    function: str
    arguments: dict[str, Any]


class Draw(NamedTuple):
    """Which pages of a document are read: at most `max_pages` (0: all), chosen by `seed`."""

    max_pages: int
    seed: str


class Probe(NamedTuple):
    """How many pages a document has, and the text of some."""

    num_pages: int
    text: str


class CutOrder(NamedTuple):
    """A page in `script` whose lines are wanted, at that `height`. `boxes` are in pixels of an image with that `long_side`."""

    page: int
    long_side: int
    height: int
    boxes: list[Box]
    script: str = ""


class LineCrop(NamedTuple):
    """A line as a gray JPEG, its size in pixels, and the line's box in it."""

    image: bytes
    size: tuple[int, int]
    box: Box


class RawLine(NamedTuple):
    """A line as MuPDF gives it, with nothing put right; `crop` is None where there is nothing to cut."""

    text: str
    crop: LineCrop | None
