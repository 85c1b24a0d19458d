"""A page that a network of lines has read, as a section of the report: its picture, and what was read in each of its lines."""

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import ImageDraw

from datagen.record import Sample
from recipes.report import Section, asset, fill
from recipes.report.pictures import data_uri, decode

_SIZE, _QUALITY, _BLUE = (900, 1200), 60, (30, 90, 200)


def pages_section(
    name: str, scores: Mapping[str, Mapping[str, float]], num_pages: int, page: Sample, lines: Sequence[Mapping[str, Any]]
) -> Section:
    """The readers' edit distances over all pages; and one `page` with the boxes of its `lines`, beside what each reads."""
    picture = decode(page.image)
    if picture is not None:
        draw = ImageDraw.Draw(picture)
        for number, line in enumerate(lines, 1):
            draw.rectangle(line["box"], outline=_BLUE, width=2)
            draw.text((line["box"][0] - 4, line["box"][1]), str(number), fill=_BLUE, anchor="ra", font_size=18)
    html = fill(
        "read_pages.html",
        scores=scores,
        num_pages=num_pages,
        key=page.key,
        picture=data_uri(picture, _SIZE, _QUALITY) if picture is not None else "",
        lines=lines,
        readers=list(scores),
    )
    return Section(name, f"{name}: held-out pages, read line by line", html, asset("label.css"))
