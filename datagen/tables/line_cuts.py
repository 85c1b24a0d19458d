"""Lines that a detector of text drew over several cells of a table, cut at the gaps in their ink."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy

from datagen.record import Box, Line

_GAP_SHARE = 0.4  # of a line's height, that of a gap which is no space between words
_CONTRAST = 40  # of 255, of ink to paper
_TRIM = 0.12  # of a line's height, above and below, where rules and other lines may be
_FULL, _BEYOND = 0.95, 0.3  # of the height of a line and what is above and below it: ink that fills it is a rule
_NEAR = 1.6  # letters: so far from where the widths say a text may be cut at a space


def parted(image: numpy.ndarray, lines: Sequence[Line]) -> list[Line]:
    """The lines of an image, (H, W, 3) bytes, those in parts that have wide gaps. The text is cut where the widths of its letters
    say that the gap is, at a space if there is one nearby. Vertical rules count as gaps."""
    gray = image[:, :, :3].astype(numpy.int16).mean(axis=2)
    return [part for line in lines for part in _parts(gray, line)]


def _parts(gray: numpy.ndarray, line: Line) -> list[Line]:
    box = line.box
    height = box.y1 - box.y0
    trim = round(_TRIM * height)
    inside = gray[max(0, box.y0 + trim) : max(0, box.y1 - trim), max(0, box.x0) : max(0, box.x1)]
    if line.direction == "ttb" or line.polygon or min(inside.shape) < 2 or len(line.text.split()) + len(line.text) < 3:
        return [line]
    paper = numpy.median(inside)
    inked = numpy.abs(inside - paper) >= _CONTRAST
    beyond = round(_BEYOND * height)
    around = gray[max(0, box.y0 - beyond) : box.y1 + beyond, max(0, box.x0) : max(0, box.x1)]
    is_rule = (numpy.abs(around - paper) >= _CONTRAST).mean(axis=0) >= _FULL
    columns = inked.any(axis=0) & ~is_rule
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([0], columns.astype(numpy.int8), [0]))))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    segments: list[tuple[int, int]] = runs[:1]
    for first, stop in runs[1:]:
        if first - segments[-1][1] <= _GAP_SHARE * height:
            segments[-1] = (segments[-1][0], stop)
        else:
            segments.append((first, stop))
    if len(segments) < 2:
        return [line]
    texts = _texts(line.text, [stop - first for first, stop in segments], line.direction == "rtl")
    if texts is None:
        return [line]
    return [
        replace(line, box=Box(box.x0 + first, box.y0, box.x0 + stop, box.y1), text=text)
        for (first, stop), text in zip(segments, texts, strict=True)
    ]


def _texts(text: str, widths: Sequence[int], is_rtl: bool) -> list[str] | None:
    """The text in parts of such widths, from the left; None if one would have no letter."""
    if is_rtl:
        texts = _texts(text, widths[::-1], False)
        return texts[::-1] if texts else None
    letters = numpy.cumsum([_width(char) for char in text])
    ends = numpy.cumsum(widths) / sum(widths)
    # Spaces within the parts have a width, those between them none: they are found by counting without and with.
    cuts = [0]
    for end in ends[:-1]:
        at = int(numpy.searchsorted(letters, end * letters[-1]))
        spaces = [i for i, char in enumerate(text) if char.isspace() and i > cuts[-1]]
        mean = letters[-1] / len(text)
        near = min(spaces, key=lambda i: abs(letters[i] - end * letters[-1]), default=-1)
        if near >= 0 and abs(letters[near] - end * letters[-1]) <= _NEAR * mean:
            cuts.append(near)
        else:
            before = letters[at - 1] if at else 0.0
            cuts.append(at if end * letters[-1] - before < letters[at] - end * letters[-1] else at + 1)
    parts = [text[a:b].strip() for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]
    return parts if all(parts) else None


def _width(char: str) -> float:
    """How wide a letter is, of a line's height."""
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if unicodedata.combining(char):
        return 0.0
    if char.isspace():
        return 0.25
    return 0.3 if char in "ijlI1.,:;!|'()[]ft" else 0.85 if char in "mwMW%@" else 0.55
