"""Checkpoints of a training: written beside it, whole or not at all, and read by any number of ranks.

    step-000000120/*.safetensors     weights, moments, generators' states: a file or more a rank
    step-000000120/progress.json     written last: a folder without it is no checkpoint

`torch.distributed.checkpoint` writes and reads them. Its safetensors form needs no unpickling. All tensors are copied first, so
the training goes on while they are written.
"""

import contextlib
import json
import math
import os
import re
import warnings
import zlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from datagen.disk.storage import Folder
from datagen.disk.temporary import temporary_folder
from model.train.lean_adamw import own
from model.train.optim import with_state
from model.train.ranks import ALONE, Ranks

# With one process the library warns at every checkpoint, as if that were a mistake.
warnings.filterwarnings("ignore", "torch.distributed is disabled, unavailable or uninitialized")

PROGRESS = "progress.json"
FILE_BYTES = 2 << 30  # a file is built in memory before it is written
_STEP = re.compile(r"step-(\d{9})")


def tensors(net: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """All tensors on which a training's next step depends, beside its data, by name. Frozen ones are left out, since they stay as
    at the start: a checkpoint of adapters is small."""
    state = _of_net(net)
    for name, parameter in net.named_parameters():
        state |= {f"{slot}/{name}": value for slot, value in optimizer.state.get(parameter, {}).items()}
    state["generator/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        state["generator/cuda"] = torch.cuda.get_rng_state()
    return state


def _of_net(net: nn.Module) -> dict[str, Tensor]:
    frozen = {name for name, p in net.named_parameters(remove_duplicate=False) if not p.requires_grad}
    return {f"net/{name}": value for name, value in net.state_dict().items() if name not in frozen}


class Checkpoints:
    """The checkpoints in a folder, of which the last `keep` are kept."""

    def __init__(self, folder: Folder, keep: int = 2, ranks: Ranks = ALONE):
        """All of `ranks` write and read together. The first one alone writes and deletes single files."""
        self.folder, self.keep, self.ranks = folder, keep, ranks
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._writing: Future[None] | None = None

    def steps(self) -> list[int]:
        """The steps of all whole checkpoints, in order."""
        return [step for step in self._folders() if self.folder.exists(f"{_name(step)}/{PROGRESS}")]

    def save(self, step: int, state: Mapping[str, Tensor], progress: dict[str, Any]) -> None:
        """Begin to write a checkpoint, after the one before is written. `state` and `progress` may change as soon as this
        returns. Raises `OSError` if the one before couldn't be written."""
        self.wait()
        name, progress_json, ranks = _name(step), json.dumps(progress | {"step": step}).encode(), self.ranks
        remote = self.folder.local is None
        built = contextlib.ExitStack()
        path = built.enter_context(temporary_folder()) if remote else self.folder.path(name)
        os.makedirs(path, exist_ok=True)
        files: dict[str, int] = {}
        for of_rank in ranks.gathered(_files(state)):
            files = of_rank | files
        writer = dcp.HuggingFaceStorageWriter(path, files, save_distributed=True)
        group = None if ranks.is_alone else ranks.writers
        own_share = {name: value for name, value in state.items() if _is_written_by(name, value, ranks)}
        written = dcp.async_save(own_share, storage_writer=writer, process_group=group, no_dist=ranks.is_alone)

        assert isinstance(written, Future)  # a stager of our own would return another type

        def finish() -> None:
            failed: BaseException | None = None
            try:
                with built:
                    written.result()
                    for file in os.listdir(path) if remote else ():
                        self.folder.fs.put_file(os.path.join(path, file), self.folder.path(f"{name}/{file}"))
            except BaseException as error:
                failed = error
            why = next(filter(None, ranks.gathered(failed and _cause(failed), group)), None)
            if why is None and ranks.is_first:
                try:
                    self.folder.write(f"{name}/{PROGRESS}", progress_json)
                except BaseException as error:
                    failed, why = error, _cause(error)
            if why is not None:
                if ranks.is_first:
                    self.folder.remove(name)
                raise OSError(f"{self.folder.path(name)}: the checkpoint can't be written: {why}") from failed
            for old in self.steps()[: -self.keep] if ranks.is_first else ():
                self._remove(old)

        self._writing = self._thread.submit(finish)

    def wait(self) -> None:
        """Wait until the checkpoint is written. Raises `OSError`, one sentence, if it can't be."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def load(self, net: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
        """Put the last whole checkpoint into these. Returns its progress, or None if there is none. Half-written ones are
        deleted. Raises `ValueError` if it has other tensors, and `OSError` if it can't be read."""
        last = self.ranks.from_first(self._last)
        if last is None:
            return None
        with_state(optimizer)
        state = tensors(net, optimizer)
        folder = self.folder.sub(_name(last))
        _read(folder, state, self.ranks)
        torch.set_rng_state(state["generator/cpu"])
        if "generator/cuda" in state:
            torch.cuda.set_rng_state(state["generator/cuda"])
        progress: dict[str, Any] = json.loads(folder.read(PROGRESS))
        return progress

    def weights(self, net: nn.Module) -> int:
        """Put the weights of the last whole checkpoint into `net`, and change no file: the training may be going on. Returns the
        step. Raises `FileNotFoundError` if there is none, and `ValueError` if it has other tensors."""
        whole = self.steps()
        if not whole:
            raise FileNotFoundError(f"{self.folder.url} has no whole checkpoint")
        _read(self.folder.sub(_name(whole[-1])), _of_net(net), self.ranks)
        return whole[-1]

    def _last(self) -> int | None:
        """The step of the last whole checkpoint, after half-written ones are deleted."""
        whole = self.steps()
        for step in set(self._folders()) - set(whole):
            self._remove(step)
        return whole[-1] if whole else None

    def _folders(self) -> list[int]:
        if not self.folder.exists(""):
            return []
        names = (entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in self.folder.fs.ls(self.folder.path(""), detail=True))
        return sorted(int(match[1]) for name in names if (match := _STEP.fullmatch(name)))

    def _remove(self, step: int) -> None:
        """Delete a checkpoint, its mark first, so that an interrupted removal leaves no checkpoint."""
        self.folder.remove(f"{_name(step)}/{PROGRESS}")
        self.folder.remove(_name(step))


def _read(folder: Folder, state: dict[str, Tensor], ranks: Ranks) -> None:
    """Fill `state`. Raises `ValueError` if the checkpoint has other tensors, and `OSError` if a disk or a server fails."""
    with temporary_folder() as copied:
        if folder.local is None:
            for file in folder.names(".safetensors"):
                folder.fs.get_file(folder.path(file), os.path.join(copied, file))
        reader = dcp.HuggingFaceStorageReader(copied if folder.local is None else folder.path(""))
        try:
            if "generator/cuda" not in reader.read_metadata().state_dict_metadata:
                state.pop("generator/cuda", None)  # so far the training ran on a processor
            group = None if ranks.is_alone else ranks.writers
            dcp.load(state, storage_reader=reader, process_group=group, no_dist=ranks.is_alone)
        except (Exception, dcp.CheckpointException) as error:  # the latter is no `Exception`
            if isinstance(_first(error), OSError):
                raise OSError(f"{folder.url} can't be read: {_cause(error)}") from error
            raise ValueError(f"{folder.url} is no checkpoint of this training: {_cause(error)}") from error


def _name(step: int) -> str:
    return f"step-{step:09d}"


def _files(state: Mapping[str, Tensor]) -> dict[str, int]:
    """The number of each tensor's file, from 1."""
    files, room, file = {}, math.inf, 0
    for name, value in state.items():
        size = own(value).nbytes
        if not file or size > room:
            file, room = file + 1, FILE_BYTES
        files[name], room = file, room - size
    return files


def _is_written_by(name: str, value: Tensor, ranks: Ranks) -> bool:
    """Whether this rank writes its part of `value`. Ranks with equal tensors write different ones: otherwise each would keep a
    copy of all until they are written."""
    of = ranks.layout
    num, own = (of.replicate, ranks.copy // of.shard) if isinstance(value, DTensor) else (of.copies, ranks.copy)
    return zlib.crc32(name.encode()) % num == own


def _first(error: BaseException) -> BaseException:
    """The first cause of an error."""
    if isinstance(error, dcp.CheckpointException):  # it has the errors of several ranks
        error = next(iter(error.failures.values()))[0]
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _cause(error: BaseException) -> str:
    """The first cause in one line."""
    error = _first(error)
    return " ".join(str(error).split())[:300] or type(error).__name__
