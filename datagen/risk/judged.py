"""The pages that were judged one by one, and the score from which on a page is trusted at a stated risk.

A large vision-language model judged them so far, strictly: it saw the page, its boxes and its label, and no score. No person has
judged them again. `judged_pages.tsv` has a line a page, and never a page's content:

    kind       pdf: its file has the text; image: an engine read it
    script     as in a record
    uri, sha256, page  where the page is
    labeller   `labeller.versions` then. Lines of other weights say nothing about these
    score      the page's `structure_score`; 0 if the page was suspect for another reason
    chance     the chance with which pages of its score were judged
    text, structure  right or wrong. The structure is right if each region has its label, its borders and its place in the order
    fault      what is wrong
"""

import csv
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from datagen.layouts import labeller
from datagen.risk import bounds

KINDS = ("pdf", "image")
_TABLE = Path(__file__).with_name("judged_pages.tsv")
_SEED = "thinning"


@dataclass(frozen=True)
class JudgedPage:
    kind: str
    script: str
    uri: str
    sha256: str
    page: int
    labeller: str
    score: float
    chance: float
    text: bool
    structure: bool
    fault: str

    @property
    def document(self) -> str:
        """Pages of one document count once: of a PDF by its hash; images by their folder, which may be a book's."""
        return self.sha256 if self.kind == "pdf" else self.uri.rpartition("/")[0]


class CurvePoint(NamedTuple):
    """What holds if pages are trusted from this score on: the share of pages, of all that were drawn; how many documents with
    such pages were judged; and how many of these are wrong in text, and in structure."""

    score: float
    share: float
    num_documents: int
    wrong_text: int
    wrong_structure: int


@functools.cache
def judged_pages(table: Path = _TABLE) -> tuple[JudgedPage, ...]:
    """The table's pages."""
    with table.open(encoding="utf-8", newline="") as file:
        return tuple(
            JudgedPage(
                row["kind"],
                row["script"],
                row["uri"],
                row["sha256"],
                int(row["page"]),
                row["labeller"],
                float(row["score"]),
                float(row["chance"]),
                row["text"] == "right",
                row["structure"] == "right",
                row["fault"],
            )
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        )


@functools.cache
def threshold(kind: str, text: float, structure: float) -> bounds.Cutoff:
    """From which `structure_score` on pages of a kind are trusted, so that at most the share `text` has a wrong text and at most
    the share `structure` a wrong structure; see `bounds.cutoff_of_all`. The confidence is `bounds.NOBODY` if too few pages were
    judged, or too few are right."""
    return bounds.cutoff_of_all(_judged(kind, judged_pages()), (text, structure))


def curve(kind: str, scores: Sequence[float], pages: Sequence[JudgedPage] | None = None) -> list[CurvePoint]:
    """What each of these thresholds would trust, and how often that is wrong."""
    drawn = [page for page in (judged_pages() if pages is None else pages) if page.kind == kind and _is_of_these_weights(page)]
    total = sum(1 / page.chance for page in drawn)
    points = []
    for score in scores:
        above = [page for page in drawn if page.score >= score > 0]
        wrong = [{p.document for p in above if not p.text}, {p.document for p in above if not p.structure}]
        num_documents = len({page.document for page in above})
        points.append(CurvePoint(score, sum(1 / p.chance for p in above) / max(1, total), num_documents, *map(len, wrong)))
    return points


def versions() -> dict[str, str]:
    """The table's hash, for fingerprints."""
    return {"judged-pages": hashlib.sha256(_TABLE.read_bytes()).hexdigest()[:12]}


def _judged(kind: str, pages: Sequence[JudgedPage]) -> list[bounds.Judged]:
    return [
        bounds.Judged(page.document, page.score, (page.text, page.structure), page.chance, _thinning(page))
        for page in pages
        if page.kind == kind and page.score > 0 and _is_of_these_weights(page)
    ]


def _is_of_these_weights(page: JudgedPage) -> bool:
    return labeller.versions()["layouts"] == page.labeller


def _thinning(page: JudgedPage) -> float:
    digest = hashlib.blake2b(f"{_SEED}:{page.sha256}:{page.page}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
