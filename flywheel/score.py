"""Whether what a reader reads is right, by a page's text layer that the reader doesn't see."""

import re
from collections.abc import Iterable

from datagen import scripts
from datagen.engines.compact import normalise
from datagen.engines.lookalikes import mended
from datagen.record import Box, Line, Sample

_SLACK_CHARS, _SLACK_SHARE = 3, 0.15
LEADER = re.compile(r"(?:[.·…_] ?){3,}")


def truth(page: Sample, box: Box) -> str:
    """The layer's row of text at `box`, in pixels of `page`'s image, as readings are compared with it; "" if there is none.

    Letters of another script within a word, which nobody sees, are written in the word's script.
    """
    return _written(_row(page, box), page.script)


def is_right(page: Sample, box: Box, text: str) -> bool:
    """Whether `text` is, letter for letter, what `page`'s layer has at `box`, in pixels of the page's image.

    A detector's line can be several of the layer's, side by side, or a part of one. So the text must stand in the layer's row,
    whole words of it, and be about as long as the part of the row that the box covers. Where leaders part a row, as in a table of
    contents, the detector may find their ends alone: then the text must be all that stands between leaders.
    """
    row = _row(page, box)
    if not row or not text:
        return False
    label, expected = normalise(text), sum(len(line.text) * _covered(line.box, box) for line in row)
    written = _written(row, page.script)
    if LEADER.search(written):
        ends, parts = _parts(written), _parts(label)
        return bool(parts) and any(ends[i : i + len(parts)] == parts for i in range(len(ends)))
    if abs(len(label) - expected) > max(_SLACK_CHARS, _SLACK_SHARE * expected):
        return False
    return f" {label} " in f" {written} "


def precision(pages: Iterable[Sample], accepted: Iterable[Sample]) -> dict[str, tuple[int, int]]:
    """By language: how many accepted crops are right by the hidden layer, and how many there are. `pages` has the page that each
    crop was cut from."""
    by_key = {page.key: page for page in pages}
    counts: dict[str, tuple[int, int]] = {}
    for crop in accepted:
        num_right, total = counts.get(crop.lang, (0, 0))
        page = by_key[crop.origin.parent]
        counts[crop.lang] = (num_right + is_right(page, crop.origin.box, crop.text), total + 1)
    return counts


def _row(page: Sample, box: Box) -> list[Line]:
    """The layer's lines that share the box's height and some of its width, side by side, in the order in which they are read."""
    row = []
    for region in page.regions:
        for line in region.lines:
            top, bottom = _height_at(line, (max(line.box.x0, box.x0) + min(line.box.x1, box.x1)) / 2)
            overlap = min(bottom, box.y1) - max(top, box.y0)
            lower = min(bottom - top, box.y1 - box.y0)
            if overlap > 0.5 * lower and _covered(line.box, box) > 0.02:
                row.append(line)
    beside: list[Line] = []  # a line over or under another one is of another row
    for line in sorted(row, key=lambda line: max(line.box.x0, box.x0) - min(line.box.x1, box.x1)):  # the widest first
        if all(_covered(line.box, other.box) <= 0.5 for other in beside):
            beside.append(line)
    return sorted(beside, key=lambda line: line.box.x0, reverse=page.script in scripts.RTL)


def _height_at(line: Line, x: float) -> tuple[float, float]:
    """The top and the bottom of a line at a column: of a turned one, those of its polygon, since the box around it holds parts of
    its neighbours."""
    edges = zip(line.polygon, line.polygon[1:] + line.polygon[:1], strict=True)
    ys = [y0 + (x - x0) / (x1 - x0) * (y1 - y0) for (x0, y0), (x1, y1) in edges if min(x0, x1) <= x <= max(x0, x1) and x0 != x1]
    return (min(ys), max(ys)) if ys else (line.box.y0, line.box.y1)


def _written(row: list[Line], script: str) -> str:
    return mended(normalise(" ".join(line.text for line in row)), script)


def _parts(text: str) -> list[str]:
    """What stands between leaders, in order."""
    return [part.strip() for part in LEADER.split(text) if part.strip()]


def _covered(line: Box, box: Box) -> float:
    """The share of a line's width that the box covers."""
    return max(0, min(line.x1, box.x1) - max(line.x0, box.x0)) / (line.x1 - line.x0)
