"""What is mended of a page's regions once they are read: boxes that lie over each other, and signs that look like others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from datagen.coarse.answers import BY
from datagen.engines import Engines
from datagen.markdown import markdown
from datagen.page.overlaps import divided, without_doubles
from datagen.record import Drop, Region, Sample
from datagen.work.pipeline import Stage
from datagen.writing.lookalikes import in_context


@dataclass(frozen=True)
class SettleRegions(Stage):
    """Leaves out regions that say again what a table around them says, and divides those whose boxes hold other regions' lines:
    see `overlaps`. The page's text is made anew of its regions. Where it stands, how much is still in two boxes is weighed by
    `WeighLabels`.

    Signals, absent where they are 0: `regions_doubled`, how many were left out; `regions_divided`, how many were divided.
    """

    version: ClassVar[int] = 2
    batch_size: int = 64

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            single = without_doubles(page.regions)
            regions = divided(single)
            whole = set(map(id, regions))  # `divided` gives back what it leaves whole
            num_divided = sum(id(region) not in whole for region in single)
            counts = {"regions_doubled": len(page.regions) - len(single), "regions_divided": num_divided}
            yield _mended(page, regions, counts)


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
            regions = tuple(_in_context(region) if region.by != BY else region for region in page.regions)
            num = sum(_num_differing(a, b) for a, b in zip(page.regions, regions, strict=True))
            yield _mended(page, regions, {"lookalikes_mended": num})


def _mended(page: Sample, regions: tuple[Region, ...], counts: Mapping[str, int]) -> Sample:
    """The page with these regions, and with the counts that aren't 0 as signals; as it is if its regions are the same."""
    if regions == page.regions:
        return page
    signals = page.quality.signals | {name: float(num) for name, num in counts.items() if num}
    return replace(page, regions=regions, text=markdown(regions), quality=replace(page.quality, signals=signals))


def _in_context(region: Region) -> Region:
    lines = tuple(replace(line, text=in_context(line.text)) for line in region.lines)
    return replace(region, text=in_context(region.text) if region.format == "markdown" else region.text, lines=lines)


def _num_differing(a: Region, b: Region) -> int:
    before, after = (a.text, b.text) if a.text != b.text else ("".join(line.text for line in one.lines) for one in (a, b))
    return sum(x != y for x, y in zip(before, after, strict=True))
