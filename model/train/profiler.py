"""A trace of some steps of a training, and on a GPU a snapshot of its memory.

out/NAME/profile/trace-RANK.json.gz     for chrome://tracing or https://ui.perfetto.dev: every operation on processor and GPU
out/NAME/profile/memory-RANK.pickle     for https://pytorch.org/memory_viz: who asked for each piece of a GPU's memory
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from datagen.disk.storage import Folder

log = logging.getLogger(__name__)

FOLDER = "profile"
_MOST_EVENTS = 100_000


class Profiler:
    """Traces the steps from the first to the last of `steps`, counted from 1, on this rank: those of them that this process
    trains. Without any it does nothing. `close` writes a trace whose last step didn't come."""

    def __init__(self, steps: tuple[int, ...], folder: Folder, rank: int, device: torch.device):
        self.steps, self.folder, self.rank, self.device = steps, folder.sub(FOLDER), rank, device
        self._traced: profile | None = None

    @contextlib.contextmanager
    def step(self, number: int) -> Iterator[None]:
        """Around step `number`, which counts from 1."""
        if self.steps and self._traced is None and self.steps[0] <= number <= self.steps[1]:
            self._begin()
        yield
        if self._traced is not None and number == self.steps[1]:
            self._end()

    def close(self) -> None:
        name = _trace(self.rank)
        if self._traced is not None:
            self._end()
            log.warning("%s ends before step %d", self.folder.path(name), self.steps[1])
        elif self.steps and not self.folder.exists(name):
            log.warning("no step from %d to %d was trained, so that there is no trace", *self.steps)

    def _begin(self) -> None:
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            torch.cuda.memory._record_memory_history(max_entries=_MOST_EVENTS)
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
        self._traced = profile(activities=activities, record_shapes=True, profile_memory=True)
        self._traced.start()

    def _end(self) -> None:
        assert self._traced is not None
        self._traced.stop()
        with tempfile.TemporaryDirectory() as temporary:
            trace = Path(temporary) / _trace(self.rank)
            self._traced.export_chrome_trace(str(trace))
            self.folder.write(trace.name, trace.read_bytes())
            if self.device.type == "cuda":
                snapshot = Path(temporary) / f"memory-{self.rank}.pickle"
                torch.cuda.memory._dump_snapshot(str(snapshot))
                torch.cuda.memory._record_memory_history(enabled=None)
                self.folder.write(snapshot.name, snapshot.read_bytes())
        self._traced = None


def _trace(rank: int) -> str:
    return f"trace-{rank}.json.gz"
