"""Bold lines that no font's name tells: the strokes of their ink are thicker than those of the text."""

import re
import statistics
from collections.abc import Sequence

import numpy

from datagen.fine.structure.section_numbers import number_of
from datagen.fine.wording import TWO_LETTERS
from datagen.labels import TEXTS
from datagen.record import Line, Region
from datagen.writing import scripts, signs

_WIDE = re.compile(f"[{scripts.HAN}{scripts.HANGUL}]")
BOLD = 1.45  # of the text's stroke
MIN_CHARS, MIN_LINES, MAX_LINES = 20, 3, 12  # of the lines of text that a line is compared with
_MAX_CHARS, _SAME_HEIGHT = 60, 0.15
_MIN_CONTRAST, _MIN_RUNS = 60, 12


def bold_alone(regions: Sequence[Region], gray: numpy.ndarray) -> list[int]:
    """Which short texts of a line, and items with a section's number, on a page of these regions, are in thicker strokes
    than lines of the text's in the same size: they may be headings. `gray` is the page, height by width, from 0 to 255."""
    texts = {i: r for i, r in enumerate(regions) if r.label in TEXTS and not r.is_unread and r.lines}
    short = {i: region.lines[0] for i, region in texts.items() if len(region.lines) == 1 and may_be_heading(region)}
    longer = [line for r in texts.values() for line in r.lines if len(line.text) >= MIN_CHARS and line.direction != "ttb"]
    return [i for i, line in short.items() if _is_bold(line, [other for other in longer if other is not line], gray)]


def may_be_heading(region: Region) -> bool:
    """Whether the text of a region of one line may be a heading's: short, with letters, and no end of a sentence."""
    text = region.lines[0].text
    is_name = len(text) <= _MAX_CHARS and not _ends(text) and bool(TWO_LETTERS.search(text))
    is_section = region.label != "list" or len(number_of(text)) > 1
    return is_name and is_section and region.lines[0].direction != "ttb"


def _ends(text: str) -> bool:
    """Whether a text ends as no heading does. One may ask, or end in a colon."""
    return signs.ends_clause(text) and not signs.leads_on(text) and text[-1] not in "!?！？؟"


def _is_bold(line: Line, others: Sequence[Line], gray: numpy.ndarray) -> bool:
    height, is_wide = line.box.y1 - line.box.y0, bool(_WIDE.search(line.text))
    alike = [
        other
        for other in others
        if abs(other.box.y1 - other.box.y0 - height) <= _SAME_HEIGHT * height and bool(_WIDE.search(other.text)) is is_wide
    ]
    usual = [width for other in alike[:MAX_LINES] if (width := stroke(other, gray))]
    own = stroke(line, gray) if len(usual) >= MIN_LINES else 0.0
    return own > BOLD * statistics.median(usual) if own else False


def stroke(line: Line, gray: numpy.ndarray) -> float:
    """How wide the strokes of a line are, in pixels: the middle half of the runs of its ink. 0 where that can't be told."""
    x0, y0, x1, y1 = line.box
    crop = gray[y0:y1, x0:x1]
    if not crop.size:
        return 0.0
    low, high = numpy.percentile(crop, (1, 99))
    if high - low < _MIN_CONTRAST:
        return 0.0
    ink = crop < (low + high) / 2
    if ink.mean() > 0.5:  # light letters
        ink = ~ink
    steps = numpy.diff(numpy.pad(ink, ((0, 0), (1, 1))).astype(numpy.int8), axis=1)
    runs = numpy.sort(numpy.nonzero(steps == -1)[1] - numpy.nonzero(steps == 1)[1])
    return float(runs[len(runs) // 4 : 3 * len(runs) // 4].mean()) if len(runs) >= _MIN_RUNS else 0.0
