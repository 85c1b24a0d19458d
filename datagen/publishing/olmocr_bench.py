"""Tests of published samples, in the form of olmOCR-bench (github.com/allenai/olmocr, olmocr/bench).

    bench_data/pdfs/TABLE/KEY.pdf    the image of a sample, as a page at 144 dots an inch
    bench_data/TABLE_TYPE.jsonl      its tests of a type, as `datagen.rewards.page_tests` makes them

Its `benchmark.py --dir bench_data` opens the folder, and so does `make score gt=olmocr:`.
"""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from PIL import Image

from datagen.disk.shards import image_extension, read_samples
from datagen.disk.storage import Folder
from datagen.page.images import upright
from datagen.publishing import columns
from datagen.publishing.files import UNFINISHED, File, Survey, Tests, Written
from datagen.record import Sample, SampleError
from datagen.rewards.page_tests import page_tests, why_none

FOLDER = "bench_data"
VERSION = 1
"""Raise it when the same samples give other bytes."""
_POINTS_A_PIXEL = 72 / 144


def made_from(files: Sequence[File]) -> str:
    """A digest of all input for the tests of a table in these files."""
    return _digest(f"{VERSION}", *(file.made_from for file in files))


def is_of(name: str, table: str) -> bool:
    """Whether a file of the publication has tests of the table, or a page of them, by its name."""
    folder, _, rest = name.partition("/")
    return folder == FOLDER and (rest.startswith(f"pdfs/{table}/") or rest.rpartition("_")[0] == table)


def make(table: str, files: Sequence[File], surveyed: Survey, to: Folder) -> tuple[Tests, dict[str, Written], dict[str, str]]:
    """Make the tests and pages of a table in these files. Returns the tests, the files by their final names, and the staged name
    of each file. Raises as `read_samples` does."""
    of_files, num_samples, types, without = made_from(files), 0, Counter[str](), Counter[str]()
    lines: dict[str, list[str]] = {}
    written: dict[str, Written] = {}
    staged: dict[str, str] = {}

    def add(name: str, content: bytes, num: int) -> None:
        digest = _digest(of_files, name)
        staged[name] = f"{UNFINISHED}/{digest[:32]}"
        to.write(staged[name], content)
        written[name] = Written(of_files, hashlib.sha256(content).hexdigest(), len(content), num, len(content))

    for file in files:
        for sample in read_samples(surveyed.folder, file.rows):
            try:
                of_sample, page = _of(sample, table)
            except SampleError as error:
                without[error.reason] += 1
                continue
            num_samples += 1
            types.update(test["type"] for test in of_sample)
            for test in of_sample:
                lines.setdefault(test["type"], []).append(json.dumps(test, ensure_ascii=False))
            add(f"{FOLDER}/pdfs/{table}/{sample.key}.pdf", page, 1)
    for kind, of_kind in lines.items():
        add(f"{FOLDER}/{table}_{kind}.jsonl", "".join(f"{line}\n" for line in of_kind).encode(), len(of_kind))
    return Tests(of_files, num_samples, dict(sorted(types.items())), dict(sorted(without.items()))), written, staged


def _of(sample: Sample, table: str) -> tuple[Sequence[dict[str, Any]], bytes]:
    """The tests of a sample, and its PDF. Raises `SampleError` if it has none: `no_image`, `damaged_image`, a reason of
    `why_none`, or `nothing_to_ask` if the only test would be whether there is text."""
    if sample.image is None:
        raise SampleError("no_image")
    if why := why_none(sample):
        raise SampleError(why)
    uri = f"{columns.public_uri(sample.origin.uri)}#page={sample.origin.page + 1}"
    place = {"pdf": f"{table}/{sample.key}.pdf", "page": 1, "url": uri}
    tests = [test | place | {"id": f"{table}_{test['id']}"} for test in page_tests(sample)]
    if not any(test["type"] != "baseline" or "max_length" in test for test in tests):
        raise SampleError("nothing_to_ask")
    return tests, pdf(sample.image)


def pdf(image: bytes) -> bytes:
    """A PDF of one page, filled by the image. A JPEG stays as it is. The same image gives the same bytes. Raises `SampleError` as
    `images.upright` does."""
    import pymupdf

    still = upright(image)
    file = still.image
    if image_extension(file) == "webp":  # PDFs can't hold WebP
        written = io.BytesIO()
        Image.open(io.BytesIO(file)).save(written, "PNG")
        file = written.getvalue()
    width, height = (_POINTS_A_PIXEL * side for side in still.size)
    with pymupdf.open() as document:
        page = document.new_page(width=width, height=height)
        page.insert_image(page.rect, stream=file)
        made: bytes = document.tobytes(no_new_id=True, deflate=True)
    return made


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
