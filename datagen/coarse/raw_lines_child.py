"""Lines of PDF pages as MuPDF gives them, with nothing put right: what runs in the sandboxed child."""

from collections.abc import Iterator, Sequence

from datagen.coarse.answers import CutOrder, RawLine
from datagen.coarse.line_crops_child import cropped
from datagen.coarse.page import native, open_document, textpage_of
from datagen.engines.light_pymupdf import pymupdf
from datagen.record import Box, clean_text
from datagen.sandbox.parts import Failed, Part, each


def raw_lines(
    path: str,
    numbers: list[int],
    orders: list[CutOrder],
    lengths: tuple[int, int],
    heights: tuple[int, int] = (28, 48),
    margin: float = 0.3,
    jpeg_quality: int = 90,
    passwords: Sequence[str] = (),
) -> Iterator[Part[list[RawLine]] | Failed]:
    """Yields, for each number, the lines of that order's page that have from `lengths[0]` to `lengths[1]` characters, with their
    crops. The order's own boxes aren't looked at. Raises `SampleError` where the document as a whole can't be read."""
    with open_document(path, passwords) as doc:

        def cut(number: int) -> list[RawLine]:
            order = orders[number]
            with native("broken_page"):
                page = doc[order.page]
                displaylist = page.get_displaylist()
                rect = displaylist.rect
                zoom = order.long_side / max(rect.width, rect.height)
                # The flags of a plain get_text, which pass glyph numbers off as characters where a font says nothing.
                blocks = textpage_of(page, pymupdf.TEXTFLAGS_TEXT).extractDICT()["blocks"]
            lines = [line for block in blocks for line in block.get("lines", ())]
            fit = []
            for line in lines:
                text = clean_text("".join(span["text"] for span in line["spans"])).strip()
                box = _box(line["bbox"], zoom, order.long_side)
                if lengths[0] <= len(text) <= lengths[1] and box is not None:
                    fit.append((text, box))
            wanted = order._replace(boxes=[box for _, box in fit])
            crops = cropped(displaylist, zoom, wanted, heights, margin, jpeg_quality)
            return [RawLine(text, crop) for (text, _), crop in zip(fit, crops, strict=True)]

        yield from each(numbers, cut)


def _box(bbox: Sequence[float], zoom: float, long_side: int) -> Box | None:
    """A box in points as pixels; None if there is nothing in it."""
    if not all(abs(value * zoom) <= 2 * long_side for value in bbox):
        return None
    x0, y0, x1, y1 = (max(0, round(value * zoom)) for value in bbox)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
