"""safetensors folders as byte ranges: what a folder holds, its tensors one at a time, and files written as a stream.

The library reads a file into memory or maps it, and writes what is in memory as a whole; a checkpoint of several gigabytes is
read, written and rearranged here with one tensor's worth. Format: eight bytes of length, JSON, then the tensors.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch
from torch import Tensor

from datagen.storage import Folder

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
_MAX_HEADER = 100 << 20  # as the library has it
_PIECE = 16 << 20


class BadCheckpoint(ValueError):
    """A checkpoint that isn't whole, isn't safetensors, or isn't of the network that it is loaded into."""


@dataclass(frozen=True)
class Stored:
    """A tensor in a file: `start` counts from the file's beginning."""

    file: str
    key: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def stored(folder: Folder) -> dict[str, Stored]:
    """All tensors of a folder's safetensors files, by key. Raises `FileNotFoundError` and `BadCheckpoint`."""
    files = folder.names(".safetensors")
    if not files:
        raise FileNotFoundError(f"{folder.url} holds no *.safetensors file; pickled weights are never loaded")
    if folder.exists(INDEX):
        files = sorted(set(weight_map(folder.path(INDEX), folder.read(INDEX)).values()))
        if missing := [name for name in files if not folder.exists(name)]:
            raise BadCheckpoint(f"{folder.url}: {INDEX} names {', '.join(missing)}, which isn't there")
    found: dict[str, Stored] = {}
    for name in files:
        for tensor in header(folder, name)[0]:
            if tensor.key in found:
                raise BadCheckpoint(f"{folder.url}: {tensor.key} is in {found[tensor.key].file} and in {name}")
            found[tensor.key] = tensor
    return found


def weight_map(where: str, index: bytes) -> dict[str, str]:
    """The file of each key, by an index. Raises `BadCheckpoint`, which names it as `where`."""
    try:
        found = json.loads(index)["weight_map"]
        if wrong := [name for name in found.values() if "/" in name or not name.endswith(".safetensors")]:
            raise ValueError(f"{wrong[0]} is no safetensors file beside it")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCheckpoint(f"{where} is no index of safetensors files: {error!r}") from error
    return found


def header(folder: Folder, name: str) -> tuple[list[Stored], dict[str, str]]:
    """The tensors of one file, in the order of their bytes, and its metadata. Raises `BadCheckpoint`."""
    where = folder.path(name)
    size = folder.fs.size(where)
    length = int.from_bytes(folder.read(name, 0, 8), "little")
    if size < 8 or length > min(_MAX_HEADER, size - 8):
        raise BadCheckpoint(f"{where} is no safetensors file, or cut off within its header: {size} bytes")
    try:
        values: dict[str, Any] = json.loads(folder.read(name, 8, 8 + length))
        metadata = values.pop("__metadata__", {})
        found = [_stored(name, key, value, 8 + length) for key, value in values.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCheckpoint(f"{where}: its header can't be read: {error}") from error
    found.sort(key=lambda tensor: (tensor.start, tensor.num_bytes))
    end = 8 + length
    for tensor in found:
        if tensor.start != end:
            raise BadCheckpoint(f"{where}: {tensor.key} begins at byte {tensor.start}; the one before ends at {end}")
        end += tensor.num_bytes
        if end > size:
            raise BadCheckpoint(f"{where} is cut off: {tensor.key} {tensor.shape} ends at byte {end}, the file at {size}")
    if end != size:
        raise BadCheckpoint(f"{where} has {size - end} bytes after its last tensor")
    return found, metadata


def _stored(file: str, key: str, value: Mapping[str, Any], base: int) -> Stored:
    if value["dtype"] not in DTYPES:
        raise ValueError(f"{key} has the unknown dtype {value['dtype']}")
    start, end = value["data_offsets"]
    tensor = Stored(file, key, DTYPES[value["dtype"]], tuple(value["shape"]), base + start)
    if tensor.num_bytes != end - start or start < 0 or any(side < 0 for side in tensor.shape):
        raise ValueError(f"{key} {tensor.shape} takes {tensor.num_bytes} bytes; {end - start} are set aside")
    return tensor


def tensors(folder: Folder, wanted: Iterable[Stored]) -> Iterator[tuple[Stored, Tensor]]:
    """Each of `wanted` from its file, one at a time, on the CPU."""
    for file, opened, tensor in _in_order(folder, wanted):
        data = bytearray(tensor.num_bytes)
        opened.seek(tensor.start)
        if _fill(opened, data) != len(data):
            raise BadCheckpoint(f"{folder.path(file)} is cut off within {tensor.key}")
        flat = torch.frombuffer(data, dtype=tensor.dtype) if data else torch.empty(0, dtype=tensor.dtype)
        yield tensor, flat.view(tensor.shape)


def _in_order(folder: Folder, wanted: Iterable[Stored]) -> Iterator[tuple[str, BinaryIO, Stored]]:
    by_file: dict[str, list[Stored]] = {}
    for tensor in wanted:
        by_file.setdefault(tensor.file, []).append(tensor)
    for file, found in by_file.items():
        with folder.open(file) as opened:
            for tensor in sorted(found, key=lambda tensor: tensor.start):
                yield file, opened, tensor


def _fill(file: BinaryIO, data: bytearray) -> int:
    view, done = memoryview(data), 0
    while done < len(view) and (num := file.readinto(view[done:])):  # type: ignore[attr-defined]
        done += num
    return done


@dataclass(frozen=True)
class Planned:
    """A tensor to write: `data` yields its bytes, in parts as large as it likes."""

    key: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    data: Callable[[], Iterable[bytes | memoryview]]

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def planned(key: str, value: Tensor) -> Planned:
    def data() -> Iterator[memoryview]:
        flat = value.detach().contiguous().cpu().reshape(-1)
        yield flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")

    return Planned(key, value.dtype, tuple(value.shape), data)


def copied(folder: Folder, parts: Iterable[Stored]) -> Iterator[bytes]:
    """The bytes of tensors one after the other, some megabytes at a time."""
    for tensor in parts:
        with folder.open(tensor.file) as opened:
            opened.seek(tensor.start)
            left = tensor.num_bytes
            while left:
                piece = opened.read(min(left, _PIECE))
                if not piece:
                    raise BadCheckpoint(f"{folder.path(tensor.file)} is cut off within {tensor.key}")
                left -= len(piece)
                yield piece


def write(
    folder: Folder,
    planned: Iterable[Planned],
    metadata: dict[str, str],
    max_bytes: int,
    tell: Callable[[str], None],
    index: bytes | None = None,
) -> None:
    """`model.safetensors`, or, beyond `max_bytes`, several files and their index; with `index`, the files that it names, and it.

    Tensors are in the library's order, so that a file is the same bytes as the library's. Weights that the folder held are gone
    at the end; after a kill they are there whole, or what is there doesn't load.
    """
    tensors = sorted(planned, key=lambda tensor: (_ORDER[tensor.dtype], tensor.key))
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
            _write_one(file, shard, metadata)
    if index is not None:
        folder.write(INDEX, index)
        return
    for name in [INDEX, *before]:
        if name not in shards:
            folder.remove(name)


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


def _write_one(file: BinaryIO, shard: list[Planned], metadata: dict[str, str]) -> None:
    values: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for tensor in shard:
        values[tensor.key] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [end, end + tensor.num_bytes],
        }
        end += tensor.num_bytes
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for tensor in shard:
        written = sum(file.write(part) for part in tensor.data())
        assert written == tensor.num_bytes, f"{tensor.key}: {written} bytes of {tensor.num_bytes}"
