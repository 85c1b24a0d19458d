"""Pages of real documents with their true regions, from which a labeller can learn.

A large vision-language model corrected the labeller's draft of each page; no person has. `annotated_pages.tsv` has a line a page,
and never a page's content. `python -m tests.bench.fine.annotate` drafts pages and makes lines of corrected ones:

    uri, sha256, page   where the page is
    regions             in reading order, "label x0 y0 x1 y1", with ";" between them: in ten-thousandths of the page's width and
                        height. The label "none" is for a picture that is none, "unsure" for what nobody could tell
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from datagen.record import LABELS as RECORD_LABELS
from datagen.record import Box, Region

UNIT = 10_000
LABELS = (*RECORD_LABELS, "none", "unsure")
_TABLE = Path(__file__).with_name("annotated_pages.tsv")


class AnnotatedPage(NamedTuple):
    uri: str
    sha256: str
    page: int
    regions: tuple[Region, ...]

    @property
    def repository(self) -> str:
        """What a split keeps together: files of one owner look alike."""
        return "/".join(self.uri.split("/")[3:5])


def annotated_pages(table: Path = _TABLE) -> list[AnnotatedPage]:
    """The table's pages. Boxes of regions count in `UNIT`ths of the page."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [AnnotatedPage(row["uri"], row["sha256"], int(row["page"]), _regions(row["regions"])) for row in rows]


def written(page: AnnotatedPage) -> str:
    """The page as a line of the table."""
    regions = ";".join(" ".join([region.label, *map(str, region.box)]) for region in page.regions)
    return "\t".join((page.uri, page.sha256, str(page.page), regions))


def _regions(text: str) -> tuple[Region, ...]:
    parts: Sequence[list[str]] = [part.split() for part in text.split(";")]
    return tuple(Region(Box(*map(int, box)), label, "", None, "annotated") for label, *box in parts)
