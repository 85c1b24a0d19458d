"""From a plan's steps to batches: worker processes read samples, degrade them and turn them into tokens.

The plan is in this process. A worker gets the draws of one batch with the places of their rows. It has no index and no state, so
any number of workers makes the same batches.
"""

import contextlib
import logging
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from datagen.record import SampleError
from model.data.plan import Plan
from model.data.rows import Draw, Example, Reader
from model.data.split import Corpus
from model.data.tokens import Degrade, made
from model.net.batch import Batch, Skipped, batch
from model.net.image import parted, together
from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

MAX_SKIPPED = 0.5
UNREADABLE = "unreadable"
_ENOUGH = 100
_NAMED = 10


class Job(NamedTuple):
    """A batch to make: its rows of draws, with the places of their samples."""

    rows: list[list[tuple[Draw, Any]]]


@dataclass(frozen=True)
class Maker(TorchDataset):
    """Makes batches; a worker process needs nothing else."""

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

    A rank takes every `world`th row of a step, from its own number on, and puts `micro_rows` of them into a batch. With
    `workers`, that many processes make batches ahead; without, a thread of this process does. With `fills`, rows are padded to
    the plan's length, so all batches have one shape. With `pins`, batches are in memory from which a GPU can copy while it
    computes. Raises `ValueError` for values that aren't allowed.
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
        fills: bool = False,
        pins: bool = False,
    ):
        if plan.rows_per_step % world:
            raise ValueError(f"rows_per_step is {plan.rows_per_step}: it must be a multiple of the number of ranks, {world}")
        if micro_rows < 1 or not 0 <= rank < world or workers < 0:
            raise ValueError(f"micro_rows is {micro_rows}, rank {rank} of {world}, workers {workers}")
        self.plan, self.micro_rows, self.rank, self.world, self.workers = plan, micro_rows, rank, world, workers
        self.skipped: Counter[tuple[str, str]] = Counter()
        self._num_made = 0
        self._pins = pins and torch.cuda.is_available()
        self.maker = maker(plan.corpus, tokenizer, tuple(plan.modes), degrade, plan.length if fills else 0)

    def steps(self, first: int, stop: int) -> Generator[list[Batch], None, None]:
        """The batches of each step from `first` to `stop` - 1. Raises `ValueError` if more than half of the samples are bad, and
        `OSError` if a failing disk or server is the cause."""
        num_micros = -(-(self.plan.rows_per_step // self.world) // self.micro_rows)
        with contextlib.closing(made_ahead(self.maker, self._jobs(first, stop), self.workers, self._pins)) as batches:
            for _ in range(first, stop):
                yield [self._checked(next(batches)) for _ in range(num_micros)]

    def _jobs(self, first: int, stop: int) -> Iterator[Job]:
        """A rank's batches of some steps, in order. A thread plans the next step meanwhile: a window takes up to a sixth of a
        second, for which all ranks would wait."""
        with ThreadPoolExecutor(1) as planner:
            coming = planner.submit(self.plan.step, first)
            for number in range(first, stop):
                rows = coming.result()[self.rank :: self.world]
                if number + 1 < stop:
                    coming = planner.submit(self.plan.step, number + 1)
                for start in range(0, len(rows), self.micro_rows):
                    yield job(self.plan.corpus, rows[start : start + self.micro_rows])

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
            message = f"{num_skipped} of {num_skipped + self._num_made} samples are bad ({kinds})"
            num_unreadable = sum(n for (_, reason), n in self.skipped.items() if reason == UNREADABLE)
            raise OSError(message) if num_unreadable > num_skipped / 2 else ValueError(message)
        return one


def maker(
    corpus: Corpus, tokenizer: TextTokenizer, modes: Sequence[str], degrade: Degrade | None = None, length: int = 0
) -> Maker:
    """The maker of batches of this corpus's draws."""
    readers = tuple(dataset.reader for dataset in corpus.datasets)
    return Maker(readers, tuple(d.name for d in corpus.datasets), tokenizer, tuple(modes), degrade, length)


def job(corpus: Corpus, rows: Sequence[Sequence[Draw]]) -> Job:
    """The job of a maker for these rows of draws."""
    return Job([[(draw, corpus.datasets[draw.dataset].place(draw.row)) for draw in row] for row in rows])


def read(corpus: Corpus, draw: Draw) -> Example:
    """The drawn sample, with its images unchanged. Raises `SampleError` if it is bad."""
    dataset = corpus.datasets[draw.dataset]
    return _read(dataset.reader, dataset.place(draw.row), draw.prompt)


def _read(reader: Reader, place: Any, prompt: int) -> Example:
    """The row at `place`. Raises `SampleError`, also if a file is gone, or a server doesn't answer: one failing disk or tar must
    not end a training. If most samples fail, `Loader` ends it."""
    try:
        return reader.read(place, prompt)
    except OSError as error:
        raise SampleError(UNREADABLE, f"{type(error).__name__}: {error}") from error


def made_ahead(maker: Maker, jobs: Iterable[Job], workers: int, pins: bool = False) -> Generator[Batch, None, None]:
    """The batch of each job, in order, made ahead by `workers` processes, or by a thread of this one for 0. `jobs` are drawn in
    the caller's thread. With `pins`, batches are in memory from which a GPU copies by itself."""
    return _from_workers(maker, jobs, workers, pins) if workers else by_threads(maker, jobs, 1, pins)


def _from_workers(maker: Maker, jobs: Iterable[Job], num_workers: int, pins: bool) -> Generator[Batch, None, None]:
    """The batches by worker processes, which are gone after this is closed, whatever they do."""
    collate: Any = _flat
    loader = DataLoader(
        maker,
        batch_size=None,
        sampler=jobs,
        num_workers=num_workers,
        collate_fn=collate,
        multiprocessing_context="fork",
        worker_init_fn=_begin,
        pin_memory=pins,
    )
    others = set(multiprocessing.active_children())
    batches = iter(loader)
    workers = set(multiprocessing.active_children()) - others
    try:
        yield from map(_unflat, batches)
    finally:
        del batches  # ends the workers after their present batches, and waits for some seconds
        for worker in workers:
            worker.kill()
            worker.join()


def by_threads(maker: Maker, jobs: Iterable[Job], num: int, pins: bool = False) -> Generator[Batch, None, None]:
    """As `made_ahead`, by `num` threads of this process, each with a batch in memory. In the middle of a training no process
    should be forked: it would have the locks that other threads hold then."""

    def make(job: Job) -> Batch:
        return maker[job].pin_memory() if pins else maker[job]

    # Otherwise a thread would take the first of several GPUs.
    device = torch.cuda.current_device() if pins else None
    with ThreadPoolExecutor(num, initializer=lambda: None if device is None else torch.cuda.set_device(device)) as pool:
        ahead: deque[Future[Batch]] = deque()
        for one in jobs:
            ahead.append(pool.submit(make, one))
            if len(ahead) > num:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _flat(one: Batch) -> Batch:
    """The batch with its images as one tensor, and their shapes alone beside it: each tensor that a process passes takes a file
    descriptor."""
    return replace(one, images=tuple(image.to("meta") for image in one.images), pixels=together(one.images))


def _unflat(flat: Batch) -> Batch:
    assert flat.pixels is not None
    return replace(flat, images=parted(flat.pixels, flat.images))


def _begin(worker: int) -> None:
    """Ignore SIGTERM, which clusters send to all processes of a job: a worker goes on until the training has its checkpoint. If
    the training dies, torch's loop sees another parent, and ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
