"""The process of a training: torch's environment, its settings for computing, and SIGTERM, with which clusters take a machine
back. Then a training ends its step, writes a checkpoint, and exits."""

import contextlib
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from datagen.disk.storage import Folder
from model.train.step import Compute, Train

FLIGHT = "flight-"
STOPPED = 128 + signal.SIGTERM  # the exit code, as a shell reports the signal

# Called repeatedly in long work. It raises `Stopped` once the training was asked to stop.
GoesOn = Callable[[], None]


def environment(step: Train, out: Folder | None = None) -> dict[str, str]:
    """The environment that torch needs before it begins, without the variables that are set already. With `out`, that of ranks.

    PYTORCH_ALLOC_CONF          a GPU's memory is taken in pieces that grow, since views have many sizes
    CUBLAS_WORKSPACE_CONFIG     for deterministic products on a GPU
    TORCH_FR_…                  a rank records its last calls of NCCL, and writes them down if one waits for too long
    """
    wanted: dict[tuple[str, ...], str] = {("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"): "expandable_segments:True"}
    if step.compute.deterministic:
        wanted["CUBLAS_WORKSPACE_CONFIG",] = ":4096:8"
    if out is not None:
        wanted |= {("TORCH_FR_BUFFER_SIZE", "TORCH_NCCL_TRACE_BUFFER_SIZE"): "2000", ("TORCH_NCCL_DUMP_ON_TIMEOUT",): "1"}
    if out is not None and out.local:
        wanted["TORCH_FR_DUMP_TEMP_FILE", "TORCH_NCCL_DEBUG_INFO_TEMP_FILE"] = str(out.local / step.name / FLIGHT)
    return {names[0]: value for names, value in wanted.items() if not any(name in os.environ for name in names)}


@contextlib.contextmanager
def computing(compute: Compute) -> Iterator[None]:
    """Within, torch has the threads of `compute`, and deterministic algorithms if `compute` asks for them."""
    import torch  # `model.train.launch` doesn't need it

    threads, is_deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    settings: Any = torch.utils.deterministic
    fills = settings.fill_uninitialized_memory
    torch.set_num_threads(compute.threads)
    if compute.deterministic:
        torch.use_deterministic_algorithms(True)
        settings.fill_uninitialized_memory = False  # nobody reads it, and each tensor would be written twice
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if compute.deterministic:
            torch.use_deterministic_algorithms(is_deterministic)
            settings.fill_uninitialized_memory = fills


@contextlib.contextmanager
def garbage_frozen() -> Iterator[None]:
    """Within, the garbage collector skips the present objects. Searching them took 0.4 seconds, at another step on each rank, and
    the others wait."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class Stopped(Exception):
    """A measurement was given up, because the training was asked to stop."""


def always() -> None:
    """Never raises."""


@contextlib.contextmanager
def terminated() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, if this is the process's main thread."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)


def until(asked: threading.Event) -> GoesOn:
    """A function that raises `Stopped` after the event is set, and does nothing before."""

    def goes_on() -> None:
        if asked.is_set():
            raise Stopped

    return goes_on
