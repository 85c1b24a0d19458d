"""The work of the coarse loop by other tools: text with positions, an image, a JPEG, two tar members a page. Prints pages/s.

python others.py pypdfium2|pymupdf4llm FILE.pdf... [--long-side 1920]
"""

import argparse
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

Page = tuple[Image.Image, Any]


def by_pypdfium2(path: str, long_side: int) -> Iterator[Page]:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    for page in document:
        text = page.get_textpage()
        rects = [text.get_rect(i) for i in range(text.count_rects())]
        lines = [[text.get_text_bounded(*rect), rect] for rect in rects]
        yield page.render(scale=long_side / max(page.get_size())).to_pil().convert("RGB"), lines


def by_pymupdf4llm(path: str, long_side: int) -> Iterator[Page]:
    """Its Markdown, which holds no positions."""
    import pymupdf
    import pymupdf4llm

    with pymupdf.open(path) as document:
        for page in document:
            zoom = long_side / max(page.rect.width, page.rect.height)
            pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
            image = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
            yield image, pymupdf4llm.to_markdown(document, pages=[page.number], show_progress=False)


TOOLS: dict[str, Callable[[str, int], Iterator[Page]]] = {"pypdfium2": by_pypdfium2, "pymupdf4llm": by_pymupdf4llm}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("pdf", nargs="+")
    parser.add_argument("--long-side", type=int, default=1920)
    args = parser.parse_args()
    started, num_pages = time.perf_counter(), 0
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as tar:
        for path in args.pdf:
            for image, text in TOOLS[args.tool](path, args.long_side):
                jpeg = io.BytesIO()
                image.save(jpeg, "JPEG", quality=90)
                for name, data in (
                    (f"{num_pages:06d}.jpg", jpeg.getvalue()),
                    (f"{num_pages:06d}.json", json.dumps(text).encode()),
                ):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
                num_pages += 1
    print(num_pages / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
