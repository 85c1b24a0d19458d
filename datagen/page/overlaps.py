"""Overlapping regions: they are repaired if this needs no guess, and counted otherwise.

A paragraph that continues in the next column has a box around both columns, and around other regions in them. Such a paragraph
becomes one region for each column. Text of a table that is also a region of its own is kept only in the table.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy

from datagen.labels import PICTURES
from datagen.page.boxes import area, around, shared
from datagen.record import Box, Line, Region
from datagen.tables.cells import parse

_INSIDE = 0.5  # of a box's area: with more in another box, it lies in that box
_SAME = 0.8  # of both areas, of two regions with one text
_MOST_PARTS = 6
_LONG = 12  # letters: texts of so many don't match by chance
_WHOLE = frozenset({"title", "sub_title", "code", "table", "equation", "toc"}) | PICTURES  # these aren't divided
_HYPHENS = "-\u2010\u058a\u00ad"
_EMPHASIS = ("*", "`")


def overlap_share(regions: Sequence[Region]) -> float:
    """The share of lines outside of pictures that lie mostly in another region that is no picture."""
    placed = [(i, line) for i, region in enumerate(regions) if region.label not in PICTURES for line in region.lines]
    others = [(i, region) for i, region in enumerate(regions) if region.label not in PICTURES]
    covered = sum(any(i != j and _lies_in(line, other) for j, other in others) for i, line in placed)
    return covered / len(placed) if placed else 0.0


def without_doubles(regions: Sequence[Region]) -> tuple[Region, ...]:
    """The regions without those whose text is also in a table around them, and without the second of two equal regions."""
    single: list[Region] = []
    for i, region in enumerate(regions):
        tables = (r for r in regions if r.label == "table" and r.format == "html" and r is not region)
        if not (any(_is_told_in(region, table) for table in tables) or any(_is_double(region, other) for other in regions[:i])):
            single.append(region)
    return tuple(single)


def divided(regions: Sequence[Region]) -> tuple[Region, ...]:
    """The regions, with each region divided whose box holds lines of others, if its text can be divided like its lines. No part
    holds lines of others. Each part except the last `continues`, unless the text has a line break behind it."""
    return tuple(part for i, region in enumerate(regions) for part in _divided(region, [*regions[:i], *regions[i + 1 :]]))


def _divided(region: Region, others: Sequence[Region]) -> Sequence[Region]:
    boxes = [line.box for other in others if other.label not in PICTURES for line in other.lines]
    inside = [box for box in boxes if _is_inside(box, region.box)]
    if not inside or len(region.lines) < 2 or region.label in _WHOLE or region.format != "markdown" or region.is_unread:
        return [region]
    if region.polygon:  # on a page that leans, boxes reach into others
        return [region]
    runs: list[list[int]] = []
    for n, line in enumerate(region.lines):
        tried = around([region.lines[k].box for k in runs[-1]] + [line.box]) if runs else line.box
        if not runs or any(_is_inside(box, tried) and not _is_inside(box, line.box) for box in inside):
            runs.append([])
        runs[-1].append(n)
    texts = _divided_text(region, runs)
    if not 1 < len(runs) <= _MOST_PARTS or texts is None:
        return [region]
    return [
        replace(
            region,
            box=around(region.lines[n].box for n in run),
            polygon=(),
            text=text,
            lines=tuple(region.lines[n] for n in run),
            continues=goes_on,
        )
        for run, (text, goes_on) in zip(runs, texts, strict=True)
    ]


def _divided_text(region: Region, runs: Sequence[Sequence[int]]) -> list[tuple[str, bool]] | None:
    """The text of each run of lines, and whether the text continues in the next run. None if the region's text hasn't the letters
    of its lines, or if emphasis would be cut."""
    of_runs = [_letters("".join(region.lines[n].text for n in run)) for run in runs]
    if "".join(of_runs) != _letters(region.text) or not all(of_runs):
        return None
    texts: list[tuple[str, bool]] = []
    at = 0
    for run, letters in zip(runs, of_runs, strict=True):
        last = region.lines[run[-1]].text.rstrip()
        end = _behind(region.text, at, len(letters), last) if run is not runs[-1] else len(region.text)
        text = region.text[at:end].strip()
        if end < len(region.text) and last.endswith(tuple(_HYPHENS)) and text[-1:].isalnum():
            text += "-"
        is_last = run is runs[-1]
        texts.append((text, region.continues if is_last else not region.text[end:].startswith("\n")))
        at = end
    return None if any(text.count(sign) % 2 for text, _ in texts for sign in ("*", "**", "`")) else texts


def _behind(text: str, at: int, num_letters: int, last: str) -> int:
    """The index in the text, from `at` on, behind `num_letters` letters and digits, the signs that end the `last` line, and the
    end of emphasis."""
    while num_letters:
        num_letters -= text[at].isalnum()
        at += 1
    for sign in last[len(last.rstrip(_signs(last))) :]:
        if (place := text.find(sign, at)) < 0 or _letters(text[at:place]):
            break
        at = place + 1
    while text[at : at + 1] in _EMPHASIS:
        at += 1
    return at


def _signs(text: str) -> str:
    return "".join(c for c in set(text) if not c.isalnum())


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _lies_in(line: Line, region: Region) -> bool:
    """Whether a line lies mostly in a region. If the region has a polygon, the line's middle must be in the polygon, because
    boxes of leaning text overlap."""
    if not region.polygon:
        return _is_inside(line.box, region.box)
    x, y = numpy.mean(numpy.array(line.corners, numpy.float32), axis=0).tolist()
    return cv2.pointPolygonTest(numpy.array(region.polygon, numpy.float32), (x, y), False) >= 0


def _is_inside(box: Box, other: Box) -> bool:
    return shared(box, other) > _INSIDE * area(box)


def _is_told_in(region: Region, table: Region) -> bool:
    if region.label in _WHOLE - {"title", "sub_title"} or not table.text or not _is_inside(region.box, table.box):
        return False
    letters = _letters(region.text)
    try:
        cells = [_letters(cell.text) for cell in parse(table.text).cells]
    except ValueError:  # what an engine that knows the whole page said is no table
        return False
    return bool(letters) and (letters in cells or (len(letters) >= _LONG and letters in "".join(cells)))


def _is_double(region: Region, other: Region) -> bool:
    same = shared(region.box, other.box) > _SAME * max(area(region.box), area(other.box))
    return same and region.label == other.label and region.text == other.text and bool(region.text)
