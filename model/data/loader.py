"""From a plan's steps to batches: samples are read, degraded and turned into tokens by worker processes.

The plan stands in this process. A worker gets the draws of one batch with the places of their rows, and nothing else: it holds no
index and no state, so that any number of them makes the same batches.
"""

import contextlib
import logging
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from datagen.record import SampleError
from model.batch import Batch, Skipped, batch
from model.data.plan import Plan
from model.data.rows import Draw, Example, Reader
from model.data.split import Corpus
from model.data.tokens import Degrade, made
from model.image import Views
from model.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

MAX_SKIPPED = 0.5
_ENOUGH = 100
_NAMED = 10


class Job(NamedTuple):
    """A batch to make: its rows of draws, and where their samples lie."""

    rows: list[list[tuple[Draw, Any]]]


@dataclass(frozen=True)
class Maker(TorchDataset):
    """Makes batches. It is all that a worker process has."""

    readers: tuple[Reader, ...]
    names: tuple[str, ...]
    tokenizer: TextTokenizer
    modes: tuple[str, ...]
    degrade: Degrade | None = None
    length: int = 0

    def __getitem__(self, job: Job) -> Batch:
        rows, skipped = [], []
        for draws in job.rows:
            tokens = []
            for draw, place in draws:
                try:
                    example = _read(self.readers[draw.dataset], place, draw.prompt)
                    tokens.append(made(example, draw, self.modes, self.tokenizer, self.degrade))
                except SampleError as error:
                    skipped.append(Skipped(self.names[draw.dataset], draw.row, str(place), error.reason, error.detail))
            rows.append(tokens)
        return batch(rows, self.tokenizer, self.length, skipped)


