"""Visual lines that text layers break, and columns and cells that they join.

    python -m tests.bench.lines [DATASET] [--pages 25] [--seed 1]

DATASET is the folder of a dataset, such as out/coarse; without it, the default recipe's PDFs are read, without asking the ink.

1. Of neighbouring lines in one region of trusted pages, pairs that are pieces of one visual line: their boxes overlap by over 60%
   of the lower one's height, and less than three heights lie between them. Lines that run down are turned first.
2. On typeset pages of `tests/line_pages.py`, `--pages` of each kind: gaps within lines at which a line was broken, and gaps
   between columns or cells over which two were joined, or are in one region.
"""

import argparse
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from datagen.pipeline import Pipeline
from datagen.stages.ink import CompareInk
from recipes.multilingual import multilingual
from recipes.recipe import Recipe
from recipes.run import Place, run
from tests import line_pages
from tests.bench.compare_corpora import Record, records
from tests.opened import read

BoxOnDisk = list[int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path, metavar="DATASET")
    parser.add_argument("--pages", type=int, default=25, help="typeset pages of each kind")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.dataset:
        broken_lines(records(arguments.dataset))
    else:
        with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as out:
            broken_lines(records(extracted(Path(out))))
    typeset_lines(arguments.pages, arguments.seed)


def extracted(out: Path) -> Path:
    """The folder of the default recipe's first dataset, made in `out` without asking the ink."""
    first = next(step for step in multilingual().steps if isinstance(step, Pipeline))
    stages = tuple(replace(stage, budget_s=0) if isinstance(stage, CompareInk) else stage for stage in first.stages)
    if run(Recipe("lines", (replace(first, stages=stages),)), Place(str(out), "inline", 0, True)):
        raise SystemExit("the default recipe's PDFs could not be read")
    return out / first.name


def broken_lines(pages: Iterable[Record]) -> None:
    """Print how many pairs of neighbouring lines in one region are pieces of one visual line."""
    pairs: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for page in pages:
        if page["quality"]["verdict"] != "trusted":
            continue
        for region in page["regions"]:
            for a, b in itertools.pairwise(region["lines"]):
                pairs[a["direction"]] += 1
                broken[a["direction"]] += is_one_line(a["box"], b["box"], a["direction"] == b["direction"] == "ttb")
    for direction, num in sorted(pairs.items()):
        print(
            f"{direction}: of {num:,} pairs of neighbouring lines {broken[direction]:,} are one ({broken[direction] / num:.3%})"
        )
    num, total = broken.total(), pairs.total()
    print(f"all: of {total:,} pairs of neighbouring lines {num:,} are one ({num / max(1, total):.3%}; under 0.5%)")


def is_one_line(a: BoxOnDisk, b: BoxOnDisk, vertical: bool) -> bool:
    """Whether two lines are pieces of one, going by their boxes."""
    x, y = (1, 0) if vertical else (0, 1)
    height = min(a[y + 2] - a[y], b[y + 2] - b[y])
    common = min(a[y + 2], b[y + 2]) - max(a[y], b[y])
    return common > 0.6 * height and max(a[x], b[x]) - min(a[x + 2], b[x + 2]) < 3 * height


def typeset_lines(num_pages: int, seed: int) -> None:
    """Print how many typeset lines were broken, and how many columns and cells were joined, by the kind of page."""
    total: Counter[str] = Counter()
    print(f"{'typeset, ' + str(num_pages) + ' pages each':<28}{'gaps within lines':>18}{'broken':>8}{'between':>10}{'joined':>8}")
    for kind in line_pages.KINDS:
        counts: Counter[str] = Counter()
        for page in line_pages.pages(kind, num_pages, seed):
            counts.update(line_pages.compare(page, read(page.pdf())))
        total.update(counts)
        print(f"{kind:<28}{counts['within']:>18,}{counts['broken']:>8,}{counts['between']:>10,}{counts['joined']:>8,}")
    broken, joined = total["broken"] / max(1, total["within"]), total["joined"] / max(1, total["between"])
    print(f"all: broken {total['broken']:,} of {total['within']:,} ({broken:.3%}); ", end="")
    print(f"joined {total['joined']:,} of {total['between']:,} ({joined:.3%}; under 0.5%)")


if __name__ == "__main__":
    main()
