"""The letters of a rendered page, each with the mark of its piece of text.

They are read off the page as `page_streams` writes it, where a letter's colour is its mark.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy

from datagen.coarse.glyph_names import private_character
from datagen.coarse.page import native
from datagen.engines.light_pymupdf import pymupdf
from datagen.word.file.names import FALLBACK
from datagen.writing import scripts

Rect = tuple[float, float, float, float]
"""In points, from the page's top left corner."""

# /ActualText stays: without it, clusters of Indic scripts are glyphs, not letters.
TEXT_FLAGS = (pymupdf.TEXTFLAGS_RAWDICT | pymupdf.TEXT_PRESERVE_LIGATURES) & ~(
    pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE | pymupdf.TEXT_PRESERVE_IMAGES | pymupdf.TEXT_PRESERVE_LIGATURES
)
_FIRST = 0x050000  # the first of the marks' colours: nearly black, and none that people choose
_LIGHT = 170  # of 255
_BESIDE_EM, _BELOW_EM = 0.3, 1.6  # the largest distances of the next letter of a vertical line
_UPRIGHT = re.compile(f"[{scripts.KANA}{scripts.HAN}]")
_ZOOM = 2.0  # pixels a point, of the image in which letters of light colours are checked
_UNSEEN = 24  # of 255, of a letter's ink to its paper


class Letter(msgspec.Struct, gc=False):
    """A character of a page. `line` counts MuPDF's lines on it. `mark` is 0 for letters without one, such as a formula's. The
    letter `counts` if it isn't white space."""

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


@dataclass(frozen=True)
class PageLetters:
    """`letters` are in the file's order, spaces included. `cells` are the places of each cell by its mark, in the order of
    drawing."""

    letters: tuple[Letter, ...]
    cells: Mapping[int, Sequence[Rect]]


def colour_of_mark(mark: int, light: bool) -> int:
    """The colour, 0xRRGGBB, of a mark's letters (0: of no mark) on the page that is read. `light`: on the shown page the letters
    are light (`is_light`)."""
    return _FIRST + 2 * mark + light


def is_light(colour: int) -> bool:
    """Whether a letter in a colour, 0xRRGGBB, may be invisible."""
    return min(colour >> 16, colour >> 8 & 255, colour & 255) >= _LIGHT


def page_letters(page: pymupdf.Page, textpage: pymupdf.TextPage, cells: Mapping[int, Sequence[Rect]]) -> PageLetters:
    """The visible letters of a page, with their marks. `textpage` is of the page that is read (`TEXT_FLAGS`), `page` the one that
    is shown. `cells` are passed on. Raises `SampleError` (`broken_page`)."""
    with native("broken_page"):
        drawn, light = _letters(textpage)
        is_seen = _sight(page, bool(light))
    letters = [letter for n, letter in enumerate(drawn) if not letter.counts or is_seen(letter, n in light)]
    _stack(letters)
    _mark_spaces(letters)
    return PageLetters(tuple(letters), cells)


def _letters(textpage: pymupdf.TextPage) -> tuple[list[Letter], set[int]]:
    """The characters, and the numbers of those with a light colour."""
    letters: list[Letter] = []
    light: set[int] = set()
    number = 0
    for block in textpage.extractRAWDICT()["blocks"]:
        for line in block.get("lines", ()):
            number += 1
            is_vertical = bool(line["wmode"]) or abs(line["dir"][1]) > 0.9
            for span in line["spans"]:
                size, font, chars = span["size"], span["font"], span["chars"]
                at = span["color"] - _FIRST
                if at & 1 if at >= 0 else is_light(span["color"]):
                    light.update(range(len(letters), len(letters) + len(chars)))
                mark = max(0, at >> 1)
                if font.endswith(FALLBACK):
                    chars = [char | {"c": private_character(ord(char["c"]), FALLBACK) or char["c"]} for char in chars]
                letters += [Letter(char["c"], char["bbox"], mark, number, size, font, is_vertical) for char in chars]
    return letters, light


def _sight(page: pymupdf.Page, has_light: bool) -> Callable[[Letter, bool], bool]:
    """A test whether the page shows a letter: the letter is on the page, and a light letter stands out from its paper."""
    width, height = page.rect.width, page.rect.height
    image = numpy.empty((0, 0, 3), numpy.uint8)
    if has_light:
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(_ZOOM, _ZOOM), alpha=False)
        image = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width, 3)

    def is_seen(letter: Letter, light: bool) -> bool:
        x0, y0, x1, y1 = letter.box
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            return False
        if not light:
            return True
        columns, rows = slice(max(0, int(x0 * _ZOOM)), int(x1 * _ZOOM) + 1), slice(max(0, int(y0 * _ZOOM)), int(y1 * _ZOOM) + 1)
        part = image[rows, columns]
        return bool(part.size) and int(part.max()) - int(part.min()) >= _UNSEEN

    return is_seen


def _stack(letters: Sequence[Letter]) -> None:
    """Put the letters of vertical Chinese and Japanese in one line. LibreOffice draws them one by one below each other."""
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
    """Give spaces the mark of the letter before them in their line, at a line's start of the letter behind them."""
    for n, letter in enumerate(letters):
        if not letter.counts:
            near = [letters[k] for k in (n - 1, n + 1) if 0 <= k < len(letters) and letters[k].line == letter.line]
            letter.mark = next((other.mark for other in near if other.counts), 0)
