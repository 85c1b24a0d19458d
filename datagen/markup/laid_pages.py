"""The pages of a document that is laid out in the browser, each with its image, its regions, and what its ink says of them.

A text's ink is what differs between the page and the same page with its text made transparent: so it is known, and not guessed,
which text anybody can see. Text that is white on white, covered, clipped, or off the page leaves no ink.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy
import simplejpeg

from datagen.drawing.worn_pages import Wear, worn
from datagen.labels import RUNNING
from datagen.markup.answers import Cut, MarkupPage, OfDocument
from datagen.markup.blocks import Frame
from datagen.markup.browser import Document
from datagen.markup.layout import Layout, Node, Rect, Text, TextBox, read
from datagen.markup.look import Look
from datagen.markup.page_regions import PageRegions, Pixels, regions
from datagen.markup.paging import COVERED, paged
from datagen.record import Box, Region

_MOST_OUTSIDE = 0.005
"""The largest share of a page's ink of text that may lie outside of all boxes."""
_HIDDEN_QUALITY = 95  # it is compared, and costs no more
_PAPER = 8  # pixels of paper around a cut
_AT_ONCE = 16  # pages that are drawn before the first of them is answered
_DIFFERS = 40  # of 255 levels of gray: more than JPEG changes
_CLOSE = 0.06  # of a line's thickness
_REACH = 0.35  # of a line's thickness, by which letters may leave its rectangle


