"""Charts, drawn here, and their tables: a maker of figures."""

import importlib
import importlib.metadata
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from PIL import Image

from datagen.figures.charts import faces, label
from datagen.figures.charts.chart_data import KINDS
from datagen.figures.charts.compose import compose
from datagen.figures.charts.looks import Look, look
from datagen.figures.charts.plan import Picture, picture_with_room
from datagen.figures.charts.words import cached
from datagen.record import Box, Region, SampleError
from datagen.tables.cells import to_html
from datagen.work.draws import Drawing

RENDERERS = {
    "matplotlib": "datagen.figures.charts.matplotlib_charts",
    "echarts": "datagen.figures.charts.echarts",
}
"""What draws charts, by name: modules with `drawn` and `versions`. ECharts' script is fetched from npm the first time."""
_NUM_PANELS = (2, 2, 3, 4)
"""How many panels a picture has."""
_GAP = 12  # pixels between two panels
_COMMON = (
    *("palette", "paper", "plot_paper", "ink", "is_serif", "size", "title_size", "title_place", "is_title_bold", "grid"),
    *("grid_style", "spines", "line_width", "marker", "has_markers", "bar_width", "edge", "opacity", "colour_map"),
)


@dataclass(frozen=True)
class Charts:
    """Charts of `kinds`, drawn by `renderers`. All kinds are equally likely, and so are all renderers.

    The languages are those of `words.LANGUAGES` with their weights, or `languages` alone. The label is an HTML table of what the
    picture shows: see `label`. The picture is a PNG, mostly 300 to 1,300 pixels a side. A share `panels` of the pictures have two
    to four charts. Each is a region of its own, and the label has their tables one after another, by rows."""

    version: ClassVar[int] = 3
    name: ClassVar[str] = "charts"
    task: ClassVar[str] = "figure"

    kinds: tuple[str, ...] = KINDS
    languages: tuple[str, ...] = ()
    renderers: tuple[str, ...] = ("matplotlib",)
    panels: float = 0.06

    def __post_init__(self) -> None:
        if unknown := [name for name in self.renderers if name not in RENDERERS]:
            raise ValueError(f"renderers={','.join(unknown)}: allowed are {', '.join(RENDERERS)}")
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise ValueError(f"kinds={','.join(unknown)}: allowed are {', '.join(KINDS)}")

    def draw(self, random: random.Random) -> Drawing:
        here = faces.languages()
        able = [lang for lang in here if not self.languages or lang in self.languages]
        if not able:
            raise SampleError("no_typeface", f"no typeface for {', '.join(self.languages) or 'any language'} here")
        lang = random.choices(able, [here[name] for name in able])[0]
        own = faces.faces(lang)
        assert own is not None
        if random.random() < self.panels:
            return self._several(random, lang, own)
        kind = random.choice(self.kinds)
        renderer = random.choice(self.renderers)
        drawn, text = _drawn(random, kind, renderer, look(random, kind), own)
        region = Region(Box(0, 0, *drawn.size), "chart", text, None, self.name, format="html")
        return Drawing(drawn.image, drawn.size, text, (region,), lang, own.script, metadata={"kind": kind, "renderer": renderer})

    def _several(self, random: random.Random, lang: str, own: faces.Faces) -> Drawing:
        num = random.choice(_NUM_PANELS)
        kinds = [random.choice(self.kinds)] * num if random.random() < 0.4 else [random.choice(self.kinds) for _ in range(num)]
        renderer = random.choice(self.renderers)
        looks = _looks(random, kinds)
        drawn = [_drawn(random, kind, renderer, one, own) for kind, one in zip(kinds, looks, strict=True)]
        num_columns = 2 if num == 4 else random.choice((1, num))
        image, size, boxes = _pasted([one.image for one, _ in drawn], looks[0].paper, num_columns)
        regions = tuple(
            Region(box, "chart", text, None, self.name, format="html") for box, (_, text) in zip(boxes, drawn, strict=True)
        )
        metadata = {"kind": "panels", "renderer": renderer}
        return Drawing(image, size, "\n\n".join(text for _, text in drawn), regions, lang, own.script, metadata=metadata)

    def engines(self) -> dict[str, str]:
        versions = {"babel": importlib.metadata.version("babel"), "typefaces": faces.digest()}
        for name in self.renderers:
            versions |= importlib.import_module(RENDERERS[name]).versions()
        return versions


def _drawn(random: random.Random, kind: str, renderer: str, look: Look, own: faces.Faces) -> tuple[Picture, str]:
    """A chart as its renderer has it, and its table."""
    chart = compose(random, kind, cached(own.lang, own.can_draw))
    drawn = picture_with_room(importlib.import_module(RENDERERS[renderer]).drawn, chart, look, own)
    return drawn, to_html(label.table(chart, drawn.shown))


def _looks(draw: random.Random, kinds: Sequence[str]) -> list[Look]:
    """Looks of panels of these kinds: of one size, one lettering and one set of colours, which has enough for a pie."""
    first = look(draw, "pie")
    common = {name: getattr(first, name) for name in _COMMON} | {"size": min(12.5, first.size)}
    common |= {"title_size": min(15.0, first.title_size), "margin": 6.0}
    width = draw.randint(400, 540)
    height = round(width * draw.uniform(0.65, 0.9))
    return [replace(look(draw, kind), width=width, height=height, **common) for kind in kinds]


def _pasted(images: Sequence[bytes], paper: str, num_columns: int) -> tuple[bytes, tuple[int, int], list[Box]]:
    """PNGs side by side, row by row on a paper; the picture, its size, and the box of each."""
    opened = [Image.open(io.BytesIO(image)).convert("RGB") for image in images]
    rows = [opened[first : first + num_columns] for first in range(0, len(opened), num_columns)]
    widths = [max(row[column].width for row in rows if column < len(row)) for column in range(num_columns)]
    heights = [max(image.height for image in row) for row in rows]
    size = (sum(widths) + _GAP * (num_columns - 1), sum(heights) + _GAP * (len(rows) - 1))
    sheet, boxes, top = Image.new("RGB", size, paper), [], 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for image, width in zip(row, widths, strict=False):
            sheet.paste(image, (left, top))
            boxes.append(Box(left, top, left + image.width, top + image.height))
            left += width + _GAP
        top += height + _GAP
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue(), size, boxes
