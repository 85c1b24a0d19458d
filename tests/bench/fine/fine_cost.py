"""What a million annotated pages take: core hours, and with a GPU its hours; at a price for the hour, dollars.

    python -m tests.bench.fine.fine_cost [--engines WORDS] [--price DOLLARS]

Pages of Debian's documents as `tests.bench.fine.fine_image` draws them, once as PDFs with their text layers and once as JPEGs,
through the whole step of `make recipe=fine`, shards included. Without CUDA the process is pinned to one core; with it the engines
that can use a GPU do, which the embedded ones can't: name others by `--engines`. The first page of each kind loads the engines
and isn't timed. `--price` is that of an hour of one such core, or of the machine with its GPU. olmOCR's authors give $190 for a
million pages on their GPUs (github.com/allenai/olmocr).
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import pymupdf
import torch

from tests.bench.fine.fine import annotate
from tests.bench.fine.fine_image import chosen_pages, draw

OLMOCR_DOLLARS = 190


def pages_per_second(folder: Path, kind: str, engines: str) -> float:
    """The rate of the recipe's step over the files of `folder`, the first one aside."""
    files = sorted(folder.iterdir())
    warm, timed = folder.parent / f"{kind}-warm", folder.parent / f"{kind}-timed"
    for place, some in ((warm, files[:1]), (timed, files[1:])):
        place.mkdir()
        for file in some:
            (place / file.name).write_bytes(file.read_bytes())
    annotate(warm, folder.parent / f"{kind}-out-warm", engines)
    started = time.perf_counter()
    annotate(timed, folder.parent / f"{kind}-out", engines)
    return len(files[1:]) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engines", default="")
    parser.add_argument("--price", type=float, default=0.0)
    args = parser.parse_args()
    has_gpu = torch.cuda.is_available()
    if not has_gpu:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    unit = f"hours of one {torch.cuda.get_device_name()}" if has_gpu else "core hours"
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
        pdfs, images = Path(folder) / "pdf", Path(folder) / "image"
        pdfs.mkdir()
        images.mkdir()
        draw(images)
        for n, (path, number) in enumerate(chosen_pages()):
            with pymupdf.open(path) as doc:
                doc.select([number])
                doc.save(pdfs / f"{n:03d}.pdf", garbage=3)
        for kind, where in (("PDFs", pdfs), ("images", images)):
            rate = pages_per_second(where, kind, args.engines)
            hours = 1e6 / rate / 3600
            dollars = f", ${hours * args.price:,.0f} at ${args.price:g} an hour" if args.price else ""
            print(f"{kind}: {rate:.2f} pages/s; a million take {hours:,.0f} {unit}{dollars}", flush=True)
    print(f"olmOCR's authors give ${OLMOCR_DOLLARS} for a million pages")


if __name__ == "__main__":
    main()
