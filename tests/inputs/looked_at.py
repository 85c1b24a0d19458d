"""Datasets that people look at: small pages in several scripts, with decisions, and labels that mean harm."""

import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.record import SCHEMA, Box, Line, Origin, Quality, Region, Sample
from datagen.work.assignment import add_generation
from tests.inputs.samples import encoded
from tests.outputs import write_dataset

SIZE = (600, 800)
SCRIPTS = {"ar": "Arab", "ja": "Jpan", "hi": "Deva", "en": "Latn", "ru": "Cyrl"}
OWN = "window.owned=1"
HOSTILE = {
    "script": f"</script><script>{OWN}</script><img src=x onerror={OWN}><svg onload={OWN}><iframe src=javascript:{OWN}>",
    "link": f"[go](javascript:{OWN}) ![pic](https://example.com/a.png) [data](data:text/html,<script>{OWN}</script>) <https://example.com>",
    "style": "<style>body{display:none}</style><p style='position:fixed;inset:0'>over</p> **bold** <b onclick=x>b</b>",
    "bidi": "a\u202egnp.exe\u202c b\u2066c\u2069 \u2028line\u2029par\ufeff\u0000\u0007",
    "stars": "*" * 3_000 + "`" * 3_000 + "\\(" * 3_000 + "[" * 3_000,
    "huge": "слово " * 60_000,
}
HOSTILE_TABLE = (
    f"<table><tr><th colspan=9999999 onclick={OWN}>Head<td><img src=x onerror={OWN}><a href=javascript:{OWN}>cell</a>"
    f"<td><script>{OWN}</script><style>*{{display:none}}</style>x<sub>2</sub><br>y</table><script>{OWN}</script>"
)
RUN = {"schema": SCHEMA, "fingerprint": "made here", "description": {}, "runs": []}
HOSTILE_FORMULAS = (
    rf"\href{{javascript:{OWN}}}{{x}} + \url{{https://example.com}}",
    r"\includegraphics[width=1em]{https://example.com/a.png} + \htmlClass{a}{x} + \htmlStyle{color:red}{y}",
    r"\def\a{\a\a}\a + \rule{9999em}{9999em} + \color{red}{\text{</script><script>window.owned=1</script>}}",
    r"\frac{1}{",
)


def picture(size: tuple[int, int] = SIZE, shade: int = 238) -> bytes:
    image = Image.new("L", size, shade)
    draw = ImageDraw.Draw(image)
    for y in range(40, size[1] - 40, 40):
        draw.rectangle((40, y, size[0] - 40, y + 14), fill=60)
    return encoded(image, "JPEG")


def region(number: int, text: str, label: str = "text", form: str = "markdown", direction: str = "", **more: Any) -> Region:
    """A region of a page, below those with lower numbers."""
    box = Box(60, 60 + 100 * number, 540, 140 + 100 * number)
    lines = (Line(box, text, "", direction),) if direction else ()
    return Region(box, label, text, 0.9, "ppocr", (), lines, form, **more)


def page(number: int, regions: tuple[Region, ...], lang: str = "en", **values: Any) -> Sample:
    """A page with a key and an image of its own."""
    fields: dict[str, Any] = {
        "key": f"{number:016x}-00000000-000000",
        "task": "page",
        "image": picture(shade=255 - number % 200),
        "size": SIZE,
        "lang": lang,
        "script": SCRIPTS[lang],
        "text": "\n\n".join(r.text for r in regions),
        "regions": regions,
        "quality": Quality("suspect", ("readers_disagree",), {"level": 1.0}),
        "origin": Origin(f"file:///in/{number}.pdf", f"{number:064x}", number, "CC0-1.0", {"ppocr": "6"}),
        "stage": "fine",
        "difficulty": round(1 - number / 2000, 3),
    }
    return Sample(**fields | values)


def decided(region: int, outcome: str, readings: tuple[tuple[str, str | None], ...], chosen: str = "") -> dict[str, Any]:
    """A decision; a reading of None is the chosen one's text."""
    said = [
        {"voter": voter, "from": [voter], "text": text or "", "vote": "for" if text is None else "against", "distance": 0.1}
        | ({"same": True} if text is None else {})
        for voter, text in readings
    ]
    return {
        "region": region,
        "outcome": outcome,
        "why": "two_against_one",
        "chosen": chosen,
        "readings": said,
    }


def with_decisions(*decisions: dict[str, Any]) -> dict[str, str]:
    return {"decisions": json.dumps(decisions, ensure_ascii=False)}


def write_lookable(folder: Path, samples: list[Sample], name: str = "agreed") -> Folder:
    """A dataset that is known by an id, as `datagen.patching` asks for."""
    write_dataset(folder / name, samples, name)
    dataset = Folder(str(folder / name))
    dataset.write("run.json", json.dumps(RUN).encode())
    add_generation(dataset, [(Item("/in"),)])
    return dataset
