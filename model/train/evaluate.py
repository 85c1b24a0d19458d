"""Measures the network on held-out samples: its loss, and whether it looks at the image.

T learned tokens of a batch
"""

import json
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar, cast

import torch
from torch import Tensor

from datagen.disk.storage import Folder
from model.data.loader import by_threads, job, maker
from model.data.modes import placeholders
from model.data.plan import packed
from model.data.rows import NO_ANSWER, Draw
from model.data.split import Corpus, by_hash
from model.generate import on_one_thread
from model.net.batch import Batch, through
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import Views
from model.net.loss import IGNORED
from model.net.tokenizer import TextTokenizer
from model.train.process import GoesOn, Stopped, always
from model.train.ranks import ALONE, Ranks
from model.train.readings import Readings, readings
from model.train.spread import Spread
from model.train.step import Train

log = logging.getLogger(__name__)

T = TypeVar("T")

READBACK = "readback.json"
MOST_THREADS = 4  # threads that make batches to measure: each has a batch in memory


def held_out_draws(corpus: Corpus, modes: Sequence[str], length: int, count: int) -> list[Draw]:
    """Up to `count` held-out samples of each dataset, under the first prompt that each can answer, with the modes in turn. They
    are the same at every evaluation and in every run. None is longer than `length`."""
    draws: list[Draw] = []
    for number, (columns, rows) in enumerate(zip(corpus.columns, corpus.held_out, strict=True)):
        of_corpus: list[Draw] = []
        for row in by_hash(rows, columns)[: 4 * count].tolist():
            prompt = next((p for p, n in enumerate(columns.answer_NP[row]) if n != NO_ANSWER), None)
            if prompt is None or len(of_corpus) == count:
                continue
            sizes = columns.sizes(row)
            mode = modes[len(of_corpus) % len(modes)] if sizes else ""
            num_tokens = int(columns.answer_NP[row, prompt]) + sum(placeholders(mode, tuple(modes), *size) for size in sizes)
            if num_tokens <= length:
                of_corpus.append(Draw(0, number, row, prompt, mode, num_tokens, 0))
        of_corpus.sort(key=lambda draw: draw.row)
        draws += [draw._replace(number=len(draws) + n) for n, draw in enumerate(of_corpus)]
    return draws


class _Place(NamedTuple):
    """An image: its draw, and its number there."""

    draw: Draw
    number: int


@dataclass(frozen=True)
class _Measured:
    """A batch to measure: its rows; for each of its images the image that replaces it, None if it stays; and for each learned
    token whether its sample then has another's image."""

    rows: list[list[Draw]]
    others: list[_Place | None]
    exchanged_T: Tensor

    @property
    def wanted(self) -> list[Draw]:
        """The samples whose images replace others."""
        return list(dict.fromkeys(place.draw for place in self.others if place is not None))


