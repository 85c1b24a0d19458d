"""The annotation of pages that are images: how fast it is beside a bare loop over the same engines.

    python -m tests.bench.fine.fine_image [--repeats 3]

Pages of Debian's documents in scripts that PP-OCR reads, two of each, drawn as JPEGs of 1920 pixels. Each side runs in a process
of its own, pinned to one core, in turn; the first page warms it up and isn't timed; medians of the repeats. The bare loop decodes
an image and asks its lines, its way up, whether its sheet is bent, each line's text, PyMuPDF's layout and CDLA's, each once, as
the stage does on such pages, and puts nothing together. No script's reader is among them: the stage asks none of a page that
PP-OCR reads. Ours is the source of the recipe `fine` with its child, its stage, and the record as it is written.
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
from collections.abc import Callable
from pathlib import Path

import pymupdf

from datagen.engines import OPEN
from datagen.fine.annotate_image import AnnotateImage
from datagen.inputs.items import Item
from datagen.page.images import pixels
from datagen.pictures.source import ImageSource
from datagen.record import Box, Line, Sample
from datagen.samples.documents import DebianSamples
from tests.bench.bars import at_least

AT_LEAST = 0.85
_DOCUMENTS = re.compile(r"refcard-(en|de|fr|es|ja|zh_CN)-a4|install\.(en|fr)\.pdf|maint-guide\.ja")
_LONG_SIDE = 1920


def chosen_pages() -> list[tuple[str, int]]:
    """Two pages of each document, path and number; a document's first page is often a title alone, and isn't taken."""
    chosen = []
    for item in DebianSamples().items():
        if _DOCUMENTS.search(item.uri):
            with pymupdf.open(item.uri) as doc:
                chosen += [(item.uri, number) for number in sorted({min(len(doc) - 1, 1), len(doc) // 2})]
    return chosen


def draw(folder: Path) -> list[str]:
    """These pages as JPEGs in `folder`."""
    paths: list[str] = []
    for uri, number in chosen_pages():
        with pymupdf.open(uri) as doc:
            zoom = _LONG_SIDE / max(doc[number].rect[2:])
            path = folder / f"{len(paths):03d}.jpg"
            doc[number].get_pixmap(matrix=pymupdf.Matrix(zoom, zoom)).save(path, jpg_quality=90)
            paths.append(str(path))
    return paths


def bare(path: str) -> None:
    image = pixels(Path(path).read_bytes())
    gray = pixels(Path(path).read_bytes(), "L")
    (detected,) = OPEN.get("ppocr-detector").detect([image])
    OPEN.get("page-orientation").quarters([image])
    OPEN.get("page-unwarping").grids([image])
    boxes = []
    for quad, _ in detected:
        xs, ys = zip(*quad, strict=True)
        boxes.append(Box(max(0, int(min(xs))), max(0, int(min(ys))), int(max(xs)) + 1, int(max(ys)) + 1))
    read = OPEN.get("ppocr").read([gray[b.y0 : b.y1, b.x0 : b.x1] for b in boxes])
    lines = [Line(box, text, score=score) for box, (text, score) in zip(boxes, read, strict=True)]
    OPEN.get("pymupdf-layout").regions([image], [lines])
    OPEN.get("cdla", classes=("equation",)).regions([image], [lines])


def ours(path: str) -> None:
    source, stage = ImageSource(task="page", stage="fine"), AnnotateImage()
    for sample in source.read(Item(path)):
        assert isinstance(sample, Sample), sample
        for annotated in stage([sample], OPEN):
            assert isinstance(annotated, Sample), annotated
            annotated.to_json()


SIDES: dict[str, Callable[[str], None]] = {"bare": bare, "ours": ours}


def seconds(side: str, paths: list[str], core: int) -> float:
    """What a side takes for all but the first page, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.fine.fine_image", "--side", side, *paths]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, [core]))
    if done.returncode:
        sys.exit(done.stderr)
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("image", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        SIDES[args.side](args.image[0])
        started = time.perf_counter()
        for path in args.image[1:]:
            SIDES[args.side](path)
        print(json.dumps(time.perf_counter() - started))
        return
    core = sorted(os.sched_getaffinity(0))[0]
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
        paths = draw(Path(folder))
        num_pages, rates = len(paths) - 1, defaultdict(list)
        for i in range(args.repeats):
            for side in SIDES:
                rates[side].append(num_pages / seconds(side, paths, core))
            print(f"  run {i + 1}: " + ", ".join(f"{side} {rates[side][-1]:.3f}" for side in SIDES) + " pages/s", flush=True)
    rate = {side: statistics.median(values) for side, values in rates.items()}
    print(f"{num_pages} pages, one core, medians of {args.repeats} runs in pages/s:")
    print(f"  the engines alone {rate['bare']:.3f}, ours {rate['ours']:.3f}")
    ratio = rate["ours"] / rate["bare"]
    print(f"ratio to the engines alone {ratio:.2f} ({at_least(ratio, AT_LEAST)})")


if __name__ == "__main__":
    main()
