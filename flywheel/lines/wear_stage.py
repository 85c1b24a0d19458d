"""A stage that makes crops of lines look like a poor scan's or a careless detector's, for measuring models on hard lines."""

import hashlib
import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy
import simplejpeg

from datagen.engines import Engines
from datagen.record import Box, Drop, Sample
from datagen.work.pipeline import Stage


@dataclass(frozen=True)
class WearLines(Stage):
    """Each crop as `flywheel.lines.crops.degraded` makes it, by `seed` and its key; its region is then the whole image. Drops:
    `no_line` for other samples, and `worn_away` if nothing is left."""

    version: ClassVar[int] = 2

    seed: int = 0
    jpeg_quality: int = 90
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        from flywheel.lines.crops import Crop, degraded  # OpenCV and more: only workers need them

        for sample in batch:
            if sample.task != "crop" or sample.image is None or not sample.regions:
                yield sample.drop("no_line", type(self).__name__, sample.task)
                continue
            region = sample.regions[0]
            crop = Crop(sample.key, sample.lang, sample.script, sample.text, sample.image, region.box)
            drawn = int.from_bytes(hashlib.sha256(f"{self.seed}/{sample.key}".encode()).digest()[:8])
            gray = degraded(crop, numpy.random.default_rng(drawn))
            height, width = gray.shape
            if height < 8 or width < 8:
                yield sample.drop("worn_away", type(self).__name__, f"{width} x {height} pixels are left")
                continue
            pixels = numpy.ascontiguousarray(gray)[:, :, None]
            box = Box(0, 0, width, height)
            lines = tuple(replace(line, box=box, polygon=()) for line in region.lines[:1])
            yield replace(
                sample,
                image=simplejpeg.encode_jpeg(pixels, quality=self.jpeg_quality, colorspace="GRAY"),
                size=(width, height),
                regions=(replace(region, box=box, polygon=(), lines=lines),),
            )

    def engines(self) -> dict[str, str]:
        import cv2

        names = ("numpy", "pillow", "simplejpeg")
        return {name: importlib.metadata.version(name) for name in names} | {"opencv": cv2.__version__}
