"""The accuracy of the pages that a round labelled, by text layers that no reader saw. No decision depends on it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy

from datagen.disk import manifest
from datagen.disk.shards import read_records, read_reports
from datagen.disk.storage import Folder
from datagen.page.boxes import shared
from datagen.record import Box, Line, Sample
from datagen.writing.line_text import normalise
from flywheel.labels.detection import covered_share
from flywheel.labels.labelled_pages import refused_boxes
from flywheel.labels.score_readings import truth
from flywheel.lines.crops import Row

_FEW = 0.5  # characters at a line's ends that boxes miss by chance


@dataclass(frozen=True)
class PageScore:
    """Counts of pages: the labels' characters (`num_chars`) and their edits to the layer, the layer's characters and those that
    no box covers (`num_missing`), pairs of neighbouring lines in a label, and the pairs of these in the layer's order. `worst` is
    the largest character error of a page."""

    num_pages: int = 0
    num_chars: int = 0
    num_edits: int = 0
    layer_chars: int = 0
    num_missing: float = 0.0
    num_pairs: int = 0
    num_ordered: int = 0
    worst: float = 0.0

    def __add__(self, other: "PageScore") -> "PageScore":
        names = [name for name in self.__dataclass_fields__ if name != "worst"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return PageScore(**sums, worst=max(self.worst, other.worst))

    def to_dict(self) -> dict[str, Any]:
        """Shares; None if there is nothing to measure."""
        return {
            "num_pages": self.num_pages,
            "num_chars": self.num_chars,
            "cer": _share(self.num_edits, self.num_chars),
            "worst_cer": round(self.worst, 4) if self.num_chars else None,
            "missing_share": _share(self.num_missing, self.layer_chars),
            "order_share": _share(self.num_ordered, self.num_pairs),
        }


def of_round(made: Folder, labels: Folder, pages: Folder, rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of the pages `made` of a round's dataset `labels`, by language and together. `rows` are the rows of the pages
    that the round read in the dataset `pages` and that have a text layer: other pages have no score."""
    refused = refused_boxes(labels)
    layers = {page.key: page for page in read_records(pages, rows)}
    scores: dict[str, PageScore] = defaultdict(PageScore)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in read_records(made, manifest.rows(made)):
        key = sample.origin.parent
        if key in layers:
            scores[sample.lang] += score(sample, layers[key], refused.get(key, ()))
    langs = {row["key"]: layers[row["key"]].lang for row in rows}
    for drop in (drop for report in read_reports(made) for drop in report.drops if drop.key in langs):
        reasons[langs[drop.key]][drop.reason] += 1
    languages = {
        lang: scores[lang].to_dict() | {"refused": dict(sorted(reasons[lang].items()))} for lang in sorted({*scores, *reasons})
    }
    together = sum(scores.values(), PageScore()).to_dict() | {"refused": dict(sorted(sum(reasons.values(), Counter()).items()))}
    return together | {"num_read": len(rows), "languages": languages}


def score(sample: Sample, layer: Sample, refused: Sequence[Box]) -> PageScore:
    """The score of a labelled page by its `layer`. `refused` are the painted-over boxes. A line's edits are the fewest that turn
    the line into a part of the layer's row."""
    lines = [line for region in sample.regions for line in region.lines]
    num_chars = num_edits = 0
    for line in lines:
        text = normalise(line.text)
        num_chars += len(text)
        num_edits += distance_to_part(text, truth(layer, line.box))
    boxes = [*(line.box for line in lines), *refused]
    of_layer = [line for region in layer.regions for line in region.lines if line.text.strip() and line.direction != "ttb"]
    missing = [(1 - covered_share(line, boxes)) * len(line.text) for line in of_layer]
    places = [place for line in lines if (place := _place(line.box, of_layer)) is not None]
    pairs = [(a, b) for a, b in pairwise(places) if a != b]
    return PageScore(
        1,
        num_chars,
        num_edits,
        sum(len(line.text) for line in of_layer),
        sum(num for num in missing if num > _FEW),
        len(pairs),
        sum(a < b for a, b in pairs),
        num_edits / max(1, num_chars),
    )


def distance_to_part(text: str, row: str) -> int:
    """The fewest edits that turn `text` into some part of `row`."""
    if not text or not row:
        return len(text)
    codes = numpy.array(list(map(ord, row)))
    steps = numpy.arange(len(codes) + 1)
    best = numpy.zeros(len(codes) + 1, numpy.int64)
    for number, char in enumerate(text, 1):
        changed = best[:-1] + (codes != ord(char))
        without_inserts = numpy.concatenate(([number], numpy.minimum(changed, best[1:] + 1)))
        best = numpy.minimum.accumulate(without_inserts - steps) + steps
    return int(best.min())


def _place(box: Box, lines: Sequence[Line]) -> int | None:
    """The index of the layer's line with the largest area under a box; None if there is none."""
    areas = [shared(line.box, box) for line in lines]
    return max(range(len(areas)), key=areas.__getitem__) if any(areas) else None


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 5) if whole else None
