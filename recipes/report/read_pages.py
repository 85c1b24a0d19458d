"""A page read by a network of lines, as a section of the report: its picture, and the reading of each line."""

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import ImageDraw

from datagen.record import Sample
from recipes.report import Card, Cell, Section, blocks, joined
from recipes.report.pictures import data_uri, decode

_SIZE, _QUALITY, _BLUE = (900, 1200), 60, (30, 90, 200)


def pages_section(
    name: str, scores: Mapping[str, Mapping[str, float]], num_pages: int, page: Sample, lines: Sequence[Mapping[str, Any]]
) -> Section:
    """The readers' edit distances over all pages; and one `page` with the boxes of its `lines`, beside each reader's text."""
    picture = decode(page.image)
    if picture is not None:
        draw = ImageDraw.Draw(picture)
        for number, line in enumerate(lines, 1):
            draw.rectangle(line["box"], outline=_BLUE, width=2)
            draw.text((line["box"][0] - 4, line["box"][1]), str(number), fill=_BLUE, anchor="ra", font_size=18)
    note = (
        "Pages of documents that nothing was learned from. A detector finds their lines, which are put in reading order; the "
        "network that was trained here reads each line, and so does Tesseract, the same crops. The edit distance is that of the "
        f"page’s whole text, with an interval of 95% by bootstrap over {num_pages} pages."
    )
    distances = [
        (reader, Cell(f"{one['value']:.3f}", "num", f"{one['low']:.3f} to {one['high']:.3f}")) for reader, one in scores.items()
    ]
    readings = blocks.table(("", *scores), [(n, *(line[reader] for reader in scores)) for n, line in enumerate(lines, 1)])
    image = data_uri(picture, _SIZE, _QUALITY) if picture is not None else ""
    card = Card(image, (Cell(page.key, "code"),), drawn=readings)
    html = joined(blocks.note(note), blocks.table(("reader", "edit distance"), distances), blocks.cards([card]))
    return Section(name, f"{name}: held-out pages, read line by line", html)
