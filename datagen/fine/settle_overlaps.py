"""Regions whose boxes lie over each other, repaired."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from datagen.engines import Engines
from datagen.markdown import markdown
from datagen.page.overlaps import divided, without_doubles
from datagen.record import Drop, Sample
from datagen.work.pipeline import Stage


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
            if regions == page.regions:
                yield page
                continue
            counts = {
                "regions_doubled": len(page.regions) - len(single),
                "regions_divided": sum(region not in regions for region in single),
            }
            signals = page.quality.signals | {name: float(num) for name, num in counts.items() if num}
            quality = replace(page.quality, signals=signals)
            yield replace(page, regions=regions, text=markdown(regions), quality=quality)
