"""A sheet of lines as a page for a browser: one file with its images inside, which asks the network for nothing.

A person corrects the readings of a review. Whoever transcribes the lines of an audit sees no reading: the file hasn't any.
"""

import hashlib
import posixpath
from collections import defaultdict
from typing import Any

import numpy
from markupsafe import Markup
from PIL import Image

from datagen.disk.shards import read_sample
from datagen.disk.storage import Folder
from datagen.page.images import pixels
from datagen.record import Box, SampleError
from datagen.writing import scripts
from flywheel.lines.crops import Row
from flywheel.people.review import page_rows
from flywheel.pools.questions import AUDIT, REVIEW, Asked, Sheet
from recipes.report import asset, embed, fill
from recipes.report.pictures import data_uri

_AROUND = (4.0, 2.2)  # what is shown around a line, along it and across it, in heights of the line
_LEAST_AROUND = (160, 60)  # in pixels
_LARGEST = (2200, 900)
_QUALITY = 70
_TITLES = {REVIEW: "Review", AUDIT: "Audit"}
_KEYS = {
    REVIEW: (
        ("Enter", "the line is right as it stands in the field; on to the next"),
        ("E", "correct the text; Enter takes it, Escape leaves the field"),
        ("S", "skip: nobody can tell what stands there"),
        ("X", "there is no line, or no text"),
    ),
    AUDIT: (
        ("Enter", "what stands in the field is what the line says; on to the next"),
        ("Escape", "leave the field"),
        ("E", "type into the field"),
        ("S", "skip: nobody can tell what stands there"),
        ("X", "there is no line, or no text"),
    ),
}
_MORE_KEYS = (
    ("← →", "the line before, the next line"),
    ("+ −", "a larger line, a smaller one"),
    ("Ctrl S", "save the file"),
    ("?", "these keys"),
)


def write_sheet(folder: Folder, sheet: Sheet, pages: Folder) -> list[str]:
    """Write the sheet's page into the step's `folder`; returns the ids of lines that aren't shown, since their page can't be."""
    wanted = {line.page for line in sheet.lines}
    rows: dict[str, Row] = {row["key"]: row for row in page_rows(pages) if row["key"] in wanted}
    of_page: dict[str, list[Asked]] = defaultdict(list)
    for line in sheet.lines:
        of_page[line.page].append(line)
    shown: dict[str, dict[str, Any]] = {}
    for key, lines in of_page.items():
        if image := _gray(pages, rows.get(key)):
            shown |= {line.id: _line(line, image, sheet.kind) for line in lines}
    data = {
        "name": sheet.name,
        "kind": sheet.kind,
        "mark": hashlib.sha256(sheet.to_json()).hexdigest()[:16],
        "lines": [shown[line.id] for line in sheet.lines if line.id in shown],
    }
    page = fill(
        "sheet.html",
        name=sheet.name,
        title=f"{_TITLES[sheet.kind]} {sheet.name.rpartition('-')[2]}: {len(shown)} lines of round {sheet.round}",
        note=sheet.note,
        keys=(*_KEYS[sheet.kind], *_MORE_KEYS),
        css=Markup(asset("report.css") + asset("sheet.css")),
        js=Markup(asset("report.js") + asset("sheet.js")),
        lines=Markup(embed(data).decode()),
    )
    folder.write(f"{sheet.name}.html", page.encode())
    return [line.id for line in sheet.lines if line.id not in shown]


def _gray(pages: Folder, row: Row | None) -> Image.Image | None:
    """The page's image; None if it isn't there, or is damaged."""
    if row is None:
        return None
    try:
        encoded = read_sample(pages, row["shard"], row["offset"], row["bytes"]).image
        return Image.fromarray(numpy.ascontiguousarray(pixels(encoded or b"", "L")))
    except SampleError:
        return None


def _line(line: Asked, image: Image.Image, kind: str) -> dict[str, Any]:
    """What the page has of a line: its surroundings as a picture, and where it lies in that picture."""
    cut = _around(line, image.size)
    part = image.crop(cut)
    scale = min(1.0, _LARGEST[0] / part.width, _LARGEST[1] / part.height)
    x0, y0, x1, y1 = line.box
    at = [round(scale * n, 1) for n in (x0 - cut.x0, y0 - cut.y0, x1 - cut.x0, y1 - cut.y0)]
    known = {"reading": line.reading, "score": line.score, "reason": line.reason} if kind == REVIEW else {"reading": ""}
    return {
        "id": line.id,
        "image": line.image,
        "lang": line.lang,
        "script": line.script,
        "document": posixpath.basename(line.uri),
        "page": line.number,
        "vertical": line.is_vertical,
        "rtl": line.script in scripts.RTL,
        "picture": data_uri(part.convert("RGB"), _LARGEST, _QUALITY),
        "size": [max(1, round(scale * part.width)), max(1, round(scale * part.height))],
        "box": at,
    } | known


def _around(line: Asked, size: tuple[int, int]) -> Box:
    x0, y0, x1, y1 = line.box
    height = (x1 - x0) if line.is_vertical else (y1 - y0)
    along, across = (max(least, round(share * height)) for share, least in zip(_AROUND, _LEAST_AROUND, strict=True))
    dx, dy = (across, along) if line.is_vertical else (along, across)
    return Box(max(0, x0 - dx), max(0, y0 - dy), min(size[0], x1 + dx), min(size[1], y1 + dy))
