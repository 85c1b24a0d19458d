"""What several readings of the same pages came to: outcomes, who agrees with whom, and blocks that changed, each with its ink and
its readings."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from datagen.agreement.agree_page import DECISIONS
from datagen.page.boxes import around
from datagen.record import LEVELS, Box, Sample
from recipes.report import Section, asset, cut, fill
from recipes.report.pages import seeded, spread
from recipes.report.pictures import data_uri, decode

if TYPE_CHECKING:
    from recipes.steps.agree import Sums

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


def agree_section(name: str, sums: "Sums", load: Callable[[dict[str, Any]], Sample]) -> Section:
    """The section on agreement in the dataset `name`. `load` reads the page of a row with its image."""
    kinds = sorted({kind for kind, _ in sums.outcomes})
    table = [(kind, [sums.outcomes[kind, outcome] for outcome in OUTCOMES]) for kind in kinds]
    voters = sorted({voter for pair in sums.pairs for voter in pair})
    matrix = [(one, [_share(sums, one, other) for other in voters]) for one in voters]
    order = sorted(sums.changed, key=lambda c: seeded(0, f"{c['row']['key']} {c['entry']}"))
    shown = spread(order, lambda c: c["outcome"])[:SHOWN]
    blocks = [block for one in shown if (block := _block(one, load(one["row"])))]
    html = fill(
        "agree.html",
        facts=_facts(sums),
        outcomes=list(OUTCOMES.items()),
        table=table,
        whys=[(outcome, why, n) for (outcome, why), n in sums.whys.most_common(16)],
        voters=voters,
        matrix=matrix,
        blocks=blocks,
        num_changed=len(sums.changed),
    )
    return Section(f"{name}-agreement", f"{name}: who agrees with whom", html, asset("agree.css"))


def _facts(sums: "Sums") -> list[tuple[str, str]]:
    levels = ", ".join(f"{sums.levels[n]:,} {level}" for n, level in enumerate(LEVELS))
    counted = f" (counted on {sums.num_pages:,})" if sums.num_pages < sums.num_all else ""
    facts = [("pages", f"{sums.num_all:,}{counted}"), ("by difficulty", levels)]
    return facts + ([("of one dataset alone", f"{sums.num_alone:,}")] if sums.num_alone else [])


def _share(sums: "Sums", one: str, other: str) -> str:
    counts = sums.pairs.get((min(one, other), max(one, other)))
    return "" if one == other or not counts else f"{counts[True] / counts.total():.0%} of {counts.total():,}"


def _block(changed: dict[str, Any], page: Sample) -> dict[str, Any] | None:
    entry = json.loads(page.metadata[DECISIONS])[changed["entry"]]
    region = page.regions[entry["region"]] if entry["region"] >= 0 else None
    result = "" if region is None else region.text
    readings = [(r["voter"], r["vote"], cut(result if r.get("same") else r["text"], _CHARS)) for r in entry["readings"]]
    return {
        "outcome": entry["outcome"],
        "why": entry["why"].replace("_", " "),
        "key": page.key,
        "image": _crop(page, region.box) if region else "",
        "text": cut(result, _CHARS),
        "readings": readings,
        "is_fragile": entry["is_fragile"],
    }


def _crop(page: Sample, box: Box) -> str:
    image = decode(page.image)
    if image is None:
        return ""
    x0, y0, x1, y1 = around([box])
    part = image.crop(
        (max(0, x0 - _AROUND), max(0, y0 - _AROUND), min(image.width, x1 + _AROUND), min(image.height, y1 + _AROUND))
    )
    scale = min(1.0, _WIDTH / part.width, _HEIGHT / part.height)
    return data_uri(part, (max(1, round(part.width * scale)), max(1, round(part.height * scale))), _QUALITY)
