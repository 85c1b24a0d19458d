"""The letters of a rendered page, each with the mark of the piece of text that it belongs to, and the cells, each with its place.

Text and places are the plain page's; the marks are the marked page's, which looks the same but for its colours.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy

from datagen import scripts
from datagen.boxes import distance
from datagen.sources.light_pymupdf import pymupdf
from datagen.sources.pdf_page import native
from datagen.word.colours import Marks

Rect = tuple[float, float, float, float]
"""In points, from the page's top left corner."""

# /ActualText stays: without it, clusters of Indic scripts are glyphs, not letters.
_FLAGS = (pymupdf.TEXTFLAGS_RAWDICT | pymupdf.TEXT_PRESERVE_LIGATURES) & ~(
    pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE | pymupdf.TEXT_PRESERVE_IMAGES | pymupdf.TEXT_PRESERVE_LIGATURES
)
_SAME_PLACE_PT = 1.0  # what kerning between two pieces of one look, which are one piece in the plain copy, may move
_SAME_LINE_PT = 6.0  # the same along a line, of pages that have the same letters in one order
_LIGHT = 170  # of 255: a letter in such a colour may be one that nobody sees
_BESIDE_EM, _BELOW_EM = 0.3, 1.6  # how far the next letter of a vertical line is, at most
_UPRIGHT = re.compile(f"[{scripts.KANA}{scripts.HAN}]")
_ZOOM = 2.0  # pixels a point, of the image that is looked at for it
_UNSEEN = 24  # of 255, of a letter's ink to its paper


class Letter(msgspec.Struct, gc=False):
    """A character of the plain page. `line` counts MuPDF's lines on it; `mark` is 0 for what has none, such as a formula's. It
    `counts` if it is more than white space."""

    char: str
    box: Rect
    mark: int
    line: int
    size_pt: float
    font: str
    is_vertical: bool = False
    counts: bool = True

    def __post_init__(self) -> None:
        self.counts = not self.char.isspace()


class _Coloured(NamedTuple):
    """A letter of the marked page: where its box begins, and its mark, 0 for none."""

    char: str
    x0: float
    y0: float
    mark: int


@dataclass(frozen=True)
class PageLetters:
    """`letters` are in the file's order, spaces among them. `cells` are the places of each cell by its mark, in the order in
    which they are drawn. `num_moved` counts the letters that only one of both pages has in a place."""

    letters: tuple[Letter, ...]
    cells: Mapping[int, Sequence[Rect]]
    num_moved: int


def page_letters(page: pymupdf.Page, marked: pymupdf.Page, marks: Marks, num_marks: int) -> PageLetters:
    """The letters that the plain page shows, with the marks of the other one; 0 for one that isn't in its place there. It is to
    be called for one page of a document after the other. Raises `SampleError` (`broken_page`)."""
    with native("broken_page"):
        plain, colours = _letters(page.get_textpage(flags=_FLAGS))
        textpage = marked.get_textpage(flags=_FLAGS)
        same = _marks_of_spans(plain, textpage, marks)
        coloured = [] if same else list(_coloured(textpage, marks))
        drawings = marked.get_cdrawings()
        is_seen = _sight(page, set(colours))
    shown = [letter for letter in plain if letter.counts]
    of_letters = same or _marks(shown, coloured)
    for letter, mark in zip(shown, of_letters, strict=True):
        letter.mark = mark or 0
    letters = [letter for letter, colour in zip(plain, colours, strict=True) if not letter.counts or is_seen(letter, colour)]
    _stack(letters)
    _mark_spaces(letters)
    num_moved = 0 if same else max(of_letters.count(None), abs(len(shown) - len(coloured)))
    return PageLetters(tuple(letters), _cells(drawings, num_marks), num_moved)


