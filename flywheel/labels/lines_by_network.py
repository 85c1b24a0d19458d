"""Pages read by a network of lines. PaddleOCR's detector finds the lines, which are put in order. The network reads each line in
its mode `line`, a long one in parts."""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy
from PIL import Image

from datagen.engines import versions
from datagen.page.region_order import columns_of, in_reading_order
from datagen.record import Box, Line, Region, Sample
from datagen.target import restore
from flywheel.labels.line_readings import detected
from model.generate import NoRepeat, generate, on_one_thread
from model.net.image import views
from model.read_images import Asking, NetworkTask, Row, opened, started_rows

MODE = "line"
MARGIN = 0.06
"""The margin of a line, in heights of its box: about that of the lines that networks learn."""
_LONGEST = 20  # heights: some 50 characters
_SCRIPT = "Latn"


@dataclass(frozen=True)
class PageLine:
    """A line at `box` of a page, in pixels, and the `parts` in which it is read, (H, W) gray bytes each."""

    box: Box
    parts: tuple[numpy.ndarray, ...]


def engines() -> dict[str, str]:
    return versions("ppocr-detector")


def run_pages(task: NetworkTask) -> list[Row]:
    """The rows of the task's images, in order; each page of a TIFF is a row. A row has the page's `size`, and `lines` in reading
    order, each with `box` and `text`; or it has an `error`. Boxes are in pixels of the image as it is shown."""
    rows: list[Row] = []
    page_lines: list[PageLine] = []
    for row, image in started_rows(task.items):
        rows.append(row)
        if image is None:
            continue
        of_page = lines(image)
        row |= {"size": list(image.size), "lines": [{"box": list(line.box), "text": ""} for line in of_page]}
        page_lines += of_page
    texts = iter(texts_of(page_lines, partial(read, asking=task.asking)))
    for row in rows:
        for line in row.get("lines", ()):
            line["text"] = next(texts)
    return rows


def texts_of(found: Sequence[PageLine], reader: Callable[[list[numpy.ndarray]], Sequence[str]]) -> list[str]:
    """The text of each line, by a reader of its parts."""
    texts = iter(reader([part for line in found for part in line.parts]))
    return [" ".join(filter(None, itertools.islice(texts, len(line.parts)))) for line in found]


def lines(page: Sample) -> list[PageLine]:
    """The lines of a page's image, in reading order."""
    by_box = {line.box: line for line in detected(page, _SCRIPT)}
    usual = statistics.median(box.y1 - box.y0 for box in by_box) if by_box else 0
    columns = [[line.box for line in column] for column in columns_of([Line(box, "") for box in by_box])]
    made = []
    for box in itertools.chain.from_iterable(_down(column) for column in columns):
        height = box.y1 - box.y0
        # A line without high or low letters has a low box. With the others' height its letters are as large as theirs.
        margin = ((1 + 2 * MARGIN) * max(usual, height) / height - 1) / 2
        made.append(PageLine(box, tuple(cut_apart(by_box[box].view(margin)))))
    return made


def _down(column: Sequence[Box]) -> list[Box]:
    """The lines of a column in reading order, each row from left to right."""
    return [region.box for region in in_reading_order([Region(box, "text", "", None, "ppocr-detector") for box in column])]


def cut_apart(line: numpy.ndarray) -> list[numpy.ndarray]:
    """A line, (H, W) gray bytes, cut between words into parts about as long as the lines that networks learn."""
    height, width = line.shape
    num = math.ceil(width / (_LONGEST * height))
    room, dark = width // (3 * num), line.min(0) < (int(line.max()) + int(line.min())) // 2
    cuts = [0, *(_gap(dark, n * width // num, room) for n in range(1, num)), width]
    return [line[:, left:right] for left, right in itertools.pairwise(cuts)]


def _gap(dark: numpy.ndarray, at: int, room: int) -> int:
    """The middle of the widest run of columns without ink within `room` of `at`; `at` itself if there is none."""
    best, run = (0, at), 0
    for x in range(at - room, at + room):
        run = 0 if dark[x] else run + 1
        best = max(best, (run, x - run // 2))
    return best[1]


def read(parts: Sequence[numpy.ndarray], asking: Asking) -> list[str]:
    """The network's reading of each part of a line. It reads `asking.together` parts of similar width at a time."""
    net, tokenizer = opened(asking)
    images = [views(Image.fromarray(part).convert("RGB"), MODE) for part in parts]
    order, texts = sorted(range(len(parts)), key=lambda n: images[n].num_tokens), [""] * len(parts)
    with on_one_thread():
        for start in range(0, len(order), asking.together):
            some = order[start : start + asking.together]
            answers = generate(net, tokenizer, [images[n] for n in some], asking.prompt, asking.most, NoRepeat(0))
            for n, answer in zip(some, answers, strict=True):
                texts[n] = " ".join(restore(answer).split())
    return texts
