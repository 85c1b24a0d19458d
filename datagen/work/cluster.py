"""Dask clusters that run tasks: workers of one thread, since engines aren't for two, and each worker's GPUs."""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from typing import Any

import dask
from dask.utils import parse_bytes
from distributed import Client, Nanny, Scheduler, SpecCluster, WorkerPlugin

from datagen.engines import OPEN
from datagen.work.needs import A_CORE, Needs, gpus

# Dask's general settings cost a page a quarter of its time: malloc gives its pixels back to the kernel and faults them in again,
# and a profiler looks at the worker's thread every 10 ms. With the first value set, malloc no longer finds its other threshold
# by itself, and training a reader takes half as long again. The second is the largest value that it takes.
_DASK = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 1 << 30,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 << 20,
    "distributed.worker.profile.enabled": False,
}


class CloseEngines(WorkerPlugin):
    """Closes the engines that a worker's tasks opened when the worker stops. If it is killed, the kernel closes them."""

    name = "pagewheel-close-engines"
    idempotent = True  # a second run on the same cluster must not close the engines of the first one's tasks

    def teardown(self, worker: Any) -> None:
        OPEN.close()


@contextlib.contextmanager
def connected(on: str, workers: int, needs: Needs) -> Iterator[Any]:
    """A client of a cluster for tasks with these needs. A cluster that was started here ends with the block. Raises `ValueError`
    if a cluster of somebody else has workers, but none with the GPUs of a task, which would wait for ever."""
    with contextlib.ExitStack() as stack:
        address: Any = on
        if on == "local":
            address = stack.enter_context(local_cluster(workers, needs))
        elif on == "slurm":
            address = stack.enter_context(slurm_cluster(workers, needs))
        client = stack.enter_context(Client(address, timeout=30))
        client.register_plugin(CloseEngines())
        workers_here = client.scheduler_info(n_workers=-1)["workers"].values()
        if workers_here and all(worker["resources"].get("GPU", 0) < needs.gpus for worker in workers_here):
            raise ValueError(f"on={on}: no worker has GPU={needs.gpus}: start dask's workers with --resources GPU={needs.gpus}")
        yield client


def local_cluster(workers: int, needs: Needs = A_CORE) -> Any:
    """Worker processes on this machine. If tasks need GPUs, each worker sees as many as a task needs, and no other worker's."""
    devices = gpus() if needs.gpus else []
    specs = {i: _worker(devices[i * needs.gpus : (i + 1) * needs.gpus]) for i in range(workers)}
    scheduler = {
        "cls": Scheduler,
        "options": {"host": "127.0.0.1", "port": 0, "protocol": "tcp://", "dashboard_address": "127.0.0.1:0"},
    }
    with dask.config.set(_DASK), _deaf_to_ctrl_c():
        return SpecCluster(specs, scheduler, silence_logs=logging.ERROR)


def _worker(devices: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "host": "127.0.0.1",
        "protocol": "tcp://",
        "nthreads": 1,
        "memory_limit": 0,  # the parser's child has the cap; a nanny that kills the worker would blame the innocent
        "silence_logs": logging.ERROR,
        "dashboard": False,
    }
    if devices:
        options |= {"resources": {"GPU": len(devices)}, "env": {"CUDA_VISIBLE_DEVICES": ",".join(devices)}}
    return {"cls": Nanny, "options": options}


def slurm_cluster(workers: int, needs: Needs = A_CORE) -> Any:
    """`workers` jobs of one thread each, by the section `slurm` of the user's dask-jobqueue configuration. For tasks that need
    GPUs, the section `slurm-gpu` overrides it. If servers start beside the workers, a job has a whole machine and the `processes`
    of the section `slurm-serve` as workers. SLURM chooses a job's GPUs. Raises `ValueError` if a section is missing, with the
    file to copy, and if its jobs have less memory than a task needs."""
    from dask_jobqueue import SLURMCluster

    if not dask.config.get("jobqueue.slurm.memory", None):
        raise ValueError(
            "on=slurm needs jobqueue.slurm in ~/.config/dask/jobqueue.yaml, memory at least: "
            "recipes/run/jobqueue.yaml is one to start from"
        )
    values: dict[str, Any] = {}
    if needs.gpus:
        values = _section("slurm-gpu", "for tasks that need a GPU")
        extra = values.get("worker_extra_args", dask.config.get("jobqueue.slurm.worker-extra-args", None))
        values["worker_extra_args"] = [*(extra or ()), "--resources", f"GPU={needs.gpus}"]
    if needs.beside:
        values = _section("slurm-serve", "without server=…")
        before = values.get("job_script_prologue", dask.config.get("jobqueue.slurm.job-script-prologue", None))
        values["job_script_prologue"] = [*(before or ()), needs.beside]
    memory = values.get("memory", dask.config.get("jobqueue.slurm.memory"))
    if parse_bytes(memory) < needs.memory_bytes:
        section_name = "slurm-gpu" if needs.gpus else "slurm"
        raise ValueError(f"jobqueue.{section_name}.memory={memory}: a task needs {needs.memory_bytes / 1e9:.1f} GB")
    each = int(values.get("processes", 1)) if needs.beside else 1
    cluster = SLURMCluster(**values | {"cores": each, "processes": each})
    cluster.adapt(minimum=workers * each, maximum=workers * each)  # `scale` would not replace jobs that reached their walltime
    return cluster


def _section(name: str, what_for: str) -> dict[str, Any]:
    """The arguments in a section of the user's dask-jobqueue configuration."""
    section = dask.config.get(f"jobqueue.{name}", None)
    if not section:
        raise ValueError(f"on=slurm {what_for} needs jobqueue.{name} in ~/.config/dask/jobqueue.yaml")
    return {key.replace("-", "_"): value for key, value in section.items()}


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started in this block ignore a terminal's Ctrl-C: the parent ends them, without their tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
