"""Where tasks run: in this process, or on a dask cluster. One task is one shard; results are on disk, only reports return."""

import contextlib
import itertools
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from datagen.engines import OPEN

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

Outcome = tuple[T, R | None, BaseException | None]
"""A task, and what it returned or what it raised."""


class Runner(Protocol):
    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, needs: str = "cpu") -> Iterator[Outcome]:
        """The outcome of every task, in order of completion. Takes from `tasks` only as fast as it is done with them."""
        ...


def make_runner(on: str, workers: int = 0) -> Runner:
    """The runner for `on`: inline, local, slurm, or a scheduler's tcp:// or tls:// address. `workers` 0: one a core."""
    if on == "inline":
        return InProcess()
    if on in ("local", "slurm") or on.startswith(("tcp://", "tls://")):
        return DaskRunner(on, workers or len(os.sched_getaffinity(0)))
    raise ValueError(f"on={on}: allowed are inline, local, slurm and tcp://HOST:PORT")


@dataclass(frozen=True)
class InProcess:
    """One task after the other, in this process. The engines that they opened are closed after the last."""

    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, needs: str = "cpu") -> Iterator[Outcome]:
        try:
            for task in tasks:
                try:
                    yield task, fn(task), None
                except Exception as error:
                    yield task, None, error
        finally:
            OPEN.close()


@dataclass(frozen=True)
class DaskRunner:
    """A dask cluster, with one thread a worker, since engines aren't thread-safe.

    Twice as many tasks as there are workers are submitted at a time: the scheduler holds a window, never the whole job. Workers
    may join while it runs.
    """

    on: str
    workers: int

    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, needs: str = "cpu") -> Iterator[Outcome]:
        from distributed import as_completed

        with self._cluster(needs) as cluster, _client(cluster) as client:
            if client.dashboard_link:
                log.info("dask dashboard: %s", client.dashboard_link)
            if not client.nthreads():
                log.info("waiting for the first worker of %s", self.on)
            resources = {"GPU": 1} if needs == "gpu" else None
            waiting = iter(tasks)
            running: dict[str, T] = {}

            def submit() -> list[Any]:
                """Tasks up to the window of the workers that there are now."""
                window = 2 * max(self.workers, sum(client.nthreads().values()))
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

    def _cluster(self, needs: str) -> Any:
        if self.on == "local":
            return local_cluster(self.workers, needs)
        if self.on == "slurm":
            return slurm_cluster(self.workers, needs)
        return _Address(self.on)


def local_cluster(workers: int, needs: str = "cpu") -> Any:
    """Worker processes on this machine; each may use a GPU if the tasks need one."""
    import dask
    from distributed import LocalCluster

    # What dask sets for general use costs a page a quarter of its time: malloc giving its pixels back to the kernel to be
    # faulted in again, and a profiler that looks at the worker's thread every 10 ms. With the first set, malloc no longer finds
    # its other threshold by itself, and training a reader takes half as long again; this is the largest that it takes.
    settings = {
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 1 << 30,
        "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 << 20,
        "distributed.worker.profile.enabled": False,
    }
    with dask.config.set(settings), _deaf_to_ctrl_c():
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            resources={"GPU": 1} if needs == "gpu" else None,
            memory_limit=0,  # the parser's child has the cap; a nanny that kills the worker would blame the innocent
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.ERROR,
        )


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started in this block don't hear a terminal's Ctrl-C: the parent ends them, without their tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def slurm_cluster(workers: int, needs: str = "cpu") -> Any:
    """`workers` jobs of one thread each, by the section `slurm` of the user's dask-jobqueue configuration; for tasks that need a
    GPU, with what `slurm-gpu` says otherwise. Raises `ValueError`, saying what to copy where, if it isn't there."""
    import dask
    from dask_jobqueue import SLURMCluster

    if not dask.config.get("jobqueue.slurm.memory", None):
        raise ValueError(
            "on=slurm needs jobqueue.slurm in ~/.config/dask/jobqueue.yaml, memory at least: "
            "recipes/jobqueue.yaml is one to start from"
        )
    given: dict[str, Any] = {}
    if needs == "gpu":
        section = dask.config.get("jobqueue.slurm-gpu", None)
        if not section:
            raise ValueError("on=slurm for tasks that need a GPU needs jobqueue.slurm-gpu in ~/.config/dask/jobqueue.yaml")
        given = {name.replace("-", "_"): value for name, value in section.items()}
        extra = given.get("worker_extra_args", dask.config.get("jobqueue.slurm.worker-extra-args", None))
        given["worker_extra_args"] = [*(extra or ()), "--resources", "GPU=1"]
    cluster = SLURMCluster(**given | {"cores": 1, "processes": 1})
    cluster.adapt(minimum=workers, maximum=workers)  # `scale` would not replace jobs that have come to their walltime
    return cluster


class _Address:
    """A cluster that is somebody else's to start and stop."""

    def __init__(self, address: str):
        self.address = address

    def __enter__(self) -> "_Address":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _client(cluster: Any) -> Any:
    from distributed import Client

    return Client(cluster.address if isinstance(cluster, _Address) else cluster, timeout=30)
