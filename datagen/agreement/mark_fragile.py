"""Blocks whose reading changes under small changes of the image."""

import itertools
import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.agreement.agree_page import DECISIONS
from datagen.agreement.words import about
from datagen.drawing import wear
from datagen.engines import Choice, Engines, merged, packaged, versions
from datagen.page.images import pixels
from datagen.reading.line_readers import LineReaders
from datagen.record import Drop, Region, Sample, SampleError
from datagen.work.pipeline import Stage

_LEAST = 8  # pixels: a line is no smaller


@dataclass(frozen=True)
class MarkFragile(Stage):
    """Reads the lines of each agreed text `times` times again with the embedded engine of its script. Each time the lines are
    slightly worn (blur, grain, JPEG). A block is fragile if its readings differ by more than `most` of their letters, on the mean
    of all pairs. The decision of a fragile block `is_fragile`, and the signal `num_fragile` counts such blocks.

    After the boundary-fragile samples of PaddleOCR-VL-1.6 (arXiv 2606.03264), which compares late checkpoints on 16 distortions.
    """

    version: ClassVar[int] = 1

    times: int = 3
    most: float = 0.05
    seed: int = 0
    batch_size: int = 1

    def engines(self) -> dict[str, str]:
        return merged((Choice("ppocr").versions(), versions("tesseract"), packaged.versions()))

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            try:
                yield self._marked(sample, engines)
            except SampleError as error:
                yield sample.drop(error.reason, type(self).__name__, error.detail)

    def _marked(self, sample: Sample, engines: Engines) -> Sample:
        entries = json.loads(sample.metadata.get(DECISIONS, "[]"))
        readers = LineReaders(engines)
        reader, lang = readers.who(sample.lang, sample.script)
        gray = numpy.asarray(pixels(sample.image or b"", "L"))
        num_fragile = 0
        for entry in entries:
            number = entry["region"]
            crops = self._crops(gray, sample.regions[number]) if number >= 0 else []
            if not crops:
                continue
            read = [
                "\n".join(text for text, _ in readers.read(reader, self._worn(crops, sample.key, number, n), lang))
                for n in range(self.times)
            ]
            reread = [about(text, sample.script) for text in read]
            apart = [Levenshtein.normalized_distance(a, b) for a, b in itertools.combinations(reread, 2)]
            entry["is_fragile"] = statistics.fmean(apart) > self.most
            num_fragile += entry["is_fragile"]
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
        marked = replace(sample, metadata=sample.metadata | {DECISIONS: text})
        return marked.with_quality(marked.quality.verdict, marked.quality.reasons, num_fragile=float(num_fragile))

    def _crops(self, gray: numpy.ndarray, region: Region) -> list[numpy.ndarray]:
        """The images of the region's lines; of the region itself if it has no lines and is one line."""
        if region.is_unread or region.format != "markdown" or not region.text.strip():
            return []
        boxes = [line.box for line in region.lines if line.direction != "ttb"]
        x0, y0, x1, y1 = region.box
        if not boxes and "\n" not in region.text and (x1 - x0) > 0.4 * len(region.text) * (y1 - y0) * 0.5:
            boxes = [region.box]
        crops = [gray[box.y0 : box.y1, box.x0 : box.x1] for box in boxes]
        return [crop for crop in crops if min(crop.shape) >= _LEAST]

    def _worn(self, crops: Sequence[numpy.ndarray], key: str, number: int, time: int) -> list[numpy.ndarray]:
        digest = int.from_bytes(f"{key} {number}".encode()[-8:], "big")
        random = numpy.random.default_rng((self.seed, time, digest))
        steps: wear.Steps = (
            (1.0, partial(wear.blur, sigmas=(0.01, 0.03))),
            (1.0, partial(wear.grain, sigmas=(2, 8))),
            (1.0, wear.jpeg),
        )
        return [wear.worn(crop, random, steps)[0] for crop in crops]
