"""How good the labels of `make recipe=fine` are: pages from markup as images only, and as PDFs, against their ground truth.

    python -m tests.bench.fine.fine [--seed 0] [--each 2] [--engines WORDS]

The pages are those of `markup_pages`: real documents in eighteen languages, laid out in looks that `--seed` draws, `--each` of a
language: as images, and as PDFs by the browser, whose text layers are true. Prints, for each, the edit distance of the text page
by page (in reading order, letters and digits alone), the measures of `make score` with their intervals, which tests of heads,
order and cells hold (`datagen.rewards.page_tests`), and what share of the regions nobody read, by label.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path

from datagen.disk import manifest
from datagen.disk.shards import read_records
from datagen.disk.storage import Folder
from datagen.rewards.page_tests import page_tests
from datagen.work import dataset
from datagen.work.pipeline import Pipeline
from datagen.work.runner import InProcess
from recipes.fine import fine
from recipes.verbs.score import score
from tests.bench.fine import markup_pages
from tests.bench.measuring import options
from tests.outputs import write_dataset


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


def measure(name: str, pages: Path, truth: Folder, facts: Path, out: Path, engines: str) -> None:
    labels = annotate(pages, out, engines)
    report = out / "scores.json"
    print(f"== {name}\n{score(labels.url, truth.url, str(report))}".replace(f"{out.parent}/", ""))
    for page, values in json.loads(report.read_text())["pages"].items():
        print(f"  {values['page']:.3f}  {page}")
    print(unread(labels))
    print(score(labels.url, str(facts)).replace(f"{out.parent}/", ""))


def main() -> None:
    args = options(__doc__, seed=0, each=2, engines="").parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as temporary:
        folder = Path(temporary)
        for name in ("pdf", "images"):
            (folder / name).mkdir()
        truth, tests = Folder(str(folder / "truth")), []
        samples = markup_pages.pages(args.seed, folder / "pdf", args.each)
        write_dataset(folder / "truth", samples, "truth")
        for sample in samples:
            (folder / "images" / f"{sample.key}.jpg").write_bytes(sample.image or b"")
            tests += [test | {"pdf": f"{sample.key}.pdf", "page": 1} for test in page_tests(sample)]
        facts = folder / "facts.jsonl"
        facts.write_text("".join(json.dumps(test, ensure_ascii=False) + "\n" for test in tests), encoding="utf-8")
        scripts = len({sample.script for sample in samples})
        for kind, what in (("images", "images alone"), ("pdf", "PDFs with their text layers")):
            name = f"{len(samples)} pages in {scripts} scripts, {what}"
            measure(name, folder / kind, truth, facts, folder / f"labels-{kind}", args.engines)


if __name__ == "__main__":
    main()
