"""Reads images with a network of ours, for `make read model=FOLDER`: a row an image.

`together` images of a task are read at a time, of similar numbers of tokens, so that there is little padding.
"""

import functools
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image

from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.pictures.source import images_to_read
from datagen.record import Drop, Line, Region, Sample, SampleError
from datagen.target import GROUNDING, Prompt, decode, decode_lines, decode_objects, restore
from model.data.modes import fitting
from model.files.network_folder import load_model
from model.generate import NoRepeat, on_one_thread, tokens
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import Views, views
from model.net.tokenizer import TextTokenizer

MIN_SIDE = 8
"""The least shorter side, in pixels, of an image with a legible line."""
_OF_LINES, _OF_OBJECTS = (Prompt.LINES,), (Prompt.DETECT, Prompt.LOCATE)

Row = dict[str, Any]


@dataclass(frozen=True)
class Asking:
    """The questions for the network in `folder`, whose weights are `known_as`: the words of `prompt`, about images in the first
    of `modes` that fits their pixels, with answers of at most `most` tokens. `precision` is float32, bfloat16, or "" for the
    folder's."""

    folder: str
    known_as: str
    prompt: str
    modes: tuple[str, ...]
    together: int = 16
    most: int = 4096
    precision: str = ""


@dataclass(frozen=True)
class NetworkTask:
    asking: Asking
    items: tuple[Item, ...]


@dataclass(frozen=True)
class _Seen:
    row: Row
    size: tuple[int, int]
    image: Views
    ids: list[int] = field(default_factory=list)


def run_network(task: NetworkTask) -> list[Row]:
    """The rows of the task's images, in order; each page of a TIFF is a row. A row has `text`, or after a prompt for boxes its
    `size`, and `regions` or `lines` with `box`, `text` and `label`; `cut` if the answer didn't end. Other rows have an `error`.
    Boxes are in pixels of the image as it is shown, turned by its EXIF."""
    asking, rows, waiting = task.asking, list[Row](), list[_Seen]()
    for row, image in started_rows(task.items):
        rows.append(row)
        if image is not None:
            assert image.image is not None
            mode = fitting(asking.modes[0], asking.modes, *image.size)
            waiting.append(_Seen(row, image.size, views(Image.open(io.BytesIO(image.image)).convert("RGB"), mode)))
    waiting.sort(key=lambda one: one.image.num_tokens)
    with on_one_thread():
        for start in range(0, len(waiting), asking.together):
            _read(asking, waiting[start : start + asking.together])
    return rows


def started_rows(items: Iterable[Item]) -> Iterator[tuple[Row, Sample | None]]:
    """The row of each image, with its name and no reading yet, and the image. For an unreadable image that is None, and the row
    has an `error`."""
    for item in items:
        images = list(images_to_read(item, MIN_SIDE))
        for number, image in enumerate(images):
            row: Row = {"image": item.uri} | ({"page": number} if len(images) > 1 else {})
            if isinstance(image, Drop):
                yield row | {"error": str(SampleError(image.reason, image.detail))}, None
            else:
                yield row, image


def opened(asking: Asking) -> tuple[DeepseekOcr, TextTokenizer]:
    """The network, on this machine's GPU if there is one, and its tokenizer; kept until another one is asked for."""
    return _opened(asking.folder, asking.known_as, asking.precision)


@functools.lru_cache(maxsize=1)
def _opened(folder: str, known_as: str, precision: str) -> tuple[DeepseekOcr, TextTokenizer]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return load_model(Folder(folder), device, getattr(torch, precision) if precision else None)


def _read(asking: Asking, some: list[_Seen]) -> None:
    net, tokenizer = opened(asking)
    room = net.config.decoder.max_positions
    asked = [len(tokenizer.prompt(asking.prompt, one.image.num_tokens)) for one in some]
    for one, num in zip(some, asked, strict=True):
        if num >= room:
            one.row["error"] = str(SampleError("no_room", f"image and prompt take {num} tokens of {room}"))
    some, asked = [one for one in some if "error" not in one.row], [num for num in asked if num < room]
    for number, token in tokens(net, tokenizer, [one.image for one in some], asking.prompt, asking.most, NoRepeat()):
        some[number].ids.append(token)
    for one in some:
        one.row.update(_answered(asking.prompt, tokenizer.decode(one.ids), one.size))
        if len(one.ids) >= min(asking.most, room - max(asked)):
            one.row["cut"] = True


def _answered(prompt: str, answer: str, size: tuple[int, int]) -> Row:
    """The row of an answer; boxes in pixels of an image of `size`."""
    if GROUNDING not in prompt and prompt not in _OF_OBJECTS:
        return {"text": restore(answer)}
    if prompt in _OF_LINES:
        return {"size": list(size), "lines": [_boxed(line) for line in decode_lines(answer, size)]}
    regions = decode_objects(answer, size) if prompt in _OF_OBJECTS else decode(answer, size)
    return {"size": list(size), "regions": [{"label": region.label} | _boxed(region) for region in regions]}


def _boxed(one: Line | Region) -> Row:
    return {"box": list(one.box), "text": one.text}
