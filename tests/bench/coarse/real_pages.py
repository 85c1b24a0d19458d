"""Of real pages that a person calls right, how many are trusted; and of those that a person calls wrong, how many are, too.

    python -m tests.bench.coarse.real_pages [DATASET …]

DATASETS are folders of datasets of pages, by default that of `make recipe=multilingual`. `real_pages.tsv` lists pages by their
file's sha256 and their number, with what a person says of each who looked at the page's image and at the text of its layer:

    right     the text says what the page shows, all of it; line breaks and order aside
    unmapped  right but for characters that the file gives no code for (U+FFFD)
    lacks     what is there is right, but the page shows text that the layer lacks, or formulas that it flattens
    wrong     words of the text aren't what the page shows

Prints a row for each script, and the pages that are judged one way and treated the other. Intervals are Clopper and Pearson's, at
95%.
"""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from flywheel.labels.gate import interval
from tests.bench.measuring import options

LIST = Path(__file__).with_name("real_pages.tsv")
JUDGEMENTS = ("right", "unmapped", "lacks", "wrong")


class Judged(NamedTuple):
    """A page of the list. `note` says what is wrong with it."""

    script: str
    sha256: str
    page: int
    document: str
    judgement: str
    note: str


def read_list(path: Path = LIST) -> list[Judged]:
    """Raises `ValueError` for a judgement that there isn't."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = [Judged(r["script"], r["sha256"], int(r["page"]), r["document"], r["judgement"], r["note"]) for r in lines]
    if strange := [row for row in rows if row.judgement not in JUDGEMENTS]:
        raise ValueError(f"{path}: {strange[0].judgement!r} is no judgement; allowed are {', '.join(JUDGEMENTS)}")
    return rows


def rows_of(datasets: Sequence[str]) -> dict[tuple[str, int], dict]:
    """The manifests' rows of the pages with text, by file and page. A page that two datasets have counts once."""
    rows: dict[tuple[str, int], dict] = {}
    for url in datasets:
        folder = Folder(url)
        for part in manifest.parts(folder, [report.shard for report in read_reports(folder)]):
            for row in part.to_pylist():
                if row["num_chars"] and row["task"] == "page":
                    rows.setdefault((row["sha256"], row["page"]), row)
    return rows


def report(judged: Sequence[Judged], rows: dict[tuple[str, int], dict]) -> Iterator[str]:
    """The lines to print."""
    seen = [(page, rows[page.sha256, page.page]) for page in judged if (page.sha256, page.page) in rows]
    if missing := len(judged) - len(seen):
        yield f"{missing} of {len(judged)} pages of the list are in none of these datasets"
    counts: dict[str, Counter] = defaultdict(Counter)
    for page, row in seen:
        for script in (page.script, "all"):
            counts[script][page.judgement, row["verdict"] == "trusted"] += 1
    yield "script " + " ".join(f"{name:>22}" for name in JUDGEMENTS)
    for script in [*sorted(counts.keys() - {"all"}), *(["all"] if counts else [])]:
        yield f"{script:6} " + " ".join(f"{_share(counts[script], name):>22}" for name in JUDGEMENTS)
    for page, row in seen:
        if (page.judgement == "right") != (row["verdict"] == "trusted"):
            why = ", ".join(row["reasons"]) or row["verdict"]
            yield f"{page.judgement:8} but {why}: {page.document} page {page.page} {json.dumps(page.note, ensure_ascii=False)}"


def _share(counts: Counter, judgement: str) -> str:
    num, total = counts[judgement, True], counts[judgement, True] + counts[judgement, False]
    if not total:
        return "-"
    low, high = interval(num, total)
    return f"{num}/{total} {low:.1%}-{high:.1%}"


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("datasets", nargs="*", default=["out/multilingual/coarse"], metavar="DATASET")
    args = parser.parse_args()
    print("\n".join(report(read_list(), rows_of(args.datasets))))


if __name__ == "__main__":
    main()
