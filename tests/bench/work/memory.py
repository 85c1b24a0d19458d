"""Memory of a worker and its parser over at least 5,000 pages, of many documents and of one: must be flat.

    python -m tests.bench.work.memory [--pages 5000]

Reads Debian's installation guides, again and again under other names, in one process at 1024 px, and notes the resident size
of the worker and of its child after every shard. Prints both after the first fifth and at the end, and the child's
replacements. Then reads one document of as many pages, in one shard, and prints the largest sizes up to its first tenth and up
to its end.
"""

import json
import random
import tempfile
from pathlib import Path

import psutil
import pymupdf

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.filters import DropBoilerplate
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.disk.shards import ShardReport
from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.reading.language import IdentifyLanguage
from datagen.record import Sample
from datagen.work.dataset import build, plan
from datagen.work.pipeline import Pipeline
from datagen.work.runner import InProcess
from tests.bench.coarse.extraction import guides
from tests.bench.measuring import options
from tests.inputs.small_pages import WORDS


def main() -> None:
    wanted = options(__doc__, pages=5000).parse_args().pages
    sizes: list[tuple[int, float, float, int]] = []
    pages = 0

    def note(report: ShardReport) -> None:
        nonlocal pages
        pages += report.num_samples
        me = psutil.Process()
        child = max(me.children(recursive=True), key=lambda p: p.memory_info().rss)
        sizes.append((pages, me.memory_info().rss / 1e6, child.memory_info().rss / 1e6, child.pid))

    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as out:
        uris = []
        for copy in range(-(-wanted // 2400)):
            for document in guides(20):
                link = Path(out) / f"copy{copy}-{Path(document.uri).name}"
                link.symlink_to(document.uri)
                uris.append(str(link))
        (Path(out) / "list.jsonl").write_text("".join(json.dumps({"uri": u, "pages": 130}) + "\n" for u in uris))
        stages = (IdentifyLanguage(), JudgeTextLayer())
        pipeline = Pipeline("memory", Listing(f"{out}/list.jsonl"), PdfSource(long_side=1024, shard_pages=130), stages)
        folder = Folder(out)
        todo = plan(pipeline, folder, pipeline.census.items(), InProcess(), commit=True)
        build(pipeline, folder, todo, InProcess(), {}, note)
    settled = sizes[len(sizes) // 5]
    last, peak = sizes[-1], max(worker + child for _, worker, child, _ in sizes[len(sizes) // 5 :])
    for name, (n, worker, child, _) in {"after warm-up": settled, "at the end": last}.items():
        print(f"{name} ({n} pages): worker {worker:.0f} MB, parser {child:.0f} MB")
    ratio = (last[1] + last[2]) / (settled[1] + settled[2])
    print(f"memory over {last[0]} pages: peak {peak:.0f} MB, end/start ratio {ratio:.2f}, {len({s[3] for s in sizes})} children")
    one_document(wanted)


def one_document(num_pages: int) -> None:
    """Print the resident sizes while a single document is read in one piece, stages that compare its pages included."""
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
        path = Path(folder) / "long.pdf"
        with pymupdf.open() as doc:
            for number in range(num_pages):
                page, words = doc.new_page(width=300, height=400), random.Random(number)
                page.insert_text((20, 30), [" ".join(words.choices(WORDS, k=8)) for _ in range(24)], fontsize=9)
            doc.save(path)
        stages = (IdentifyLanguage(), DropBoilerplate(), JudgeTextLayer())
        pipeline = Pipeline("memory", Listing(str(path)), PdfSource(long_side=1024, shard_pages=num_pages), stages)
        start = (0.0, 0.0)
        count, largest = 0, (0.0, 0.0)
        for outcome in pipeline.process(tuple(pipeline.census.items()), []):
            assert isinstance(outcome, Sample), outcome
            count += 1
            if count % 10 == 0:
                me = psutil.Process()
                child = max(process.memory_info().rss for process in me.children(recursive=True))
                largest = (max(largest[0], me.memory_info().rss / 1e6), max(largest[1], child / 1e6))
            if count == max(10, num_pages // 10):
                start = largest
        for name, (worker, child_mb) in {f"up to page {num_pages // 10}": start, f"up to page {count}": largest}.items():
            print(f"one document, {name}: worker {worker:.0f} MB, parser {child_mb:.0f} MB at most")
        print(f"memory over one document of {count} pages: end/start ratio {sum(largest) / sum(start):.2f}")


if __name__ == "__main__":
    main()
