"""Agreement in the report: outcomes, pairs of voters that agree, and changed blocks with images and readings."""

import json
from collections.abc import Callable
from typing import Any

from datagen.agreement.agree_page import DECISIONS
from datagen.agreement.sums import Sums
from datagen.page.boxes import around
from datagen.record import LEVELS, Box, Sample
from recipes.report import Card, Cell, Section, blocks, cut, joined
from recipes.report.pages import seeded, spread
from recipes.report.pictures import data_uri, decode

OUTCOMES = {
    "kept": "another voter agrees, or all that differ often read what nobody else does",
    "replaced": "two voters agree against the label",
    "drawn": "the ink decides between readings",
    "unread": "neither voters nor ink decide: the block is open",
    "alone": "nobody else reads it",
}
SHOWN = 20
_WIDTH, _HEIGHT, _QUALITY, _CHARS = 560, 260, 45, 900
_AROUND = 6


def agree_section(name: str, sums: Sums, load: Callable[[dict[str, Any]], Sample]) -> Section:
    """The section on agreement in the dataset `name`. `load` reads the page of a row with its image."""
    kinds = sorted({kind for kind, _ in sums.outcomes})
    outcomes = [(kind, *(sums.outcomes[kind, outcome] for outcome in OUTCOMES)) for kind in kinds]
    whys = [(Cell(outcome, "code"), Cell(why, "code"), number) for (outcome, why), number in sums.whys.most_common(16)]
    voters = sorted({voter for pair in sums.pairs for voter in pair})
    alike = [(one, *(Cell(_share(sums, one, other), "num") for other in voters)) for one in voters]
    order = sorted(sums.changed, key=lambda c: seeded(0, f"{c['row']['key']} {c['entry']}"))
    shown = spread(order, lambda c: c["outcome"])[:SHOWN]
    parts = [
        blocks.table((), _facts(sums)),
        blocks.table(("", *OUTCOMES), outcomes),
        blocks.table((), [(Cell(outcome, "code"), sentence) for outcome, sentence in OUTCOMES.items()]),
        blocks.table((), whys),
    ]
    if len(voters) > 1:
        parts += [blocks.note("Blocks that two voters read alike, of those that both read:"), blocks.table(("", *voters), alike)]
    if shown:
        what = f"{len(sums.changed):,} blocks were changed, drawn or left open; {len(shown)} are shown."
        parts += [blocks.note(what), blocks.cards([_card(one, load(one["row"])) for one in shown])]
    return Section(f"{name}-agreement", f"{name}: who agrees with whom", joined(*parts))


def _facts(sums: Sums) -> list[tuple[str, str]]:
    levels = ", ".join(f"{sums.levels[n]:,} {level}" for n, level in enumerate(LEVELS))
    counted = f" (counted on {sums.num_pages:,})" if sums.num_pages < sums.num_all else ""
    facts = [("pages", f"{sums.num_all:,}{counted}"), ("by difficulty", levels)]
    return facts + ([("of one dataset alone", f"{sums.num_alone:,}")] if sums.num_alone else [])


def _share(sums: Sums, one: str, other: str) -> str:
    counts = sums.pairs.get((min(one, other), max(one, other)))
    return "" if one == other or not counts else f"{counts[True] / counts.total():.0%} of {counts.total():,}"


def _card(changed: dict[str, Any], page: Sample) -> Card:
    entry = json.loads(page.metadata[DECISIONS])[changed["entry"]]
    region = page.regions[entry["region"]] if entry["region"] >= 0 else None
    result = "" if region is None else region.text
    why = entry["why"].replace("_", " ")
    readings = [
        (f"{one['voter']} {one['vote']}", cut(result if one.get("same") else one["text"], _CHARS)) for one in entry["readings"]
    ]
    facts = (Cell(entry["outcome"], "code", why), Cell("", note=page.key))
    return Card(_crop(page, region.box) if region else "", facts, [("the block now", cut(result, _CHARS)), *readings])


def _crop(page: Sample, box: Box) -> str:
    image = decode(page.image)
    if image is None:
        return ""
    x0, y0, x1, y1 = around([box])
    part = image.crop(
        (max(0, x0 - _AROUND), max(0, y0 - _AROUND), min(image.width, x1 + _AROUND), min(image.height, y1 + _AROUND))
    )
    return data_uri(part, (_WIDTH, _HEIGHT), _QUALITY)