class LaidPages:
    """Lays pages out when it is made. `no_glyph` are characters that no typeface has."""

    def __init__(
        self,
        document: Document,
        look: Look,
        notes: int,
        zoom: float,
        jpeg_quality: int,
        of_document: OfDocument,
        seed: str,
        wear: Wear,
        no_glyph: frozenset[str] = frozenset(),
    ):
        self._document, self._look, self._quality = document, look, jpeg_quality
        self._of_document, self._seed, self._wear, self._no_glyph = of_document, seed, wear, no_glyph
        self._pixels = Pixels(Frame(look.width, look.height, look.writing), zoom)
        self.count = paged(document, look, notes)
        self._layout: Layout = read(document.snapshot())
        self._boxes = self._text_boxes()
        formulas = [node for node in self._layout if isinstance(node, Node) and node.name == "math"]
        self._formulas = [rect for node in formulas for rect in node.rects]
        placed = [*self._formulas, *(box.rect for boxes in self._boxes.values() for box, _ in boxes)]
        self._entered = {page for rect in placed for page in self._pixels.frame.crossed(rect)}
        self._shown: dict[int, bytes] = {}
        self._outside: dict[int, float] = {}
        self._faults: dict[int, list[str]] = {}
        self._regions: list[PageRegions] = []

    def pages(self, numbers: Sequence[int], with_pdf: bool = False) -> Iterator[tuple[int, MarkupPage]]:
        """These pages, a few at a time: a book's pictures don't fit into memory, and its reader waits for the first."""
        for first in range(0, len(numbers), _AT_ONCE):
            few = numbers[first : first + _AT_ONCE]
            self.draw(few)
            answers = [(number, self.page(number)) for number in few]
            for number, answer in answers:
                has_pdf = with_pdf and not answer.reason
                yield number, msgspec.structs.replace(answer, pdf=self.pdf(number)) if has_pdf else answer
            self._shown.clear()

    def draw(self, numbers: Sequence[int]) -> None:
        """Takes the pictures of these pages, with their text and without it, and says what is on each."""
        for number in numbers:
            self._look_at(number)
            self._shown[number] = self._document.picture(self._quality)
        self._document.hide_text()
        for number in numbers:
            self._check(number)
        self._document.hide_text(False)
        self._regions = regions(self._layout, self._pixels, self.count)

    def _check(self, number: int) -> None:
        """Tells which boxes have ink, has them hold all of it, and says how much of the page's ink is in none."""
        placed = self._boxes.get(number, [])
        boxes = [self._pixels.box(box.rect, number) for box, _ in placed]
        formulas = [self._pixels.box(rect, number) for rect in self._formulas if self._pixels.frame.page(rect) == number]
        drawn = self._ink(number, [*boxes, *formulas])
        total = max(1, int(numpy.count_nonzero(drawn)))
        for (box, item), has_ink in zip(placed, inked(drawn, boxes), strict=True):
            if has_ink and not box.is_seen:  # something lies over it, and doesn't hide it
                self._faults.setdefault(number, []).append(f"covered: {item.text[box.start : box.stop]}")
            if not self._no_glyph.isdisjoint(item.text[box.start : box.stop]):
                self._faults.setdefault(number, []).append(f"no_glyph: {item.text[box.start : box.stop]}")
            box.is_seen &= has_ink or item.parent.name == "::marker"  # which the browser may draw as a shape
        left = outside(drawn, [*boxes, *formulas])
        for (box, _), pixels, larger in zip(placed, boxes, grown_to(left, boxes), strict=True):
            if box.is_seen and larger != pixels:
                box.rect = self._pixels.rect(larger, number)
        self._outside[number] = int(numpy.count_nonzero(left)) / total

    def _ink(self, number: int, boxes: Sequence[Box]) -> numpy.ndarray:
        """Where the page has ink of text. The picture without text has what is around the boxes alone: it is drawn faster."""
        width, height = self._pixels.size
        around = Box(0, 0, width, height) if number in self._entered else surroundings(boxes, (width, height))
        if around is None:
            return numpy.zeros((height, width), bool)
        origin, rect = self._pixels.frame.origin(number), self._pixels.rect(around, number)
        self._document.scroll(*origin)
        hidden = self._document.picture(_HIDDEN_QUALITY, (rect.x0, rect.y0, rect.x1 - rect.x0, rect.y1 - rect.y0))
        return text_ink(self._shown[number], hidden, around)

    def page(self, number: int) -> MarkupPage:
        """A page that was drawn."""
        outside, page = self._outside[number], self._regions[number]
        faults = [*page.faults, *self._faults.get(number, [])]
        reason, _, detail = faults[0].partition(": ") if faults else ("", "", "")
        if not reason and outside > _MOST_OUTSIDE:
            reason, detail = "ink_outside", f"{outside:.1%} of the ink of its text lies in no line"
        if not reason and not any(region.text for region in page.regions if region.label not in RUNNING):
            reason, detail = "no_text", "nothing is written on it"
        if reason:
            return MarkupPage(b"", self._pixels.size, signals={"ink_outside": outside}, reason=reason, detail=detail)
        image, size, page_regions, cuts = self._shown[number], self._pixels.size, page.regions, list[Cut]()
        random = numpy.random.default_rng([*self._seed.encode(), number])
        kind = self._wear.drawn(random)
        if kind or any(map(_is_cut_out, page_regions)):
            pixels = simplejpeg.decode_jpeg(image, colorspace="RGB")
            if kind:
                thickness = [
                    min(b.x1 - b.x0, b.y1 - b.y0) for region in page_regions for b in (line.box for line in region.lines)
                ]
                pixels, page_regions = worn(kind, pixels, page_regions, random, float(numpy.median(thickness or [20])))
                image, size = self._encoded(pixels), (pixels.shape[1], pixels.shape[0])
            cuts = list(self._cuts(pixels, page_regions))
        return MarkupPage(
            image=image,
            size=size,
            regions=tuple(page_regions),
            cuts=tuple(cuts),
            signals={"ink_outside": round(outside, 5)},
            worn=kind,
            of_document=self._of_document,
        )

    def pdf(self, number: int) -> bytes:
        """The page as a PDF, with the same lines at the same places."""
        return self._document.pdf(*self._pixels.frame.origin(number), (self._look.width, self._look.height))

    def _encoded(self, pixels: numpy.ndarray) -> bytes:
        pixels = numpy.ascontiguousarray(pixels)
        return simplejpeg.encode_jpeg(pixels, self._quality, colorspace="RGB", colorsubsampling="420", fastdct=False)

    def _text_boxes(self) -> dict[int, list[tuple[TextBox, Text]]]:
        """The boxes of text on each page."""
        boxes: dict[int, list[tuple[TextBox, Text]]] = {}
        for item in self._layout:
            if (
                isinstance(item, Text)
                and item.text.strip()
                and item.parent.ancestor("math") is None
                and item.parent.styles.get("visibility", "visible") == "visible"
            ):
                for box in item.boxes:
                    if item.text[box.start : box.stop].strip():
                        boxes.setdefault(self._pixels.frame.page(box.rect), []).append((box, item))
        return boxes

    def _look_at(self, number: int) -> None:
        """Scrolls to the page, and finds text there that something else covers or clips: all of it is unseen; a part of it is a
        fault of the page."""
        x, y = self._pixels.frame.origin(number)
        here = [(box, item) for box, item in self._boxes.get(number, []) if item.number >= 0]
        wants = [[item.number, rect.x0 - x, rect.y0 - y, rect.x1 - x, rect.y1 - y] for rect, item in map(_core, here)]
        for (box, item), share in zip(here, self._document.evaluate(COVERED, [x, y, wants]), strict=True):
            if share == 1:
                box.is_seen = False
            elif share > 0:
                self._faults.setdefault(number, []).append(f"covered: {item.text[box.start : box.stop]}")

    def _cuts(self, pixels: numpy.ndarray, page_regions: Sequence[Region]) -> Iterator[Cut]:
        """The tables and displayed formulas, with some paper around them."""
        size = (pixels.shape[1], pixels.shape[0])
        for number, region in enumerate(filter(_is_cut_out, page_regions)):
            outer = grown(region.box, size, _PAPER)
            part = pixels[outer.y0 : outer.y1, outer.x0 : outer.x1]
            inner = Box(*(value - offset for value, offset in zip(region.box, (outer.x0, outer.y0) * 2, strict=True)))
            kind: Literal["table", "formula"] = "table" if region.label == "table" else "formula"
            yield Cut(kind, number, region.box, self._encoded(part), (part.shape[1], part.shape[0]), inner, region.text)