class Loader:
    """The batches of a plan's steps, for one of `world` ranks.

    A rank takes every `world`th row of a step, from its own number on, and puts `micro_rows` of them into a batch. With `workers`
    that many processes make batches ahead; without, a thread of this one does. `pads` fills rows up to the plan's length, so that
    all batches have one shape. Raises `ValueError` for values that aren't allowed.
    """

    def __init__(
        self,
        plan: Plan,
        tokenizer: TextTokenizer,
        degrade: Degrade | None = None,
        micro_rows: int = 1,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
        pads: bool = False,
    ):
        if plan.rows_per_step % world:
            raise ValueError(f"rows_per_step is {plan.rows_per_step}: it must be a multiple of the number of ranks, {world}")
        if micro_rows < 1 or not 0 <= rank < world or workers < 0:
            raise ValueError(f"micro_rows is {micro_rows}, rank {rank} of {world}, workers {workers}")
        self.plan, self.micro_rows, self.rank, self.world, self.workers = plan, micro_rows, rank, world, workers
        self.skipped: Counter[tuple[str, str]] = Counter()
        self._num_made = 0
        self.maker = maker(plan.corpus, tokenizer, tuple(plan.modes), degrade, plan.length if pads else 0)

    def steps(self, first: int, stop: int) -> Iterator[list[Batch]]:
        """The batches of each step from `first` to `stop` - 1. Raises `ValueError` if more than half of the samples are bad."""
        num_micros = -(-(self.plan.rows_per_step // self.world) // self.micro_rows)
        batches = self._from_workers(first, stop) if self.workers else self._from_a_thread(first, stop)
        with contextlib.closing(batches):
            for _ in range(first, stop):
                yield [self._checked(next(batches)) for _ in range(num_micros)]

    def _from_workers(self, first: int, stop: int) -> Generator[Batch, None, None]:
        """Whatever the workers do when this is closed, they are gone afterwards."""
        collate: Any = _flat
        loader = DataLoader(
            self.maker,
            batch_size=None,
            sampler=_Jobs(self, first, stop),
            num_workers=self.workers,
            collate_fn=collate,
            multiprocessing_context="fork",
            worker_init_fn=_begin,
        )
        others = set(multiprocessing.active_children())
        batches = iter(loader)
        workers = set(multiprocessing.active_children()) - others
        try:
            yield from map(_unflat, batches)
        finally:
            del batches  # which has them end after the batch that they are at, and waits for some seconds
            for worker in workers:
                worker.kill()
                worker.join()

    def _from_a_thread(self, first: int, stop: int) -> Generator[Batch, None, None]:
        """One batch ahead. The plan is asked in the caller's thread, since it keeps windows."""
        with ThreadPoolExecutor(1) as pool:
            ahead: deque[Future[Batch]] = deque()
            for one in _Jobs(self, first, stop):
                ahead.append(pool.submit(self.maker.__getitem__, one))
                if len(ahead) > 1:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _checked(self, one: Batch) -> Batch:
        self._num_made += one.num_samples
        for skipped in one.skipped:
            kind = (skipped.source, skipped.reason)
            self.skipped[kind] += 1
            if self.skipped[kind] <= _NAMED:
                log.warning("passed over row %d of %s: %s: %s", skipped.row, skipped.source, skipped.reason, skipped.detail)
        num_skipped = self.skipped.total()
        if num_skipped >= _ENOUGH and num_skipped > MAX_SKIPPED * (num_skipped + self._num_made):
            kinds = ", ".join(f"{n} of {source}: {reason}" for (source, reason), n in self.skipped.most_common(5))
            raise ValueError(f"{num_skipped} of {num_skipped + self._num_made} samples are bad ({kinds})")
        return one


def maker(
    corpus: Corpus, tokenizer: TextTokenizer, modes: Sequence[str], degrade: Degrade | None = None, length: int = 0
) -> Maker:
    """What makes batches of draws of this corpus."""
    readers = tuple(dataset.reader for dataset in corpus.datasets)
    return Maker(readers, tuple(d.name for d in corpus.datasets), tokenizer, tuple(modes), degrade, length)


def job(corpus: Corpus, rows: Sequence[Sequence[Draw]]) -> Job:
    """What a maker needs to make a batch of these rows of draws."""
    return Job([[(draw, corpus.datasets[draw.dataset].place(draw.row)) for draw in row] for row in rows])


def read(corpus: Corpus, draw: Draw) -> Example:
    """The sample that was drawn, with its images as they are. Raises `SampleError` if it is bad."""
    dataset = corpus.datasets[draw.dataset]
    return _read(dataset.reader, dataset.place(draw.row), draw.prompt)


def _read(reader: Reader, place: Any, prompt: int) -> Example:
    """The row at `place`. Raises `SampleError`, also where a file has gone, or a server doesn't answer: one disk or tar that
    fails must not end a training, and if most of them do, `Loader` ends it."""
    try:
        return reader.read(place, prompt)
    except OSError as error:
        raise SampleError("unreadable", f"{type(error).__name__}: {error}") from error


class _Jobs:
    """A rank's batches of some steps, in order, for torch's loader."""

    def __init__(self, loader: Loader, first: int, stop: int):
        self.loader, self.first, self.stop = loader, first, stop

    def __iter__(self) -> Iterator[Job]:
        loader = self.loader
        for number in range(self.first, self.stop):
            rows = loader.plan.step(number)[loader.rank :: loader.world]
            for start in range(0, len(rows), loader.micro_rows):
                yield job(loader.plan.corpus, rows[start : start + loader.micro_rows])


class _Flat(NamedTuple):
    """A batch whose images are one tensor: each tensor that a process hands over takes a file descriptor."""

    batch: Batch
    pixels: Tensor
    shapes: list[tuple[tuple[int, ...], tuple[int, ...] | None, tuple[int, int]]]


def _flat(one: Batch) -> _Flat:
    shapes, tensors = [], [torch.zeros(0)]
    for whole, tiles, grid in (vars(view).values() for view in one.images):
        shapes.append((tuple(whole.shape), None if tiles is None else tuple(tiles.shape), grid))
        tensors += [whole.flatten()] if tiles is None else [whole.flatten(), tiles.flatten()]
    return _Flat(replace(one, images=()), torch.cat(tensors), shapes)


def _unflat(flat: _Flat) -> Batch:
    images, start = [], 0
    for whole_shape, tiles_shape, grid in flat.shapes:
        whole, start = _taken(flat.pixels, start, whole_shape)
        tiles = None
        if tiles_shape is not None:
            tiles, start = _taken(flat.pixels, start, tiles_shape)
        images.append(Views(whole, tiles, grid))
    return replace(flat.batch, images=tuple(images))


def _taken(pixels: Tensor, start: int, shape: tuple[int, ...]) -> tuple[Tensor, int]:
    stop = start + torch.Size(shape).numel()
    return pixels[start:stop].view(shape), stop


def _begin(worker: int) -> None:
    """Clusters send SIGTERM to all processes of a job. A worker goes on until the training has its checkpoint. If the training
    dies, torch's loop sees that the parent is another one, and ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
