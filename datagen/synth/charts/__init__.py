"""Charts, drawn here, and their tables: a maker of figures."""

import importlib.metadata
import random
from dataclasses import dataclass
from typing import ClassVar

from datagen.record import Box, Region, SampleError
from datagen.sources.draws import Drawing
from datagen.synth.charts import faces, label, matplotlib_charts
from datagen.synth.charts.chart_data import KINDS
from datagen.synth.charts.compose import compose
from datagen.synth.charts.looks import look
from datagen.synth.charts.words import cached
from datagen.tables import to_html


@dataclass(frozen=True)
class Charts:
    """Charts of `kinds`, each as often as another, in the languages of `words.LANGUAGES` by their weights, or in `languages`.

    The label is an HTML table of what the picture shows: see `label`. The picture is a PNG of 480 to 1,300 pixels a side."""

    version: ClassVar[int] = 1
    name: ClassVar[str] = "charts"
    task: ClassVar[str] = "figure"

    kinds: tuple[str, ...] = KINDS
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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
        kind = random.choice(self.kinds)
        chart = compose(random, kind, cached(lang, own.can_draw))
        drawn = matplotlib_charts.draw(chart, look(random, kind), own)
        text = to_html(label.table(chart, drawn.shown))
        region = Region(Box(0, 0, *drawn.size), "chart", text, None, self.name, format="html")
        kept = {"kind": kind, "renderer": "matplotlib"}
        return Drawing(drawn.png(), drawn.size, text, (region,), lang, own.script, metadata=kept)

    def engines(self) -> dict[str, str]:
        versions = {"babel": importlib.metadata.version("babel"), "typefaces": faces.digest()}
        return versions | matplotlib_charts.versions()
