"""Files of descriptions, parsed in the sandboxed child: a file that swells or hangs ends the child and not a worker.

They are COCO's (`coco.py`), or conversations about pictures, as LLaVA, ShareGPT4V and others have them, in JSON or JSON lines, as
`chat_turns` reads them. Of these the first answer to somebody who asks for a description is the picture's caption. Other turns,
about colours, numbers or reasons, describe nothing that stands without its question: they are left alone.
"""

import itertools
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import msgspec

from datagen.inputs.chat_turns import turns
from datagen.pictures.descriptions import Described, decoded
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part
from datagen.vision import coco

HEAD_BYTES = 1 << 16
_COCO = re.compile(rb'"(images|annotations)"\s*:\s*\[\s*\{\s*"(?!role|from|content)')
_TURNS = re.compile(rb'"(conversations?|messages)"\s*:\s*\[\s*\{')
_SHOWS = re.compile(rb'"images?"\s*:')
_ROWS = 500  # in a message
_IMAGE = re.compile(r"\s*<(image|ImageHere)>\s*")
_ASKS = re.compile(
    r"\b(describe|descri\w+ (of|for)|description|caption|depict|summar(y|ize|ise)|interpretation|elaborate on|share its details|"
    r"explain the (various|different|content|visual|image|picture|photo|scene)|(key|main) (elements|features)|"
    r"(clear|succinct|short|brief|concise) \w* ?explanation|clarify the contents|analy[sz]e the (image|picture|photo|scene)|"
    r"what do you (see|think is going on)|what('s| is| are) (in|shown in|depicted in|happening|going on|this)|"
    r"what('s| is| are) the (content|main content|image|picture|photo|scene))\b|"
    r"描述|介绍一下?(这|图)|图(片|像|中|里).{0,6}(什么|内容)|写.{0,6}(说明|标题)",
    re.IGNORECASE,
)
_SPECIFIC = re.compile(r"\b(colou?r|how many|which|why|where|who|brand|number|text|written|say|year|country)\b", re.IGNORECASE)
_LONGEST = 300  # characters of somebody who only asks for a description


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
        rows = enumerate(_conversations(paths[0]))
    while some := [_answer(number, row) for number, row in itertools.islice(rows, _ROWS)]:
        yield some


def _answer(number: int, row: Described | SampleError) -> Part[Described] | Failed:
    if isinstance(row, SampleError):
        return Failed(Range(number, number + 1), row.reason, clean_text(row.detail))
    return Part(number, row.cleaned())


def _conversations(path: str) -> Iterator[Described | SampleError]:
    """What each row says of its picture. Of an array its bytes and a row are in memory, of lines a line. Raises `SampleError`
    (`broken_json`)."""
    with open(path, "rb") as file:
        start = len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0
        file.seek(start)
        while (first := file.read(1)).isspace():
            pass
        file.seek(start)
        yield from map(_parsed, _elements(file.read()) if first == b"[" else (line for line in file if line.strip()))


def _elements(data: bytes) -> list[Any]:
    """Those of an array, each as its own bytes, or as values where there are numbers that no standard knows."""
    try:
        return msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return list(decoded(data, list[Any]))


def _parsed(row: Any) -> Described | SampleError:
    try:
        row = decoded(row, Any) if isinstance(row, (bytes, msgspec.Raw)) else row
    except SampleError as error:
        return SampleError("broken_row", error.detail)
    try:
        return _row(row)
    except SampleError as error:
        return error


def _row(row: Any) -> Described | SampleError:
    if not isinstance(row, dict):
        return SampleError("bad_row", f"it is {type(row).__name__}, not an object")
    images = row.get("image") or row.get("images")
    images = images if isinstance(images, list) else [images]
    names = [image.get("path") or image.get("url") if isinstance(image, dict) else image for image in images]
    if len(names) != 1 or not isinstance(names[0], str) or not names[0]:
        return SampleError("several_images" if len(names) > 1 else "no_image", f"row {row.get('id', '')}")
    caption = _description(row)
    if not caption:
        return SampleError("no_description", _first(row)[:200])
    about = {name: str(row[name]) for name in ("id", "source", "model") if isinstance(row.get(name), str | int)}
    return Described(names[0], (caption,), metadata=about)


def _description(row: dict[str, Any]) -> str:
    """What is answered where a description is asked for; "" if none is."""
    asked = ""
    for speaker, text in _said(row):
        if speaker == "assistant" and _asks(asked):
            return text.strip()
        asked = text if speaker == "user" else ""
    return ""


def _asks(text: str) -> bool:
    text = _IMAGE.sub(" ", text).strip()
    return len(text) <= _LONGEST and bool(_ASKS.search(text)) and not _SPECIFIC.search(text)


def _first(row: dict[str, Any]) -> str:
    return next((_IMAGE.sub(" ", text).strip() for speaker, text in _said(row) if speaker == "user"), "")


def _said(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for turn in turns(row):
        content = turn.content
        if isinstance(content, list):
            content = " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
        if turn.role in ("user", "assistant") and isinstance(content, str):
            yield turn.role, content
