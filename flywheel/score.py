"""How many accepted labels are right, by the text layer that was hidden from the reader."""

from collections.abc import Iterable

from datagen.engines.compact import normalise
from datagen.record import Box, Line, Sample

_SLACK_CHARS, _SLACK_SHARE = 3, 0.15


def is_right(page: Sample, box: Box, text: str) -> bool:
    """Whether `text` is, letter for letter, what `page`'s layer has at `box`, in pixels of the page's image.

    A detector's line can be several of the layer's, side by side, or a part of one. So the text must stand in the layer's row,
    whole words of it, and be about as long as the part of the row that the box covers.
    """
    row = _row(page, box)
    if not row:
        return False
    label, truth = normalise(text), normalise(" ".join(line.text for line in row))
    expected = sum(len(line.text) * _covered(line.box, box) for line in row)
    if abs(len(label) - expected) > max(_SLACK_CHARS, _SLACK_SHARE * expected):
        return False
    return f" {label} " in f" {truth} "


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
    """The layer's lines that share the box's height and some of its width, from left to right."""
    row = []
    for region in page.regions:
        for line in region.lines:
            overlap = min(line.box.y1, box.y1) - max(line.box.y0, box.y0)
            lower = min(line.box.y1 - line.box.y0, box.y1 - box.y0)
            if overlap > 0.5 * lower and _covered(line.box, box) > 0.02:
                row.append(line)
    return sorted(row, key=lambda line: line.box.x0)


def _covered(line: Box, box: Box) -> float:
    """The share of a line's width that the box covers."""
    return max(0, min(line.x1, box.x1) - max(line.x0, box.x0)) / (line.x1 - line.x0)
