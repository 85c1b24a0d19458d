"""Regions of held-out annotated pages, right or wrong, and the probability from which on a region is accepted at a stated risk.

`region_outcomes.tsv` has a line a page, which `make recipe=layouts annotated=DIR` writes, and never a page's content:

    kind        pdf: its file has the text
    labeller    `labeller.versions` then. Lines of other weights say nothing about these
    document    what a bound counts as one: the repository that the page's file is from, since files of one owner look alike
    outcomes    of each region `Region.structure` and "+" or "-": whether its label, its lines and its place in the order are
                right; with ";" between them. Truth is that of `datagen.layouts.annotated_pages`
"""

import csv
import functools
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from datagen.layouts import labeller
from datagen.risk import bounds

TABLE = Path(__file__).with_name("region_outcomes.tsv")
_COLUMNS = ("kind", "labeller", "document", "outcomes")


class PageOutcomes(NamedTuple):
    """A page's regions: the probability that each is right, and whether it is."""

    kind: str
    labeller: str
    document: str
    regions: tuple[tuple[float, bool], ...]


def written(pages: Iterable[PageOutcomes]) -> str:
    """The pages as a table."""
    rows = ["\t".join(_COLUMNS)]
    for kind, weights, document, regions in pages:
        rows.append("\t".join((kind, weights, document, ";".join(f"{score:.3f}{'-+'[is_right]}" for score, is_right in regions))))
    return "\n".join(rows) + "\n"


@functools.cache
def region_outcomes(table: Path = TABLE) -> tuple[PageOutcomes, ...]:
    """The table's pages of today's labeller."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(
        PageOutcomes(row["kind"], row["labeller"], row["document"], _regions(row["outcomes"]))
        for row in rows
        if row["labeller"] == labeller.versions()["layouts"]
    )


@functools.cache
def threshold(kind: str, allowed: float) -> bounds.Cutoff:
    """From which `Region.structure` on regions of pages of this kind are accepted, so that at most the share `allowed` of the
    accepted ones is wrong; see `bounds.cutoff`. The confidence is `bounds.NOBODY` if no threshold is shown to hold."""
    return cutoff([page for page in region_outcomes() if page.kind == kind], allowed)


def cutoff(pages: Sequence[PageOutcomes], allowed: float) -> bounds.Cutoff:
    regions = [(score, is_right, page.document) for page in pages for score, is_right in page.regions]
    scores, right, documents = ([*column] for column in zip(*regions, strict=True)) if regions else ([], [], [])
    return bounds.cutoff(scores, right, 1 - allowed, documents=documents)


def versions() -> dict[str, str]:
    """The table's hash, for fingerprints."""
    return {"region-outcomes": hashlib.sha256(TABLE.read_bytes()).hexdigest()[:12]}


def _regions(text: str) -> tuple[tuple[float, bool], ...]:
    return tuple((float(one[:-1]), one[-1] == "+") for one in text.split(";") if one)
