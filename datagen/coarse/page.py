"""PDF pages, read with PyMuPDF. This code runs in the sandboxed child, the only process that opens a document.

MuPDF interprets a page twice: into a display list, which gives the image, and for its text (`textpage_of`). Both have the same
frame: the rotated, cropped page as a viewer shows it.
"""

import contextlib
import functools
import hashlib
import math
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy
import simplejpeg

from datagen.coarse.answers import Draw, PageCall, PageContent, Probe, ReadPage
from datagen.coarse.uncovered_ink import uncovered_ink
from datagen.engines.light_pymupdf import pymupdf
from datagen.record import Box, Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts, each
from datagen.sandbox.walls import MEMORY_MARKS, is_out_of_memory

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

# The default adds TEXT_CID_FOR_UNKNOWN_UNICODE, which passes glyph numbers off as characters and would hide unmapped ones.
TEXT_FLAGS = pymupdf.TEXTFLAGS_TEXT & ~pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
_FREE_TEXT, _UNSEEN = 2, 2 | 32  # MuPDF's kind of annotation; PDF's flags Hidden and NoView
_CONTRAST = 64  # of 255: ink differs from paper by more
_LEAST_ROWS, _LEAN = 6, 0.025  # of a bracket's ink: its least height in pixels, and how far its ends lie aside, in heights


def textpage_of(page: pymupdf.Page, flags: int) -> pymupdf.TextPage:
    """A page's text in the frame of its display list. The text can't come from the display list, which drops text objects that
    hold only a space. Many files write each space as such an object. Where words stand close, or in scripts such as Thai,
    nothing else tells of the space."""
    of_any_format = page.this if isinstance(page.this, pymupdf.mupdf.FzPage) else page.this.super()
    options = pymupdf.mupdf.FzStextOptions(flags)
    options.flags = flags
    return pymupdf.TextPage(pymupdf.mupdf.FzStextPage(of_any_format, options))


