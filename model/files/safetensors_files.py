"""safetensors folders: what a folder holds, its tensors one at a time, and files written as a stream.

The library reads, and this file keeps its memory small: the library maps a file, and what was read of it counts as this process's
memory until the file is closed. The library writes only what is in memory as a whole, so writing is done here, in the same bytes.
"""

import contextlib
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Self

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from datagen.disk.storage import Folder

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
# In the order in which the library lays them into a file.
DTYPES = {
    "U64": torch.uint64,
    "I64": torch.int64,
    "F64": torch.float64,
    "F32": torch.float32,
    "U32": torch.uint32,
    "I32": torch.int32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "U16": torch.uint16,
    "I16": torch.int16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_ORDER = {dtype: place for place, dtype in enumerate(DTYPES.values())}
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_MAPPED_BYTES = 16 << 20  # that are read of a file before it is opened anew
_PIECE_BYTES = 8 << 20


class BadCheckpoint(ValueError):
    """A checkpoint that isn't whole, isn't safetensors, or isn't of the network that it is loaded into."""


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
    """The tensors of a folder's safetensors files, to be used with `with`.

    A file that isn't on this machine's disk is copied to it until the block ends. Opening raises `FileNotFoundError` and
    `BadCheckpoint`.
    """

    def __init__(self, folder: Folder):
        self.folder = folder
        self.tensors: dict[str, Stored] = {}  # by key, file by file, in the order of their bytes
        self.metadata: dict[str, str] = {}
        self._copies = contextlib.ExitStack()
        self._paths: dict[str, str] = {}
        self._file: Any = None
        self._name, self._num_read = "", 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.push(self)  # so that copies go, too, if one of the files is bad
            for name in _files(self.folder):
                self._paths[name] = self._copies.enter_context(self.folder.on_disk(name))
                self._open(name)
                self.metadata |= self._file.metadata() or {}
                for key in self._file.offset_keys():
                    if key in self.tensors:
                        raise BadCheckpoint(f"{self.folder.url}: {key} is in {self.tensors[key].file} and in {name}")
                    self.tensors[key] = self._stored(key)
            stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()
        self._copies.close()

    def read(self, key: str, at: tuple[int | slice, ...] = ()) -> Tensor:
        """The tensor `key`, or the part that `at` selects. Its memory is the mapped file: copy it to use it for long."""
        tensor = self.tensors[key]
        if self._name != tensor.file or self._num_read >= _MAPPED_BYTES:
            self._open(tensor.file)
        value = self._file.get_slice(key)[at] if at else self._file.get_tensor(key)
        self._num_read += value.numel() * value.element_size()
        return value

    def pieces(self, key: str, at: tuple[int | slice, ...] = ()) -> Iterator[memoryview]:
        """The bytes of `read(key, at)`, some megabytes at a time. `at` must select one run of bytes."""
        tensor = self.tensors[key]
        if at or tensor.num_bytes <= _PIECE_BYTES:
            yield bytes_of(self.read(key, at))
            return
        num_rows = max(1, _PIECE_BYTES * tensor.shape[0] // tensor.num_bytes)
        for start in range(0, tensor.shape[0], num_rows):
            yield bytes_of(self.read(key, (slice(start, start + num_rows),)))

    def _stored(self, key: str) -> Stored:
        entry = self._file.get_slice(key)
        if entry.get_dtype() not in DTYPES:
            raise BadCheckpoint(f"{self.folder.path(self._name)}: {key} has the unknown dtype {entry.get_dtype()}")
        return Stored(self._name, key, DTYPES[entry.get_dtype()], tuple(entry.get_shape()))

    def _open(self, name: str) -> None:
        self._close()
        try:
            self._file = safe_open(self._paths[name], "pt").__enter__()
        except SafetensorError as error:
            key = _first_cut(self._paths[name])
            where = f"{self.folder.path(name)} is cut off within {key}" if key else f"{self.folder.path(name)} can't be read"
            raise BadCheckpoint(f"{where}: {error}") from error
        self._name, self._num_read = name, 0

    def _close(self) -> None:
        if self._file is not None:
            self._file.__exit__(None, None, None)
        self._file, self._name = None, ""


def _files(folder: Folder) -> list[str]:
    """The safetensors files of a folder, those of its index if it has one. Raises `FileNotFoundError` and `BadCheckpoint`."""
    files = folder.names(".safetensors")
    if not files:
        raise FileNotFoundError(f"{folder.url} holds no *.safetensors file; pickled weights are never loaded")
    if folder.exists(INDEX):
        files = sorted(set(weight_map(folder.path(INDEX), folder.read(INDEX)).values()))
        if missing := [name for name in files if not folder.exists(name)]:
            raise BadCheckpoint(f"{folder.url}: {INDEX} names {', '.join(missing)}, which isn't there")
    return files


def _first_cut(path: str) -> str:
    """The first tensor that a file is too short for, or "". The library says that a file is cut off, and not where."""
    size = os.path.getsize(path)
    with open(path, "rb") as file, contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        length = int.from_bytes(file.read(8), "little")
        entries = json.loads(file.read(min(length, size)))
        ends = {key: 8 + length + entry["data_offsets"][1] for key, entry in entries.items() if key != "__metadata__"}
        return min((key for key, end in ends.items() if end > size), key=lambda key: ends[key], default="")
    return ""


def weight_map(where: str, index: bytes) -> dict[str, str]:
    """The file of each key, by an index. Raises `BadCheckpoint`, which names the index as `where`."""
    try:
        files = json.loads(index)["weight_map"]
        if wrong := [name for name in files.values() if "/" in name or not name.endswith(".safetensors")]:
            raise ValueError(f"{wrong[0]} is no safetensors file beside it")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCheckpoint(f"{where} is no index of safetensors files: {error!r}") from error
    return files


def bytes_of(value: Tensor) -> memoryview:
    """The bytes of a tensor, which are copied only if it isn't on the CPU, or not in one piece."""
    flat = value.detach().contiguous().cpu().reshape(-1)
    return flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")


@dataclass(frozen=True)
class Planned:
    """A tensor to write. `data` yields its bytes, in parts of any size."""

    key: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    data: Callable[[], Iterable[bytes | memoryview]]

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def planned(key: str, value: Tensor) -> Planned:
    """`value` as a tensor to write."""
    return Planned(key, value.dtype, tuple(value.shape), lambda: [bytes_of(value)])


def write(
    folder: Folder,
    planned: Iterable[Planned],
    metadata: dict[str, str],
    max_bytes: int,
    tell: Callable[[str], None],
    index: bytes | None = None,
) -> None:
    """`model.safetensors`, or, beyond `max_bytes`, several files and their index; with `index`, the files that it names, and it.

    Tensors are in the library's order, so that a file is the same bytes as the library's. At the end the folder holds no other
    weights. After a kill the folder holds the old weights, the new ones, or files that don't load: never a mix that loads.
    """
    tensors = in_order(planned)
    shards = _shards(tensors, max_bytes) if index is None else _shards_of(weight_map(INDEX, index), tensors)
    if index is None and len(shards) > 1:
        where = {tensor.key: name for name, shard in shards.items() for tensor in shard}
        total = sum(tensor.num_bytes for tensor in tensors)
        index = json.dumps({"metadata": {"total_size": total}, "weight_map": where}, indent=1).encode()
    before = [name for name in folder.names(".safetensors") if _WEIGHTS.fullmatch(name)]
    if index is not None:
        for name in [INDEX, *before]:  # an old part under a new part's name would be taken for one
            folder.remove(name)
    for name, shard in shards.items():
        tell(f"{name}: {len(shard)} tensors, {sum(t.num_bytes for t in shard) / 1e9:.2f} GB")
        with folder.create(name) as file:
            write_one(file, shard, metadata)
    if index is not None:
        folder.write(INDEX, index)
        return
    for name in [INDEX, *before]:
        if name not in shards:
            folder.remove(name)


def in_order(tensors: Iterable[Planned]) -> list[Planned]:
    """`tensors` as the library lays them into a file."""
    return sorted(tensors, key=lambda tensor: (_ORDER[tensor.dtype], tensor.key))


def _shards(tensors: list[Planned], max_bytes: int) -> dict[str, list[Planned]]:
    shards: list[list[Planned]] = [[]]
    for tensor in tensors:
        if shards[-1] and sum(t.num_bytes for t in shards[-1]) + tensor.num_bytes > max_bytes:
            shards.append([])
        shards[-1].append(tensor)
    if len(shards) == 1:
        return {SINGLE: shards[0]}
    return {f"model-{n:05}-of-{len(shards):05}.safetensors": shard for n, shard in enumerate(shards, 1)}


def _shards_of(where: dict[str, str], tensors: list[Planned]) -> dict[str, list[Planned]]:
    shards: dict[str, list[Planned]] = {name: [] for name in sorted(set(where.values()))}
    for tensor in tensors:
        shards[where[tensor.key]].append(tensor)
    return shards


def write_one(file: BinaryIO, tensors: list[Planned], metadata: dict[str, str]) -> None:
    """Write one file of `tensors`, in their order. Takes the memory of one part of one tensor."""
    values: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for tensor in tensors:
        values[tensor.key] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [end, end + tensor.num_bytes],
        }
        end += tensor.num_bytes
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for tensor in tensors:
        written = sum(file.write(part) for part in tensor.data())
        assert written == tensor.num_bytes, f"{tensor.key}: {written} bytes of {tensor.num_bytes}"
