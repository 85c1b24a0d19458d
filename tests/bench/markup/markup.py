"""How fast pages from markup are made, beside Chromium that draws the same pages and says nothing of them.

    python -m tests.bench.markup.markup [--documents 60] [--pages 6]

The documents are real ones of the recipe's samples, spread over languages, the first `--pages` pages of each. The bare side gets
the same HTML, which is made beforehand, lays it out, scrolls, and takes a JPEG of 1920 pixels of each page, in the same browser,
document by document in turn with ours. Ours reads the file, draws the look, lays it out, measures it, looks at the ink, and
writes the label; nothing is worn. Memory is that of the process and its browser, after a fifth of the documents and at the end.
"""

import contextlib
import statistics
import time
from pathlib import Path
from random import Random

import psutil

from datagen.drawing.worn_pages import Wear
from datagen.markup import child
from datagen.markup.documents.read import kind_of
from datagen.record import Range, SampleError
from datagen.samples.markup_documents import MarkupSamples
from datagen.sandbox.parts import Part
from tests.bench.bars import at_least
from tests.bench.measuring import options

AT_LEAST = 0.7


def ours(path: str, kind: str, lang: str, num_pages: int) -> tuple[int, float]:
    """Pages and seconds of a document; those that are dropped count, too."""
    started = time.perf_counter()
    answers = child.read_document(
        path,
        kind,
        root=str(Path(path).parent),
        article="",
        seed=f"0 {Path(path).name}",
        within=Range(0),
        long_side=1920,
        jpeg_quality=90,
        max_pages=num_pages,
        lang=lang,
        error_share=0.0,
        wear=Wear(0, 0),
        with_pdf=False,
        numbers=None,
    )
    return sum(isinstance(answer, Part) for answer in answers), time.perf_counter() - started


class Bare:
    """Remembers the HTML that ours gives to the browser, and draws it alone."""

    def __init__(self) -> None:
        self.last: tuple[str, tuple[int, int], float] = ("", (0, 0), 0.0)
        self._document = child._browser.document

    def remember(self, html: str, size: tuple[int, int], zoom: float):  # type: ignore[no-untyped-def]
        self.last = html, size, zoom
        return self._document(html, size, zoom)

    def draw(self, num_pages: int) -> float:
        html, size, zoom = self.last
        started = time.perf_counter()
        with self._document(html, size, zoom) as document:
            for number in range(num_pages):
                document.scroll(number * size[0], 0)
                document.picture(90)
        return time.perf_counter() - started


def memory() -> int:
    """Bytes that this process and all below it hold. A document's process may just be ending."""
    total = 0
    for one in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total


def main() -> None:
    args = options(__doc__, documents=60, pages=6).parse_args()
    items = list(MarkupSamples().items())
    chosen = sorted(Random(0).sample(range(len(items)), min(args.documents, len(items))))  # in the order of a run
    bare, num, seconds, ratios, held = Bare(), 0, [0.0, 0.0], [], [0, 0]
    child._browser.document = bare.remember  # type: ignore[method-assign]
    for at, item in enumerate(items[number] for number in chosen):
        try:
            form = Path(item.uri).suffix[1:].replace("md", "markdown")
            pages, spent = ours(item.uri, kind_of(item.uri, form), item.lang, args.pages)
        except SampleError as error:
            print(f"{Path(item.uri).name}: {error}")
            continue
        alone = bare.draw(pages)
        if at:  # the first one warms both up
            num, seconds = num + pages, [seconds[0] + spent, seconds[1] + alone]
            ratios.append(alone / spent)
        held[at >= args.documents // 5] = memory()
    ratio = seconds[1] / seconds[0]
    print(f"{num} pages of {len(ratios)} documents: ours {num / seconds[0]:.2f} pages a second, bare {num / seconds[1]:.2f}")
    by_document = statistics.median(ratios)
    print(f"ours at {ratio:.2f} of the bare speed ({at_least(ratio, AT_LEAST)}); by document, median {by_document:.2f}")
    print(f"memory {held[0] / 2**20:.0f} MB after a fifth of the documents, {held[1] / 2**20:.0f} MB at the end")


if __name__ == "__main__":
    main()
