"""Lines of PDF pages drawn at the height that a reader wants, with our text or with MuPDF's as it comes: what runs in the
sandboxed child."""

import statistics
from collections.abc import Iterator, Sequence

import numpy
import simplejpeg

from datagen.coarse.answers import CutOrder, LineCrop, RawLine
from datagen.coarse.page import native, open_document, textpage_of
from datagen.engines.light_pymupdf import pymupdf
from datagen.record import Box, clean_text
from datagen.sandbox.parts import Failed, Part, each
from datagen.writing.vertical_lines import laid, stands

# A page is drawn once for most of its lines, as long as it stays under this; headings and footnotes are drawn alone.
_MAX_PAGE_PIXELS = 40_000_000
_MAX_CROP_SIDE = 8_000


def cut_lines(
    path: str,
    numbers: list[int],
    orders: list[CutOrder],
    heights: tuple[int, int],
    margin: float,
    jpeg_quality: int,
    passwords: Sequence[str],
    lengths: tuple[int, int] | None = None,
) -> Iterator[Part[list[LineCrop | None] | list[RawLine]] | Failed]:
    """Yields, for each number, the crops of that order's boxes, None where there is nothing to cut. Around a line lies `margin`
    of its height; one that stands is laid down.

    With `lengths`, the order's own boxes aren't looked at: the lines are those that MuPDF finds on the page, with that many
    characters, and come with their texts. Raises `SampleError` where the document as a whole can't be read."""
    with open_document(path, passwords) as doc:

        def cut(number: int) -> list[LineCrop | None] | list[RawLine]:
            order = orders[number]
            with native("broken_page"):
                page = doc[order.page]
                displaylist, zoom = page.get_displaylist(), order.long_side / max(page.rect.width, page.rect.height)
            found = _raw(page, zoom, order, lengths) if lengths else []
            order = order._replace(boxes=[box for _, box in found]) if lengths else order
            crops = list(cropped(displaylist, zoom, order, heights, margin, jpeg_quality))
            return [RawLine(text, crop) for (text, _), crop in zip(found, crops, strict=True)] if lengths else crops

        yield from each(numbers, cut)


def _raw(page: pymupdf.Page, zoom: float, order: CutOrder, lengths: tuple[int, int]) -> list[tuple[str, Box]]:
    """The lines that MuPDF finds, of these lengths, with their boxes in pixels."""
    with native("broken_page"):
        # The flags of a plain get_text, which pass glyph numbers off as characters where a font says nothing.
        blocks = textpage_of(page, pymupdf.TEXTFLAGS_TEXT).extractDICT()["blocks"]
    found = []
    for line in (line for block in blocks for line in block.get("lines", ())):
        text = clean_text("".join(span["text"] for span in line["spans"])).strip()
        box = _box(line["bbox"], zoom, order.long_side)
        if lengths[0] <= len(text) <= lengths[1] and box is not None:
            found.append((text, box))
    return found


def _box(bbox: Sequence[float], zoom: float, long_side: int) -> Box | None:
    """A box in points as pixels; None if there is nothing in it."""
    if not all(abs(value * zoom) <= 2 * long_side for value in bbox):
        return None
    x0, y0, x1, y1 = (max(0, round(value * zoom)) for value in bbox)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def cropped(
    displaylist: pymupdf.DisplayList, zoom: float, order: CutOrder, heights: tuple[int, int], margin: float, jpeg_quality: int
) -> Iterator[LineCrop | None]:
    """The crops of the boxes of a page's order, None where there is nothing to cut. `zoom` is its pixels a point."""
    if not order.boxes:
        return
    across = [box.x1 - box.x0 if stands(box, order.script) else box.y1 - box.y0 for box in order.boxes]
    scale = order.height / statistics.median(across)
    rect = displaylist.rect
    drawn = None
    if rect.width * rect.height * (zoom * scale) ** 2 <= _MAX_PAGE_PIXELS:
        drawn = _draw(displaylist, zoom * scale, rect)
    for box, size in zip(order.boxes, across, strict=True):
        fits = heights[0] <= size * scale <= heights[1]
        own = scale if fits else order.height / size
        pad = margin * size
        outer = pymupdf.Rect(box.x0 - pad, box.y0 - pad, box.x1 + pad, box.y1 + pad)
        if max(outer.width, outer.height) * own > _MAX_CROP_SIDE:
            yield None
            continue
        if fits and drawn is not None:
            x0, y0 = max(0, round(outer.x0 * own)), max(0, round(outer.y0 * own))
            gray = drawn[y0 : round(outer.y1 * own), x0 : round(outer.x1 * own)]
        else:
            clip = outer / zoom & rect
            gray = _draw(displaylist, zoom * own, clip)
            x0, y0 = round(clip.x0 * zoom * own), round(clip.y0 * zoom * own)
        h, w = gray.shape
        left, top = max(0, round(box.x0 * own) - x0), max(0, round(box.y0 * own) - y0)
        line = Box(left, top, min(w, round(box.x1 * own) - x0), min(h, round(box.y1 * own) - y0))
        is_standing = stands(box, order.script)
        if (w if is_standing else h) < 8 or line.x1 <= line.x0 or line.y1 <= line.y0:
            yield None
            continue
        if is_standing:
            gray, line = laid(gray, line, order.script)
        pixels = numpy.ascontiguousarray(gray)[:, :, None]
        size_of_crop = gray.shape[1], gray.shape[0]
        yield LineCrop(simplejpeg.encode_jpeg(pixels, quality=jpeg_quality, colorspace="GRAY"), size_of_crop, line)


def _draw(displaylist: pymupdf.DisplayList, zoom: float, clip: pymupdf.Rect) -> numpy.ndarray:
    """The part `clip` (points) of a page as (H, W) gray bytes."""
    with native("broken_page"):
        pixmap = displaylist.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csGRAY, alpha=False, clip=clip)
        # A copy: the view's memory is the pixmap's, and goes with it.
        return numpy.array(pixmap.samples_mv, numpy.uint8).reshape(pixmap.height, pixmap.width)
