"""Files of descriptions, parsed in the sandboxed child: a file that swells or hangs ends the child and not a worker."""

import itertools
import re
from codecs import BOM_UTF8
from collections.abc import Iterator

from datagen.pictures.descriptions import Described
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part
from datagen.vision import coco, conversations

HEAD_BYTES = 1 << 16
_COCO = re.compile(rb'"(images|annotations)"\s*:\s*\[\s*\{\s*"(?!role|from|content)')
_TURNS = re.compile(rb'"(conversations?|messages)"\s*:\s*\[\s*\{')
_SHOWS = re.compile(rb'"images?"\s*:')
_ROWS = 500  # in a message


def form_of(head: bytes) -> str:
    """What a file is by its first `HEAD_BYTES`: `coco`, `conversations`, or "" for neither."""
    head = head.removeprefix(BOM_UTF8)
    if _TURNS.search(head) and _SHOWS.search(head):
        return "conversations"
    return "coco" if head.lstrip()[:1] == b"{" and _COCO.search(head) else ""


def read_described(paths: list[str]) -> Iterator[list[Part[Described] | Failed]]:
    """What the files of one set say of each picture, many rows at a time, by the row's number. Raises `SampleError`
    (`broken_json`)."""
    with open(paths[0], "rb") as file:
        form = form_of(file.read(HEAD_BYTES))
    if form == "coco":
        of_set: dict[str, Described | SampleError] = {}
        for path in paths:
            coco.read(path, of_set)
            yield []  # a sign of life, since a file may take its time
        rows = enumerate(of_set.values())
    else:
        rows = enumerate(conversations.read(paths[0]))
    while some := [_answer(number, row) for number, row in itertools.islice(rows, _ROWS)]:
        yield some


def _answer(number: int, row: Described | SampleError) -> Part[Described] | Failed:
    if isinstance(row, SampleError):
        return Failed(Range(number, number + 1), row.reason, clean_text(row.detail))
    return Part(number, row.cleaned())