def _is_cut_out(region: Region) -> bool:
    return region.label in ("table", "equation") and bool(region.text)


def _core(placed: tuple[TextBox, Text]) -> tuple[Rect, Text]:
    """The place of a box without the spaces at the ends of its text, which may hang out of the column."""
    box, item = placed
    text, rect = item.text[box.start : box.stop], box.rect
    before, after = (len(text) - len(cut) for cut in (text.lstrip(), text.rstrip()))
    if item.parent.styles.get("direction") == "rtl":
        before, after = after, before
    x, y = (rect.x1 - rect.x0) / len(text), (rect.y1 - rect.y0) / len(text)
    if item.parent.styles.get("writing-mode", "horizontal-tb") != "horizontal-tb":
        return Rect(rect.x0, rect.y0 + before * y, rect.x1, rect.y1 - after * y), item
    return Rect(rect.x0 + before * x, rect.y0, rect.x1 - after * x, rect.y1), item


def text_ink(shown: bytes, hidden: bytes, part: Box) -> numpy.ndarray:
    """Where text is drawn: booleans (height, width), of a page's JPEG, and a JPEG without text of a `part` of the page. There is
    none elsewhere."""
    first = simplejpeg.decode_jpeg(shown, colorspace="GRAY", fastdct=True)[..., 0]
    second = simplejpeg.decode_jpeg(hidden, colorspace="GRAY", fastdct=True)[..., 0]
    ink, place = numpy.zeros(first.shape, bool), (slice(part.y0, part.y1), slice(part.x0, part.x1))
    least, most = numpy.minimum(first[place], second), numpy.maximum(first[place], second)
    ink[place] = most - least > _DIFFERS
    return ink


def surroundings(boxes: Sequence[Box], size: tuple[int, int]) -> Box | None:
    """What holds all boxes and the ink around them, in an image of `size` (width, height); None if there are no boxes."""
    if not boxes:
        return None
    x0, y0, x1, y1 = (side(box[at] for box in boxes) for at, side in enumerate((min, min, max, max)))
    thickest = max(min(box.x1 - box.x0, box.y1 - box.y0) for box in boxes)
    return grown(Box(x0, y0, x1, y1), size, thickest)


def inked(ink: numpy.ndarray, boxes: Sequence[Box]) -> list[bool]:
    """Whether each box has any ink."""
    return [bool(ink[box.y0 : box.y1, box.x0 : box.x1].any()) for box in boxes]


def outside(ink: numpy.ndarray, boxes: Sequence[Box]) -> numpy.ndarray:
    """The ink that is in no box."""
    left = ink.copy()
    for box in boxes:
        left[box.y0 : box.y1, box.x0 : box.x1] = False
    return left


def grown_to(left: numpy.ndarray, boxes: Sequence[Box]) -> list[Box]:
    """The boxes, so large that they hold the ink beside them, such as high accents, swashes and stacked letters. Ink that goes
    into a box is taken from `left`, what is in no box so far."""
    if not left.any():
        return list(boxes)
    height, width = left.shape
    larger = list(boxes)
    for reach in (_CLOSE, _REACH):  # what is close to a box isn't its neighbour's
        for at, box in enumerate(larger):
            margin = max(1, round(reach * min(box.x1 - box.x0, box.y1 - box.y0)))
            around = grown(box, (width, height), margin)
            part = left[around.y0 : around.y1, around.x0 : around.x1]
            rows, columns = numpy.flatnonzero(part.any(axis=1)), numpy.flatnonzero(part.any(axis=0))
            if rows.size:
                x0, x1 = around.x0 + int(columns[0]), around.x0 + int(columns[-1]) + 1
                y0, y1 = around.y0 + int(rows[0]), around.y0 + int(rows[-1]) + 1
                larger[at] = Box(min(box.x0, x0), min(box.y0, y0), max(box.x1, x1), max(box.y1, y1))
                part[:] = False
    return larger


def grown(box: Box, size: tuple[int, int], margin: int) -> Box:
    """The box, larger by `margin` on all sides, within an image of `size` (width, height)."""
    return Box(max(0, box.x0 - margin), max(0, box.y0 - margin), min(size[0], box.x1 + margin), min(size[1], box.y1 + margin))
