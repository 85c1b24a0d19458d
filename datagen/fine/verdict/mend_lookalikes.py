"""What readers of lines take for a sign of another script that looks the same, by what stands beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from datagen.coarse.answers import BY
from datagen.engines import Engines
from datagen.markdown import markdown
from datagen.record import Drop, Region, Sample
from datagen.work.pipeline import Stage
from datagen.writing.lookalikes import in_context


@dataclass(frozen=True)
class MendLookalikes(Stage):
    """Writes kana, ideographs and `I` that engines read as what their words say they are (`lookalikes.in_context`): no reader
    tells 力 from カ, 一 from ー, or l from I. What the file itself says stays. The page's text is made anew of its regions.

    Signal: `lookalikes_mended`, the number of signs; absent if it is 0.
    """

    version: ClassVar[int] = 3
    batch_size: int = 64

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            regions = tuple(_mended(region) if region.by != BY else region for region in page.regions)
            if regions == page.regions:
                yield page
                continue
            num = sum(_num_differing(a, b) for a, b in zip(page.regions, regions, strict=True))
            signals = page.quality.signals | {"lookalikes_mended": float(num)}
            quality = replace(page.quality, signals=signals)
            yield replace(page, regions=regions, text=markdown(regions), quality=quality)


def _mended(region: Region) -> Region:
    lines = tuple(replace(line, text=in_context(line.text)) for line in region.lines)
    return replace(region, text=in_context(region.text) if region.format == "markdown" else region.text, lines=lines)


def _num_differing(a: Region, b: Region) -> int:
    before, after = (a.text, b.text) if a.text != b.text else ("".join(line.text for line in one.lines) for one in (a, b))
    return sum(x != y for x, y in zip(before, after, strict=True))
