"""Labels of pages whose truth is known: half of the blocks as they are, half with an error of one of seven kinds."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from datagen.record import Box, Region, Sample
from datagen.tables import cells
from tests.bench.agree.readers import wrong_formula
from tests.bench.agree.typeset import Known

KINDS = ("lost", "doubled", "invented", "cells", "digit", "script", "order")
RIGHT = ""
OF_TEXT = ("lost", "doubled", "invented", "digit", "script")
_REGION = 0.3  # of what is lost, doubled or invented is a whole paragraph, not a line
_ALPHABETS = {
    "Latn": "абвгдежзиклмнопрстуфхцчшщ",
    "Cyrl": "abcdefghijklmnopqrstuvwxyz",
    "Hans": "アイウエオカキクケコサシスセソタチツテト",
    "Jpan": "abcdefghijklmnopqrstuvwxyz",
}
"""In whose letters a line is that was read in another script; Latin ones if nothing is said."""


@dataclass(frozen=True)
class Item:
    """A label that is judged: its kind of error, "" for none; what is right there; and the box by which it is known. An order has
    the boxes of both paragraphs."""

    kind: str
    form: str
    box: Box
    truth: Region | None
    label: Region | None
    other: Box | None = None


def planted(known: Known, seed: int) -> tuple[Sample, list[Item]]:
    """The page with a label, and what is right and wrong in it."""
    draw = random.Random(f"planted {seed} {known.page.key}")
    truth = known.truth
    paragraphs = [i for i, region in enumerate(truth) if region.format == "markdown"]
    kinds = dict.fromkeys(range(len(truth)), RIGHT)
    wrong = draw.sample(paragraphs, len(paragraphs) // 2)
    names = draw.sample(OF_TEXT, len(OF_TEXT))
    kinds |= {i: names[n % len(names)] for n, i in enumerate(wrong)}
    tables = [i for i, region in enumerate(truth) if region.format == "html"]
    kinds |= {i: draw.choice(("cells", "cells", "digit", RIGHT, RIGHT)) for i in tables}
    kinds |= {i: draw.choice(("digit", RIGHT)) for i, region in enumerate(truth) if region.format == "latex"}
    regions: list[Region] = []
    items: list[Item] = []
    for i, region in enumerate(truth):
        made, item = _made(kinds[i], region, known, draw)
        regions += made
        items.append(item)
    items += _orders(regions, kinds, truth, draw)
    regions = [replace(region, by="label-model", lines=()) for region in regions]
    label = replace(known.page, regions=tuple(regions), text="\n\n".join(r.text for r in regions), stage="label")
    return replace(label, origin=replace(label.origin, engines={"label label-model": "1"})), items


def _made(kind: str, region: Region, known: Known, draw: random.Random) -> tuple[list[Region], Item]:
    """The label's regions in the place of one of the truth's, and what is judged of them."""
    wrong = _wrong(kind, region, known, draw) if kind else [region]
    if wrong is None or (kind == "script" and wrong[0].text == region.text):  # a line without letters
        kind, wrong = RIGHT, [region]
    form = {"markdown": "text", "html": "table", "latex": "formula"}[region.format]
    if kind == "invented" and len(wrong) > 1:
        return wrong, Item(kind, form, wrong[1].box, None, wrong[1])
    return wrong, Item(kind, form, region.box, region, wrong[0] if wrong else None)


def _wrong(kind: str, region: Region, known: Known, draw: random.Random) -> list[Region] | None:
    if region.format == "html":
        return _wrong_table(kind, region, draw)
    if region.format == "latex":
        return [replace(region, text=wrong_formula(region.text, draw))]
    texts = [line.text for line in region.lines]
    glue = " " if " " in region.text else ""
    at = draw.randrange(len(texts))
    is_region = draw.random() < _REGION
    if kind == "lost":
        return [] if is_region else [_with(region, texts[:at] + texts[at + 1 :], glue)] if len(texts) > 1 else None
    if kind == "doubled":
        return [region, region] if is_region else [_with(region, texts[: at + 1] + texts[at:], glue)]
    if kind == "invented":
        others = [line.text for r in known.truth for line in r.lines if line.text not in texts and len(line.text) > 12]
        blank = _blank(known, region)
        if is_region and blank is not None:
            return [region, replace(region, box=blank, text=draw.choice(others))]
        return [_with(region, [*texts[: at + 1], draw.choice(others), *texts[at + 1 :]], glue)]
    if kind == "script":
        return [_with(region, [*texts[:at], _other_script(texts[at], known.page.script), *texts[at + 1 :]], glue)]
    digits = [n for n, char in enumerate(region.text) if char.isascii() and char.isdigit()]
    return [replace(region, text=_other_digit(region.text, draw.choice(digits), draw))] if digits else None


def _with(region: Region, texts: Sequence[str], glue: str) -> Region:
    return replace(region, text=glue.join(texts))


def _blank(known: Known, region: Region) -> Box | None:
    """Paper without ink as wide as the region, below the last one of its column."""
    height = known.page.size[1]
    below = max((r.box.y1 for r in known.truth if r.box.x0 < region.box.x1 and r.box.x1 > region.box.x0), default=0)
    top = below + 24
    return Box(region.box.x0, top, region.box.x1, top + 26) if top + 26 < 0.94 * height else None


def _other_script(text: str, script: str) -> str:
    letters = _ALPHABETS.get(script, "abcdefghijklmnopqrstuvwxyz")
    return "".join(letters[ord(char) % len(letters)] if char.isalpha() else char for char in text)


def _other_digit(text: str, at: int, draw: random.Random) -> str:
    return text[:at] + str((int(text[at]) + draw.randint(1, 9)) % 10) + text[at + 1 :]


def _wrong_table(kind: str, region: Region, draw: random.Random) -> list[Region] | None:
    table = cells.parse(region.text)
    new = list(table.cells)
    if kind == "cells":
        a, b = draw.sample([n for n, cell in enumerate(new) if cell.text], 2)
        if new[a].text == new[b].text:
            return None
        new[a], new[b] = replace(new[a], text=table.cells[b].text), replace(new[b], text=table.cells[a].text)
    else:
        at = draw.choice([n for n, cell in enumerate(new) if any(map(str.isdigit, cell.text))])
        text = new[at].text
        place = draw.choice([n for n, char in enumerate(text) if char.isdigit()])
        new[at] = replace(new[at], text=_other_digit(text, place, draw))
    return [replace(region, text=cells.to_html(cells.Table(tuple(new))))]


def _orders(regions: list[Region], kinds: dict[int, str], truth: Sequence[Region], draw: random.Random) -> list[Item]:
    """Two neighbours change places, in `regions`; two others don't."""
    boxes = [region.box for region in regions]
    pairs = [
        (boxes.index(truth[i].box), boxes.index(truth[i + 1].box))
        for i in range(len(truth) - 1)
        if kinds[i] == kinds[i + 1] == RIGHT and truth[i].format == truth[i + 1].format == "markdown"
    ]
    found: list[Item] = []
    for kind, (a, b) in zip(("order", RIGHT), draw.sample(pairs, min(2, len(pairs))), strict=False):
        if any({item.box, item.other} & {boxes[a], boxes[b]} for item in found):
            continue
        found.append(Item(kind, "order", boxes[a], None, None, boxes[b]))
        if kind == "order":
            regions[a], regions[b] = regions[b], regions[a]
    return found
