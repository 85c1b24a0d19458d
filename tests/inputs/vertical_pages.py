"""Chinese and Japanese text set vertically, with ruby, as PDF pages, with the place of each line, by headless Chromium.

Lines are broken and placed here, so that their places are known before the browser draws them. A browser is needed because Pango
sets no ruby. Needs Chromium, which is started once a document.
"""

import html
import itertools
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from datagen.drawing.families import family
from datagen.drawing.typeset import Rect, Ruby, Style, TypesetLine, Word
from tests.inputs.typeset import Typeset, TypesetPage

Piece = str | tuple[str, str]  # characters, or (base, reading)

STYLE = Style(size_pt=12, line_spacing=1.8)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"
    " --disable-quic --disable-sync --no-first-run --no-pdf-header-footer"
).split()
_TIMEOUT_S = 120
_NOT_FIRST = frozenset("、。，．・：；？！」』）〕】》〉…‥ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々")
_NOT_WIDE_BUT_SQUARE = frozenset("…‥—")
_DATE = re.compile(rb"(?<=Date \(D:)\d{14}")
_CREATED = b"20000101000000"


def vertical(paragraphs: Sequence[str | Sequence[Piece]], lang: str = "ja", style: Style = STYLE, max_pages: int = 0) -> Typeset:
    """The paragraphs in lines from top to bottom, right to left, on as many pages as they fill, at most `max_pages` (0: all).

    A paragraph is a text, or a list of texts and (base, reading) pairs. A reading is set half as large to the right of its base,
    and a pair isn't broken. `style.columns` is the number of tiers. Each character takes a square, so all have to be full width.
    A base that is shorter than its reading stands in the middle of as many squares as the reading needs. Raises `ValueError` for
    other characters, if no font has the text, and if no line fits; `OSError` without a browser.
    """
    height = (style.column_height_pt - (style.columns - 1) * style.column_gap_pt) / style.columns
    capacity = int(height / style.size_pt + 1e-6)
    if capacity < 2 or style.width_pt - 2 * style.margin_pt < style.size_pt:
        raise ValueError(f"no room for vertical text of size_pt={style.size_pt:g} in {style}")
    units = [_units(paragraph) for paragraph in paragraphs]
    name = style.family or family("".join(base + reading for paragraph in units for base, reading in paragraph), lang)
    pages: list[list[list[_Line]]] = [[]]
    places = _places(style, height)
    for paragraph in units:
        pages[-1].append([])
        for line in _break(paragraph, capacity):
            page, x, y = next(places)
            if page == len(pages):
                if page == max_pages:
                    return _printed(pages, name, lang, style)
                pages.append([[]])
            pages[-1][-1].append(_placed(line, x, y, style.size_pt))
    return _printed(pages, name, lang, style)


class _Line(NamedTuple):
    line: TypesetLine
    elements: str


def _units(paragraph: str | Sequence[Piece]) -> list[tuple[str, str]]:
    """The units that aren't broken, as (base, reading): each character, and each pair."""
    units: list[tuple[str, str]] = []
    for piece in [paragraph] if isinstance(paragraph, str) else paragraph:
        if isinstance(piece, str):
            units += [(char, "") for char in unicodedata.normalize("NFC", piece)]
        else:
            base, reading = (unicodedata.normalize("NFC", part) for part in piece)
            units.append((base, reading))
    text = "".join(base + reading for base, reading in units)
    if narrow := {c for c in text if unicodedata.east_asian_width(c) not in "WF"} - _NOT_WIDE_BUT_SQUARE:
        raise ValueError(f"vertical text has to be in full-width characters, not {''.join(sorted(narrow))!r}")
    return units


def _break(units: list[tuple[str, str]], capacity: int) -> Iterator[list[tuple[str, str]]]:
    """Lines of at most `capacity` squares. A character before a closing mark goes to the next line with it, if there is room."""
    start = 0
    while start < len(units):
        end, length = start, 0
        while end < len(units) and length + _squares(*units[end]) <= capacity:
            length += _squares(*units[end])
            end += 1
        if end == start:
            raise ValueError(f"{units[start]} is longer than a line of {capacity} characters")
        if end < len(units) and units[end][0][0] in _NOT_FIRST and end - start > 2:
            end -= 1
        yield units[start:end]
        start = end