class HeldOut:
    """Held-out samples for measuring the loss. Their batches are made for each measurement, since their images would take
    gigabytes. True if there is anything to measure. `unreadable` counts unreadable samples by reason; they are left out."""

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: TextTokenizer,
        modes: Sequence[str],
        length: int,
        micro_rows: int,
        count: int,
        threads: int = 1,
        for_gpu: bool = False,
    ):
        self.corpus, self.threads = corpus, threads
        self._pins = for_gpu and torch.cuda.is_available()
        self.names = tuple(dataset.name for dataset in corpus.datasets)
        self.maker = maker(corpus, tokenizer, modes, length=length if for_gpu else 0)
        self.unreadable: Counter[str] = Counter()
        draws = held_out_draws(corpus, modes, length, count)
        rows = [[draws[at] for at in row] for row in packed([draw.length for draw in draws], length)]
        self.measured = self._looked_at([rows[start : start + micro_rows] for start in range(0, len(rows), micro_rows)])

    def __bool__(self) -> bool:
        return any(len(one.exchanged_T) for one in self.measured)

    def batches(self, ranks: Ranks = ALONE) -> Generator[tuple[_Measured, Batch, Batch | None] | None, None, None]:
        """This rank's batches (`ranks` take turns), each also with other images (None without images to exchange). If a file is
        gone since, the log names it, and None replaces the batch."""
        own_share = self.measured[ranks.copy :: ranks.layout.copies]
        rows = [rows for one in own_share for rows in (one.rows, *([[one.wanted]] if one.wanted else []))]
        with closing(self._made(rows)) as made:
            for one in own_share:
                own = next(made)
                others = next(made) if one.wanted else None
                if gone := [*own.skipped, *(others.skipped if others is not None else ())]:
                    log.warning("held-out samples can't be read any more, such as %s: %s", gone[0].place, gone[0].detail)
                    yield None
                else:
                    yield one, own, None if others is None else self._exchanged(one, own, others)

    def _made(self, rows: Sequence[list[list[Draw]]]) -> Generator[Batch, None, None]:
        return by_threads(self.maker, [job(self.corpus, of_batch) for of_batch in rows], self.threads, self._pins)

    def _looked_at(self, batches: Sequence[list[list[Draw]]]) -> list[_Measured]:
        """The batches that can be measured. All are made once, to find the unreadable samples."""
        kept_batches: list[tuple[list[list[Draw]], Batch, list[_Place], list[int]]] = []
        with closing(self._made(batches)) as made:
            for rows, one in zip(batches, made, strict=True):
                bad = {(skipped.source, skipped.row) for skipped in one.skipped}
                for skipped in one.skipped:
                    self.unreadable[skipped.reason] += 1
                    log.warning("held-out row %d of %s: %s: %s", skipped.row, skipped.source, skipped.reason, skipped.detail)
                good = [[draw for draw in row if (self.names[draw.dataset], draw.row) not in bad] for row in rows]
                places = [_Place(draw, n) for row in good for draw in row for n in range(self._num_images(draw))]
                sizes = [image.num_tokens for image in one.images]
                kept_batches.append((good, replace(one, images=(), pixels=None), places, sizes))
        of_size: dict[int, list[_Place]] = defaultdict(list)
        for _, _, places, sizes in kept_batches:
            for place, size in zip(places, sizes, strict=True):
                of_size[size].append(place)
        another: dict[_Place, _Place] = {}
        for alike in of_size.values():
            if len(alike) > 1:
                another |= dict(zip(alike, [*alike[1:], alike[0]], strict=True))
        measured = []
        for good, one, places, sizes in kept_batches:
            marked = _tokens_of(one, sizes, [n for n, place in enumerate(places) if place in another])
            measured.append(_Measured(good, [another.get(place) for place in places], marked))
        return measured

    def _num_images(self, draw: Draw) -> int:
        return len(self.corpus.columns[draw.dataset].sizes(draw.row))

    def _exchanged(self, one: _Measured, own: Batch, others: Batch) -> Batch:
        """`own` with images of `others`, which has the wanted ones in order."""
        places = [_Place(draw, n) for draw in one.wanted for n in range(self._num_images(draw))]
        images: dict[_Place, Views] = dict(zip(places, others.images, strict=True))
        exchanged = tuple(image if place is None else images[place] for image, place in zip(own.images, one.others, strict=True))
        return replace(own, images=exchanged, pixels=None)


def _tokens_of(batch: Batch, sizes: Sequence[int], images: Sequence[int]) -> Tensor:
    """(T,): whether each learned token's sample has one of these images. `sizes` are the tokens of all images."""
    samples_BL = batch.samples_BL + batch.samples_BL.shape[1] * torch.arange(len(batch.samples_BL))[:, None]
    of_placeholder = samples_BL.flatten()[batch.image_T]
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    wanted = of_placeholder[torch.tensor([starts[n] for n in images], dtype=torch.int64)]
    return torch.isin(samples_BL[batch.labels_BL != IGNORED], wanted)


