"""The share of pages' lines that a detector finds, by script. A missed line is lost to every reader."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from datagen.disk import manifest
from datagen.disk.shards import read_records, read_reports
from datagen.disk.storage import Folder
from datagen.record import Box, Line, Sample
from datagen.writing.vertical_lines import along, stands

_WIDE = 0.8  # the share of a line's width that is detected
_HIGH = 0.5  # the share of the lower one's height that a line and a box share


def of_lines(pages: Folder, lines: Folder) -> dict[str, dict[str, int]]:
    """By script, the number of lines on the pages of the dataset `lines`, and the number of these that it has."""
    boxes: dict[str, list[Box]] = defaultdict(list)
    for line in read_records(lines, manifest.rows(lines)):
        boxes[line.origin.parent].append(line.origin.box)
    for key in (drop.key for report in read_reports(lines) for drop in report.drops):
        boxes[key]  # a page without a line is a drop with the page's key
    of_pages = recall(read_records(pages, manifest.rows(pages, lambda row: row["key"] in boxes)), boxes)
    return {script: {"num_lines": num_lines, "num_detected": count} for script, (count, num_lines) in of_pages.items()}


def recall(pages: Iterable[Sample], detected: Mapping[str, Sequence[Box]]) -> dict[str, tuple[int, int]]:
    """By script, the number of lines that a detector finds on pages with a true layer, and the number of these lines. `detected`
    are a page's boxes by its key; a page without an entry has none. Vertical lines in scripts without columns don't count."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for page in pages:
        boxes = detected.get(page.key, ())
        for line in (line for region in page.regions for line in region.lines if line.text.strip()):
            if line.direction == "ttb" and not stands(line.box, page.script):
                continue
            counts[page.script][0] += is_detected(line, boxes)
            counts[page.script][1] += 1
    return {script: (num_detected, num_lines) for script, (num_detected, num_lines) in sorted(counts.items())}


def is_detected(line: Line, boxes: Iterable[Box]) -> bool:
    """Whether boxes at the line's height cover nearly all of its width; for a column, boxes at its width nearly all of its
    height."""
    return covered_share(line, boxes) >= _WIDE


def covered_share(line: Line, boxes: Iterable[Box]) -> float:
    """The share of a line's width that boxes at its height cover; for a column, the share of its height. Several boxes may share
    a line, and one box may have several lines side by side."""
    is_column = line.direction == "ttb"
    at = along(line.box) if is_column else line.box
    spans = []
    for box in map(along, boxes) if is_column else boxes:
        overlap = min(box.y1, at.y1) - max(box.y0, at.y0)
        x0, x1 = max(box.x0, at.x0), min(box.x1, at.x1)
        # A much higher box has several lines, and no reader reads it.
        if overlap > _HIGH * min(box.y1 - box.y0, at.y1 - at.y0) and x0 < x1 and box.y1 - box.y0 < 2 * (at.y1 - at.y0):
            spans.append((x0, x1))
    covered, reached = 0, at.x0
    for x0, x1 in sorted(spans):
        covered += max(0, x1 - max(x0, reached))
        reached = max(reached, x1)
    return covered / (at.x1 - at.x0)
