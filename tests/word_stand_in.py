"""A child's side of Word files for tests that need no LibreOffice: a file's bytes say what its pages are.

The file is `PK\\3\\4` and JSON: {"pages": [{"text": …, "formulas": [[number, LaTeX shown, LaTeX of the label]], "tables":
[[number, piece, HTML]], "lost": [[kind, number, reason]], "reason": …}], "error": [reason, detail], "die": number of a page}.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from datagen.formulas.render import draw
from datagen.record import Box, Line, Range, Region, SampleError
from datagen.sandbox.parts import Failed, Part, Parts
from datagen.word.pages.answers import BY, Cut, Lost, WordPage
from tests.inputs.samples import encoded

READ = "tests.word_stand_in:read_document"
SIZE = (600, 800)


def document(**values: Any) -> bytes:
    """The bytes of a file with these values."""
    return b"PK\3\4" + json.dumps(values).encode()


def read_document(
    path: str, within: Range, long_side: int, jpeg_quality: int, max_pages: int, numbers: list[int] | None = None
) -> Iterator[Parts | Part[WordPage] | Failed]:
    values = json.loads(Path(path).read_bytes()[4:])
    if "error" in values:
        raise SampleError(*values["error"])
    if numbers is None:
        yield Parts(numbers := [n for n in range(len(values["pages"])) if n in within and not (max_pages and n >= max_pages)])
    for number in numbers:
        if values.get("die") == number:
            os._exit(1)
        yield Part(number, _page(values, number))


def _page(values: dict[str, Any], number: int) -> WordPage:
    page = values["pages"][number]
    canvas = Image.new("L", SIZE, 255)
    regions = [_region(Box(20, 20, 580, 40), "text", page["text"])]
    cuts, y = [], 60
    for which, shown, label in page.get("formulas", ()):
        ink = Image.fromarray(255 - draw(shown).ink)
        small = ink.resize((max(1, ink.width // 2), max(1, ink.height // 2)))
        canvas.paste(small, (20, y))
        cuts.append(_cut("formula", which, 0, Box(20, y, 20 + small.width, y + small.height), canvas, label))
        regions.append(_region(cuts[-1].box, "equation", label, "latex"))
        y += small.height + 20
    for which, piece, html in page.get("tables", ()):
        box = Box(20, y, 300, y + 60)
        canvas.paste(90 + which, box)
        cuts.append(_cut("table", which, piece, box, canvas, html))
        regions.append(_region(box, "table", html, "html"))
        y += 80
    return WordPage(
        image=_jpeg(canvas),
        size=SIZE,
        regions=tuple(regions),
        formulas=tuple(cut.number for cut in cuts if cut.kind == "formula"),
        tables=tuple(cut.number for cut in cuts if cut.kind == "table"),
        signals={"text_distance": 0.01 * number},
        cuts=tuple(cuts),
        lost=tuple(Lost(*entry) for entry in page.get("lost", ())),
        reason=page.get("reason", ""),
        detail="said by the stand-in" if page.get("reason") else "",
        num_formulas=sum(len(p.get("formulas", ())) for p in values["pages"]),
        num_tables=len({which for p in values["pages"] for which, _, _ in p.get("tables", ())}),
    )


def _region(box: Box, label: str, text: str, form: str = "markdown") -> Region:
    lines = (Line(box, text, "Stand-In"),) if form == "markdown" else ()
    return Region(box, label, text, None, BY, lines=lines, format=form)


def _cut(kind: Any, number: int, piece: int, box: Box, canvas: Image.Image, text: str) -> Cut:
    part = canvas.crop(box)
    image = Image.new("L", (part.width + 8, part.height + 8), 255)
    image.paste(part, (4, 4))
    inner = Box(4, 4, 4 + part.width, 4 + part.height)
    return Cut(kind, number, piece, box, _jpeg(image), image.size, inner, text, "=" in text, {"structure_equal": 1.0})


def _jpeg(image: Image.Image) -> bytes:
    return encoded(image.convert("RGB"), "JPEG", quality=92)
