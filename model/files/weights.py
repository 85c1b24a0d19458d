"""The released checkpoint's names and ours, key by key. Folders of weights are loaded, saved, converted and inspected.

    python -m model.files.weights inspect FOLDER               what a folder holds
    python -m model.files.weights convert FOLDER OUT           released names to ours, or ours to the released ones

Both layouts hold the same bytes. Ours stacks a layer's experts, as the network does. The released one has three matrices for
each expert. transformers loads it (with `config.for_transformers`), and vLLM's names are the same. `load` takes either layout,
and `save` writes the released one.
"""

import argparse
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from datagen.disk.storage import Folder, same_place
from model.files.safetensors_files import INDEX, BadCheckpoint, Reader, Stored, weight_map, write
from model.net.config import ModelConfig
from model.net.deepseek_ocr import PARTS, DeepseekOcr, part_of

CONFIG = "config.json"
RELEASED_INDEX = "released.safetensors.index.json"  # lies beside our files, and says which released file had which tensor
MAX_FILE_BYTES = 5_000_000_000
# Beginnings of names, ours and the released ones. The first that fits counts.
_BEGINNINGS = (
    ("encoder.compressor.", "model.sam_model."),
    ("encoder.sam.", "model.sam_model."),
    ("encoder.clip.", "model.vision_model."),
    ("encoder.projector.", "model.projector.layers."),
    ("encoder.image_newline", "model.image_newline"),
    ("encoder.view_separator", "model.view_seperator"),  # spelled so
    ("decoder.", "model."),
    ("lm_head.", "lm_head."),
)
# Nothing uses it. The released checkpoint has it, and what transformers saves doesn't.
_OPTIONAL = "encoder.clip.embeddings.patch_embedding.weight"
# The numbers of CLIP's positions. We wrote them once. The released checkpoint hasn't got them, and vLLM refuses them.
_STRAY = "embeddings.position_ids"
_STACKED = re.compile(r"(.*\.mlp\.experts)\.(gate_up|down)")
_HALVES = {"gate_up": ("gate_proj", "up_proj"), "down": ("down_proj",)}


@dataclass(frozen=True)
class Piece:
    """A released tensor, `key`, and its place in our tensor `name`: rows `start` to `end` of an expert, or all of it."""

    key: str
    name: str
    expert: int | None = None
    start: int = 0
    end: int = 0

    @property
    def at(self) -> tuple[int | slice, ...]:
        """Its place as an index of our tensor, () for the whole."""
        return () if self.expert is None else (self.expert, slice(self.start, self.end))

    def of(self, value: Tensor) -> Tensor:
        """Its part of our tensor `value`, a view."""
        return value[self.at]


def pieces(name: str, shape: tuple[int, ...]) -> Iterator[Piece]:
    """The released tensors that our tensor `name` of `shape` consists of, in the order of its bytes."""
    stacked = _STACKED.fullmatch(name)
    if not stacked:
        yield Piece(released_name(name), name)
        return
    halves = _HALVES[stacked[2]]
    height = shape[1] // len(halves)
    for expert in range(shape[0]):
        for n, half in enumerate(halves):
            key = f"{released_name(stacked[1])}.{expert}.{half}.weight"
            yield Piece(key, name, expert, n * height, (n + 1) * height)


def released_name(name: str) -> str:
    """The released name of our tensor `name`, which must not be stacked."""
    for ours, theirs in _BEGINNINGS:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise ValueError(f"{name} is no part of the network")


def released_tensors(net: DeepseekOcr) -> dict[str, Tensor]:
    """The weights of `net` under the released keys: views, without a copy."""
    state = net.state_dict()
    return {piece.key: piece.of(value) for name, value in state.items() for piece in pieces(name, tuple(value.shape))}


def _blank(config: ModelConfig) -> dict[str, Tensor]:
    """Our tensors by name, on the meta device: shapes without memory."""
    with torch.device("meta"):
        return DeepseekOcr(config).state_dict()


def read_config(folder: Folder) -> ModelConfig:
    """The sizes in a folder's `config.json`. Raises `FileNotFoundError` and `BadCheckpoint`."""
    try:
        return ModelConfig.from_json(folder.read(CONFIG))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCheckpoint(f"{folder.path(CONFIG)} doesn't describe this network: {error!r}") from error