def _squares(base: str, reading: str) -> int:
    return max(len(base), (len(reading) + 1) // 2)


def _places(style: Style, height: float) -> Iterator[tuple[int, float, float]]:
    """The page, left edge and top of each line: tiers from the top, and lines from the right in each tier."""
    pitch = style.size_pt * max(1.0, style.line_spacing)
    number = 1 + int((style.width_pt - 2 * style.margin_pt - style.size_pt) / pitch + 1e-6)
    page = 0
    while True:
        for tier in range(style.columns):
            for i in range(number):
                x = style.width_pt - style.margin_pt - style.size_pt - i * pitch
                yield page, x, style.margin_pt + tier * (height + style.column_gap_pt)
        page += 1


def _placed(units: list[tuple[str, str]], x: float, y: float, size: float) -> _Line:
    tops: list[float] = []  # of the line's characters, in squares
    ruby: list[Ruby] = []
    square = 0
    for base, reading in units:
        room = _squares(base, reading)
        tops += [square + (room - len(base)) / 2 + i for i in range(len(base))]
        if reading:
            top = y + (square + room / 2 - len(reading) / 4) * size
            ruby.append(Ruby(base, reading, (x + size, top, x + 1.5 * size, top + len(reading) * size / 2)))
        square += room
    text = "".join(base for base, _ in units)

    def box(start: int, end: int) -> Rect:
        return x, y + tops[start] * size, x + size, y + (tops[end - 1] + 1) * size

    words = tuple(Word(m.group(), box(*m.span())) for m in re.finditer(r"\S+", text))
    starts = [i for i in range(len(tops)) if i == 0 or tops[i] != tops[i - 1] + 1]
    drawn = [_element(text[i:j], box(i, j)) for i, j in itertools.pairwise([*starts, len(text)])]
    drawn += [_element(reading.text, reading.box) for reading in ruby]
    return _Line(TypesetLine(text, box(0, len(text)), words, "ttb", ruby=tuple(ruby)), "".join(drawn))


def _element(text: str, box: Rect) -> str:
    x0, y0, x1, _ = box
    return f'<div style="left:{x0:.3f}pt;top:{y0:.3f}pt;font-size:{x1 - x0:.3f}pt">{html.escape(text)}</div>'


def _printed(pages: list[list[list[_Line]]], name: str, lang: str, style: Style) -> Typeset:
    red, green, blue = (round(255 * part) for part in style.colour)
    sections = ["".join(line.elements for paragraph in page for line in paragraph) for page in pages]
    body = "\n".join(f"<section>{section}</section>" for section in sections)
    page = f"""<!DOCTYPE html><html lang="{html.escape(lang)}"><meta charset="utf-8"><style>
@page {{ size: {style.width_pt}pt {style.height_pt}pt; margin: 0 }}
body {{ margin: 0; font-family: "{name}"; font-weight: {style.weight}; color: rgb({red} {green} {blue});
  font-kerning: none; text-spacing-trim: space-all }}
section {{ position: relative; width: {style.width_pt}pt; height: {style.height_pt - 1}pt; overflow: hidden }}
section + section {{ break-before: page }}
div {{ position: absolute; writing-mode: vertical-rl; white-space: pre; line-height: 1 }}
</style><body>{body}</body></html>"""
    size = (style.width_pt, style.height_pt)
    read = [tuple(tuple(line.line for line in paragraph) for paragraph in page if paragraph) for page in pages]
    return Typeset(_print(page), tuple(TypesetPage(size, paragraphs) for paragraphs in read))


def _print(page: str) -> bytes:
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if not browser:
        raise OSError(
            f"vertical text is drawn by a browser, and none of {', '.join(_BROWSERS)} is here: apt-get install chromium"
        )
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        command = [browser, *_FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={out}", source.as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S)
        if not out.exists():
            raise OSError(f"{browser} wrote no PDF (exit {done.returncode}): {done.stderr.decode(errors='replace')[-500:]}")
        return _DATE.sub(_CREATED, out.read_bytes())
