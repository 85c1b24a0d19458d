"""Pages that a network of lines reads: PaddleOCR's detector finds their lines, which are put in order, and the network reads each
in its mode `line`, a long one in parts.
"""

import functools
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from PIL import Image

from datagen.disk.storage import Folder
from datagen.engines import versions
from datagen.inputs.items import Item
from datagen.page.region_order import columns_of, in_reading_order
from datagen.pictures.source import images_to_read
from datagen.record import Box, Drop, Line, Region, Sample, SampleError
from datagen.target import restore
from flywheel.labels.line_readings import detected
from flywheel.labels.read_images import MIN_SIDE
from model.files.network_folder import load_model
from model.generate import NoRepeat, generate
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import views
from model.net.tokenizer import TextTokenizer
from model.read_images import Asking

MODE = "line"
MARGIN = 0.06
"""Around a line, in heights of its box: about as in the lines that networks learn."""
_LONGEST = 20  # heights: some 50 characters
_SCRIPT = "Latn"

Row = dict[str, Any]


@dataclass(frozen=True)
class FoundLine:
    """A line at `box` of a page, in pixels, as the `parts` that are read, (H, W) gray bytes each."""

    box: Box
    parts: tuple[numpy.ndarray, ...]


@dataclass(frozen=True)
class PagesTask:
    """Images of pages to read."""

    asking: Asking
    items: tuple[Item, ...]


def engines() -> dict[str, str]:
    return versions("ppocr-detector")


def run_pages(task: PagesTask) -> list[Row]:
    """The rows of the task's images, in order; the pages of a TIFF are rows each. A row has the page's `size`, and `lines` in
    reading order, each with `box` and `text`. Other rows have an `error`. Boxes are in pixels of the image as it is shown."""
    rows: list[Row] = []
    parts: list[numpy.ndarray] = []
    whose: list[Row] = []
    for item in task.items:
        of_item = list(images_to_read(item, MIN_SIDE))
        for number, image in enumerate(of_item):
            row: Row = {"image": item.uri} | ({"page": number} if len(of_item) > 1 else {})
            rows.append(row)
            if isinstance(image, Drop):
                row["error"] = str(SampleError(image.reason, image.detail))
                continue
            found = lines(image)
            row |= {"size": list(image.size), "lines": [{"box": list(line.box), "text": ""} for line in found]}
            parts += [part for line in found for part in line.parts]
            whose += [of for line, of in zip(found, row["lines"], strict=True) for _ in line.parts]
    for of, text in zip(whose, read(parts, task.asking), strict=True):
        of["text"] = f"{of['text']} {text}".strip()
    return rows


def lines(page: Sample) -> list[FoundLine]:
    """The lines of a page's image, in reading order."""
    found = {line.box: line for line in detected(page, _SCRIPT)}
    usual = statistics.median(box.y1 - box.y0 for box in found) if found else 0
    columns = [[line.box for line in column] for column in columns_of([Line(box, "") for box in found])]
    made = []
    for box in itertools.chain.from_iterable(_down(column) for column in columns):
        height = box.y1 - box.y0
        # A line without high or low letters has a low box. Seen as high as the others, its letters are as large as theirs.
        margin = ((1 + 2 * MARGIN) * max(usual, height) / height - 1) / 2
        made.append(FoundLine(box, tuple(cut_apart(found[box].view(margin)))))
    return made


def _down(column: Sequence[Box]) -> list[Box]:
    """The lines of a column in reading order, what stands in a row from left to right."""
    return [region.box for region in in_reading_order([Region(box, "text", "", None, "ppocr-detector") for box in column])]


def cut_apart(line: numpy.ndarray) -> list[numpy.ndarray]:
    """A line, (H, W) gray bytes, cut between words into parts that are about as long as the lines that networks learn."""
    height, width = line.shape
    num = math.ceil(width / (_LONGEST * height))
    room, dark = width // (3 * num), line.min(0) < (int(line.max()) + int(line.min())) // 2
    cuts = [0, *(_gap(dark, n * width // num, room) for n in range(1, num)), width]
    return [line[:, left:right] for left, right in itertools.pairwise(cuts)]


def _gap(dark: numpy.ndarray, at: int, room: int) -> int:
    """The middle of the widest run of columns without ink within `room` of `at`; `at` itself where there is none."""
    best, run = (0, at), 0
    for x in range(at - room, at + room):
        run = 0 if dark[x] else run + 1
        best = max(best, (run, x - run // 2))
    return best[1]


def read(parts: Sequence[numpy.ndarray], asking: Asking) -> list[str]:
    """What the network reads in each part of a line, `asking.together` of about the same width at a time."""
    net, tokenizer = _network(asking.folder, asking.known_as, asking.precision)
    images = [views(Image.fromarray(part).convert("RGB"), MODE) for part in parts]
    order, texts = sorted(range(len(parts)), key=lambda n: images[n].num_tokens), [""] * len(parts)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one token is too little work to share
    try:
        for start in range(0, len(order), asking.together):
            some = order[start : start + asking.together]
            answers = generate(net, tokenizer, [images[n] for n in some], asking.prompt, asking.most, NoRepeat(0))
            for n, answer in zip(some, answers, strict=True):
                texts[n] = " ".join(restore(answer).split())
    finally:
        torch.set_num_threads(threads)
    return texts


@functools.lru_cache(maxsize=1)
def _network(folder: str, known_as: str, precision: str) -> tuple[DeepseekOcr, TextTokenizer]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return load_model(Folder(folder), device, getattr(torch, precision) if precision else None)