def _letters(textpage: pymupdf.TextPage) -> tuple[list[Letter], list[int]]:
    """The characters, without marks, and their colours, 0xRRGGBB."""
    letters: list[Letter] = []
    colours: list[int] = []
    number = 0
    for block in textpage.extractRAWDICT()["blocks"]:
        for line in block.get("lines", ()):
            number += 1
            is_vertical = bool(line["wmode"]) or abs(line["dir"][1]) > 0.9
            for span in line["spans"]:
                size, font, chars = span["size"], span["font"], span["chars"]
                letters += [Letter(char["c"], char["bbox"], 0, number, size, font, is_vertical) for char in chars]
                colours += [span["color"]] * len(chars)
    return letters, colours


def _marks_of_spans(plain: Sequence[Letter], textpage: pymupdf.TextPage, marks: Marks) -> list[int | None] | None:
    """The marks of the plain page's letters, spaces left out, if the marked page has the same characters, and each of its spans
    begins and ends where they do; else None. That is twice as fast as to look at each letter of the marked page."""
    of_letters: list[int | None] = []
    at, before = 0, marks.at
    for block in textpage.extractDICT()["blocks"]:
        for line in block.get("lines", ()):
            for span in line["spans"]:
                text = span["text"]
                part = plain[at : at + len(text)]
                at += len(text)
                is_same = [letter.char for letter in part] == list(text)
                if not is_same or (part and not _is_at(part[0], part[-1], span["bbox"])):
                    marks.at = before
                    return None
                of_letters += [marks.mark(span["color"])] * sum([letter.counts for letter in part])
    return of_letters if at == len(plain) else None


def _is_at(first: Letter, last: Letter, box: Rect) -> bool:
    """Whether a span lies from its first letter to its last; never of one that runs downwards."""
    (ax0, ay0, ax1, _), (bx0, by0, bx1, _) = first.box, last.box
    x0, y0, x1, _ = box
    return (
        not first.is_vertical
        and abs(min(ax0, bx0) - x0) < _SAME_PLACE_PT
        and abs(max(ax1, bx1) - x1) < _SAME_PLACE_PT
        and abs(ay0 - y0) < _SAME_PLACE_PT
        and abs(by0 - y0) < _SAME_PLACE_PT
    )


def _coloured(textpage: pymupdf.TextPage, marks: Marks) -> Iterator[_Coloured]:
    """The characters that are more than white space."""
    for block in textpage.extractRAWDICT()["blocks"]:
        for line in block.get("lines", ()):
            for span in line["spans"]:
                mark = marks.mark(span["color"])
                for char in span["chars"]:
                    if not (sign := char["c"]).isspace():
                        x0, y0, _, _ = char["bbox"]
                        yield _Coloured(sign, x0, y0, mark)


def _marks(shown: Sequence[Letter], coloured: Sequence[_Coloured]) -> list[int | None]:
    """The mark of the letter in each one's place, None where there is none.

    Both pages mostly draw the same letters in one order: then a letter may be a little off in its line, which is set anew where
    a piece ends within a word or between two letters that are kerned."""
    is_same_text = len(shown) == len(coloured) and all(a.char == b.char for a, b in zip(shown, coloured, strict=True))
    across_pt = _SAME_LINE_PT if is_same_text else _SAME_PLACE_PT
    by_place: dict[tuple[str, int, int], list[_Coloured]] = defaultdict(list)
    marks: list[int | None] = []
    for letter, other in itertools.zip_longest(shown, coloured[: len(shown)]):
        if other is not None and _is_same(letter, other, across_pt):
            marks.append(other.mark)
            continue
        if not by_place:
            for each in coloured:
                by_place[each.char, round(each.x0), round(each.y0)].append(each)
        x, y = round(letter.box[0]), round(letter.box[1])
        near = [
            (abs(each.x0 - letter.box[0]) + abs(each.y0 - letter.box[1]), each.mark)
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
            for each in by_place.get((letter.char, x + dx, y + dy), ())
            if _is_same(letter, each, _SAME_PLACE_PT)
        ]
        marks.append(min(near)[1] if near else None)
    return marks


