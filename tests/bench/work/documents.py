"""Memory of a run's own process at a tenth of the documents and at all: what a document of the census costs it.

    python -m tests.bench.work.documents [--documents 1000000]

Each size has a process of its own, which lists a Parquet file of so many addresses, plans the run, makes its shards of 1,000
documents with a source that reads nothing and drops each hundredth, and then plans again, as a run does that goes on. Prints the
peak of the resident size, the time, and the difference, which must be at most 0.1 GB for a million documents.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.record import Drop, Origin, Quality, Sample, SampleError, content_key
from datagen.work import dataset
from datagen.work.pipeline import Pipeline, Source
from datagen.work.runner import InProcess
from tests.bench.bars import at_most
from tests.bench.measuring import options

_MOST_GB = 0.1
_FAILS_EACH = 100
_ROWS = 10_000


@dataclass(frozen=True)
class Nothing(Source):
    """A sample of a word for each document; of each hundredth a drop."""

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        number = int(item.uri[-12:-4])
        if number % _FAILS_EACH == 0:
            raise SampleError("not_found", "404")
        origin = Origin(item.uri, f"{number:064x}", 0)
        yield Sample(content_key(f"{number:064x}"[::-1]), "text", None, (0, 0), "und", "Zyyy", "word", (), Quality(), origin, "x")


def write_list(path: str, num: int) -> None:
    """A list of `num` documents that lie nowhere, in no order."""
    numbers = ((place * 7919) % num for place in range(num))
    schema = pa.schema([("uri", pa.string()), ("bytes", pa.int64()), ("lang", pa.string()), ("pages", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for _ in range(0, num, _ROWS):
            some = [next(numbers) for _ in range(min(_ROWS, num))]
            rows = [
                {"uri": f"s3://documents/of/nobody/{i // 1000:05d}/{i:08d}.pdf", "bytes": 100_000, "lang": "en", "pages": 1}
                for i in some
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def work(path: str, out: str) -> None:
    """Two runs as a recipe's step has them, in this process."""
    pipeline, folder, started = Pipeline("pages", Listing(path), Nothing(), ()), Folder(out), time.monotonic()
    todo = dataset.plan(pipeline, folder, pipeline.census.items(), InProcess(), commit=True)
    planned_s = time.monotonic() - started
    outcome = dataset.build(pipeline, folder, todo, InProcess(), {})
    assert not outcome.failed
    started = time.monotonic()
    again = dataset.plan(pipeline, folder, pipeline.census.items(), InProcess(), commit=True)
    assert not again.num_shards and len(again.made) == todo.num_shards
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak": peak, "planned_s": planned_s, "again_s": time.monotonic() - started, "shards": todo.num_shards}))


def main() -> None:
    parser = options(__doc__, documents=1_000_000)
    parser.add_argument("--work", nargs=2, default=(), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(*args.work)
        return
    peaks = []
    for num in (args.documents // 10, args.documents):
        with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
            write_list(f"{folder}/list.parquet", num)
            command = [sys.executable, "-m", "tests.bench.work.documents", "--work", f"{folder}/list.parquet", f"{folder}/out"]
            result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        peaks.append(result["peak"] / 1e9)
        print(
            f"{num:,} documents in {result['shards']:,} shards: {peaks[-1]:.3f} GB at most; "
            f"census and plan {result['planned_s']:.0f} s, {result['again_s']:.0f} s once they are made",
            flush=True,
        )
    more = peaks[1] - peaks[0]
    print(f"{more:.3f} GB more for ten times as many documents ({at_most(more, _MOST_GB, ' GB')})")


if __name__ == "__main__":
    main()