@torch.no_grad()
def losses(
    net: DeepseekOcr, data: HeldOut, autocast: AbstractContextManager, goes_on: GoesOn = always, ranks: Ranks = ALONE
) -> dict[str, Any]:
    """In nats a token: `held_out_loss`, `held_out_by` dataset; `own_image_loss` and `other_image_loss` over the samples whose
    image was exchanged; and whether the two differ.

    They differ if the difference is more than twice its standard error over tokens, and more than a hundredth of a nat. `goes_on`
    is called before each batch. Each of `ranks` has `net`, and measures its share; all return the same.
    """
    was_training = net.training
    found_here: list[tuple[Tensor, Tensor, Tensor, Tensor] | None] = []
    turns = -(-len(data.measured) // ranks.layout.copies)
    net.eval()
    try:
        with autocast, closing(data.batches(ranks)) as batches:
            for _ in range(turns):
                together(goes_on, ranks)
                found_here.append(_losses_of(net, next(batches, None)))
    finally:
        net.train(was_training)
    of_ranks = ranks.gathered(found_here)
    by_turns = [one for turn in zip(*of_ranks, strict=True) for one in turn if one is not None]
    if not by_turns:
        raise ValueError("none of the held-out samples can be read any more")
    own, sources, own_exchanged, other_exchanged = zip(*by_turns, strict=True)
    each_T, sources_T = torch.cat(own), torch.cat(sources)
    measured: dict[str, Any] = {"held_out_loss": _rounded(each_T.mean())}
    by = {name: each_T[sources_T == n] for n, name in enumerate(data.names)}
    measured["held_out_by"] = {name: _rounded(of_one.mean()) for name, of_one in by.items() if len(of_one)}
    own_T, other_T = torch.cat(own_exchanged), torch.cat(other_exchanged)
    if not len(other_T):
        return measured
    difference_T = other_T - own_T
    error = difference_T.std().item() / math.sqrt(len(difference_T)) if len(difference_T) > 1 else math.inf
    looks = difference_T.mean().item() > max(0.01, 2 * error)
    return measured | {"own_image_loss": _rounded(own_T.mean()), "other_image_loss": _rounded(other_T.mean()), "looks": looks}


def _losses_of(
    net: DeepseekOcr, made: tuple[_Measured, Batch, Batch | None] | None
) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    """The loss and source of each token of a batch; and for tokens with an exchanged image the losses with both images."""
    if made is None:
        return None
    one, batch, others = made
    own_T = _each(net, batch)
    if others is None:
        return own_T, batch.sources_T, own_T[:0], own_T[:0]
    return own_T, batch.sources_T, own_T[one.exchanged_T], _each(net, others)[one.exchanged_T]


def together(goes_on: GoesOn, ranks: Ranks) -> None:
    """Raises `Stopped` on all `ranks` if `goes_on` does on one."""
    stopped = None
    try:
        goes_on()
    except Stopped as error:
        stopped = error
    if ranks.any(stopped is not None):
        raise stopped or Stopped


def _each(net: DeepseekOcr, batch: Batch) -> Tensor:
    return through(net, batch.to(net.lm_head.weight.device)).each_T.cpu()


def _rounded(value: Tensor) -> float:
    return round(value.item(), 5)


class Measure:
    """The measurements of a training. Each raises `Stopped` when `goes_on` does."""

    def __init__(
        self,
        step: Train,
        folder: Folder,
        spread: Spread,
        corpus: Corpus,
        tokenizer: TextTokenizer,
    ):
        self.step, self.folder, self.spread, self.corpus = step, folder, spread, corpus
        self.tokenizer = tokenizer
        self.modes = tuple(mode for mode, weight in step.batches.modes if weight)
        self.held_out = HeldOut(
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
        return self._by_all(lambda net, ranks: losses(net, self.held_out, self.spread.autocast(), goes_on, ranks))

    def read(self, goes_on: GoesOn = always) -> dict[str, dict[str, Any]]:
        """A summary of the network's readings (`readings`)."""
        return self._by_all(lambda net, ranks: self._readings(net, ranks, goes_on).summary)

    def readings(self, net: DeepseekOcr | None) -> Readings:
        """The readings of `net`, which is whole on each rank that has it (`Spread.gathered`)."""
        return self._of(net, lambda net, ranks: self._readings(net, ranks, always))

    def _readings(self, net: DeepseekOcr, ranks: Ranks, goes_on: GoesOn) -> Readings:
        """The readings of `net`. Some of them are written down for people."""
        most = self.step.evaluation.max_new_tokens
        with on_one_thread(), self.spread.autocast():
            draws = held_out_draws(self.corpus, self.modes, self.step.batches.length, self.step.evaluation.read_samples)
            made = readings(net, self.tokenizer, self.corpus, draws, self.modes, most, goes_on, ranks)
        if ranks.is_first:
            shown = json.dumps(made.shown(self.step.evaluation.shown_samples), indent=1, ensure_ascii=False)
            self.folder.write(READBACK, shown.encode("utf-8", "replace"))
        return made

    def _by_all(self, measured: Callable[[DeepseekOcr, Ranks], T]) -> T:
        return self._of(self.spread.gathered(), measured)

    def _of(self, net: DeepseekOcr | None, measured: Callable[[DeepseekOcr, Ranks], T]) -> T:
        """A measurement of `net`. Each rank has all weights for it, and takes its share of the samples, since reading token by
        token can't ask other ranks for weights at each token. In a pipeline only the first rank measures, and the others wait."""
        ranks = self.spread.ranks
        if ranks.layout.pipeline == 1:
            return measured(cast(DeepseekOcr, net), ranks)
        return ranks.from_first(lambda: measured(cast(DeepseekOcr, net), ALONE))

    def after(self, number: int, goes_on: GoesOn = always) -> dict[str, Any]:
        """The due measurements after this many steps, for the step's line: often none."""
        step, last = self.step, number == self.step.schedule.steps
        measured: dict[str, Any] = {}
        if last or number % step.evaluation.loss_every == 0 or number == step.evaluation.looks_after:
            measured |= self.losses(goes_on)
        if step.evaluation.read_every and number % step.evaluation.read_every == 0 and not last:
            measured["read"] = self.read(goes_on)
        return measured


def about_looking(line: dict[str, Any]) -> str:
    """The warning that a network doesn't look at images, from a step's line."""
    return (
        f"step {line['step']}: it doesn't look. The held-out loss is {line['own_image_loss']:.3f} with a sample's own image, and "
        f"{line['other_image_loss']:.3f} with another's: what it says doesn't follow from what it sees"
    )
