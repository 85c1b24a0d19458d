"""Pages of benchmarks, which a corpus must not hold: a folder of PDFs, images and texts as MinHashes.

A file with a text beside it (`page.png`, `page.txt` or `page.md`) is known by that; a PDF by its text layer; other images by
what PP-OCRv6 reads, in the scripts that it reads.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
from PIL import Image

from datagen.coarse.source import PdfSource
from datagen.curation.signatures import NUM_HASHES, minhash
from datagen.engines import Engines
from datagen.inputs.formats import suffixes
from datagen.inputs.items import Item
from datagen.page.images import pixels
from datagen.record import Sample, SampleError

log = logging.getLogger(__name__)

NONE = numpy.zeros((0, NUM_HASHES), numpy.uint32)
_TEXTS, _IMAGES = (".txt", ".md"), suffixes(("jpeg", "png", "webp", "tiff"))


def read(folder: str) -> tuple[list[str], numpy.ndarray]:
    """The names and MinHashes, (N, NUM_HASHES), of the pages below a local folder. Pages with too few letters to be recognised
    are left out, and counted in the log. Raises `ValueError` if there is no page."""
    with Engines() as engines:
        pages = [(name, minhash(text)) for name, text in _pages(Path(folder), engines)]
    known = {name: signature for name, signature in pages if signature is not None}
    if num_short := len(pages) - len(known):
        log.warning("benchmarks: %d pages of %s have too few letters to be recognised by", num_short, folder)
    if not known:
        raise ValueError(f"benchmarks={folder}: no page with text in it; PDFs, images and .txt or .md files are read")
    return list(known), numpy.stack(list(known.values()))


def digest(names: Sequence[str], hashes: numpy.ndarray) -> str:
    return hashlib.sha256("\n".join(names).encode() + hashes.tobytes()).hexdigest()


def _pages(folder: Path, engines: Engines) -> Iterator[tuple[str, str]]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    texts = {p.with_suffix("") for p in files if p.suffix.lower() in _TEXTS}
    for path in files:
        name, suffix = str(path.relative_to(folder)), path.suffix.lower()
        if suffix in _TEXTS:
            yield name, path.read_text(encoding="utf-8", errors="replace")
        elif path.with_suffix("") in texts:
            continue
        elif suffix == ".pdf":
            yield from _pdf(path, name, engines)
        elif suffix in _IMAGES:
            yield name, _read_image(path.read_bytes(), engines)


def _pdf(path: Path, name: str, engines: Engines) -> Iterator[tuple[str, str]]:
    try:
        for item in PdfSource().read(Item(str(path))):
            if isinstance(item, Sample):
                yield f"{name} page {item.origin.page}", item.text or _read_image(item.image or b"", engines)
            else:
                log.warning("benchmarks: %s, %s: %s", name, f"page {item.part}" if item.part else "all of it", item.reason)
    except SampleError as error:
        log.warning("benchmarks: %s: %s", name, error)


def _read_image(data: bytes, engines: Engines) -> str:
    """What PP-OCRv6 reads in an image, line by line; nothing of one that can't be opened."""
    try:
        image = pixels(data)
    except SampleError as error:
        log.warning("benchmarks: an image can't be read: %s", error)
        return ""
    gray = numpy.asarray(Image.fromarray(image).convert("L"))
    crops = []
    for quad, _ in engines.get("ppocr-detector").detect([image])[0]:
        xs, ys = [max(0, int(x)) for x, _ in quad], [max(0, int(y)) for _, y in quad]
        crops.append(gray[min(ys) : max(ys) + 1, min(xs) : max(xs) + 1])
    return "\n".join(text for text, _ in engines.get("ppocr").read([crop for crop in crops if crop.size]))