def load(
    folder: Folder | str | os.PathLike[str], device: str | torch.device = "cpu", dtype: torch.dtype | None = None
) -> DeepseekOcr:
    """The network in a folder, in evaluation mode. `dtype` None means each tensor's own.

    The folder may have the released names or ours, and transformers may have saved it. One tensor that nothing uses may lack:
    it becomes zeros. Takes the memory of the network and of one stored tensor. Raises
    `FileNotFoundError`, and `BadCheckpoint`, which names the tensor, what it should be and what it is.
    """
    folder = folder if isinstance(folder, Folder) else Folder(os.fspath(folder))
    with torch.device("meta"):
        net = DeepseekOcr(read_config(folder))
    blank = net.state_dict()
    state: dict[str, Tensor] = {}
    with Reader(folder) as files:
        places = targets(blank, files.tensors, folder)
        for key, tensor in files.tensors.items():
            if key not in places:
                continue
            piece = places[key]
            if piece.name not in state:
                own = dtype if dtype and tensor.dtype.is_floating_point else tensor.dtype
                state[piece.name] = torch.empty(blank[piece.name].shape, dtype=own, device=device)
            elif dtype is None and state[piece.name].dtype != tensor.dtype:
                raise BadCheckpoint(f"{folder.url}: the experts of {piece.name} have several dtypes: load with one, as dtype=…")
            piece.of(state[piece.name]).copy_(files.read(key))
    if _OPTIONAL not in state:
        own = dtype or state["lm_head.weight"].dtype
        state[_OPTIONAL] = torch.zeros(blank[_OPTIONAL].shape, dtype=own, device=device)
    net.load_state_dict(state, assign=True)
    return net.eval()


def targets(blank: dict[str, Tensor], tensors: dict[str, Stored], folder: Folder) -> dict[str, Piece]:
    """The place of each stored tensor in a network with the shapes of `blank`. Tensors without a place are left out.

    Raises `BadCheckpoint` if a tensor that something uses is missing, or if one has another shape, or integers for floats.
    """
    theirs = {piece.key: piece for name, value in blank.items() for piece in pieces(name, tuple(value.shape))}
    ours = {name: Piece(name, name) for name in blank}
    wanted = ours if is_ours(tensors) else theirs
    wanted = {key: piece for key, piece in wanted.items() if key in tensors or piece.name != _OPTIONAL}
    if missing := [key for key in wanted if key not in tensors]:
        more = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
        raise BadCheckpoint(f"{folder.url} lacks {missing[0]}{more}, which {CONFIG} asks for")
    for key, piece in wanted.items():
        expected = tuple(piece.of(blank[piece.name]).shape)
        if tensors[key].shape != expected:
            raise BadCheckpoint(f"{folder.url}: {key} should be {expected} by {CONFIG}, and is {tensors[key].shape}")
        if tensors[key].dtype.is_floating_point != blank[piece.name].dtype.is_floating_point:
            expected_dtype = str(blank[piece.name].dtype).removeprefix("torch.")
            raise BadCheckpoint(f"{folder.url}: {key} should be of {expected_dtype} or the like, and is {tensors[key].dtype}")
    return wanted


def is_ours(keys: dict[str, Stored]) -> bool:
    """Whether these are our names, and not the released ones."""
    return any(key.startswith(("encoder.", "decoder.")) for key in keys)


