"""Reads images of lines, or of pages, with a round's reader, for `make read`: a row an image."""

from dataclasses import dataclass
from typing import Any

import numpy

from datagen.disk.storage import Folder
from datagen.engines import versions
from datagen.inputs.items import Item
from datagen.page.images import pixels
from datagen.record import Sample, SampleError
from flywheel.labels import line_readings
from flywheel.labels.line_readings import read_lines
from flywheel.readers import kinds

LINE, PAGE, AUTO = "line", "page", "auto"
KINDS = (AUTO, LINE, PAGE)
_AT_A_TIME = 50_000_000  # pixels of lines that are read together

Row = dict[str, Any]


@dataclass(frozen=True)
class ReadTask:
    """Images to read with the reader in `folder` ("": the package's readers), whose weights have the `sha256`; `kind` is one of
    `KINDS`."""

    folder: str
    sha256: str
    kind: str
    items: tuple[Item, ...]


def engines(reader: str) -> dict[str, str]:
    """The versions that decide, beside the weights, the readings of the reader in this folder ("": the package's). Raises
    `ValueError` if the folder has no reader."""
    own = kinds.engines(kinds.kind_of(Folder(reader))) if reader else versions(kinds.ANY)
    return versions("ppocr-detector") | own


def is_line(size: tuple[int, int], kind: str) -> bool:
    """Whether an image of this (width, height) is read as one line: `line_readings.is_line` says so if `kind` doesn't."""
    return kind == LINE or (kind == AUTO and line_readings.is_line(size))


def run_read(task: ReadTask) -> list[Row]:
    """The rows of the task's images, in order; each page of a TIFF is a row.

    A line's row has `text` and `score`. A page's row has its `size`, and `lines` from top to bottom, each with `box`, `text` and
    `score`, and with `doubt` if the reading can't be a label at any confidence. Other rows have an `error`. A row of a TIFF with
    pages has its `page`, counted from 0. Boxes are in pixels of the image as it is shown, turned by its EXIF.
    """
    from model.read_images import started_rows  # its networks are large to load

    reader = kinds.reader(task.folder, task.sha256)
    rows: list[Row] = []
    waiting: list[tuple[Row, numpy.ndarray]] = []
    for row, image in started_rows(task.items):
        rows.append(row)
        if image is None:
            continue
        assert image.image is not None
        try:
            if is_line(image.size, task.kind):
                waiting.append((row, pixels(image.image, "L")))
                if sum(line.size for _, line in waiting) > _AT_A_TIME:
                    _read_waiting(reader, waiting)
            else:
                row |= _page(image, reader)
        except SampleError as error:
            row["error"] = str(error)
    _read_waiting(reader, waiting)
    return rows


def _read_waiting(reader: Any, waiting: list[tuple[Row, numpy.ndarray]]) -> None:
    """Read the waiting lines into their rows, and empty the list."""
    for (row, _), (text, score) in zip(waiting, reader.read([line for _, line in waiting]), strict=True):
        row |= {"text": text, "score": score}
    waiting.clear()


def _page(page: Sample, reader: Any) -> Row:
    lines = [
        {"box": list(line.box), "text": line.text, "score": line.score} | ({"doubt": line.refusal} if line.refusal else {})
        for line in read_lines(page, reader, reader.script)
    ]
    return {"size": list(page.size), "lines": lines}
