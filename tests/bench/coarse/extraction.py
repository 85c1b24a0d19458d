"""Coarse extraction against the bare loop of `raw_coarse.py`, on the same PDFs, interleaved, as ratios; and what it costs to
ask the ink.

    python -m tests.bench.coarse.extraction [--documents 16] [--repeats 3] [--sizes 1024 1920]

One core: both pinned to core 0, the whole pipeline (sandboxed child, pipe, language, verdict, JSON, sha256, fsync) against
the loop. Two: two dask workers against two processes of the loop, as the gain over one of the same kind. Medians of the
repeats. The documents are Debian's installation guides, A4. Workers are up and warm before the clock starts, on both sides.
The ink is asked on one core, by the recipe's own stage.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pymupdf

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.engines import OPEN
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.reading.language import IdentifyLanguage
from datagen.record import Sample
from datagen.samples.documents import PACKAGES, DebianSamples
from datagen.work.dataset import build, plan
from datagen.work.pipeline import Pipeline
from datagen.work.runner import InProcess, make_runner
from recipes.run import sample_costs
from tests.bench.bars import at_least
from tests.bench.measuring import options

RAW = Path(__file__).with_name("raw_coarse.py")
TARGETS = {1024: 0.75, 1920: 0.70}


def guides(n: int) -> list[Item]:
    (package,) = [p for p in PACKAGES if p.name == "installation-guide-amd64"]
    return DebianSamples((package,)).items()[:n]


def raw(paths: list[str], long_side: int, processes: int, cores: list[int]) -> float:
    """Pages/s of the bare loop."""
    command = [sys.executable, str(RAW), *paths, "--long-side", str(long_side), "--processes", str(processes)]
    return float(_pinned(command, cores).rsplit("=", 1)[1].split()[0])


def ours(paths: list[str], long_side: int, workers: int, cores: list[int]) -> float:
    """Pages/s of the pipeline, in a process of its own."""
    program = [sys.executable, "-m", "tests.bench.coarse.extraction"]
    command = [*program, "--ours", *paths, "--sizes", str(long_side), "--workers", str(workers)]
    return float(json.loads(_pinned(command, cores)))


def _pinned(command: list[str], cores: list[int]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.strip().splitlines()[-1]


def measure_ours(paths: list[str], long_side: int, workers: int) -> float:
    """Run the pipeline here. Pages/s over all shards but each worker's first two, which start its child and its imports."""
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as out:
        documents = [{"uri": p, "pages": _num_pages(p)} for p in paths]
        (Path(out) / "list.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents))
        runner = make_runner("local", workers) if workers > 1 else InProcess()
        stages = (IdentifyLanguage(), JudgeTextLayer())
        pipeline = Pipeline("bench", Listing(f"{out}/list.jsonl"), PdfSource(long_side=long_side, shard_pages=64), stages)
        folder = Folder(out)
        todo = plan(pipeline, folder, pipeline.census.items(), runner, commit=True)
        build(pipeline, folder, todo, runner, {})
        reports = read_reports(folder)
        timed = sorted(reports, key=lambda r: r.started)[2 * workers :]
        if not timed:
            raise SystemExit(f"{len(paths)} documents give {len(reports)} shards, all of which warm up: take more --documents")
        seconds = max(r.finished for r in timed) - min(r.started for r in timed)
        return sum(r.num_samples for r in timed) / seconds


def measure_ink(paths: list[str], long_side: int, max_pages: int) -> None:
    """What `CompareInk` takes, a document and a page, as the recipe has it, at most `max_pages` pages a document; and as a ratio
    to the extraction of the same pages, document by document in turn."""
    stage, source = CompareInk(), PdfSource(long_side=long_side, max_pages=max_pages)
    seconds = read_seconds = num_pages = num_bytes = 0.0
    for i, path in enumerate((paths[0], *paths)):
        started = time.monotonic()
        pages = [x for x in source.read(Item(path)) if isinstance(x, Sample)]
        read_s = time.monotonic() - started
        pages = [x for page in pages for x in IdentifyLanguage()([page], OPEN) if isinstance(x, Sample)]
        started = time.monotonic()
        list(stage(pages, OPEN))
        if i == 0:  # starts the child and loads the engines
            continue
        seconds += time.monotonic() - started
        read_seconds += read_s
        num_pages += len(pages)
        num_bytes += sum(len(page.image or b"") + len(page.to_json()) for page in pages)
    if (long_side, max_pages) == (PdfSource().long_side, sample_costs.DOCUMENT_PAGES):
        measured = {"coarse.ink_core_s": seconds / num_pages, "coarse.page_bytes": num_bytes / num_pages}
        sample_costs.record("tests.bench.coarse.extraction", measured)
    print(
        f"{long_side} px: asking the ink takes {seconds / len(paths):.2f} s a document (budget {stage.budget_s:g} s), "
        f"{1000 * seconds / num_pages:.0f} ms a page of {num_pages:.0f}, at most {max_pages} a document, "
        f"{seconds / read_seconds:.1f} times what extracting them takes"
    )


def _num_pages(path: str) -> int:
    with pymupdf.open(path) as doc:
        return len(doc)


def compare(name: str, repeats: int, theirs: Callable[[], float], mine: Callable[[], float]) -> tuple[float, float]:
    """Medians of interleaved runs, printed as they come."""
    pairs = []
    for i in range(repeats):
        pairs.append((theirs(), mine()))
        print(f"  {name} run {i + 1}: loop {pairs[-1][0]:.1f}, pagewheel {pairs[-1][1]:.1f} pages/s", flush=True)
    loop, pipeline = (statistics.median(column) for column in zip(*pairs, strict=True))
    return loop, pipeline


def measure(paths: list[str], size: int, repeats: int, cores: list[int]) -> None:
    first = cores[:1]
    loop, mine = compare(f"{size} px, one core", repeats, lambda: raw(paths, size, 1, first), lambda: ours(paths, size, 1, first))
    target = TARGETS.get(size, 0.85)
    reached = f"ratio {mine / loop:.2f} ({at_least(mine / loop, target)})"
    print(f"{size} px, one core: loop {loop:.1f}, pagewheel {mine:.1f} pages/s, {reached}")
    if size == PdfSource().long_side:
        sample_costs.record("tests.bench.coarse.extraction", {"coarse.read_core_s": 1 / mine})
    if len(cores) < 2:
        print("two workers: skipped, there is one core")
        return
    two = cores[:2]
    loop2, mine2 = compare(f"{size} px, two", repeats, lambda: raw(paths, size, 2, two), lambda: ours(paths, size, 2, two))
    gain, mine_gain = loop2 / loop, mine2 / mine
    reached = f"ratio {mine_gain / gain:.2f} ({at_least(mine_gain / gain, 0.9)})"
    print(f"{size} px, two: loop gains {gain:.2f}, pagewheel {mine_gain:.2f}, {reached}")


def main() -> None:
    parser = options(__doc__, documents=16, repeats=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 1920])
    parser.add_argument("--ours", nargs="+", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.ours:
        print(measure_ours(args.ours, args.sizes[0], args.workers))
        return
    started = time.monotonic()
    paths = [d.uri for d in guides(args.documents)]
    print(
        f"{len(paths)} documents, {sum(map(_num_pages, paths))} pages, {platform.processor() or platform.machine()}", flush=True
    )
    cores = sorted(os.sched_getaffinity(0))
    for size in args.sizes:
        measure(paths, size, args.repeats, cores)
    for max_pages in (sample_costs.DOCUMENT_PAGES, 40):
        measure_ink(paths, args.sizes[-1], max_pages)
    print(f"measured in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
