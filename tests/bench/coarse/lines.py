"""Visual lines that text layers break, and columns and cells that they join.

    python -m tests.bench.coarse.lines [DATASET] [--each 1] [--seed 0]

DATASET is the folder of a dataset, such as out/coarse; without it, the default recipe's PDFs are read, without asking the ink.

1. Of neighbouring lines in one region of trusted pages, pairs that are pieces of one visual line: their boxes overlap by over 60%
   of the lower one's height, and less than three heights lie between them. Lines that run down are turned first.
2. Of neighbouring lines on trusted pages, pairs that plainly go on and lie in two regions. They have one font, height (within
   10%) and left edge (within 0.3 heights), and less than 1.5 heights between them, and the lower begins with a small letter or
   is in a script without spaces, as the upper is. Of these, pairs of which the upper doesn't end as a sentence does.
3. On pages from markup (`tests.bench.fine.markup_pages`), `--each` documents of a language: lines that were broken, or of which
   one was made, paragraphs whose lines are in two regions, and paragraphs that are in one region with the next.
"""

import itertools
import math
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pymupdf

from datagen.coarse.page import rendered
from datagen.coarse.text_layer import text_layer
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.page.boxes import area, shared
from datagen.record import Region
from datagen.work.pipeline import Pipeline
from datagen.writing import scripts
from recipes.multilingual import multilingual
from recipes.recipe import Recipe
from recipes.run.execute import Place, run
from tests.bench.bars import at_most
from tests.bench.compare_corpora import Record, records
from tests.bench.fine import markup_pages
from tests.bench.measuring import options

BoxOnDisk = list[int]
UNSPACED = re.compile(f"[{scripts.HAN}{scripts.PHRASED}]")
CLOSING = ".!?:;…。！？：；"


def main() -> None:
    parser = options(__doc__, each=1, seed=0)
    parser.add_argument("dataset", nargs="?", type=Path, metavar="DATASET")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as out:
        dataset = arguments.dataset or extracted(Path(out))
        broken_lines(records(dataset))
        broken_paragraphs(records(dataset))
    of_markup(arguments.each, arguments.seed)


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


def of_markup(each: int, seed: int) -> None:
    """Print what is broken and joined on pages from markup, by script, and the share of each fault in what it may befall."""
    by_script: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
        for page in markup_pages.pages(seed, folder, each):
            with pymupdf.open(f"{folder}/{page.key}.pdf") as doc:
                view = rendered(doc, 0, max(page.size), math.inf)
                by_script[page.script].update(compared(page.regions, text_layer(view).regions))
    names = ("lines", "broken", "joined", "within", "parted", "between", "merged")
    print(f"{'pages from markup':<20}" + "".join(f"{name:>10}" for name in names))
    total = sum(by_script.values(), Counter[str]())
    for script, counts in by_script.items():
        print(f"{script:<20}" + "".join(f"{counts[name]:>10,}" for name in names))
    for fault, whole in (("broken", "lines"), ("joined", "lines"), ("parted", "within"), ("merged", "between")):
        share = total[fault] / max(1, total[whole])
        print(f"all: {fault} {total[fault]:,} of {total[whole]:,} ({share:.3%}; {bar(share)})")


def compared(truth: Sequence[Region], found: Sequence[Region]) -> Counter[str]:
    """How many true `lines` were found, in pieces (`broken`), or in one with another (`joined`). Of pairs of neighbouring lines
    `within` a paragraph, how many are in two regions (`parted`); of neighbouring paragraphs, how many are in one (`merged`)."""
    lines = [(number, line.box) for number, region in enumerate(found) for line in region.lines]
    counts: Counter[str] = Counter()
    owners: list[tuple[int, Region, set[int]]] = []
    for number, region in enumerate(truth):
        for line in region.lines:
            of_line = [at for at, (_, box) in enumerate(lines) if 2 * shared(line.box, box) > min(area(line.box), area(box))]
            counts.update(
                lines=bool(of_line), broken=len(of_line) > 1, joined=any(at in used for *_, used in owners for at in of_line)
            )
            owners.append((number, region, set(of_line)))
    for (a, region, first), (b, _, second) in itertools.pairwise(owners):
        if region.label != "table" and first and second:
            is_one = bool({lines[at][0] for at in first} & {lines[at][0] for at in second})
            counts.update(within=1, parted=not is_one) if a == b else counts.update(between=1, merged=is_one)
    return counts


if __name__ == "__main__":
    main()
