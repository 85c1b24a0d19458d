"""What is mended of a page's regions once they are read: boxes that lie over each other, and signs that look like others."""

from collections.abc import Iterator, Sequence
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
    `WeighLabels`."""

    version: ClassVar[int] = 3
    batch_size: int = 64

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            yield _mended(page, divided(without_doubles(page.regions)))


@dataclass(frozen=True)
class MendLookalikes(Stage):
    """Writes kana, ideographs and `I` that engines read as what their words say they are (`lookalikes.in_context`): no reader
    tells 力 from カ, 一 from ー, or l from I. What the file itself says stays. The page's text is made anew of its regions."""

    version: ClassVar[int] = 4
    batch_size: int = 64

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            yield _mended(page, tuple(_in_context(region) if region.by != BY else region for region in page.regions))


def _mended(page: Sample, regions: tuple[Region, ...]) -> Sample:
    """The page with these regions; as it is if its regions are the same."""
    return page if regions == page.regions else replace(page, regions=regions, text=markdown(regions))


def _in_context(region: Region) -> Region:
    lines = tuple(replace(line, text=in_context(line.text)) for line in region.lines)
    return replace(region, text=in_context(region.text) if region.format == "markdown" else region.text, lines=lines)
