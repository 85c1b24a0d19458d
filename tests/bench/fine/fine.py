"""How good the labels of `make recipe=fine` are: pages as images only, and typeset pages as PDFs, against their ground truth.

    python -m tests.bench.fine.fine [--seed 0] [--engines WORDS]

The thirty pages of `tests.typeset.pages` are set: as images, and as PDFs whose text layers are true. Prints, for each, the edit
distance of the text page by page (in reading order, letters and digits alone), the measures of `make score` with their intervals,
which tests of heads, order and cells hold, and what share of the regions nobody read, by label.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path

from datagen.disk import manifest
from datagen.disk.shards import read_records
from datagen.disk.storage import Folder
from datagen.work import dataset
from datagen.work.pipeline import Pipeline
from datagen.work.runner import InProcess
from recipes.fine import fine
from recipes.verbs.score import score
from tests.bench.measuring import options
from tests.typeset import pages as typeset_pages


def annotate(pages: Path, out: Path, engines: str) -> Folder:
    """The labels of a folder of PDFs or images, by the recipe's own step, in this process. What is there already stays."""
    recipe = fine(str(pages), engines=engines)
    (step,) = [step for step in recipe.steps if isinstance(step, Pipeline)]
    folder, runner = Folder(str(out)), InProcess()
    todo = dataset.plan(step, folder, step.census.items(), runner, commit=True)
    built = dataset.build(step, folder, todo, runner, {})
    if built.failed:
        raise SystemExit(f"shards failed: {built.failed}")
    return folder


def unread(folder: Folder) -> str:
    """The share of regions without a reading, of all and by label."""
    regions = [region for page in read_records(folder, manifest.rows(folder)) for region in page.regions]
    count = Counter(region.label for region in regions)
    left = Counter(region.label for region in regions if region.is_unread)
    by_label = ", ".join(f"{label} {left[label]} of {count[label]}" for label in sorted(left))
    return f"unread: {left.total()} of {len(regions)} regions" + (f" ({by_label})" if left else "")


def measure(name: str, pages: Path, truth: Path, out: Path, engines: str) -> None:
    labels = annotate(pages, out, engines)
    report = out / "scores.json"
    print(f"== {name}\n{score(labels.url, str(truth), str(report))}")
    for page, values in json.loads(report.read_text())["pages"].items():
        print(f"  {values['page']:.3f}  {page}")
    print(unread(labels))
    print(score(labels.url, str(truth.with_name("facts.jsonl"))))


def main() -> None:
    args = options(__doc__, seed=0, engines="").parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as temporary:
        pages = Path(temporary) / "pages"
        typeset_pages.write(pages, args.seed)
        for kind, name in (("images", "thirty typeset pages, images alone"), ("pdf", "the same, PDFs with their text layers")):
            measure(name, pages / kind, pages / "pages.json", Path(temporary) / f"labels-{kind}", args.engines)


if __name__ == "__main__":
    main()
