"""Whether a reading is right, by a page's text layer that the reader doesn't see."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from datagen.record import Box, Line, Sample
from datagen.writing import scripts
from datagen.writing.line_text import normalise
from datagen.writing.lookalikes import mended
from datagen.writing.vertical_lines import along, stands

_SLACK_CHARS, _SLACK_SHARE = 3, 0.15
_DENSITY = 2.0  # characters in a square, if no line of the page tells
_NO_WIDTH = ("Mn", "Me", "Cf")
LEADER = re.compile(r"(?:[.·…_] ?){3,}")


def truth(page: Sample, box: Box) -> str:
    """The layer's row of text at `box`, in pixels of `page`'s image, in the form of readings; "" if there is none. Foreign
    letters within a word, which look alike, are written in the word's script."""
    page, box = _laid(page, box)
    return _written(_row(page, box), page.script)


def is_right(page: Sample, box: Box, text: str) -> bool:
    """Whether `text` is, letter for letter, the text of `page`'s layer at `box`, in pixels of the page's image.

    A detector's line can be several of the layer's lines side by side, or a part of one. So the text must be whole words of the
    layer's row, and not much shorter than the row's text under the box. It may be longer: text is denser beside a wide gap. If
    leaders divide a row, as in a table of contents, the detector may find only its ends, or a part of one.
    """
    page, box = _laid(page, box)
    row = _row(page, box)
    if not row or not text:
        return False
    label, written = normalise(text), _written(row, page.script)
    if LEADER.search(written):
        wide = 0.0 if LEADER.search(label) else (box.x1 - box.x0) / max(line.box.y1 - line.box.y0 for line in row)
        return _stands(_parts(label), _parts(written)) and not _lacks(label, wide * _density(page))
    is_there = f" {label} " in f" {written} " or re.search(rf"(?<!\S){re.escape(label)}(?=[\[({{<])", written) is not None
    return is_there and not _lacks(label, sum(_num_wide(line.text) * _covered(line.box, box) for line in row))


def precision(pages: Iterable[Sample], accepted: Iterable[Sample]) -> dict[str, tuple[int, int]]:
    """By language, the number of accepted crops that are right by the hidden layer, and the number of accepted crops. `pages` has
    the page of each crop."""
    by_key = {page.key: page for page in pages}
    counts: dict[str, tuple[int, int]] = {}
    for crop in accepted:
        num_right, total = counts.get(crop.lang, (0, 0))
        page = by_key[crop.origin.parent]
        counts[crop.lang] = (num_right + is_right(page, crop.origin.box, crop.text), total + 1)
    return counts


def _laid(page: Sample, box: Box) -> tuple[Sample, Box]:
    """The page and the box of a line. For a standing line, only the page's columns, all laid down, and so the box."""
    if not stands(box, page.script):
        return page, box
    columns = (line for region in page.regions for line in region.lines if line.direction == "ttb")
    laid = tuple(replace(line, box=along(line.box), polygon=()) for line in columns)
    return replace(page, regions=tuple(replace(region, lines=laid) for region in page.regions[:1])), along(box)


def _row(page: Sample, box: Box) -> list[Line]:
    """The layer's lines that share the box's height and some of its width, side by side, in reading order."""
    row = []
    for region in page.regions:
        for line in region.lines:
            top, bottom = _height_at(line, (max(line.box.x0, box.x0) + min(line.box.x1, box.x1)) / 2)
            overlap = min(bottom, box.y1) - max(top, box.y0)
            lower = min(bottom - top, box.y1 - box.y0)
            if overlap > 0.5 * lower and _covered(line.box, box) > 0.02:
                row.append(line)
    beside: list[Line] = []  # a line over or under another one belongs to another row
    for line in sorted(row, key=lambda line: max(line.box.x0, box.x0) - min(line.box.x1, box.x1)):  # the widest first
        if all(_covered(line.box, other.box) <= 0.5 for other in beside):
            beside.append(line)
    return sorted(beside, key=lambda line: line.box.x0, reverse=page.script in scripts.RTL)


def _height_at(line: Line, x: float) -> tuple[float, float]:
    """The top and bottom of a line at a column: by the polygon of a turned line, since its box has parts of its neighbours."""
    edges = zip(line.polygon, line.polygon[1:] + line.polygon[:1], strict=True)
    ys = [y0 + (x - x0) / (x1 - x0) * (y1 - y0) for (x0, y0), (x1, y1) in edges if min(x0, x1) <= x <= max(x0, x1) and x0 != x1]
    return (min(ys), max(ys)) if ys else (line.box.y0, line.box.y1)


def _written(row: list[Line], script: str) -> str:
    return mended(normalise(" ".join(line.text for line in row)), script)


def _lacks(label: str, expected: float) -> bool:
    """Whether a label is much shorter than `expected`, in characters that take width."""
    return expected - _num_wide(label) > max(_SLACK_CHARS, _SLACK_SHARE * expected)


def _stands(labels: list[str], parts: list[str]) -> bool:
    """Whether a label's texts between leaders are in a row of these parts: whole words, which touch the label's leaders."""
    if len(labels) < 2:
        return any(f" {label} " in f" {part} " for label in labels for part in parts)
    for at in range(len(parts) - len(labels) + 1):
        first, *inner, last = parts[at : at + len(labels)]
        ends_fit = f" {first}".endswith(f" {labels[0]}") and f"{last} ".startswith(f"{labels[-1]} ")
        if ends_fit and inner == labels[1:-1]:
            return True
    return False


def _density(page: Sample) -> float:
    """The number of characters in a square of a line's height, over a page's lines without leaders."""
    lines = [line for region in page.regions for line in region.lines if line.text and not LEADER.search(line.text)]
    wide = sum((line.box.x1 - line.box.x0) / (line.box.y1 - line.box.y0) for line in lines)
    return sum(_num_wide(line.text) for line in lines) / wide if wide else _DENSITY


def _num_wide(text: str) -> int:
    """The number of characters that take width. Marks over and under letters take none, and are not spread evenly over a line: if
    they counted, a right reading of a stretch with few of them would seem cut."""
    return sum(unicodedata.category(char) not in _NO_WIDTH for char in text)


def _parts(text: str) -> list[str]:
    """The texts between leaders, in order."""
    return [part.strip() for part in LEADER.split(text) if part.strip()]


def _covered(line: Box, box: Box) -> float:
    return max(0, min(line.x1, box.x1) - max(line.x0, box.x0)) / (line.x1 - line.x0)
