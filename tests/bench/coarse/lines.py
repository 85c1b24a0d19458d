"""Visual lines that text layers break, and columns and cells that they join.

    python -m tests.bench.coarse.lines [DATASET] [--pages 25] [--seed 1]

DATASET is the folder of a dataset, such as out/coarse; without it, the default recipe's PDFs are read, without asking the ink.

1. Of neighbouring lines in one region of trusted pages, pairs that are pieces of one visual line: their boxes overlap by over 60%
   of the lower one's height, and less than three heights lie between them. Lines that run down are turned first.
2. On typeset pages of `tests/inputs/line_pages.py`, `--pages` of each kind: gaps within lines at which a line was broken, and
   gaps between columns or cells over which two were joined, or are in one region.
3. Of neighbouring lines on trusted pages, pairs that plainly go on and lie in two regions. They have one font, height (within
   10%) and left edge (within 0.3 heights), and less than 1.5 heights between them, and the lower begins with a small letter or
   is in a script without spaces, as the upper is. Of these, pairs of which the upper doesn't end as a sentence does.
4. On typeset pages of `tests/inputs/paragraph_pages.py`, `--pages` of each kind: paragraphs that were broken and joined, and line
   ends that aren't written as a person would type them.
"""

import itertools
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.work.pipeline import Pipeline
from datagen.writing import scripts
from recipes.multilingual import multilingual
from recipes.recipe import Recipe
from recipes.run.execute import Place, run
from tests.bench.bars import at_most
from tests.bench.compare_corpora import Record, records
from tests.bench.measuring import options
from tests.inputs import line_pages, paragraph_pages
from tests.opened import read

BoxOnDisk = list[int]
UNSPACED = re.compile(f"[{scripts.HAN}{scripts.PHRASED}]")
CLOSING = ".!?:;…。！？：；"


def main() -> None:
    parser = options(__doc__, pages=25, seed=1)
    parser.add_argument("dataset", nargs="?", type=Path, metavar="DATASET")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as out:
        dataset = arguments.dataset or extracted(Path(out))
        broken_lines(records(dataset))
        broken_paragraphs(records(dataset))
    how = arguments.pages, arguments.seed
    faults = ("broken", "within"), ("joined", "between"), ("mistyped", "ends")
    typeset(line_pages, lambda page: page.pdf(), ("within", "broken", "between", "joined"), faults[:2], *how)
    names = ("within", "broken", "between", "joined", "ends", "mistyped", "lost")
    typeset(paragraph_pages, lambda page: page.doc.tobytes(), names, faults, *how)


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
    print(
        f"all: of {total:,} pairs of neighbouring lines {num:,} are one ({num / max(1, total):.3%}; {bar(num / max(1, total))})"
    )


def bar(share: float) -> str:
    return at_most(100 * share, 0.5, "%")


def is_one_line(a: BoxOnDisk, b: BoxOnDisk, vertical: bool) -> bool:
    """Whether two lines are pieces of one, going by their boxes."""
    x, y = (1, 0) if vertical else (0, 1)
    height = min(a[y + 2] - a[y], b[y + 2] - b[y])
    common = min(a[y + 2], b[y + 2]) - max(a[y], b[y])
    return common > 0.6 * height and max(a[x], b[x]) - min(a[x + 2], b[x + 2]) < 3 * height


def broken_paragraphs(pages: Iterable[Record]) -> None:
    """Print how many pairs of neighbouring lines go on and lie in two regions."""
    counts: Counter[str] = Counter()
    for page in pages:
        if page["quality"]["verdict"] != "trusted":
            continue
        lines = [(number, line) for number, region in enumerate(page["regions"]) for line in region["lines"]]
        for (i, a), (j, b) in itertools.pairwise(lines):
            if goes_on(a, b):
                is_open = a["text"][-1] not in CLOSING
                counts.update(num=1, broken=i != j, num_open=is_open, broken_open=is_open and i != j)
    share, share_open = (counts[k] / max(1, counts[n]) for k, n in (("broken", "num"), ("broken_open", "num_open")))
    print(
        f"paragraphs: of {counts['num']:,} pairs of lines that may go on {counts['broken']:,} are in two regions ({share:.3%}); ",
        end="",
    )
    print(f"of {counts['num_open']:,} in mid-sentence {counts['broken_open']:,} ({share_open:.3%}; {bar(share_open)})")


def goes_on(a: Record, b: Record) -> bool:
    """Whether the line `b` may be the next of a paragraph behind `a`, going by font, place and letters."""
    (x0, y0, _, y1), (x1, top, _, bottom) = a["box"], b["box"]
    height = y1 - y0
    if a["font"] != b["font"] or a["direction"] != "ltr" or b["direction"] != "ltr" or not a["text"]:
        return False
    if abs(height - bottom + top) > 0.1 * height or abs(x0 - x1) > 0.3 * height or not (y0 < top < y1 + 1.5 * height):
        return False
    first, last = b["text"][:1], a["text"][-1]
    return first.islower() or bool(UNSPACED.match(first) and UNSPACED.match(last))


def typeset(
    of: ModuleType,
    pdf: Callable[[Any], bytes],
    names: Sequence[str],
    faults: Sequence[tuple[str, str]],
    num_pages: int,
    seed: int,
) -> None:
    """Print what is counted on typeset pages, by their kind, and the share of each fault in what it may befall."""
    total: Counter[str] = Counter()
    print(f"{'typeset, ' + str(num_pages) + ' pages each':<28}" + "".join(f"{name:>10}" for name in names))
    for kind in of.KINDS:
        counts: Counter[str] = Counter()
        for page in of.pages(kind, num_pages, seed):
            counts.update(of.compare(page, read(pdf(page))))
        total.update(counts)
        print(f"{kind:<28}" + "".join(f"{counts[name]:>10,}" for name in names))
    for fault, whole in faults:
        share = total[fault] / max(1, total[whole])
        print(f"all: {fault} {total[fault]:,} of {total[whole]:,} ({share:.3%}; {bar(share)})")


if __name__ == "__main__":
    main()
