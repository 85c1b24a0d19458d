"""The annotation of born-digital pages: how fast it is beside a bare loop over PyMuPDF's layout model and beside
`pymupdf4llm.to_markdown`, and how far its text is from the text that was set.

    python -m tests.bench.fine.fine_digital [--pages 2] [--repeats 2] [--each 2] [--seed 0]

Speed: pages of Debian's documents in many scripts, `--pages` of each document, written as PDFs of their own, so that all three
read the same. Each side runs in a process of its own, pinned to one core, in turn; the first document warms it up and isn't
counted; medians of the repeats. Seconds are of the processor, of the process and its children: others may run beside it. The
bare loop calls `page.get_layout()` and `page.get_text("dict")`. Ours is the source of the recipe `fine` with its child, images
and all. The converter to Markdown is told not to run OCR.

Text: pages from markup (`markup_pages`), the first two of `--each` documents of a language, as PDFs by the browser. The Markdown
is compared with the text as it was set, as the README of OmniDocBench's pages says: letters and digits alone, the edit distance
over the longer length.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pymupdf

from datagen.coarse.source import PICTURES, PdfSource
from datagen.fine.source import ANNOTATED
from datagen.inputs.items import Item
from datagen.record import Sample
from datagen.samples.documents import DebianSamples
from datagen.score import text
from tests.bench.bars import at_least, at_most
from tests.bench.fine import markup_pages
from tests.bench.measuring import options, spent_s

AT_LEAST, AT_MOST = 0.8, 0.02
_DOCUMENTS = re.compile(
    r"refcard-(en|de|el|ru|ja|ko|hi|zh_CN)-a4|install\.(en|fr|pt|cs)\.pdf|lshort-(bg|mn)|lshort\.pdf|arabic-book|maint-guide\.ja|"
    r"debian-faq\.it|quran-test2"
)


def documents() -> list[Path]:
    """Debian's documents in many scripts."""
    return [Path(item.uri) for item in DebianSamples().items() if _DOCUMENTS.search(item.uri)]


def extract(path: Path, num_pages: int, to: Path) -> None:
    """A PDF of `num_pages` pages, spread over the document, the first and the last left out where there are more."""
    with pymupdf.open(path) as doc:
        inside = range(1, len(doc) - 1) if len(doc) > num_pages + 1 else range(len(doc))
        doc.select(sorted({inside[len(inside) * i // num_pages] for i in range(min(num_pages, len(inside)))}))
        doc.save(to, garbage=3, deflate=True)


def bare(paths: list[str]) -> list[tuple[int, float]]:
    """Pages and seconds of each document."""
    import pymupdf.layout  # noqa: F401  # makes `get_layout` work

    return [timed(path, lambda page, _: (page.get_layout(), page.get_text("dict"))) for path in paths]


def llm(paths: list[str]) -> list[tuple[int, float]]:
    import pymupdf4llm

    def convert(page: pymupdf.Page, doc: pymupdf.Document) -> None:
        pymupdf4llm.to_markdown(doc, pages=[page.number], use_ocr=False, show_progress=False)

    return [timed(path, convert) for path in paths]


def timed(path, read):  # type: ignore[no-untyped-def]
    started = spent_s()
    with pymupdf.open(path) as doc:
        for page in doc:
            read(page, doc)
        return len(doc), spent_s() - started


def ours(paths: list[str]) -> list[tuple[int, float]]:
    source, result = PdfSource(page_functions=(ANNOTATED, PICTURES), stage="fine"), []
    for path in paths:
        started = spent_s()
        result.append((sum(isinstance(x, Sample) for x in source.read(Item(path))), spent_s() - started))
    return result


SIDES = {"bare": bare, "llm": llm, "ours": ours}


def rates(side: str, paths: list[str], core: int) -> list[tuple[int, float]]:
    command = [sys.executable, "-m", "tests.bench.fine.fine_digital", "--side", side, *paths]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, [core]))
    if done.returncode:
        sys.exit(done.stderr)
    values: list[tuple[int, float]] = json.loads(done.stdout.strip().splitlines()[-1])
    return values


def speed(paths: list[str], repeats: int) -> None:
    core = sorted(os.sched_getaffinity(0))[0]
    runs: dict[str, list[float]] = defaultdict(list)
    for i in range(repeats):
        for side in SIDES:
            counted = rates(side, paths, core)[1:]
            runs[side].append(sum(n for n, _ in counted) / sum(s for _, s in counted))
        print(f"  run {i + 1}: " + ", ".join(f"{side} {runs[side][-1]:.2f}" for side in SIDES) + " pages/s", flush=True)
    rate = {side: statistics.median(values) for side, values in runs.items()}
    num_pages = sum(n for n, _ in counted)
    print(f"{num_pages} pages of {len(paths) - 1} documents, pages a second of the processor, medians of {repeats} runs:")
    print(f"  a bare loop over get_layout() with text {rate['bare']:.2f}, pymupdf4llm.to_markdown {rate['llm']:.2f}")
    print(f"  ours, with the page's image {rate['ours']:.2f}")
    for what, side, bar in (("the bare loop", "bare", AT_LEAST), ("pymupdf4llm", "llm", 1)):
        ratio = rate["ours"] / rate[side]
        print(f"ratio to {what} {ratio:.2f} ({at_least(ratio, bar)})")


def exactness(seed: int, each: int, folder: Path) -> None:
    """Prints the mean distance of pages from markup, and by script."""
    by_script = defaultdict(list)
    for page in markup_pages.pages(seed, folder, each, max_pages=2):
        pair = page.text, markdown_of(folder / f"{page.key}.pdf")
        by_script[page.script].append(text.normalised_distance(*map(text.bare, pair)))
    print("by script: " + ", ".join(f"{key} {statistics.mean(values):.4f}" for key, values in by_script.items()))
    distances = [far for values in by_script.values() for far in values]
    mean = statistics.mean(distances)
    print(
        f"edit distance of {len(distances)} pages from markup: mean {mean:.4f} ({at_most(mean, AT_MOST)}), "
        f"{sum(far > AT_MOST for far in distances)} over {AT_MOST}, largest {max(distances):.4f}"
    )


def markdown_of(pdf: Path) -> str:
    source = PdfSource(page_functions=(ANNOTATED, PICTURES), stage="fine")
    (sample,) = [x for x in source.read(Item(str(pdf))) if isinstance(x, Sample)]
    return sample.text


def main() -> None:
    parser = options(__doc__, pages=2, repeats=2, each=2, seed=0)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("pdf", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        print(json.dumps(SIDES[args.side](args.pdf)))
        return
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
        paths = []
        for i, path in enumerate(documents()):
            to = Path(folder) / f"{i:02d}.pdf"
            extract(path, args.pages, to)
            paths.append(str(to))
        speed(paths, args.repeats)
        exactness(args.seed, args.each, Path(folder))
    print(f"measured in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
