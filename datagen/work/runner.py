"""Runners of tasks: this process, or a dask cluster. One task is one shard; results are on disk, and only reports return.

The runner places tasks. A task has `Needs`, and the runner starts as many workers as there is room for, each with GPUs of its
own. It also closes the engines that tasks opened.
"""

import itertools
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from datagen.engines import OPEN
from datagen.work.needs import A_CORE, Needs, gpus

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

Outcome = tuple[T, R | None, BaseException | None]
"""A task, and its result or its exception."""


class Runner(Protocol):
    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, needs: Needs = A_CORE) -> Iterator[Outcome]:
        """The outcome of every task, in order of completion. `tasks` is read only as fast as tasks end."""
        ...

    def num_workers(self, needs: Needs = A_CORE) -> int:
        """The number of tasks with these needs that run at a time. Raises `ValueError` if there is no room for one."""
        ...


def make_runner(on: str, workers: int = 0) -> Runner:
    """The runner for `on`: inline, local, slurm, or a scheduler's tcp:// or tls:// address. `workers` 0: as many as this machine
    has room for. Raises `ValueError` for another `on`, and for slurm without a number of workers."""
    if on == "inline":
        return InProcess()
    if on == "slurm" and not workers:
        raise ValueError("workers=0: on=slurm needs workers=N, the number of jobs to ask for")
    if on in ("local", "slurm") or on.startswith(("tcp://", "tls://")):
        return DaskRunner(on, workers)
    raise ValueError(f"on={on}: allowed are inline, local, slurm and tcp://HOST:PORT")


@dataclass(frozen=True)
class InProcess:
    """One task after the other, in this process. Their engines are closed after the last task."""

    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, needs: Needs = A_CORE) -> Iterator[Outcome]:
        self.num_workers(needs)
        try:
            for task in tasks:
                try:
                    yield task, fn(task), None
                except Exception as error:
                    yield task, None, error
        finally:
            OPEN.close()

    def num_workers(self, needs: Needs = A_CORE) -> int:
        return _room(needs, 1)


@dataclass(frozen=True)
class DaskRunner:
    """A dask cluster of workers of one thread. The scheduler holds a window of twice as many tasks as workers, never the whole
    job. Workers may join while it runs."""

    on: str
    workers: int = 0

    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, needs: Needs = A_CORE) -> Iterator[Outcome]:
        from distributed import as_completed

        from datagen.work.cluster import connected

        workers = self.num_workers(needs)
        with connected(self.on, workers, needs) as client:
            if client.dashboard_link:
                log.info("dask dashboard: %s", client.dashboard_link)
            if not client.nthreads():
                log.info("waiting for the first worker of %s", self.on)
            resources = {"GPU": needs.gpus} if needs.gpus else None
            waiting = iter(tasks)
            running: dict[str, T] = {}

            def submit() -> list[Any]:
                """Submit tasks up to the window of the present workers."""
                window = 2 * max(workers, sum(client.nthreads().values()))
                futures = []
                for task in itertools.islice(waiting, max(0, window - len(running))):
                    future = client.submit(fn, task, pure=False, resources=resources)
                    running[future.key] = task
                    futures.append(future)
                return futures

            done = as_completed(submit(), raise_errors=False)
            for future in done:
                task = running.pop(future.key)
                error = future.exception() if future.status == "error" else None
                if future.status == "cancelled":
                    error = RuntimeError("the cluster lost this task")
                result = future.result() if error is None else None
                future.release()
                done.update(submit())
                yield task, result, error

    def num_workers(self, needs: Needs = A_CORE) -> int:
        if self.on != "local":
            return self.workers or 1  # only the scheduler knows the size of somebody else's cluster
        return _room(needs, self.workers or (len(gpus()) if needs.gpus else len(os.sched_getaffinity(0))))


def _room(needs: Needs, most: int) -> int:
    """The number of tasks with these needs for which this machine has GPUs and memory, up to `most`. Raises `ValueError` if it is
    0."""
    room = most
    if needs.gpus:
        num_gpus = len(gpus())
        if num_gpus < needs.gpus:
            raise ValueError(
                f"a task needs GPUs: {needs.gpus}; this machine has {num_gpus} "
                "(by CUDA_VISIBLE_DEVICES, or by nvidia-smi where that is not set): choose another on=…, or engines with "
                "?device=cpu"
            )
        room = min(room, num_gpus // needs.gpus)
    if needs.memory_bytes:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if memory < needs.memory_bytes:
            raise ValueError(f"a task needs {needs.memory_bytes / 1e9:.1f} GB of memory, this machine has {memory / 1e9:.1f} GB")
        room = min(room, memory // needs.memory_bytes)
    return room
