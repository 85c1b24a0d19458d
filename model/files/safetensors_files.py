"""Folders of safetensors files: reads a folder's tensors one at a time, and writes such folders, by the library."""

import contextlib
import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from datagen.disk.storage import Folder

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")


class BadCheckpoint(ValueError):
    """A checkpoint that isn't whole, isn't safetensors, or isn't of the network into which it is loaded."""


@dataclass(frozen=True)
class Stored:
    """A tensor in a file of a folder."""

    file: str
    key: str
    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class Reader:
    """The tensors of a folder's safetensors files, to be used with `with`. Remote files are copied to this machine's disk until
    the block ends. Opening raises `FileNotFoundError` and `BadCheckpoint`."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self.tensors: dict[str, Stored] = {}  # by key, file by file, in the order of their bytes
        self.metadata: dict[str, str] = {}
        self._files: dict[str, Any] = {}
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.push(self)  # so that copies are deleted, too, if one of the files is bad
            for name in _files(self.folder):
                path = self._open.enter_context(self.folder.on_disk(name))
                try:
                    file: Any = self._open.enter_context(safe_open(path, "pt"))
                except SafetensorError as error:
                    raise BadCheckpoint(f"{self.folder.path(name)} can't be read: {error}") from error
                self._files[name] = file
                self.metadata |= file.metadata() or {}
                for key in file.offset_keys():
                    if key in self.tensors:
                        raise BadCheckpoint(f"{self.folder.url}: {key} is in {self.tensors[key].file} and in {name}")
                    self.tensors[key] = self._stored(file, name, key)
            stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._files = {}
        self._open.close()

    def read(self, key: str) -> Tensor:
        """The tensor `key`. Its memory is the mapped file: copy it to use it for long."""
        value: Tensor = self._files[self.tensors[key].file].get_tensor(key)
        return value

    def _stored(self, file: Any, name: str, key: str) -> Stored:
        try:
            value: Tensor = file.get_tensor(key)  # its memory is the mapped file: nothing is read
        except (SafetensorError, AttributeError) as error:  # torch lacks its dtype
            raise BadCheckpoint(f"{self.folder.path(name)}: {key} can't be read: {error}") from error
        return Stored(name, key, value.dtype, tuple(value.shape))


def _files(folder: Folder) -> list[str]:
    """The safetensors files of a folder; if it has an index, those in the index. Raises `FileNotFoundError` and
    `BadCheckpoint`."""
    files = folder.names(".safetensors")
    if not files:
        raise FileNotFoundError(f"{folder.url} holds no *.safetensors file; pickled weights are never loaded")
    if folder.exists(INDEX):
        files = sorted(set(weight_map(folder.path(INDEX), folder.read(INDEX)).values()))
        if missing := [name for name in files if not folder.exists(name)]:
            raise BadCheckpoint(f"{folder.url}: {INDEX} names {', '.join(missing)}, which isn't there")
    return files


def weight_map(where: str, index: bytes) -> dict[str, str]:
    """The file of each key, by an index. Raises `BadCheckpoint` with the index's name `where`."""
    try:
        files = json.loads(index)["weight_map"]
        if wrong := [name for name in files.values() if "/" in name or not name.endswith(".safetensors")]:
            raise ValueError(f"{wrong[0]} is no safetensors file beside it")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCheckpoint(f"{where} is no index of safetensors files: {error!r}") from error
    return files


def write(
    folder: Folder,
    tensors: Mapping[str, Tensor],
    metadata: dict[str, str],
    max_bytes: int,
    tell: Callable[[str], None] = lambda line: None,
    index: bytes | None = None,
) -> None:
    """Write `model.safetensors`, or, beyond `max_bytes`, several files and their index; with `index`, the files in it, and
    itself. Tensors that are contiguous in a processor's memory are written from there, without a copy. At the end the folder has
    no other weights. After a kill it has the old weights, the new ones, or files that don't load: never a mix that loads."""
    where = _shared_out(tensors, max_bytes) if index is None else weight_map(INDEX, index)
    files: dict[str, dict[str, Tensor]] = {name: {} for name in sorted(set(where.values()))}
    for key, value in tensors.items():
        files[where[key]][key] = value.detach().cpu().contiguous()
    if index is None and len(files) > 1:
        total = sum(value.nbytes for value in tensors.values())
        index = json.dumps({"metadata": {"total_size": total}, "weight_map": where}, indent=1).encode()
    before = [name for name in folder.names(".safetensors") if _WEIGHTS.fullmatch(name)]
    if index is not None:
        for name in [INDEX, *before]:  # an old part under a new part's name would be mistaken for it
            folder.remove(name)
    for name, of_file in files.items():
        tell(f"{name}: {len(of_file)} tensors, {sum(value.nbytes for value in of_file.values()) / 1e9:.2f} GB")
        with folder.create(name) as file:
            save_file(of_file, file.name, metadata or None)
            with open(file.name, "rb") as saved:  # a private file of the owner's, perhaps not on the disk yet
                os.fchmod(saved.fileno(), stat.S_IMODE(os.fstat(file.fileno()).st_mode))
                os.fsync(saved.fileno())
    if index is not None:
        folder.write(INDEX, index)
        return
    for name in [INDEX, *before]:
        if name not in files:
            folder.remove(name)


def _shared_out(tensors: Mapping[str, Tensor], max_bytes: int) -> dict[str, str]:
    """The file of each key, so that no file with several tensors has more than `max_bytes`."""
    number_of, number, size = dict[str, int](), 1, 0
    for key in sorted(tensors):
        if size and size + tensors[key].nbytes > max_bytes:
            number, size = number + 1, 0
        number_of[key], size = number, size + tensors[key].nbytes
    if number == 1:
        return dict.fromkeys(tensors, SINGLE)
    return {key: f"model-{of_key:05}-of-{number:05}.safetensors" for key, of_key in number_of.items()}
