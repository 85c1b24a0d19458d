"""Looks of lines that no file tells: how large and how heavy letters are, by their ink.

Boxes of lines in one size differ by half (27 and 42 pixels, for letters of 23.8 and 23.3 pixels). Letters of one size measured by
ink differ by at most 5%, and headings of two levels mostly by 15% and more.
"""

import statistics
import unicodedata
from collections.abc import Sequence

import cv2
import numpy

from datagen.coarse.verdict.ink_fonts import cut_out
from datagen.fine.verdict.raised_ink import FORMS, ON_LINE, baseline, enlarged, letter_groups
from datagen.page.boxes import line_height
from datagen.record import Line
from datagen.writing.scripts import main_script

_WIDE = frozenset(("Hani", "Hans", "Hant", "Jpan", "Kore"))
_MIN_GROUPS = 12  # a baseline may bend in lines with so many groups
_HIGH = frozenset("ijіїбфё")  # about as high as tall letters
_MIN_PIXELS = 4
_SMALL = 0.7  # of a tall letter's height, such as an x
_MIN_CONTRAST, _MIN_RUNS = 60, 12
_HEAVY = 1.4  # times the width of the usual stroke for letters of this size: they are bold


def sizes_and_weights(lines: Sequence[Line], gray: numpy.ndarray, lang: str) -> list[tuple[float, float]]:
    """Of each line the height of its letters, in pixels, and 1 if they are bold, else 0. Lines that can't be measured have the
    height of their box, as much smaller as the page's other boxes are than their letters; and no weight."""
    heights = [letter_height(line, gray, lang) for line in lines]
    ratios = [height / max(1.0, line_height(line)) for line, height in zip(lines, heights, strict=True) if height]
    usual = statistics.median(ratios) if ratios else 1.0
    strokes = [stroke(line, gray) / max(1.0, height) for line, height in zip(lines, heights, strict=True)]
    known = [share for share, height in zip(strokes, heights, strict=True) if share and height]
    middle = statistics.median(known) if known else 0.0
    return [
        (height or usual * line_height(line), float(bool(height) and 0 < _HEAVY * middle < share))
        for line, height, share in zip(lines, heights, strokes, strict=True)
    ]


def letter_height(line: Line, gray: numpy.ndarray, lang: str) -> float:
    """The height, in pixels, of a line's tall letters or Chinese characters; 0 if it can't be measured. `gray` is the page, (H,
    W) bytes, and `lang` its language (BCP-47)."""
    script = main_script(line.text)[0]
    x0, y0, x1, y1 = line.box
    if line.direction == "ttb" or script not in _WIDE | ON_LINE or min(x1 - x0, y1 - y0) < _MIN_PIXELS:
        return 0.0
    crop = cut_out(gray, line, lang).crop
    if not crop.size:
        return 0.0
    crop, scale = enlarged(crop)
    groups = letter_groups(crop, cv2.threshold(crop, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
    if len(groups) < 2:
        return 0.0
    top_N, bottom_N = (numpy.array([group[side] for group in groups], float) for side in (1, 3))
    if script in _WIDE:
        return float(numpy.percentile(bottom_N - top_N, 90)) / scale
    x_N = numpy.array([(group.x0 + group.x1) / 2 for group in groups])
    usual = float(numpy.median(bottom_N - top_N))
    base_N = baseline(x_N, bottom_N, usual) if len(groups) >= _MIN_GROUPS else numpy.full(len(groups), numpy.median(bottom_N))
    above_N = numpy.sort(base_N - top_N)[::-1]
    letters = [unicodedata.normalize("NFD", char) for char in line.text]
    is_higher = [letter[0].isupper() and len(letter) > 1 for letter in letters]  # an accented capital
    is_tall = [letter[0].isupper() or FORMS.get(letter[0], "") == "t" or letter[0] in _HIGH for letter in letters]
    above_N = above_N[sum(is_higher) :]
    num_tall = sum(tall and not higher for tall, higher in zip(is_tall, is_higher, strict=True))
    tall_N = above_N[:num_tall] if num_tall else above_N / _SMALL
    return max(0.0, float(numpy.percentile(tall_N, 50, method="lower")) / scale) if len(tall_N) else 0.0


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
