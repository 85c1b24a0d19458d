"""Shards that hold next to nothing, a hundred thousand of them, through dask and onto the disk: what the machinery itself costs.

    python -m tests.bench.work.scale [--shards 100000] [--workers 2] [--kills 1] [--out DIR]

The run is killed on its way, as often as told, with SIGKILL and without warning, and gone on with. Prints shards/s, bytes that a
task sends between processes (all that goes over loopback, divided), memory of the run's own process, how long it takes to begin
again, and what a million shards would come to. Everything is real but what the shards hold: census, tasks, tars, fsyncs, manifest
parts, reports and the card.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from datagen.disk.storage import Folder
from datagen.inputs.census import Census
from datagen.inputs.items import Inputs, Item
from datagen.record import Drop, Origin, Quality, Sample
from datagen.work import dataset
from datagen.work.pipeline import Pipeline, Source
from datagen.work.runner import make_runner
from tests.bench.measuring import options

MILLION = 1_000_000


@dataclass(frozen=True)
class Numbers(Census):
    """Documents that lie nowhere."""

    num: int

    def items(self) -> list[Item]:
        return [Item(f"nowhere/{i:07d}", "1", 1) for i in range(self.num)]


@dataclass(frozen=True)
class Nothing(Source):
    """A sample of a word for each document, a shard each."""

    def split(self, documents: Iterable[Item]) -> Iterator[Inputs]:
        return ((document,) for document in documents)

    def read(self, document: Item) -> Iterator[Sample | Drop]:
        origin = Origin(document.uri, "0" * 64, 0)
        yield Sample(document.uri[-7:], "text", None, (0, 0), "und", "Zyyy", "word", (), Quality("none"), origin, "scale")


def work(num: int, workers: int, out: str) -> None:
    """A run as a recipe's step has it, in this process."""
    pipeline = Pipeline("scale", Numbers(num), Nothing(), ())
    folder, runner = Folder(out), make_runner("local", workers)
    with dataset.lock(folder):
        folder.sweep()
        todo = dataset.plan(pipeline, folder, pipeline.census.items(), runner, commit=True)
        outcome = dataset.build(pipeline, folder, todo, runner, {})
    assert not outcome.failed
    print(json.dumps({"shards": outcome.totals.num_shards, "samples": outcome.totals.num_samples}))


def main() -> None:
    parser = options(__doc__, shards=100_000, workers=2, kills=1, out="")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.shards, args.workers, args.out)
        return
    with tempfile.TemporaryDirectory(prefix="pagewheel-scale-") as folder:
        measure(args.shards, args.workers, args.kills, args.out or folder)


def measure(num: int, workers: int, kills: int, out: str) -> None:
    program = [sys.executable, "-m", "tests.bench.work.scale", "--work"]
    command = [*program, "--shards", str(num), "--workers", str(workers), "--out", out]
    shards = Path(out) / "shards"
    seconds = first = sent = 0.0
    for turn in range(kills + 1):
        until = num * (turn + 1) // (kills + 1)
        held, loopback, began = _reports(shards), _loopback_bytes(), time.monotonic()
        run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        began_work, done, peak = 0.0, held, 0
        while run.poll() is None and (turn == kills or done < until):
            time.sleep(1)
            done = _reports(shards)
            if done > held and not began_work:
                began_work = time.monotonic()
            try:
                peak = max(peak, psutil.Process(run.pid).memory_info().rss)
            except psutil.NoSuchProcess:
                break
        ended, done = time.monotonic(), _reports(shards)
        if turn < kills:
            family = psutil.Process(run.pid).children(recursive=True)
            run.kill()
            run.wait()
            psutil.wait_procs(family, timeout=60)
        else:
            said, _ = run.communicate()
            if run.returncode:
                sys.exit(f"the run ended with {run.returncode}")
            print(f"it ended with {json.loads(said)}")
            ended, done = time.monotonic(), _reports(shards)
        if not began_work:
            sys.exit(f"the run made no shard in {ended - began:.0f} s")
        seconds += ended - began_work
        first = max(first, began_work - began)
        sent += _loopback_bytes() - loopback
        print(
            f"{held} shards were there, {done} are now; first new one after {began_work - began:.1f} s, then "
            f"{(done - held) / (ended - began_work):.0f} shards/s; the run's process took {peak / 1e6:.0f} MB at most"
            f"{'; killed' if turn < kills else ''}",
            flush=True,
        )
    rate, each = num / seconds, sent / num
    print(f"{num} shards, {workers} workers: {rate:.0f} shards/s, {each:.0f} bytes between processes a task")
    print(
        f"a million shards: {MILLION / rate / 3600:.1f} hours of the machinery, {each * MILLION / 1e9:.1f} GB between processes"
    )


def _reports(shards: Path) -> int:
    try:
        return sum(entry.name.endswith(".json") for entry in os.scandir(shards))
    except FileNotFoundError:
        return 0


def _loopback_bytes() -> int:
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


if __name__ == "__main__":
    main()
