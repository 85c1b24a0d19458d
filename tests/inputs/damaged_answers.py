"""Right answers about pages, and seven ways to damage one."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from datagen.asking.forms import Read, page
from datagen.asking.profiles import DEEPSEEK_OCR
from datagen.labels import PICTURES, RUNNING
from datagen.markdown import markdown
from datagen.record import Box, Quality, Region, Sample
from datagen.tables import cells
from datagen.target import Prompt, encode

KINDS = ("gone", "invented", "twice", "another_page", "digits", "columns", "cells")
_MIN_CHARS = 60  # of a paragraph that is damaged


def inside(regions: Sequence[Region], size: tuple[int, int]) -> tuple[Region, ...]:
    return tuple(
        replace(
            r, box=Box(r.box.x0, r.box.y0, max(r.box.x0 + 1, min(size[0], r.box.x1)), max(r.box.y0 + 1, min(size[1], r.box.y1)))
        )
        for r in regions
    )


def answered(sample: Sample, regions: Sequence[Region], is_plain: bool) -> Read:
    """What a model reads off a page that answers with these regions: with boxes, or as Markdown alone."""
    if is_plain:
        return page(DEEPSEEK_OCR, markdown(regions), sample.size, "model", is_plain=True)
    whole = replace(sample, regions=tuple(regions), text=markdown(regions), quality=Quality("trusted"))
    _, answer = encode(whole, Prompt.MARKDOWN)
    return page(DEEPSEEK_OCR, answer, sample.size, "model")


def damaged(
    kind: str, regions: Sequence[Region], others: Sequence[str], size: tuple[int, int], draw: random.Random
) -> tuple[Region, ...] | None:
    """The regions with a damage of this kind; None where the page can't have it. `others` are paragraphs of other pages in the
    same language."""
    made = [r for r in regions if r.label not in RUNNING]
    texts = [i for i, r in enumerate(made) if r.label == "text" and len(r.text) >= _MIN_CHARS]
    foreign = [text for text in others if len(text) >= _MIN_CHARS and not any(text[:40] in r.text for r in regions)]
    if kind == "columns":
        return _columns_swapped(made, size)
    if kind == "cells":
        return _cells_swapped(made, draw)
    if kind == "digits":
        return _digits_changed(made, draw)
    if not texts or (kind in ("invented", "another_page") and not foreign):
        return None
    at = draw.choice(texts)
    if kind == "gone":
        return (*made[:at], *made[at + 1 :])
    if kind == "twice":
        return (*made[: at + 1], made[at], *made[at + 1 :])
    if kind == "another_page":
        return (*made[:at], replace(made[at], text=draw.choice(foreign)), *made[at + 1 :])
    x0, y0, x1, y1 = made[at].box
    below = Box(x0, min(size[1] - 2, y1), x1, min(size[1], y1 + (y1 - y0)))
    return (*made[: at + 1], replace(made[at], text=draw.choice(foreign), box=below), *made[at + 1 :])


def _columns_swapped(regions: Sequence[Region], size: tuple[int, int]) -> tuple[Region, ...] | None:
    """Two columns that stand beside each other, read in the wrong order."""
    middle = size[0] / 2
    left = [r for r in regions if r.box.x1 <= middle + 10 and r.label not in PICTURES]
    right = [r for r in regions if r.box.x0 >= middle - 10 and r.label not in PICTURES]
    if len(left) < 2 or len(right) < 2:
        return None
    first, last = (left, right) if regions.index(left[0]) < regions.index(right[0]) else (right, left)
    places = sorted(regions.index(r) for r in (*first, *last))
    if sum(len(r.text) for r in first) < 200 or sum(len(r.text) for r in last) < 200:
        return None
    made = list(regions)
    for place, region in zip(places, [*last, *first], strict=True):
        made[place] = region
    return tuple(made) if made != list(regions) else None


def _cells_swapped(regions: Sequence[Region], draw: random.Random) -> tuple[Region, ...] | None:
    tables = [i for i, r in enumerate(regions) if r.format == "html"]
    if not tables:
        return None
    at = draw.choice(tables)
    table = cells.parse(regions[at].text)
    filled = [
        i for i, cell in enumerate(table.cells) if len(re.sub(r"\W", "", cell.text)) >= 4 and cell.rows == cell.columns == 1
    ]
    pairs = [(a, b) for a in filled for b in filled if a < b and table.cells[a].text != table.cells[b].text]
    if not pairs:
        return None
    a, b = draw.choice(pairs)
    swapped = list(table.cells)
    swapped[a], swapped[b] = replace(swapped[a], text=table.cells[b].text), replace(swapped[b], text=table.cells[a].text)
    html = cells.to_html(cells.Table(tuple(swapped)))
    return (*regions[:at], replace(regions[at], text=html), *regions[at + 1 :])


def _digits_changed(regions: Sequence[Region], draw: random.Random) -> tuple[Region, ...] | None:
    """One digit of the page's is another."""
    places = [
        (i, found.start()) for i, r in enumerate(regions) if r.format != "latex" and r.label not in PICTURES
        for found in re.finditer(r"(?<![a-zA-Z=\"/<&#])\d", r.text) if not _in_tag(r.text, found.start())
    ]  # fmt: skip
    if not places:
        return None
    i, at = draw.choice(places)
    text = regions[i].text
    other = str((int(text[at]) + draw.randint(1, 9)) % 10)
    return (*regions[:i], replace(regions[i], text=text[:at] + other + text[at + 1 :]), *regions[i + 1 :])


def _in_tag(text: str, at: int) -> bool:
    return text.rfind("<", 0, at) > text.rfind(">", 0, at)