@dataclass(frozen=True)
class OpenPage:
    """The argument of a page function. `zoom` is pixels a point. `size` is the image's (width, height) in pixels; `image` has its
    (H, W, 3) bytes."""

    page: pymupdf.Page
    displaylist: pymupdf.DisplayList
    zoom: float
    size: tuple[int, int]
    image: numpy.ndarray
    pixmap: pymupdf.Pixmap | None = None
    """The owner of the image's memory. The numpy array doesn't keep the memory alive."""

    def is_clear(self, bbox: tuple[float, float, float, float]) -> bool:
        """Whether nothing is drawn in the middle of a box in points. An underline, or tails of the lines around, may be drawn."""
        box = self.pixels(bbox)
        if box is None:
            return True
        height = box.y1 - box.y0
        columns = slice(box.x0 + height // 5, max(0, box.x1 - height // 5))
        middle = self.image[box.y0 + 2 * height // 5 : box.y0 + 2 * height // 3, columns, 1]
        top = self.image[box.y0 : box.y0 + max(1, height // 5), columns, 1]
        if middle.size == 0:
            return True
        darkest, lightest = int(middle.min()), int(middle.max())
        # One dark colour that fills only the middle, such as a blacked-out word, is drawn, too.
        return lightest - darkest < _CONTRAST and abs(float(top.mean()) - darkest) < _CONTRAST

    def has_gap(self, bbox: tuple[float, float, float, float], least_pt: float) -> bool:
        """Whether a box in points has a blank strip from top to bottom that is at least `least_pt` wide."""
        box = self.pixels(bbox)
        if box is None:
            return False
        trim = (box.y1 - box.y0) // 12  # tails of the lines around it
        part = self.image[box.y0 + trim : box.y1 - trim, box.x0 : box.x1, 1].astype(numpy.int16)
        underline = numpy.arange(len(part)) > 3 * len(part) // 4
        underline &= numpy.ptp(part, axis=1) < _CONTRAST
        part = part[~underline]
        inked = numpy.flatnonzero(part.max(axis=0, initial=0) - part.min(axis=0, initial=255) >= _CONTRAST)
        edges = numpy.concatenate(([-1], inked, [part.shape[1]]))
        return int(numpy.diff(edges).max()) - 1 >= least_pt * self.zoom

    def opens(self, bbox: tuple[float, float, float, float]) -> int:
        """Which way the bracket in a box in points opens: 1 to the right, -1 to the left, 0 if the image doesn't say. The ends of
        a bracket lie further than its middle on the side to which the bracket opens."""
        box = self.pixels(bbox)
        if box is None:
            return 0
        part = self.image[box.y0 : box.y1, box.x0 : box.x1, 1].astype(numpy.float32)
        ink = numpy.abs(part - numpy.median(part))
        blank = numpy.flatnonzero(numpy.pad(ink.max(axis=1), 1) < _CONTRAST)
        longest = int(numpy.diff(blank).argmax())  # other inked rows are tails of the lines around it
        ink = ink[blank[longest] : blank[longest + 1] - 1]
        if len(ink) < _LEAST_ROWS:
            return 0
        ends = max(1, len(ink) // 10)
        columns = numpy.arange(ink.shape[1])
        top, middle, bottom = (float(i.sum(axis=0) @ columns / (i.sum() + 1)) for i in numpy.split(ink, (ends, -ends)))
        further = (top + bottom) / 2 - middle
        return (further > _LEAN * len(ink)) - (further < -_LEAN * len(ink))

    def pixels(self, bbox: tuple[float, float, float, float]) -> Box | None:
        """The smallest pixel box that holds a box in points, cut to the image; None if the box lies outside."""
        x0, y0, x1, y1 = bbox
        if not all(map(math.isfinite, bbox)):
            return None
        left, top = max(0, math.floor(x0 * self.zoom)), max(0, math.floor(y0 * self.zoom))
        right, bottom = min(self.size[0], math.ceil(x1 * self.zoom)), min(self.size[1], math.ceil(y1 * self.zoom))
        return Box(left, top, right, bottom) if left < right and top < bottom else None


PageReader = Callable[[OpenPage], PageContent]


def read_pages(
    path: str,
    numbers: list[int] | None,
    within: Range,
    draw: Draw,
    long_side: int,
    jpeg_quality: int,
    max_page_pt: float,
    page_functions: list[PageCall],
    passwords: Sequence[str] = (),
) -> Iterator[Parts | Part[ReadPage] | Failed]:
    """Yields the pages `numbers`. If `numbers` is None, `draw` chooses pages `within` a range; their numbers come first, then the
    pages. Raises `SampleError` for the whole document."""
    functions = [functools.partial(pkgutil.resolve_name(call.function), **call.arguments) for call in page_functions]
    with open_document(path, passwords) as doc:
        if numbers is None:
            numbers = [number for number in choose_pages(len(doc), *draw) if number in within]
            yield Parts(numbers)
        yield from each(numbers, lambda number: _read_page(doc, number, long_side, jpeg_quality, max_page_pt, functions))
    pymupdf.TOOLS.store_shrink(100)  # MuPDF bounds its store at 256 MB; nothing in it serves the next document


def probe_document(path: str, numbers: list[int], passwords: Sequence[str] = ()) -> Iterator[Part[Probe]]:
    """Yields one part: the number of pages, and the text of up to five pages spread over the document."""
    with open_document(path, passwords) as doc:
        text = ""
        for page in sorted({len(doc) * i // 5 for i in range(5)}):
            with contextlib.suppress(SampleError), native("broken_page"):
                text += doc[page].get_text(flags=TEXT_FLAGS)
        yield Part(numbers[0], Probe(len(doc), clean_text(text)))


def choose_pages(num_pages: int, max_pages: int, seed: str) -> list[int]:
    """At most `max_pages` (0: all) page numbers, ascending. A larger `max_pages` keeps the pages that a smaller one chose."""
    if not max_pages or num_pages <= max_pages:
        return list(range(num_pages))
    order = sorted(range(num_pages), key=lambda n: hashlib.sha256(f"{seed}/{n}".encode()).digest())
    return sorted(order[:max_pages])


def pictures(view: OpenPage) -> PageContent:
    """Signals: `image_share` is the share of the page that its images cover. `num_fields` counts form fields, and `num_notes`
    counts texts in annotations, which no text layer has; both are absent if 0. There are no regions: a layout model says what
    images show."""
    with native("broken_page"):
        num_fields = sum(1 for _ in view.page.widgets()) if view.page.first_widget else 0
        num_notes = sum(map(_is_shown, view.page.annots([_FREE_TEXT]))) if view.page.first_annot else 0
        fields = {name: float(num) for name, num in (("num_fields", num_fields), ("num_notes", num_notes)) if num}
        if not view.page.get_images():
            return PageContent(signals={"image_share": 0.0} | fields)
        boxes = [pymupdf.Rect(i["bbox"]) * view.page.rotation_matrix for i in view.page.get_image_info()]
    coarse = 64  # a grid of cells is exact enough for a share, and counts overlapping images once
    covered: set[tuple[int, int]] = set()
    for box in boxes:
        px = view.pixels(tuple(box))
        if px:
            (w, h), (x0, y0, x1, y1) = view.size, px
            columns, rows = range(x0 * coarse // w, -(-x1 * coarse // w)), range(y0 * coarse // h, -(-y1 * coarse // h))
            covered.update((x, y) for x in columns for y in rows)
    return PageContent(signals={"image_share": len(covered) / coarse**2} | fields)


def _is_shown(note: pymupdf.Annot) -> bool:
    return not note.flags & _UNSEEN and bool(str(note.info.get("content", "")).strip())


def rendered(doc: pymupdf.Document, number: int, long_side: int, max_page_pt: float) -> OpenPage:
    """The page with its image, `long_side` pixels long.

    Raises `SampleError` (`empty_page_box`, `page_too_large`, `broken_page`)."""
    with native("broken_page"):
        page = doc[number]
        width, height = page.rect.width, page.rect.height
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise SampleError("empty_page_box", f"{width:g} x {height:g} pt")
        if max(width, height) > max_page_pt:
            raise SampleError("page_too_large", f"{width:g} x {height:g} pt, allowed are {max_page_pt:g}")
        zoom = long_side / max(width, height)
        pymupdf.TOOLS.reset_mupdf_warnings()
        displaylist = page.get_displaylist()
        pixmap = displaylist.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
        size = (pixmap.width, pixmap.height)
        warnings = pymupdf.TOOLS.mupdf_warnings()
        if any(mark in warnings.lower() for mark in MEMORY_MARKS):
            raise MemoryError(warnings)  # else MuPDF draws the page without the parts that didn't fit
        pixels = numpy.frombuffer(pixmap.samples_mv, numpy.uint8).reshape(pixmap.height, pixmap.width, 3)
    return OpenPage(page, displaylist, zoom, size, pixels, pixmap)


def encoded(pixels: numpy.ndarray, jpeg_quality: int) -> bytes:
    """The (H, W, 3) bytes as a JPEG."""
    # simplejpeg takes MuPDF's pixels without a copy. It is 1.1 to 1.5 times as fast as Pillow, which copies them first, and some
    # ten times as fast as Pixmap.tobytes("jpg").
    jpeg: bytes = simplejpeg.encode_jpeg(pixels, quality=jpeg_quality, colorspace="RGB", colorsubsampling="420", fastdct=False)
    return jpeg


def _read_page(
    doc: pymupdf.Document, number: int, long_side: int, jpeg_quality: int, max_page_pt: float, functions: Sequence[PageReader]
) -> ReadPage:
    view = rendered(doc, number, long_side, max_page_pt)
    readings = [function(view) for function in functions]
    regions = tuple(region for reading in readings for region in reading.regions)
    engines = {name: version for reading in readings for name, version in reading.engines.items()}
    signals = {"repaired": 1.0} if doc.is_repaired else {}
    for reading in readings:
        signals |= reading.signals
    lines = [line.box for region in regions for line in region.lines]
    if lines:
        signals["uncovered_ink"] = uncovered_ink(view.image, lines)
    else:
        signals["blank"] = float(int(view.image.max()) - int(view.image.min()) < 8)  # one colour, apart from noise
        if doc.is_repaired and signals["blank"]:
            raise SampleError("broken_page", "nothing is left of it after repair of a damaged file")
    return ReadPage(encoded(view.image, jpeg_quality), view.size, PageContent(regions, signals, engines))


def open_document(path: str, passwords: Sequence[str] = ()) -> contextlib.closing:
    """The document. If it asks for a password, the first of `passwords` that fits opens it. Raises `SampleError`: `broken`,
    `encrypted`, `no_pages`, `not_a_pdf`."""
    with native("broken"):
        doc = pymupdf.open(path, filetype="pdf")
        if not doc.is_pdf:
            raise SampleError("not_a_pdf", str(doc.metadata.get("format")))
        if doc.needs_pass and not any(doc.authenticate(word) for word in passwords):
            tried = f"; none of {len(passwords)} fits" if passwords else ""
            raise SampleError("encrypted", f"a password is needed{tried}")
        if len(doc) == 0:
            raise SampleError(*(("broken", "no page survives repair") if doc.is_repaired else ("no_pages", "0 pages")))
    return contextlib.closing(doc)


@contextlib.contextmanager
def native(reason: str) -> Iterator[None]:
    """Turns every exception that PyMuPDF raises on a hostile file into a `SampleError`, and one for lack of memory into a
    `MemoryError`. It wraps calls of PyMuPDF only."""
    try:
        yield
    except SampleError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryError(str(error)) from None
        raise SampleError(reason, f"{type(error).__name__}: {error}") from None