def convert(source: Folder, out: Folder, tell: Callable[[str], None] = lambda line: None) -> str:
    """Write a folder's weights into `out`, from released names to ours or back. Returns the new names: "ours" or "released".

    A stacked tensor is its experts' bytes one after the other. So bytes are only moved, and a round trip gives the same files,
    by the index that came with them. Tensors that the network doesn't know keep their names, but for the numbers of CLIP's
    positions, which are left out. Other files are copied. Weights that are in `out` are replaced. Takes the memory of the
    network. Raises `ValueError` and `BadCheckpoint`.
    """
    if same_place(source, out):
        raise ValueError("the folder to write must be another than the one to read")
    out.sweep()
    blank = _blank(read_config(source))
    with Reader(source) as files:
        to_ours = not is_ours(files.tensors)
        places = targets(blank, files.tensors, source)
        there = {piece.name for piece in places.values()}
        tensors: dict[str, Tensor] = {}
        for name, value in blank.items():
            if name in there:
                tensors |= _rearranged(files, name, tuple(value.shape), to_ours)
        tensors |= {key: files.read(key) for key in files.tensors if key not in places and not key.endswith(_STRAY)}
        index = _released_index(source, to_ours, set(tensors))
        one_file = len({tensor.file for tensor in files.tensors.values()}) == 1
        max_bytes = sys.maxsize if one_file else MAX_FILE_BYTES
        write(out, tensors, files.metadata, max_bytes, tell, None if to_ours else index)
    out.remove(RELEASED_INDEX)
    if to_ours and index is not None:
        out.write(RELEASED_INDEX, index)
    copy(source, out, [name for name in source.names() if not name.endswith((".safetensors", ".safetensors.index.json"))])
    return "ours" if to_ours else "released"


def copy(source: Folder, out: Folder, names: Iterable[str]) -> None:
    """Copy these files."""
    for name in names:
        with source.open(name) as file, out.create(name) as copied:
            shutil.copyfileobj(file, copied, 1 << 20)


def _released_index(source: Folder, to_ours: bool, keys: set[str]) -> bytes | None:
    """The index of the released files, if there is one. Beside our files it has another name, and waits for the way back."""
    name = INDEX if to_ours else RELEASED_INDEX
    if not source.exists(name):
        return None
    index = source.read(name)
    return index if to_ours or keys == set(weight_map(source.path(name), index)) else None


def _rearranged(files: Reader, name: str, shape: tuple[int, ...], to_ours: bool) -> dict[str, Tensor]:
    """What our tensor `name` is written as: itself from its pieces, or its pieces from it."""
    parts = list(pieces(name, shape))
    if not to_ours:
        whole = files.read(name)
        return {part.key: part.of(whole) for part in parts}
    if len({files.tensors[part.key].dtype for part in parts}) > 1:
        raise BadCheckpoint(f"{files.folder.url}: the experts of {name} have several dtypes, and can't be stacked")
    read = [files.read(part.key) for part in parts]
    return {name: torch.cat(read).view(shape) if len(read) > 1 else read[0]}


def inspect(folder: Folder) -> str:
    """A description of a folder's weights, in lines. Raises `FileNotFoundError` and `BadCheckpoint`."""
    with Reader(folder) as files:
        tensors = files.tensors
    blank = _blank(read_config(folder))
    places = targets(blank, tensors, folder)
    sizes: Counter[str] = Counter()
    for key, piece in places.items():
        sizes[part_of(piece.name)] += tensors[key].num_bytes // tensors[key].dtype.itemsize
    dtypes = Counter(str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values())
    num_bytes = sum(tensor.num_bytes for tensor in tensors.values())
    unknown = sorted(set(tensors) - set(places))
    lines = [
        f"{folder.url}: {'our' if is_ours(tensors) else 'the released'} names, {len({t.file for t in tensors.values()})} files",
        f"{len(tensors):,} tensors, {num_bytes:,} bytes; {', '.join(f'{num:,} {dtype}' for dtype, num in dtypes.most_common())}",
        f"{sum(sizes[part] for part in PARTS):,} parameters",
        *(f"  {part:<12} {sizes[part]:>15,}" for part in PARTS if sizes[part]),
    ]
    if unknown:
        names = ", ".join(unknown[:5]) + (" …" if unknown[5:] else "")
        lines.append(f"{len(unknown)} tensors that the network doesn't know: {names}")
    return "\n".join(lines)


def _word(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the folder's name is empty")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.files.weights", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    look = commands.add_parser("inspect", help="say what a folder holds")
    change = commands.add_parser("convert", help="rewrite released names to ours, or ours to the released ones")
    for command in (look, change):
        command.add_argument("folder", type=_word)
    change.add_argument("out", type=_word)
    args = parser.parse_args()
    try:
        if args.command == "inspect":
            print(inspect(Folder(args.folder)))
        else:
            now = convert(Folder(args.folder), Folder(args.out), lambda line: print(line, flush=True))
            print(f"{args.out} has {'our' if now == 'ours' else 'the released'} names")
    except (OSError, ValueError, ImportError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
