"""How many of the lines on pages PaddleOCR's detector finds, by script: typeset pages, as renders and as scans, and real ones.

    python -m tests.bench.flywheel.detection [OUT] [--pages N]

OUT is an output of a flywheel, `out/multilingual` unless it is given. Of each language N typeset pages (all of `typeset`), and N
pages of documents whose layer is trusted, are looked at. A line is found if boxes at its height cover 80% of its width.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from datagen.disk import manifest
from datagen.disk.shards import read_samples
from datagen.disk.storage import Folder
from datagen.engines import OPEN
from datagen.page.images import pixels
from datagen.record import Box, Sample, words_hold
from flywheel.labels.detection import recall
from flywheel.labels.line_readings import LONG_SIDE
from flywheel.step import TYPESET
from tests.bench.measuring import options


def pages(dataset: Folder, most: int) -> Iterator[Sample]:
    """At most `most` trusted pages of each language, drawn by a hash of their keys."""
    rows = manifest.rows(dataset, lambda row: bool(row["num_lines"]) and words_hold(row["verdict"], row["reasons"]))
    counts: Counter[str] = Counter()
    chosen = []
    for row in sorted(rows, key=lambda row: hashlib.sha256(row["key"].encode()).digest()):
        counts[row["lang"]] += 1
        if counts[row["lang"]] <= most and row["lang"] != "und":
            chosen.append(row)
    return read_samples(dataset, chosen)


def detected(page: Sample) -> list[Box]:
    assert page.image is not None
    quads = OPEN.get("ppocr-detector", long_side=LONG_SIDE).detect([pixels(page.image)])[0]
    corners = [([x for x, _ in quad], [y for _, y in quad]) for quad, _ in quads]
    return [Box(round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))) for xs, ys in corners]


def main() -> None:
    parser = options(__doc__, pages=8)
    parser.add_argument("out", nargs="?", default="out/multilingual")
    args = parser.parse_args()
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for name in ("coarse", TYPESET):
        folder = Folder(str(Path(args.out) / name))
        for page in pages(folder, args.pages) if folder.exists("census") else ():
            look = page.metadata.get("look", "document")
            for script, (num_detected, num_lines) in recall([page], {page.key: detected(page)}).items():
                row = counts[script, look]
                row[0], row[1], row[2] = row[0] + 1, row[1] + num_lines, row[2] + num_detected
    print("| script | pages | number | lines | found |\n| --- | --- | --- | --- | --- |")
    for (script, look), (num_pages, num_lines, num_detected) in sorted(counts.items()):
        print(f"| {script} | {look} | {num_pages} | {num_lines:,} | {100 * num_detected / num_lines:.1f}% |")


if __name__ == "__main__":
    main()
