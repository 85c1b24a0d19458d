"""What a training measures on held-out samples, and when."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from datagen.disk.storage import Folder
from model.data.rows import Draw
from model.data.split import Corpus
from model.generate import on_one_thread
from model.net.deepseek_ocr import DeepseekOcr
from model.net.tokenizer import TextTokenizer
from model.train import evaluate
from model.train.optim import Average
from model.train.process import GoesOn, always
from model.train.ranks import ALONE, Ranks
from model.train.readings import Readings, readings
from model.train.spread import Spread
from model.train.step import Train

log = logging.getLogger(__name__)

T = TypeVar("T")

READBACK = "readback.json"
MOST_THREADS = 4  # that make batches to measure: each has one in memory


class Measure:
    """The measurements of a training, with the averaged weights if there are such. Each raises `Stopped` when `goes_on` does."""

    def __init__(
        self,
        step: Train,
        folder: Folder,
        spread: Spread,
        average: Average | None,
        corpus: Corpus,
        tokenizer: TextTokenizer,
    ):
        self.step, self.folder, self.spread, self.average, self.corpus = step, folder, spread, average, corpus
        self.tokenizer = tokenizer
        self.modes = tuple(mode for mode, weight in step.batches.modes if weight)
        self.held_out = evaluate.HeldOut(
            corpus,
            tokenizer,
            self.modes,
            step.batches.length,
            step.batches.micro_rows,
            step.evaluation.loss_samples,
            max(1, min(MOST_THREADS, step.compute.workers)),
            spread.device.type == "cuda",
        )

    def losses(self, goes_on: GoesOn = always) -> dict[str, Any]:
        return self._by_all(lambda net, ranks: evaluate.losses(net, self.held_out, self.spread.autocast(), goes_on, ranks))

    def read(self, goes_on: GoesOn = always) -> dict[str, dict[str, Any]]:
        """A summary of what the network reads, as `readings` has it."""
        return self._by_all(lambda net, ranks: self._readings(net, ranks, goes_on).summary)

    def readings(self, net: DeepseekOcr | None) -> Readings:
        """What `net` reads, which is whole on each rank that has it, as `Spread.gathered` gives it."""
        return self._of(net, lambda net, ranks: self._readings(net, ranks, always))

    def _readings(self, net: DeepseekOcr, ranks: Ranks, goes_on: GoesOn) -> Readings:
        """What `net` reads. Some of it is written down for people to look at."""
        most = self.step.evaluation.max_new_tokens
        with on_one_thread(), self.spread.autocast():
            made = readings(net, self.tokenizer, self.corpus, self._draws(), self.modes, most, goes_on, ranks)
        if ranks.is_first:
            shown = json.dumps(made.shown(self.step.evaluation.shown_samples), indent=1, ensure_ascii=False)
            self.folder.write(READBACK, shown.encode("utf-8", "replace"))
        return made

    def _by_all(self, measured: Callable[[DeepseekOcr, Ranks], T]) -> T:
        """What is measured of the whole network as it is now."""
        with self._averaged():
            return self._of(self.spread.gathered(), measured)

    def _of(self, net: DeepseekOcr | None, measured: Callable[[DeepseekOcr, Ranks], T]) -> T:
        """What is measured of `net`. Each rank has all weights for that, and takes its share of the samples: what reads token by
        token can't ask other ranks for weights at each. Of a pipeline the first rank alone measures, and the others wait."""
        ranks = self.spread.ranks
        if ranks.layout.pipeline == 1:
            return measured(cast(DeepseekOcr, net), ranks)
        return ranks.from_first(lambda: measured(cast(DeepseekOcr, net), ALONE))

    def after(self, number: int, goes_on: GoesOn = always) -> dict[str, Any]:
        """What is to be measured after this many steps, for the step's line: often nothing."""
        step, last = self.step, number == self.step.schedule.steps
        found: dict[str, Any] = {}
        if last or number % step.evaluation.loss_every == 0 or number == step.evaluation.looks_after:
            found |= self.losses(goes_on)
        if step.evaluation.read_every and number % step.evaluation.read_every == 0 and not last:
            found["read"] = self.read(goes_on)
        return found

    def _draws(self) -> list[Draw]:
        return evaluate.held_out_draws(self.corpus, self.modes, self.step.batches.length, self.step.evaluation.read_samples)

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        if self.average is not None:
            self.average.swap(self.spread.net)
        try:
            yield
        finally:
            if self.average is not None:
                self.average.swap(self.spread.net)


def about_looking(line: dict[str, Any]) -> str:
    """What is to be said of a network that doesn't look, as a step's line has it."""
    return (
        f"step {line['step']}: it doesn't look. The held-out loss is {line['own_image_loss']:.3f} with a sample's own image, and "
        f"{line['other_image_loss']:.3f} with another's: what it says doesn't follow from what it sees"
    )
