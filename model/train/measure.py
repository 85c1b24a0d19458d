"""What a training measures on held-out samples, and when."""

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import torch

from datagen.storage import Folder
from model.data.rows import Draw
from model.data.split import Corpus
from model.deepseek_ocr import DeepseekOcr
from model.tokenizer import TextTokenizer
from model.train import evaluate
from model.train.optim import Average
from model.train.readings import Readings, readings
from model.train.step import Train
from model.train.stop import GoesOn, always

log = logging.getLogger(__name__)

READBACK = "readback.json"
MOST_THREADS = 4  # that make batches to measure: each has one in memory


class Measure:
    """The measurements of a training, with the averaged weights if there are such. Each raises `Stopped` when `goes_on` does."""

    def __init__(
        self,
        step: Train,
        folder: Folder,
        net: DeepseekOcr,
        average: Average | None,
        corpus: Corpus,
        tokenizer: TextTokenizer,
        dtype: torch.dtype,
    ):
        self.step, self.folder, self.net, self.average, self.corpus = step, folder, net, average, corpus
        self.tokenizer, self.dtype = tokenizer, dtype
        self.device = net.lm_head.weight.device
        self.modes = tuple(mode for mode, weight in step.modes if weight)
        self.held_out = evaluate.HeldOut(
            corpus,
            tokenizer,
            self.modes,
            step.length,
            step.micro_rows,
            step.loss_samples,
            max(1, min(MOST_THREADS, step.workers)),
            self.device.type == "cuda",
        )

    def losses(self, goes_on: GoesOn = always) -> dict[str, Any]:
        with self._averaged():
            return evaluate.losses(self.net, self.held_out, self.autocast(), goes_on)

    def read(self, goes_on: GoesOn = always) -> Readings:
        """What the network reads. Some of it is written down for people to look at."""
        threads = torch.get_num_threads()
        # One token is too little work to share: with another process on the second core, two threads took 100 times as long.
        torch.set_num_threads(1)
        try:
            with self._averaged(), self.autocast():
                found = readings(
                    self.net,
                    self.tokenizer,
                    self.corpus,
                    self._draws(),
                    self.modes,
                    self.step.max_new_tokens,
                    goes_on,
                )
        finally:
            torch.set_num_threads(threads)
        shown = json.dumps(found.shown(self.step.shown_samples), indent=1, ensure_ascii=False)
        self.folder.write(READBACK, shown.encode("utf-8", "replace"))
        return found

    def after(self, number: int, goes_on: GoesOn = always) -> dict[str, Any]:
        """What is to be measured after this many steps, for the step's line: often nothing."""
        step, last = self.step, number == self.step.steps
        found: dict[str, Any] = {}
        if last or number % step.loss_every == 0 or number == step.looks_after:
            found |= self.losses(goes_on)
        if step.read_every and number % step.read_every == 0 and not last:
            found["read"] = self.read(goes_on).summary
        return found

    def autocast(self) -> contextlib.AbstractContextManager:
        is_half = self.dtype is not torch.float32
        return torch.autocast(self.device.type, self.dtype) if is_half else contextlib.nullcontext()

    def _draws(self) -> list[Draw]:
        return evaluate.held_out_draws(self.corpus, self.modes, self.step.length, self.step.read_samples)

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        if self.average is not None:
            self.average.swap(self.net)
        try:
            yield
        finally:
            if self.average is not None:
                self.average.swap(self.net)


def about_looking(line: dict[str, Any]) -> str:
    """What is to be said of a network that doesn't look, as a step's line has it."""
    return (
        f"step {line['step']}: it doesn't look. The held-out loss is {line['own_image_loss']:.3f} with a sample's own image, and "
        f"{line['other_image_loss']:.3f} with another's: what it says doesn't follow from what it sees"
    )