def _is_same(one: Letter, other: _Coloured, across_pt: float) -> bool:
    x0, y0, _, _ = one.box
    if one.is_vertical:
        return one.char == other.char and abs(x0 - other.x0) <= _SAME_PLACE_PT and abs(y0 - other.y0) <= across_pt
    return one.char == other.char and abs(x0 - other.x0) <= across_pt and abs(y0 - other.y0) <= _SAME_PLACE_PT


def _sight(page: pymupdf.Page, colours: Set[int]) -> Callable[[Letter, int], bool]:
    """Says whether the page shows a letter: it is on the page, and one of a light colour isn't as light as its paper."""
    width, height = page.rect.width, page.rect.height
    light = {colour for colour in colours if _is_light(colour)}
    image = numpy.empty((0, 0, 3), numpy.uint8)
    if light:
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(_ZOOM, _ZOOM), alpha=False)
        image = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width, 3)

    def is_seen(letter: Letter, colour: int) -> bool:
        x0, y0, x1, y1 = letter.box
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            return False
        if colour not in light:
            return True
        columns, rows = slice(max(0, int(x0 * _ZOOM)), int(x1 * _ZOOM) + 1), slice(max(0, int(y0 * _ZOOM)), int(y1 * _ZOOM) + 1)
        part = image[rows, columns]
        return bool(part.size) and int(part.max()) - int(part.min()) >= _UNSEEN

    return is_seen


def _is_light(colour: int) -> bool:
    return min(colour >> 16, colour >> 8 & 255, colour & 255) >= _LIGHT


def _stack(letters: Sequence[Letter]) -> None:
    """Put those of vertical Chinese and Japanese, which LibreOffice draws one by one below each other, in one line."""
    start = 0
    for n in range(1, len(letters) + 1):
        if n < len(letters) and _is_below(letters[n - 1], letters[n]):
            continue
        if n - start > 1:
            column = letters[start:n]
            if 2 * sum(bool(_UPRIGHT.match(letter.char)) for letter in column) > len(column):
                for letter in column:
                    letter.line, letter.is_vertical = column[0].line, True
        start = n


def _is_below(one: Letter, other: Letter) -> bool:
    """Whether a letter is the next of the same piece in a vertical line."""
    down = other.box[1] - one.box[1]
    if not 0 < down < _BELOW_EM * one.size_pt or one.mark != other.mark:
        return False
    return abs(one.box[0] + one.box[2] - other.box[0] - other.box[2]) / 2 < _BESIDE_EM * one.size_pt


def _mark_spaces(letters: Sequence[Letter]) -> None:
    """Spaces take the mark of the letter before them in their line, at a line's start of the one behind them."""
    for n, letter in enumerate(letters):
        if not letter.counts:
            near = [letters[k] for k in (n - 1, n + 1) if 0 <= k < len(letters) and letters[k].line == letter.line]
            letter.mark = next((other.mark for other in near if other.counts), 0)


def _cells(drawings: Sequence[Mapping[str, Any]], num_marks: int) -> dict[int, list[Rect]]:
    """Rectangles in cells' colours. One that touches the last of its cell goes on with it: LibreOffice draws some twice."""
    cells: dict[int, list[Rect]] = defaultdict(list)
    for drawing in drawings:
        fill = drawing.get("fill")
        if not fill or len(fill) != 3:
            continue
        mark = sum(round(255 * part) << shift for part, shift in zip(fill, (16, 8, 0), strict=True))
        rect: Rect = tuple(drawing["rect"])
        if not 1 <= mark <= num_marks or rect[2] - rect[0] < 1 or rect[3] - rect[1] < 1:
            continue
        last = cells[mark][-1] if cells[mark] else None
        if last is not None and distance(last, rect) < 0.5:
            x0s, y0s, x1s, y1s = zip(last, rect, strict=True)
            cells[mark][-1] = min(x0s), min(y0s), max(x1s), max(y1s)
        else:
            cells[mark].append(rect)
    return dict(cells)
