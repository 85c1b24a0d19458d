"""Formulas whose LaTeX isn't what their image shows: it is drawn again and looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy

from datagen.engines import Engines
from datagen.formulas.drawing import NotDrawn, versions
from datagen.page.images import pixels
from datagen.record import Drop, Sample
from datagen.work.pipeline import Stage


@dataclass(frozen=True)
class CheckFormulas(Stage):
    """Drops a sample of the task `formula` whose LaTeX, drawn again, is less than `min_likeness` like its ink: `formula_unlike`.
    Other samples pass by.

    Signals, as `WeighLabels` has them for the formulas of pages: `formula_agreement`, the share of signs that are the same in
    both (`formula_ink.likeness`); or `undrawn_` with a reason of `NotDrawn`, 1.0, for what can't be compared, and stays.

    The limit was measured on 226 cuts of 115 formulas of books, papers and schools, which LibreOffice had rendered displayed and
    inline: 0.4 drops 0.9% of the right labels, and 96.8% of labels that are another formula of the document.
    """

    min_likeness: float = 0.4
    batch_size: int = 1

    def engines(self) -> dict[str, str]:
        return versions()

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            yield self._checked(sample) if sample.task == "formula" and sample.image is not None else sample

    def _checked(self, sample: Sample) -> Sample | Drop:
        from datagen.formulas import compare_ink  # loads scipy and what draws

        latex, image = sample.text, pixels(sample.image or b"", "L")
        for region in sample.regions[:1]:
            x0, y0, x1, y1 = region.box
            latex, image = region.text, image[y0:y1, x0:x1]
        try:
            likeness, _ = compare_ink.compared(latex, numpy.asarray(image))
            signals = {"formula_agreement": likeness}
        except NotDrawn as error:
            likeness, signals = 1.0, {f"undrawn_{error.reason}": 1.0}
        if likeness < self.min_likeness:
            detail = f"{likeness:.2f} of its signs are those of its image, {self.min_likeness:g} are needed: {latex}"
            return sample.drop("formula_unlike", type(self).__name__, detail)
        return replace(sample, quality=replace(sample.quality, signals=sample.quality.signals | signals))
