"""Word documents against bare LibreOffice: documents a second, one at a time and two in parallel, on the same files, in turn.

    python -m tests.bench.word.word [--documents 12] [--repeats 3]

Bare is `soffice --convert-to` with the same filter and options, one document a start, each with a profile of its own that is
empty before. `office.convert` draws the same file, and starts in a copied profile. The whole source reads, draws, aligns and
cuts, and gives samples. Both of ours run in the sandboxed child, which is up before the clock starts. The documents
are generated ones and those of Debian's .docx (`datagen/samples/word_documents.py`) that have at most 100 kB.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pymupdf

from datagen.inputs.items import Item
from datagen.samples.word_documents import word_samples
from datagen.sandbox.process import Limits, sandbox
from datagen.word import office
from datagen.word.source import WordSource
from tests.bench.bars import at_least
from tests.bench.measuring import options, spent_s
from tests.inputs.word.documents import documents

TARGET = 0.9
MAX_BYTES = 100_000
LIMITS = Limits(3 * office.DEADLINE_S, office.MEMORY_BYTES)


class Rate(NamedTuple):
    """Documents a second, and processor seconds a document."""

    documents_s: float
    cpu_s: float


num_pages: dict[str, int] = {}
"""Of each document that was converted bare."""


def converted(path: str, folder: str, deadline_s: float = office.DEADLINE_S) -> Iterator[int]:
    """In the child: one document, drawn; yields how many PDFs there are."""
    yield len(office.convert([path], os.path.join(folder, "out"), "pdf", deadline_s))


def bare(path: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        how = ("--headless", "--norestore", "--convert-to", office.FILTERS["pdf"], "--outdir", folder)
        subprocess.run(["soffice", profile, *how, path], check=True, capture_output=True, timeout=600)
        for pdf in Path(folder).glob("*.pdf"):
            with pymupdf.open(pdf) as opened:
                num_pages[path] = len(opened)
        if path not in num_pages:
            sys.exit(f"LibreOffice makes no PDF of {path}")


def by_office(path: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for _ in sandbox(LIMITS).run("tests.bench.word.word:converted", int, path=path, folder=folder):
            pass


def by_source(path: str) -> None:
    for _ in WordSource().read(Item(path)):
        pass


def rate(convert: Callable[[str], None], paths: Sequence[str], parallel: int) -> Rate:
    """`parallel` at a time. Each thread has converted one before the clock starts."""
    warm = threading.Barrier(parallel)

    def start() -> None:
        convert(paths[0])
        warm.wait()

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(lambda _: start(), range(parallel)))
        started, before_s = time.monotonic(), spent_s()
        list(pool.map(convert, paths))
        return Rate(len(paths) / (time.monotonic() - started), (spent_s() - before_s) / len(paths))


def compare(name: str, convert: Callable[[str], None], paths: Sequence[str], repeats: int, parallel: int) -> None:
    pairs = [(rate(bare, paths, parallel), rate(convert, paths, parallel)) for _ in range(repeats)]
    theirs, ours = ([statistics.median(values) for values in zip(*side, strict=True)] for side in zip(*pairs, strict=True))
    ratio = statistics.median(mine.documents_s / their.documents_s for their, mine in pairs)
    print(
        f"{name}, {parallel} at a time: bare LibreOffice {theirs[0]:.2f}, ours {ours[0]:.2f} documents/s, ratio "
        f"{ratio:.2f} ({at_least(ratio, TARGET)}; runs "
        f"{', '.join(f'{mine.documents_s / their.documents_s:.2f}' for their, mine in pairs)}); "
        f"processor seconds a document: {theirs[1]:.2f} and {ours[1]:.2f}",
        flush=True,
    )


def chosen(num_documents: int, folder: Path) -> list[str]:
    real = [i.uri for i in word_samples().items() if i.uri.endswith(".docx") and i.num_bytes <= MAX_BYTES]
    return [str(document.path) for document in documents(folder, num_documents)] + real


def main() -> None:
    args = options(__doc__, documents=12, repeats=3).parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
        paths = chosen(args.documents, Path(folder))
        print(f"{len(paths)} documents, {office.versions()['libreoffice']}", flush=True)
        for parallel in (1, 2):
            compare("office.convert", by_office, paths, args.repeats, parallel)
            compare("the whole source", by_source, paths, args.repeats, parallel)
        print(f"{sum(num_pages.values()) / len(paths):.1f} pages a document")


if __name__ == "__main__":
    main()
